//! Creating, changing and deleting in the fake server.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::patch::{self, Faults as _};
use super::resource::{self, Done, ENTERPRISE, no};
use super::{Call, Reply, Server, Tenant, ok};

impl Server {
    pub(super) fn is_taken(
        &self,
        tenant: &Tenant,
        is_group: bool,
        resource: &Map<String, Value>,
        own: &str,
    ) -> bool {
        let key = if is_group { "displayName" } else { "userName" };
        let name = resource[key].as_str().unwrap_or_default();
        let is_same = |other: &str| match self.has("names differ by case") {
            true => other == name,
            false => other.to_lowercase() == name.to_lowercase(),
        };
        let is_checked = !self.has(if is_group {
            "groups may have the same name"
        } else {
            "users may have the same name"
        });
        is_checked
            && tenant
                .all(is_group)
                .iter()
                .any(|one| one["id"] != own && one[key].as_str().is_some_and(is_same))
    }

    pub(super) fn create(&self, call: &Call, is_group: bool, body: &Value) -> Done<Reply> {
        if self.has("unknown schemas are refused")
            && body["schemas"]
                .as_array()
                .is_some_and(|list| list.len() > 1)
        {
            return no(400, "invalidValue", "an unknown schema");
        }
        if self.has("null is refused")
            && body
                .as_object()
                .is_some_and(|map| map.values().any(Value::is_null))
        {
            return no(400, "invalidValue", "null");
        }
        let mut map = body.as_object().unwrap().clone();
        if self.has("a number is an externalId") && body["externalId"].is_number() {
            map.shift_remove("externalId");
        }
        let mut stored = match self.has("a wrong type breaks it") {
            true => resource::normalize(&map, is_group)
                .map_err(|(_, kind, detail)| (500, kind, detail))?,
            false => resource::normalize(&map, is_group)?,
        };
        if self.has("booleans may be texts") && body["active"].is_string() {
            stored.insert("active".into(), body["active"].clone());
        }
        if self.has("the password is returned") && !body["password"].is_null() {
            stored.insert("password".into(), body["password"].clone());
        }
        if self.has("a number is an externalId") && body["externalId"].is_number() {
            stored.insert("externalId".into(), body["externalId"].clone());
        }
        if self.has("texts are cut")
            && let Some(text) = stored.get("displayName").and_then(Value::as_str)
        {
            let cut: String = text.chars().filter(|c| (*c as u32) < 0x1_0000).collect();
            stored.insert("displayName".into(), cut.into());
        }
        if self.has("members of a new group are lost") {
            stored.shift_remove("members");
        }
        if self.has("an element is lost")
            && let Some(emails) = stored.get_mut("emails").and_then(Value::as_array_mut)
        {
            emails.truncate(1);
        }
        if self.has("the extension is lost") {
            stored.shift_remove(ENTERPRISE);
        }
        if is_group && self.has("unknown members are refused") {
            self.known_members(&self.tenant(call), &stored)?;
        }
        let mut tenant = self.tenant(call);
        if self.has("uniqueness is looked up first") {
            let is_taken = self.is_taken(&tenant, is_group, &stored, "");
            drop(tenant);
            std::thread::sleep(Duration::from_millis(20));
            tenant = self.tenant(call);
            if is_taken {
                return no(409, "uniqueness", "it is taken");
            }
        } else if self.is_taken(&tenant, is_group, &stored, "") {
            return no(409, "uniqueness", "it is taken");
        }
        let nth = self.ids.fetch_add(1, Ordering::SeqCst);
        let own = body["id"]
            .as_str()
            .filter(|_| self.has("clients choose ids"));
        let id = own.map_or_else(
            || format!("{nth:08}-0000-4000-8000-{:012}", nth * 7919),
            str::to_owned,
        );
        let now = jiff::Timestamp::now().to_string();
        let kind = if is_group { "Group" } else { "User" };
        let mut whole = Map::new();
        whole.insert("id".into(), id.into());
        whole.extend(stored);
        whole.insert("meta".into(), json!({"resourceType": kind, "created": now, "lastModified": now, "version": "W/\"1\""}));
        let shown = self.shown(call, &tenant, &whole, is_group);
        tenant.all_mut(is_group).push(whole);
        if self.has("201 has no body") {
            return Ok(Reply {
                status: 201,
                headers: Vec::new(),
                body: None,
            });
        }
        let status = if self.has("creation is answered with 200") {
            200
        } else {
            201
        };
        Ok(self.resource(call, status, &shown))
    }

    pub(super) fn known_members(&self, tenant: &Tenant, stored: &Map<String, Value>) -> Done {
        let ids = stored
            .get("members")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let is_known = |id: &Value| {
            tenant
                .users
                .iter()
                .chain(&tenant.groups)
                .any(|one| one["id"] == *id)
        };
        match ids.map(|member| &member["value"]).all(is_known) {
            true => Ok(()),
            false => no(400, "invalidValue", "an unknown member"),
        }
    }

    pub(super) fn change(
        &self,
        call: &Call,
        is_group: bool,
        id: &str,
        method: &str,
        body: &Value,
    ) -> Done<Reply> {
        let mut tenant = self.tenant(call);
        let place = |tenant: &Tenant| tenant.all(is_group).iter().position(|one| one["id"] == id);
        let Some(nth) = place(&tenant) else {
            if method == "PUT" && self.has("PUT creates") {
                drop(tenant);
                return self.create(call, is_group, body);
            }
            return no(404, "", "there is none");
        };
        let old = tenant.all(is_group)[nth].clone();
        self.expected_version(call, &old)?;
        let mut next = old.clone();
        match method {
            "PUT" => {
                let mut new = resource::normalize(body.as_object().unwrap(), is_group)?;
                let keeps = |key: &str| match key {
                    "active" => !self.has("PUT without active disables"),
                    "members" => self.has("PUT without members keeps them"),
                    "nickName" => self.has("PUT clears nothing"),
                    _ => false,
                };
                for key in ["active", "members", "nickName"]
                    .into_iter()
                    .filter(|key| keeps(key))
                {
                    if let (false, Some(value)) = (new.contains_key(key), old.get(key)) {
                        new.insert(key.into(), value.clone());
                    }
                }
                if !new.contains_key("active")
                    && !is_group
                    && self.has("PUT without active disables")
                {
                    new.insert("active".into(), false.into());
                }
                if self.has("members of a PUT are lost") {
                    new.shift_remove("members");
                }
                next.retain(|key, _| matches!(key.as_str(), "id" | "meta"));
                next.extend(new);
            }
            _ => {
                let applied = patch::apply(&mut next, body, self);
                if let (Err(_), true) = (&applied, self.has("half a PATCH is kept")) {
                    tenant.all_mut(is_group)[nth] = next.clone();
                }
                applied?;
                let own: Map<String, Value> = next
                    .iter()
                    .filter(|(key, _)| !matches!(key.as_str(), "id" | "meta"))
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect();
                let is_odd =
                    self.has("a boolean stays a text") || self.has("two primaries are kept");
                let own = if is_odd {
                    own
                } else {
                    match resource::normalize(&own, is_group) {
                        Err(refusal) if self.has("half a PATCH is kept") => {
                            next.shift_remove("active");
                            tenant.all_mut(is_group)[nth] = next;
                            return Err(refusal);
                        }
                        other => other?,
                    }
                };
                next.retain(|key, _| matches!(key.as_str(), "id" | "meta"));
                next.extend(own);
            }
        }
        if is_group && self.has("unknown members are refused") {
            self.known_members(&tenant, &next)?;
        }
        if !is_group
            && self.has("who is disabled leaves the groups")
            && next.get("active") == Some(&false.into())
        {
            tenant.leave_groups(id);
        }
        if self.is_taken(&tenant, is_group, &next, id) {
            return no(409, "uniqueness", "it is taken");
        }
        if self.has("updates get lost") {
            drop(tenant);
            std::thread::sleep(Duration::from_millis(20));
            tenant = self.tenant(call);
        }
        let is_same = {
            let without = |map: &Map<String, Value>| {
                map.iter()
                    .filter(|(key, _)| *key != "meta")
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect::<std::collections::BTreeMap<_, _>>()
            };
            without(&old) == without(&next)
        };
        if !is_same || self.has("every write is a new version") {
            let count: u64 = old["meta"]["version"]
                .as_str()
                .unwrap_or_default()
                .chars()
                .filter(char::is_ascii_digit)
                .collect::<String>()
                .parse()
                .unwrap_or(1);
            next["meta"]["version"] = format!("W/\"{}\"", count + 1).into();
            if !self.has("lastModified stays") {
                next["meta"]["lastModified"] = jiff::Timestamp::now().to_string().into();
            }
        }
        let shown = self.shown(call, &tenant, &next, is_group);
        if let Some(nth) = place(&tenant) {
            tenant.all_mut(is_group)[nth] = next;
        }
        Ok(self.resource(call, 200, &shown))
    }

    pub(super) fn expected_version(&self, call: &Call, stored: &Map<String, Value>) -> Done {
        let Some(tags) = call
            .header("if-match")
            .filter(|_| !self.has("If-Match is passed over"))
        else {
            return Ok(());
        };
        let version = stored["meta"]["version"].as_str().unwrap_or_default();
        match tags == "*" || tags.split(',').any(|tag| tag.trim() == version) {
            true => Ok(()),
            false => no(412, "", "it has changed"),
        }
    }

    pub(super) fn delete(&self, call: &Call, is_group: bool, id: &str) -> Done<Reply> {
        let mut tenant = self.tenant(call);
        let Some(nth) = tenant.all(is_group).iter().position(|one| one["id"] == id) else {
            return match self.has("a second DELETE succeeds") {
                true => Ok(Reply {
                    status: 204,
                    headers: Vec::new(),
                    body: None,
                }),
                false => no(404, "", "there is none"),
            };
        };
        self.expected_version(call, &tenant.all(is_group)[nth])?;
        tenant.all_mut(is_group).remove(nth);
        if !self.has("who is deleted stays in groups") {
            tenant.leave_groups(id);
        }
        if is_group && self.has("a group takes its people along") {
            tenant.users.clear();
        }
        match self.has("DELETE is answered with 200 and a body") {
            true => ok(json!({})),
            false => Ok(Reply {
                status: 204,
                headers: Vec::new(),
                body: None,
            }),
        }
    }
}
