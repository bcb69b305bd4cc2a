//! References to what other operations create: `bulkId:<name>` as a value, as the end of a `$ref`, and
//! in the quotes of a PATCH path.

use std::ops::Range;

use serde_json::{Map, Value};

const PREFIX: &str = "bulkId:";

/// The name in a text that is a reference as a whole.
pub(super) fn name_in(text: &str) -> Option<&str> {
    text.strip_prefix(PREFIX)
}

/// Where references stand in a text, found under `key`; the ranges include the prefix.
fn spans(key: &str, text: &str) -> Vec<Range<usize>> {
    if text.starts_with(PREFIX) {
        return std::iter::once(0..text.len()).collect();
    }
    if key.eq_ignore_ascii_case("$ref") {
        let start = text
            .rfind('/')
            .map(|slash| slash + 1)
            .filter(|start| text[*start..].starts_with(PREFIX));
        return start.map(|start| start..text.len()).into_iter().collect();
    }
    if !key.eq_ignore_ascii_case("path") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("\"bulkId:") {
        let start = from + at + 1;
        let Some(length) = text[start..].find('"') else {
            break;
        };
        found.push(start..start + length);
        from = start + length + 1;
    }
    found
}

fn names<'t>(key: &str, text: &'t str) -> impl Iterator<Item = &'t str> {
    spans(key, text)
        .into_iter()
        .filter_map(|span| text.get(span).and_then(name_in))
}

/// Hands over the name of each reference.
pub(super) fn each(data: &Map<String, Value>, note: &mut impl FnMut(&str)) {
    for (key, value) in data {
        each_in(key, value, note);
    }
}

fn each_in(key: &str, value: &Value, note: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => names(key, text).for_each(note),
        Value::Array(items) => items.iter().for_each(|item| each_in(key, item, note)),
        Value::Object(parts) => each(parts, note),
        _ => {}
    }
}

/// Puts what `replace` gives in the place of each reference; one for which it gives nothing stays.
pub(super) fn replace(
    data: &mut Map<String, Value>,
    replace: &mut impl FnMut(&str) -> Option<String>,
) {
    for (key, value) in data {
        replace_in(key, value, replace);
    }
}

fn replace_in(key: &str, value: &mut Value, with: &mut impl FnMut(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            for span in spans(key, text).into_iter().rev() {
                let id = text
                    .get(span.clone())
                    .and_then(name_in)
                    .and_then(&mut *with);
                if let Some(id) = id {
                    text.replace_range(span, &id);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                replace_in(key, item, with);
            }
        }
        Value::Object(parts) => replace(parts, with),
        _ => {}
    }
}

/// Leaves out what refers to a name of which `is_later` holds: the element of a list, the object whose
/// `value` it is, or the attribute.
pub(super) fn prune(data: &mut Map<String, Value>, is_later: &impl Fn(&str) -> bool) {
    data.retain(|key, value| keep(key, value, is_later));
}

fn keep(key: &str, value: &mut Value, is_later: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => !names(key, text).any(is_later),
        Value::Array(items) => {
            items.retain_mut(|item| keep(key, item, is_later));
            true
        }
        Value::Object(parts) => {
            let refers = parts.iter().any(|(key, part)| {
                (key.eq_ignore_ascii_case("value") || key.eq_ignore_ascii_case("$ref"))
                    && part
                        .as_str()
                        .is_some_and(|text| names(key, text).any(is_later))
            });
            prune(parts, is_later);
            !refers
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn references_are_found_and_replaced_wherever_they_may_stand() {
        let mut data = object(json!({
            "displayName": "about bulkId:a",
            "members": [{ "value": "bulkId:a" }, "bulkId:b", { "value": "7", "$ref": "../Users/bulkId:c" }],
            "manager": { "value": "bulkId:d" },
            "Operations": [{ "path": "members[value eq \"bulkId:e\" or value eq \"bulkId:f\"]" }],
        }));
        let mut found = Vec::new();
        each(&data, &mut |name: &str| found.push(name.to_owned()));
        assert_eq!(found, ["a", "b", "c", "d", "e", "f"]);
        replace(&mut data, &mut |name: &str| {
            (name != "d").then(|| format!("id-{name}"))
        });
        assert_eq!(
            Value::Object(data),
            json!({
                "displayName": "about bulkId:a",
                "members": [{ "value": "id-a" }, "id-b", { "value": "7", "$ref": "../Users/id-c" }],
                "manager": { "value": "bulkId:d" },
                "Operations": [{ "path": "members[value eq \"id-e\" or value eq \"id-f\"]" }],
            })
        );
    }

    #[test]
    fn what_comes_later_is_left_out_whole() {
        let mut data = object(json!({
            "members": [{ "value": "bulkId:a", "type": "Group" }, "bulkId:a", { "value": "bulkId:b" }],
            "manager": { "value": "bulkId:a", "displayName": "A" },
        }));
        prune(&mut data, &|name: &str| name == "a");
        assert_eq!(
            Value::Object(data),
            json!({ "members": [{ "value": "bulkId:b" }] })
        );
    }
}
