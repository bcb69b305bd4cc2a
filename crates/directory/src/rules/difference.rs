//! Differences: what one set of rules says otherwise than another.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Rules;

/// One place at which rules differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The place, e.g. `mapping[0].steps[1]`; numbers are those of the former rules, or of the new ones where
    /// something was added.
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

/// What both lists begin and end with is no difference, so that a row put in between is one and not many.
fn compare_lists(path: &str, old: &[Value], new: &[Value], found: &mut Vec<Difference>) {
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
            [r#"mapping[0].steps[0] "lower" "upper""#]
        );
        assert_eq!(
            between(json!({}), json!({"cleanup": {"idp_deleted": "delete"}})),
            [r#"cleanup.idp_deleted "disable" "delete""#]
        );
        assert_eq!(between(json!({}), json!({})), [""; 0]);
    }
}
