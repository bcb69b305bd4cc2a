//! What users and groups may have, and how a body becomes one.

use serde_json::{Map, Value, json};

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

pub const TEXTS: &[&str] = &[
    "userName",
    "displayName",
    "nickName",
    "profileUrl",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
    "externalId",
];
pub const LISTS: &[&str] = &[
    "emails",
    "phoneNumbers",
    "addresses",
    "roles",
    "entitlements",
];
pub const EXTENSION: &[&str] = &[
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
    "manager",
];

/// `(status, scimType, detail)`
pub type Refusal = (u16, &'static str, String);
pub type Done<T = ()> = Result<T, Refusal>;

pub fn no<T>(status: u16, kind: &'static str, detail: &str) -> Done<T> {
    Err((status, kind, detail.to_owned()))
}

pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

pub fn is_true(value: &Value) -> bool {
    *value == Value::Bool(true)
}

/// The schema's spelling of a name at the top of a user or group.
pub fn spelled(name: &str) -> Option<&'static str> {
    let all = TEXTS
        .iter()
        .chain(LISTS)
        .chain(&["active", "name", "members", ENTERPRISE, "password"]);
    all.copied().find(|known| known.eq_ignore_ascii_case(name))
}

/// The parts of an attribute's name: with a URN, with dots, or one of the extension without its URN.
pub fn attribute(name: &str) -> (Vec<String>, Option<String>) {
    let lower = name.to_lowercase();
    for urn in [USER, GROUP, ENTERPRISE] {
        if !lower.starts_with(&urn.to_lowercase()) {
            continue;
        }
        let rest = name[urn.len()..].trim_start_matches(':');
        let mut parts: Vec<String> = rest
            .split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        if urn == ENTERPRISE {
            parts.insert(0, ENTERPRISE.to_owned());
        }
        return (parts, None);
    }
    let mut parts: Vec<String> = name.split('.').map(str::to_owned).collect();
    if EXTENSION
        .iter()
        .any(|known| known.eq_ignore_ascii_case(&parts[0]))
    {
        parts.insert(0, ENTERPRISE.to_owned());
    }
    (parts, None)
}

fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Null) || *value == json!([]) || *value == json!({})
}

/// A body as it is stored: spelled, typed, without what is readOnly or unknown.
pub fn normalize(body: &Map<String, Value>, is_group: bool) -> Done<Map<String, Value>> {
    let mut kept = Map::new();
    for (key, value) in body {
        let Some(name) = spelled(key).filter(|name| *name != "password") else {
            continue;
        };
        let fits = match is_group {
            true => matches!(name, "displayName" | "externalId" | "members"),
            false => name != "members",
        };
        if !fits || is_nothing(value) || value == "" {
            continue;
        }
        kept.insert(name.to_owned(), typed(name, value)?);
    }
    let required = if is_group { "displayName" } else { "userName" };
    if !kept.contains_key(required) {
        return no(400, "invalidValue", &format!("{required} is required"));
    }
    Ok(kept)
}

fn typed(name: &str, value: &Value) -> Done<Value> {
    let wrong = || {
        no(
            400,
            "invalidValue",
            &format!("{name} has a value of the wrong type"),
        )
    };
    if TEXTS.contains(&name) {
        return match value.as_str() {
            Some(_) => Ok(value.clone()),
            _ => wrong(),
        };
    }
    match name {
        "active" => truth(value).map(Value::Bool).map_or_else(wrong, Ok),
        "name" => value
            .as_object()
            .map_or_else(wrong, |map| Ok(Value::Object(without_nothing(map)))),
        ENTERPRISE => value
            .as_object()
            .map_or_else(wrong, |map| Ok(extension(map))),
        "members" => members(value),
        _ => list(value).map_or_else(wrong, Ok),
    }
}

fn without_nothing(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter()
        .filter(|(_, value)| !is_nothing(value) && *value != "")
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn extension(map: &Map<String, Value>) -> Value {
    let mut kept = without_nothing(map);
    if let Some(manager) = kept.get("manager").cloned() {
        match manager {
            Value::String(text) => drop(kept.insert("manager".into(), json!({"value": text}))),
            Value::Object(inner) if inner.get("value").is_none_or(|value| value == "") => {
                drop(kept.shift_remove("manager"))
            }
            _ => {}
        }
    }
    Value::Object(kept)
}

/// A list of elements; one object or text is a list of one. Of several primaries the last stays.
pub fn list(value: &Value) -> Option<Value> {
    let items = match value {
        Value::Array(items) => items.clone(),
        Value::Object(_) | Value::String(_) => vec![value.clone()],
        _ => return None,
    };
    let mut kept: Vec<Value> = Vec::new();
    for item in items {
        let mut item = match item {
            Value::Object(map) => Value::Object(without_nothing(&map)),
            Value::String(text) => json!({"value": text}),
            _ => return None,
        };
        if let Some(truth) = truth(&item["primary"]) {
            item["primary"] = truth.into();
        }
        kept.push(item);
    }
    if let Some(last) = kept.iter().rposition(|item| is_true(&item["primary"])) {
        for (nth, item) in kept.iter_mut().enumerate() {
            if nth != last && is_true(&item["primary"]) {
                item["primary"] = false.into();
            }
        }
    }
    Some(Value::Array(kept))
}

/// The ids of members, each once.
pub fn members(value: &Value) -> Done<Value> {
    let mut kept: Vec<Value> = Vec::new();
    let Some(Value::Array(items)) = list(value) else {
        return no(400, "invalidValue", "members is a list");
    };
    for item in items {
        let Some(id) = item["value"].as_str() else {
            return no(400, "invalidValue", "a member has a value");
        };
        if !kept.iter().any(|known| known["value"] == id) {
            let kind = item["type"].as_str().unwrap_or("User");
            kept.push(json!({"value": id, "type": kind}));
        }
    }
    Ok(kept.into())
}
