//! Lists of the fake server: filters, order, pages and cursors.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::patch::Faults as _;
use super::resource::{Done, no};
use super::{Call, LIST, Reply, Server, Tenant, filter, ok};

impl Server {
    pub(super) fn found(
        &self,
        call: &Call,
        tenant: &Tenant,
        is_group: bool,
        question: &Question,
    ) -> Done<Vec<Value>> {
        let node = match &question.filter {
            Some(text) if !self.has("filters are passed over") => {
                let node = filter::parse(text, self.has("or binds as tightly as and"));
                if node.is_none() && self.has("a bad filter finds everybody") {
                    None
                } else {
                    Some(node.map_or_else(
                        || no(400, "invalidFilter", "the filter cannot be read"),
                        Ok,
                    )?)
                }
            }
            _ => None,
        };
        if question
            .filter
            .as_deref()
            .is_some_and(|text| text.contains("password"))
        {
            return no(400, "invalidFilter", "not by password");
        }
        if let Some(text) = question.filter.as_deref() {
            if self.has("a value needs quotes") && !text.contains('"') && text.contains("@") {
                return no(400, "invalidFilter", "quotes");
            }
            if self.has("an unknown name is not found") && text.contains("no such group") {
                return no(404, "", "none");
            }
        }
        let hides = self.has("the disabled are hidden");
        let all = tenant
            .all(is_group)
            .iter()
            .map(|one| self.shown(call, tenant, one, is_group));
        let all = all.filter(|one| {
            node.as_ref().is_none_or(|node| {
                filter::is_met(node, one, self.has("everything is compared exactly"))
            })
        });
        Ok(all.filter(|one| !hides || one["active"] != false).collect())
    }

    pub(super) fn list(&self, call: &Call, is_group: bool, question: &Question) -> Done<Reply> {
        if question.filter.is_some() && is_group && self.has("groups cannot be filtered") {
            return no(400, "invalidFilter", "not here");
        }
        let tenant = self.tenant(call);
        let mut all = self.found(call, &tenant, is_group, question)?;
        drop(tenant);
        if let Some(by) = &question.sort_by {
            self.sort(&mut all, by, question)?;
        }
        let total = all.len();
        let count = question.count.unwrap_or(100).clamp(0, 200) as usize;
        let start = question.start.unwrap_or(1).max(1) as usize;
        let mut page = json!({"schemas": [LIST], "totalResults": total});
        let skip = match &question.cursor {
            Some(cursor) => {
                let after = self.cursor(cursor, question)?;
                all.iter()
                    .position(|one| one["id"].as_str().unwrap_or_default() > after.as_str())
                    .unwrap_or(total)
            }
            None => start - 1,
        };
        let skip = match self.has("pages overlap") && skip > 0 {
            true => skip - 1,
            false => skip,
        };
        let resources: Vec<Value> = all
            .iter()
            .skip(skip)
            .take(count)
            .map(|one| self.part(one, question))
            .collect();
        let is_more = skip + resources.len() < total;
        if question.cursor.is_some() {
            if (is_more || self.has("there is always a next page"))
                && let Some(last) = resources.last()
            {
                let id = last["id"].as_str().unwrap_or_default();
                let id = if self.has("a cursor is a number") {
                    format!("{:08}", skip)
                } else {
                    id.to_owned()
                };
                page["nextCursor"] = format!("c{}.{id}", mark(question)).into();
            }
        } else {
            page["startIndex"] = start.into();
        }
        page["itemsPerPage"] = if self.has("itemsPerPage is what was asked for") {
            question.count.unwrap_or(100).into()
        } else {
            resources.len().into()
        };
        if self.has("totalResults is the size of the page") {
            page["totalResults"] = resources.len().into();
        }
        if self.has("totals are texts") {
            page["totalResults"] = total.to_string().into();
        }
        page["Resources"] = resources.into();
        if self.has("the order is random")
            && let Some(list) = page["Resources"].as_array_mut()
        {
            let shift = self.ids.fetch_add(1, Ordering::SeqCst) as usize % list.len().max(1);
            list.rotate_left(shift);
        }
        ok(page)
    }

    /// The id after which a page begins. A cursor belongs to one query.
    pub(super) fn cursor(&self, cursor: &str, question: &Question) -> Done<String> {
        if cursor.is_empty() {
            return Ok(String::new());
        }
        match cursor.strip_prefix(&format!("c{}.", mark(question))) {
            Some(id) => Ok(id.to_owned()),
            None if self.has("a bad cursor begins again") => Ok(String::new()),
            None => no(400, "invalidCursor", "begin again"),
        }
    }

    pub(super) fn sort(&self, all: &mut [Value], by: &str, question: &Question) -> Done {
        let is_down = match question.sort_order.as_deref() {
            None | Some("ascending") => false,
            Some("descending") => true,
            Some(_) => return no(400, "invalidValue", "ascending or descending"),
        };
        if self.has("sorting is passed over") {
            return Ok(());
        }
        let path: Vec<&str> = by.split('.').collect();
        let key = |one: &Value| {
            let mut value = one.clone();
            for part in &path {
                value = value[part].clone();
            }
            if let Value::Array(list) = &value {
                let primary = list
                    .iter()
                    .find(|one| one["primary"] == true)
                    .or(list.first());
                value = primary.map(|one| one["value"].clone()).unwrap_or_default();
            }
            let text = value.as_str().unwrap_or_default();
            let text = if self.has("everything is compared exactly") {
                text.to_owned()
            } else {
                text.to_lowercase()
            };
            (
                value.is_null() && !self.has("who has no value comes first"),
                text,
                one["id"].as_str().unwrap_or_default().to_owned(),
            )
        };
        all.sort_by_key(key);
        if is_down {
            all.reverse();
        }
        Ok(())
    }

    pub(super) fn search_all(&self, call: &Call) -> Done<Reply> {
        let question = Question::of_body(&self.object(call)?);
        let tenant = self.tenant(call);
        let mut all = self.found(call, &tenant, false, &question)?;
        all.extend(self.found(call, &tenant, true, &question)?);
        ok(
            json!({"schemas": [LIST], "totalResults": all.len(), "startIndex": 1, "itemsPerPage": all.len(), "Resources": all}),
        )
    }
}

/// What a list is asked for.
#[derive(Default)]
pub(super) struct Question {
    pub(super) filter: Option<String>,
    pub(super) start: Option<i64>,
    pub(super) count: Option<i64>,
    pub(super) cursor: Option<String>,
    pub(super) sort_by: Option<String>,
    pub(super) sort_order: Option<String>,
    pub(super) attributes: Vec<String>,
    pub(super) excluded: Vec<String>,
}

impl Question {
    pub(super) fn of_query(call: &Call) -> Done<Question> {
        let number = |name: &str| match call.query(name) {
            None => Ok(None),
            Some(text) => match text.parse::<i128>() {
                Ok(number) => Ok(Some(i64::try_from(number).unwrap_or(i64::MAX))),
                Err(_) => no(400, "invalidValue", "a number"),
            },
        };
        let names = |name: &str| -> Vec<String> {
            call.query(name)
                .into_iter()
                .flat_map(|text| text.split(','))
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let owned = |name: &str| call.query(name).map(str::to_owned);
        Ok(Question {
            filter: owned("filter"),
            start: number("startIndex")?,
            count: number("count")?,
            cursor: owned("cursor"),
            sort_by: owned("sortBy"),
            sort_order: owned("sortOrder"),
            attributes: names("attributes"),
            excluded: names("excludedAttributes"),
        })
    }

    pub(super) fn of_body(body: &Value) -> Question {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let names = |name: &str| {
            body[name]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        Question {
            filter: text("filter"),
            start: body["startIndex"].as_i64(),
            count: body["count"].as_i64(),
            cursor: text("cursor"),
            sort_by: text("sortBy"),
            sort_order: text("sortOrder"),
            attributes: names("attributes"),
            excluded: names("excludedAttributes"),
        }
    }
}

/// A mark of the query that a cursor belongs to.
fn mark(question: &Question) -> usize {
    question
        .filter
        .as_deref()
        .unwrap_or_default()
        .bytes()
        .fold(7, |sum, byte| (sum * 31 + usize::from(byte)) % 99_991)
}
