//! PATCH of the fake server, with the habits of all clients.

use serde_json::{Map, Value, json};

use super::filter::{self, Node};
use super::resource::{Done, ENTERPRISE, LISTS, attribute, list, members, no, spelled, truth};

/// Which mistakes to make.
pub trait Faults {
    fn has(&self, fault: &str) -> bool;
}

pub fn apply(stored: &mut Map<String, Value>, body: &Value, faults: &impl Faults) -> Done {
    let Some(operations) = body["Operations"].as_array() else {
        return no(400, "invalidSyntax", "Operations is a list");
    };
    if operations.len() > 1_000 {
        return no(413, "tooMany", "too many operations");
    }
    for operation in operations {
        if !operation.is_object() {
            return no(400, "invalidSyntax", "an operation is an object");
        }
        one(stored, operation, faults)?;
    }
    Ok(())
}

fn one(stored: &mut Map<String, Value>, operation: &Value, faults: &impl Faults) -> Done {
    let word = operation["op"].as_str().unwrap_or_default();
    let op = if faults.has("capital operations are refused") {
        word.to_owned()
    } else {
        word.to_lowercase()
    };
    if !matches!(op.as_str(), "add" | "replace" | "remove") {
        return no(400, "invalidSyntax", "op is add, replace or remove");
    }
    let value = &operation["value"];
    let path = operation["path"].as_str().unwrap_or_default();
    if !path.is_empty() {
        return at(stored, &op, path, value, faults);
    }
    if op == "remove" {
        return no(400, "noTarget", "remove has a path");
    }
    let Some(values) = value.as_object() else {
        return no(400, "invalidValue", "without a path the value is an object");
    };
    for (key, value) in values {
        let (parts, _) = attribute(key);
        let is_dotted = key.contains('.') && !key.starts_with("urn:");
        if faults.has("keys with dots are passed over") && is_dotted {
            continue;
        }
        if parts.first().is_none_or(|part| spelled(part).is_none()) {
            continue;
        }
        let inner = value
            .as_object()
            .filter(|_| key.eq_ignore_ascii_case(ENTERPRISE));
        match inner {
            Some(map) => {
                for (sub, value) in map {
                    at(stored, &op, &format!("{ENTERPRISE}:{sub}"), value, faults)?;
                }
            }
            None => at(stored, &op, key, value, faults)?,
        }
    }
    Ok(())
}

fn at(
    stored: &mut Map<String, Value>,
    op: &str,
    path: &str,
    value: &Value,
    faults: &impl Faults,
) -> Done {
    let wrong = || no(400, "invalidPath", "the path cannot be read");
    if let Some((name, rest)) = path.split_once('[') {
        let Some((inner, sub)) = rest.rsplit_once(']') else {
            return wrong();
        };
        let Some(node) = filter::parse(inner, false) else {
            return wrong();
        };
        let Some(name) = spelled(name) else {
            return wrong();
        };
        return elements(
            stored,
            op,
            name,
            &node,
            sub.trim_start_matches('.'),
            value,
            faults,
        );
    }
    let (parts, _) = attribute(path);
    let Some(top) = parts.first().and_then(|part| spelled(part)) else {
        return match parts.first().map(String::as_str) {
            Some("id" | "meta" | "groups") => no(400, "mutability", "it is readOnly"),
            _ => wrong(),
        };
    };
    match parts.get(1) {
        None if LISTS.contains(&top) || top == "members" => {
            whole_list(stored, op, top, value, faults)
        }
        None if op == "remove" || value.is_null() => {
            stored.shift_remove(top);
            Ok(())
        }
        None if top == "name" && value.is_object() => {
            let mut name = stored
                .get(top)
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            name.extend(
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(k, v)| (k.clone(), v.clone())),
            );
            stored.insert(top.into(), name.into());
            Ok(())
        }
        None => {
            let is_text = faults.has("a boolean stays a text");
            let value = match truth(value) {
                Some(truth) if top == "active" && !is_text => truth.into(),
                _ => value.clone(),
            };
            stored.insert(top.into(), value);
            Ok(())
        }
        Some(sub) => {
            let mut map = stored
                .get(top)
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            let key = map
                .keys()
                .find(|key| key.eq_ignore_ascii_case(sub))
                .cloned();
            let names = ["familyName", "givenName", "middleName", "formatted"];
            let spelled = names
                .into_iter()
                .chain(super::resource::EXTENSION.iter().copied());
            let known = spelled
                .into_iter()
                .find(|name| name.eq_ignore_ascii_case(sub))
                .map(str::to_owned);
            let key = key.or(known).unwrap_or_else(|| sub.clone());
            match op == "remove" || value.is_null() {
                true => drop(map.shift_remove(&key)),
                false => drop(map.insert(key, value.clone())),
            }
            stored.insert(top.into(), map.into());
            Ok(())
        }
    }
}

fn whole_list(
    stored: &mut Map<String, Value>,
    op: &str,
    top: &str,
    value: &Value,
    faults: &impl Faults,
) -> Done {
    let read = |value: &Value| match top {
        "members" => members(value),
        _ => list(value).map_or_else(|| no(400, "invalidValue", "a list"), Ok),
    };
    let have = stored
        .get(top)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let next: Vec<Value> = match op {
        "remove" if value.is_null() || faults.has("remove with values removes all") => Vec::new(),
        "remove" => {
            let gone = read(value)?;
            let is_gone = |item: &&Value| {
                gone.as_array()
                    .is_some_and(|list| list.iter().any(|one| one["value"] == item["value"]))
            };
            have.iter().filter(|item| !is_gone(item)).cloned().collect()
        }
        "replace" if value.is_null() => Vec::new(),
        "replace" => read(value)?.as_array().cloned().unwrap_or_default(),
        _ => {
            let mut all = if faults.has("add replaces a list") {
                Vec::new()
            } else {
                have
            };
            for item in read(value)?.as_array().into_iter().flatten() {
                let is_there = all.iter().any(|known| known["value"] == item["value"]);
                if is_there && faults.has("a member again is a conflict") && top == "members" {
                    return no(409, "uniqueness", "it is there already");
                }
                if !is_there || faults.has("a member again is there twice") {
                    all.push(item.clone());
                }
            }
            all
        }
    };
    put_list(stored, top, next)
}

/// Of several primaries the new one stays, which is the last.
fn put_list(stored: &mut Map<String, Value>, top: &str, items: Vec<Value>) -> Done {
    match items.is_empty() {
        true => drop(stored.shift_remove(top)),
        false => drop(stored.insert(top.into(), list(&Value::Array(items)).unwrap_or_default())),
    }
    Ok(())
}

fn elements(
    stored: &mut Map<String, Value>,
    op: &str,
    top: &str,
    node: &Node,
    sub: &str,
    value: &Value,
    faults: &impl Faults,
) -> Done {
    let mut items = stored
        .get(top)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let met: Vec<bool> = items
        .iter()
        .map(|item| filter::is_met(node, item, false))
        .collect();
    if op == "remove" && sub.is_empty() {
        let mut nth = 0;
        items.retain(|_| {
            nth += 1;
            !met[nth - 1]
        });
        return put_list(stored, top, items);
    }
    if !met.contains(&true) {
        if op == "remove" {
            return Ok(());
        }
        if faults.has("a value path without a match is refused") {
            return no(400, "noTarget", "nothing matches");
        }
        let mut new = Map::new();
        if !terms(node, &mut new) {
            return no(400, "noTarget", "nothing matches");
        }
        if !sub.is_empty() {
            new.insert(sub.into(), value.clone());
        }
        items.push(new.into());
        return put_list(stored, top, items);
    }
    let mut last = Vec::new();
    for (item, _) in items.iter_mut().zip(&met).filter(|(_, met)| **met) {
        match (op, sub) {
            ("remove", sub) => drop(item.as_object_mut().and_then(|map| map.shift_remove(sub))),
            (_, "") => item.as_object_mut().into_iter().for_each(|map| {
                map.extend(
                    value
                        .as_object()
                        .into_iter()
                        .flatten()
                        .map(|(k, v)| (k.clone(), v.clone())),
                );
            }),
            (_, sub) => item[sub] = value.clone(),
        }
        last.push(item.clone());
    }
    if sub == "primary" && truth(value) == Some(true) && !faults.has("two primaries are kept") {
        for (item, _) in items.iter_mut().zip(&met).filter(|(_, met)| !**met) {
            if item["primary"] == true {
                item["primary"] = json!(false);
            }
        }
    }
    stored.insert(top.into(), items.into());
    Ok(())
}

/// The element that `eq` terms describe.
fn terms(node: &Node, into: &mut Map<String, Value>) -> bool {
    match node {
        Node::Test(name, op, value) if op == "eq" => {
            let value = truth(value)
                .filter(|_| name == "primary")
                .map_or(value.clone(), Value::Bool);
            into.insert(name.clone(), value);
            true
        }
        Node::And(a, b) => terms(a, into) && terms(b, into),
        _ => false,
    }
}
