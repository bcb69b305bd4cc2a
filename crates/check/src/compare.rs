//! Whether a resource holds what it should: the expectation is a part of it.

use serde_json::Value;

/// Where and how `came` differs from what is expected, or nothing.
///
/// An object may have more than expected; a list has to have exactly the expected elements, in any order; null means
/// absent or empty, which SCIM takes for the same (RFC 7643 section 2.5).
pub fn difference(came: &Value, wanted: &Value) -> Option<String> {
    differs("", came, wanted)
}

fn differs(at: &str, came: &Value, wanted: &Value) -> Option<String> {
    let place = if at.is_empty() { "the resource" } else { at };
    match wanted {
        Value::Null if is_empty(came) => None,
        Value::Null => Some(format!("{place} is {came}, and should be absent")),
        Value::Object(map) => map.iter().find_map(|(key, wanted)| {
            let place = match at {
                "" => key.clone(),
                _ => format!("{at}.{key}"),
            };
            differs(&place, &came[key], wanted)
        }),
        Value::Array(wanted) => lists(place, came, wanted),
        _ if came == wanted => None,
        _ if came.is_null() => Some(format!("{place} is absent, and should be {wanted}")),
        _ => Some(format!("{place} is {came}, and should be {wanted}")),
    }
}

fn lists(place: &str, came: &Value, wanted: &[Value]) -> Option<String> {
    let none = Vec::new();
    let came = came.as_array().unwrap_or(&none);
    let mut left: Vec<&Value> = came.iter().collect();
    for element in wanted {
        match left
            .iter()
            .position(|candidate| differs(place, candidate, element).is_none())
        {
            Some(found) => drop(left.remove(found)),
            None => return Some(format!("{place} has no element {element}: {}", list(came))),
        }
    }
    let (have, should) = (came.len(), wanted.len());
    (!left.is_empty()).then(|| {
        format!(
            "{place} has {have} elements and should have {should}: {}",
            list(came)
        )
    })
}

fn list(values: &[Value]) -> String {
    Value::Array(values.to_vec()).to_string()
}

/// Absent, null, or nothing in it.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_is_enough_of_an_object_and_not_of_a_list() {
        let came =
            json!({"a": 1, "b": {"c": "x", "d": true}, "e": [{"value": "1"}, {"value": "2"}]});
        for wanted in [
            json!({"a": 1}),
            json!({"b": {"c": "x"}, "z": null}),
            json!({"e": [{"value": "2"}, {"value": "1"}]}),
        ] {
            assert_eq!(difference(&came, &wanted), None, "{wanted}");
        }
        for wanted in [
            json!({"a": 2}),
            json!({"a": null}),
            json!({"z": 1}),
            json!({"b": {"c": "y"}}),
            json!({"e": [{"value": "1"}]}),
            json!({"e": [{"value": "1"}, {"value": "1"}]}),
            json!({"e": null}),
        ] {
            assert!(difference(&came, &wanted).is_some(), "{wanted}");
        }
    }

    #[test]
    fn empty_is_absent() {
        for nothing in [json!(null), json!(""), json!([]), json!({})] {
            assert_eq!(
                difference(&json!({"a": nothing}), &json!({"a": null})),
                None
            );
        }
        assert!(difference(&json!({"a": false}), &json!({"a": null})).is_some());
    }
}
