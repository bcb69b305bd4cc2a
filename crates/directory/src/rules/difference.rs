//! Differences: what one set of rules says otherwise than another.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Rules;

/// One place at which rules differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The place, e.g. `mapping[email].steps[1]`. What has a name stands for itself; numbers are those of the former rules,
    /// or of the new ones where something was added.
    pub path: String,
    /// What was there; null if nothing was.
    pub before: Value,
    /// What is there; null if nothing is.
    pub after: Value,
}

/// Every place at which rules differ, in the order of the document; none if they say the same.
pub fn differences(before: &Rules, after: &Rules) -> Vec<Difference> {
    let document = |rules: &Rules| serde_json::to_value(rules).unwrap_or_default();
    differences_of(&document(before), &document(after))
}

/// The same for any two documents.
pub fn differences_of(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Object(old), Value::Object(new)) => {
            for (name, old) in old {
                let new = new.get(name).unwrap_or(&Value::Null);
                compare(&member(path, name), old, new, found);
            }
            for (name, new) in new {
                if !old.contains_key(name) {
                    compare(&member(path, name), &Value::Null, new, found);
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => compare_lists(path, old, new, found),
        (before, after) => found.push(Difference {
            path: path.to_owned(),
            before: before.clone(),
            after: after.clone(),
        }),
    }
}

fn compare_lists(path: &str, old: &[Value], new: &[Value], found: &mut Vec<Difference>) {
    match (names_of(old), names_of(new)) {
        (Some(were), Some(are)) if keep_their_order(&were, &are) => {
            compare_named(path, (&were, old), (&are, new), found);
        }
        _ => compare_numbered(path, old, new, found),
    }
}

/// What each thing of a list is called, and the second of a name by its number as well; none if something has no name.
fn names_of(items: &[Value]) -> Option<Vec<String>> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let named = items.iter().map(|item| {
        let name = name_of(item)?;
        let count = seen.entry(name).or_default();
        *count += 1;
        Some(match count {
            1 => name.to_owned(),
            nth => format!("{name}, {nth}"),
        })
    });
    named.collect()
}

/// What a row of a mapping, a condition, a test or a mapped group is called.
fn name_of(item: &Value) -> Option<&str> {
    let text = |place: &str| item.pointer(place).and_then(Value::as_str);
    let places = ["/target", "/name", "/source/name", "/source/id"];
    let mut names = places.into_iter().filter_map(text);
    names.find(|name| !name.is_empty())
}

/// Whether all names differ, and those that are in both lists follow each other alike: where the order changes, places tell it
/// best.
fn keep_their_order(were: &[String], are: &[String]) -> bool {
    let (left, right): (HashSet<&String>, HashSet<&String>) =
        (were.iter().collect(), are.iter().collect());
    let all_differ = left.len() == were.len() && right.len() == are.len();
    let stayed = were.iter().filter(|name| right.contains(name));
    all_differ && stayed.eq(are.iter().filter(|name| left.contains(name)))
}

/// What has gone stands before what has come.
fn compare_named(
    path: &str,
    (were, old): (&[String], &[Value]),
    (are, new): (&[String], &[Value]),
    found: &mut Vec<Difference>,
) {
    let mut present: HashMap<&String, &Value> = are.iter().zip(new).collect();
    for (name, old) in were.iter().zip(old) {
        let new = present.remove(name).unwrap_or(&Value::Null);
        compare(&format!("{path}[{name}]"), old, new, found);
    }
    let come = are.iter().zip(new);
    for (name, new) in come.filter(|(name, _)| present.contains_key(name)) {
        compare(&format!("{path}[{name}]"), &Value::Null, new, found);
    }
}

/// What both lists begin and end with is no difference, so that a value put in between is one and not many.
fn compare_numbered(path: &str, old: &[Value], new: &[Value], found: &mut Vec<Difference>) {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let backwards = old_rest.iter().rev().zip(new_rest.iter().rev());
    let end = backwards.take_while(|(a, b)| a == b).count();
    let (old, new) = (
        &old_rest[..old_rest.len() - end],
        &new_rest[..new_rest.len() - end],
    );
    for index in 0..old.len().max(new.len()) {
        let item = |list: &[Value]| list.get(index).cloned().unwrap_or_default();
        let path = format!("{path}[{}]", start + index);
        compare(&path, &item(old), &item(new), found);
    }
}

/// A value for people: each member of an object is a line. Nothing for null.
pub fn told_value(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Object(members) if !members.is_empty() => {
            let lines = members.iter();
            lines
                .map(|(name, value)| format!("{name}: {}", outer(value)))
                .collect()
        }
        value => vec![outer(value)],
    }
}

/// A list without its brackets.
fn outer(value: &Value) -> String {
    match value {
        Value::Array(items) if !items.is_empty() => joined(items.iter().map(inner)),
        // Brackets are nothing but themselves here, as in a filter.
        Value::String(text) if is_plain(text) => text.clone(),
        value => inner(value),
    }
}

fn inner(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) && !text.contains(['[', ']', '{', '}']) => {
            text.clone()
        }
        Value::Array(items) => format!("[{}]", joined(items.iter().map(inner))),
        Value::Object(members) => {
            let members = members.iter();
            let parts = members.map(|(name, value)| format!("{name}: {}", inner(value)));
            format!("{{{}}}", joined(parts))
        }
        value => value.to_string(),
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// Whether a text can be taken for nothing but itself without quotation marks.
fn is_plain(text: &str) -> bool {
    let is_sign = |c: char| c.is_control() || ",;".contains(c);
    let is_text = serde_json::from_str::<Value>(text).is_err();
    is_text
        && !text.is_empty()
        && text.trim() == text
        && !text.starts_with('"')
        && !text.contains(": ")
        && !text.contains(is_sign)
}

fn member(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn between(before: Value, after: Value) -> Vec<String> {
        let rules = |value| serde_json::from_value::<Rules>(value).unwrap();
        differences(&rules(before), &rules(after))
            .into_iter()
            .map(|it| format!("{} {} {}", it.path, it.before, it.after))
            .collect()
    }

    #[test]
    fn a_row_that_is_put_in_between_is_one_difference() {
        let lists = |names: Value| json!({"groups": {"never_assign": names}});
        assert_eq!(
            between(lists(json!(["a", "c"])), lists(json!(["a", "b", "c"]))),
            [r#"groups.never_assign[1] null "b""#]
        );
        assert_eq!(
            between(lists(json!(["a", "b", "c"])), lists(json!(["a", "c"]))),
            [r#"groups.never_assign[1] "b" null"#]
        );
    }

    #[test]
    fn a_difference_is_told_as_deep_as_it_lies() {
        let row = |steps: Value| json!({"mapping": [{"target": "email", "steps": steps}]});
        assert_eq!(
            between(row(json!(["lower"])), row(json!(["upper"]))),
            [r#"mapping[email].steps[0] "lower" "upper""#]
        );
        assert_eq!(
            between(json!({}), json!({"cleanup": {"idp_deleted": "delete"}})),
            [r#"cleanup.idp_deleted "disable" "delete""#]
        );
        assert_eq!(between(json!({}), json!({})), [""; 0]);
    }

    #[test]
    fn rows_are_told_by_their_names() {
        let row = |target: &str| json!({"target": target, "steps": ["lower"]});
        let mapping = |rows: Value| json!({ "mapping": rows });
        let paths = |before: Value, after: Value| -> Vec<String> {
            let told = between(mapping(before), mapping(after)).into_iter();
            told.filter_map(|told| told.split(' ').next().map(str::to_owned))
                .collect()
        };
        // One goes, one stays, one comes: whatever the numbers, nobody became somebody else.
        assert_eq!(
            paths(
                json!([row("email"), row("username")]),
                json!([row("username"), row("attr:title")])
            ),
            ["mapping[email]", "mapping[attr:title]"]
        );
        let other = json!({"target": "email", "steps": ["upper"], "state": "shadow"});
        let changed = between(
            mapping(json!([row("email"), row("email")])),
            mapping(json!([row("email"), other])),
        );
        assert!(
            changed[0].starts_with("mapping[email, 2].steps[0] "),
            "{changed:?}"
        );
        // Somebody may be called as the second of another name is told.
        let odd = json!([row("attr:x"), row("attr:x"), row("attr:x, 2")]);
        let fewer = json!([row("attr:x"), row("attr:x, 2")]);
        assert_eq!(paths(odd.clone(), fewer), ["mapping[1]"]);
        assert_eq!(paths(odd.clone(), odd), [""; 0]);
        // Another order is told as what stands where.
        assert_eq!(
            paths(
                json!([row("email"), row("username")]),
                json!([row("username"), row("email")])
            ),
            ["mapping[0].target", "mapping[1].target"]
        );
        let groups = |name: &str, groups: Value| json!({"groups": {"mapping": {"rows": [{"source": {"id": "7", "name": name}, "groups": groups}]}}});
        assert_eq!(
            between(groups("Staff", json!(["a"])), groups("Staff", json!(["b"]))),
            [r#"groups.mapping.rows[Staff].groups[0] "a" "b""#]
        );
        assert_eq!(
            between(groups("", json!(["a"])), groups("", json!([]))),
            [r#"groups.mapping.rows[7].groups[0] "a" null"#]
        );
    }

    #[test]
    fn values_are_told_as_people_write_them() {
        let told = |value: Value| told_value(&value).join("; ");
        assert_eq!(told(json!(null)), "");
        assert_eq!(told(json!("lower")), "lower");
        assert_eq!(told(json!(5)), "5");
        assert_eq!(told(json!(["lower", "trim"])), "lower, trim");
        let row = json!({"target": "attr:title", "source": {"attribute": "title"}, "steps": ["lower", {"left": 3}], "on_null": null});
        assert_eq!(
            told(row),
            "target: attr:title; source: {attribute: title}; steps: lower, {left: 3}; on_null: null"
        );
        // What could be taken for something else stands in quotation marks.
        for text in ["", " a", "a, b", "true", "5", "\"x", "a\nb", "null", "a: b"] {
            assert_eq!(told(json!(text)), json!(text).to_string());
        }
        let filter = "emails[type eq \"work\"]";
        assert_eq!(told(json!({"when": filter})), format!("when: {filter}"));
        assert_eq!(told(json!(["{x}", "y"])), "\"{x}\", y");
        assert_eq!(
            (told(json!([])), told(json!({}))),
            ("[]".into(), "{}".into())
        );
    }
}
