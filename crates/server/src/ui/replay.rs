//! What a recorded request would do now: tried by the admin API, and shown.

use askama::Template;
use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};

use super::activity::Told;
use super::connector::versions::Difference;
use super::desk::Desk;
use super::journal::told;
use super::page::{Shell, Shown, show};

/// What of a resource no client writes.
const OWN: [&str; 3] = ["id", "meta", "schemas"];

#[derive(Template)]
#[template(path = "replay.html")]
struct ReplayPage {
    shell: Shell,
    request: String,
    found: Replay,
    operations: Vec<Tried>,
}

#[derive(Deserialize)]
struct Replay {
    #[serde(default)]
    operations: Vec<Operation>,
    changes: Vec<Told>,
    more_changes: bool,
    held: Vec<Held>,
    later: i64,
    state: String,
    as_replacement: bool,
    masked: bool,
}

#[derive(Deserialize)]
struct Operation {
    status: Option<i64>,
    detail: Option<String>,
    warnings: Vec<Warning>,
    before: Option<Value>,
    after: Option<Value>,
    members_before: Option<i64>,
    members_after: Option<i64>,
}

#[derive(Deserialize)]
struct Warning {
    what: String,
    why: String,
}

#[derive(Deserialize)]
struct Held {
    user: String,
    group: String,
    change: Value,
}

impl Held {
    fn whom(&self) -> String {
        match self.user.as_str() {
            "" => format!("group {}", self.group),
            user => user.to_owned(),
        }
    }

    fn words(&self) -> String {
        match (self.user.as_str(), self.group.as_str()) {
            ("", _) | (_, "") => told(&self.change, None),
            (_, group) => format!("{}: {group}", told(&self.change, None)),
        }
    }
}

/// One operation, with what it would write.
struct Tried {
    status: String,
    colour: &'static str,
    words: String,
    warnings: Vec<Warning>,
    differences: Vec<Difference>,
}

/// `GET /console/activity/{request}/now`
pub(super) async fn page(desk: Desk, Path(request): Path<String>) -> Shown {
    let path = ["requests", request.as_str(), "replay"];
    let mut found: Replay = desk.ask(&path, &[], json!({})).await?;
    let operations = std::mem::take(&mut found.operations);
    show(&ReplayPage {
        shell: desk.shell("activity"),
        operations: operations.into_iter().map(tried).collect(),
        request,
        found,
    })
}

fn tried(operation: Operation) -> Tried {
    let (colour, words) = match operation.status {
        None => (
            "warn",
            "It would not be begun: too many before it fail.".to_owned(),
        ),
        Some(400..) => ("bad", operation.detail.unwrap_or_default()),
        Some(_) => ("good", "It would be accepted.".to_owned()),
    };
    let nothing = Value::Null;
    let mut differences = Vec::new();
    compare(
        String::new(),
        operation.before.as_ref().unwrap_or(&nothing),
        operation.after.as_ref().unwrap_or(&nothing),
        &mut differences,
    );
    if operation.members_before != operation.members_after {
        differences.push(Difference {
            path: "members".to_owned(),
            before: operation.members_before.into(),
            after: operation.members_after.into(),
        });
    }
    Tried {
        status: operation
            .status
            .map_or_else(|| "not begun".to_owned(), |it| it.to_string()),
        colour,
        words,
        warnings: operation.warnings,
        differences,
    }
}

/// Where two resources differ, attribute by attribute; a list is one value.
fn compare(path: String, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    if before == after {
        return;
    }
    let empty = serde_json::Map::new();
    let parts = match (before, after) {
        (Value::Object(before), Value::Object(after)) => Some((before, after)),
        (Value::Object(before), Value::Null) => Some((before, &empty)),
        (Value::Null, Value::Object(after)) => Some((&empty, after)),
        _ => None,
    };
    let Some((was, is)) = parts else {
        found.push(Difference {
            path,
            before: before.clone(),
            after: after.clone(),
        });
        return;
    };
    let added = is.keys().filter(|name| !was.contains_key(*name));
    for name in was.keys().chain(added) {
        if path.is_empty() && OWN.contains(&name.as_str()) {
            continue;
        }
        let below = match path.is_empty() {
            true => name.clone(),
            false => format!("{path}.{name}"),
        };
        let value = |all: &serde_json::Map<String, Value>| all.get(name).cloned();
        compare(
            below,
            &value(was).unwrap_or_default(),
            &value(is).unwrap_or_default(),
            found,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_compared_attribute_by_attribute() {
        let before = json!({"id": "1", "userName": "a", "name": {"givenName": "A", "familyName": "B"}, "x": 1});
        let after = json!({"id": "2", "userName": "a", "name": {"givenName": "C", "familyName": "B"}, "emails": [1]});
        let mut found = Vec::new();
        compare(String::new(), &before, &after, &mut found);
        let found: Vec<_> = found
            .into_iter()
            .map(|one| (one.path, one.before, one.after))
            .collect();
        let expected = [
            ("name.givenName".to_owned(), json!("A"), json!("C")),
            ("x".to_owned(), json!(1), Value::Null),
            ("emails".to_owned(), Value::Null, json!([1])),
        ];
        assert_eq!(found, expected);
    }
}
