//! What of an object is otherwise than it was: the values that differ, without secrets, and not more than can be read.

use std::collections::BTreeSet;

use directory::rules::{Difference, differences_of};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::record::redacted_value;

/// Values of one entry that are told.
const VALUES_MAX: usize = 100;
/// Bytes of one value, and of one place.
const VALUE_BYTES_MAX: usize = 2_000;
/// Bytes of all values together.
const BYTES_MAX: usize = 32 * 1024;
/// What goes on by itself and is not set by anybody, at the top of an object.
const GOES_ON: [&str; 36] = [
    "active_users",
    "counts",
    "disabled_users",
    "done",
    "due",
    "failing_since",
    "failures",
    "groups",
    "inside",
    "items",
    "job",
    "members",
    "memory_end_bytes",
    "memory_peak_bytes",
    "memory_start_bytes",
    "next",
    "next_run",
    "next_try",
    "open_conflicts",
    "open_holds",
    "outside",
    "pinned_groups",
    "remaining_seconds",
    "shared_accounts",
    "stopped",
    "suppressed",
    "took_millis",
    "total",
    "updated",
    "users",
    "users_without_connector",
    "value_errors",
    "waiting_groups",
    "warnings",
    "why",
    "would_change",
];
/// The same wherever it stands.
const LATELY: [&str; 10] = [
    "last_address",
    "last_answer",
    "last_error",
    "last_login",
    "last_opened",
    "last_seen",
    "last_sign_in",
    "last_success",
    "last_used",
    "position",
];
/// Who changed an object when: the entry tells it.
const STAMPS: [&str; 2] = ["author", "created"];

/// What is otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// The values that differ, in the order of the object.
    pub(crate) values: Vec<Difference>,
    /// How many more differ and are not told.
    #[serde(default)]
    pub(crate) left_out: usize,
}

impl Changes {
    /// What is otherwise in `after` than in `before`; null is an object that is not there.
    pub(crate) fn between(mut before: Value, mut after: Value) -> Self {
        for object in [&mut before, &mut after] {
            settle(object);
        }
        if let (Value::Object(old), Value::Object(new)) = (&mut before, &mut after) {
            STAMPS.iter().for_each(|stamp| {
                old.remove(*stamp);
                new.remove(*stamp);
            });
        }
        let mut leaves = Vec::new();
        for one in differences_of(&before, &after) {
            spread(one, &mut leaves);
        }
        let mut changes = Self::default();
        let mut bytes = 0;
        for leaf in leaves {
            let told = told(leaf);
            bytes += size(&told);
            match changes.values.len() < VALUES_MAX && bytes <= BYTES_MAX {
                true => changes.values.push(told),
                false => changes.left_out += 1,
            }
        }
        changes
    }
}

/// Leaves out what goes on by itself.
fn settle(object: &mut Value) {
    if let Value::Object(members) = object {
        GOES_ON.iter().for_each(|name| {
            members.remove(*name);
        });
    }
    settle_within(object);
}

fn settle_within(value: &mut Value) {
    match value {
        Value::Object(members) => {
            LATELY.iter().for_each(|name| {
                members.remove(*name);
            });
            members.values_mut().for_each(settle_within);
        }
        Value::Array(items) => {
            items.iter_mut().for_each(settle_within);
            if let Some(members) = by_name(items) {
                *value = Value::Object(members);
            }
        }
        _ => {}
    }
}

/// Things in a list that have names are told by these and not by their numbers, since a number says nothing to a reader.
fn by_name(items: &mut Vec<Value>) -> Option<Map<String, Value>> {
    let name = |item: &Value| Some(format!("[{}]", item.get("name")?.as_str()?));
    let names: Option<BTreeSet<String>> = items.iter().map(name).collect();
    let all_differ = names.is_some_and(|names| !items.is_empty() && names.len() == items.len());
    let named = |item: Value| Some((name(&item)?, item));
    all_differ.then(|| items.drain(..).filter_map(named).collect())
}

/// Something that is there on one side only is told value by value as well.
fn spread(one: Difference, leaves: &mut Vec<Difference>) {
    let Difference {
        path,
        before,
        after,
    } = one;
    // A list of things with names became an object by these.
    let is_none = |list: &Value, other: &Value| {
        list.is_null() || (other.is_object() && list.as_array().is_some_and(Vec::is_empty))
    };
    let (whole, is_new) = match (before, after) {
        (before, after) if is_none(&before, &after) => (after, true),
        (before, after) if is_none(&after, &before) => (before, false),
        (before, after) => {
            leaves.push(Difference {
                path,
                before,
                after,
            });
            return;
        }
    };
    let inner: Vec<(String, Value)> = match whole {
        Value::Null => return,
        Value::Object(members) if !members.is_empty() => {
            let named = |(name, value)| match path.as_str() {
                "" => (name, value),
                path => (format!("{path}.{name}"), value),
            };
            members.into_iter().map(named).collect()
        }
        Value::Array(items) if !items.is_empty() => {
            let items = items.into_iter().enumerate();
            items
                .map(|(nth, value)| (format!("{path}[{nth}]"), value))
                .collect()
        }
        leaf => {
            leaves.push(side(path, leaf, is_new));
            return;
        }
    };
    for (path, value) in inner {
        spread(side(path, value, is_new), leaves);
    }
}

fn side(path: String, value: Value, is_new: bool) -> Difference {
    let (before, after) = match is_new {
        true => (Value::Null, value),
        false => (value, Value::Null),
    };
    Difference {
        path,
        before,
        after,
    }
}

/// As it may be read, and not longer.
fn told(leaf: Difference) -> Difference {
    let path = leaf.path.replace(".[", "[");
    let value = |value| cut(redacted_value(&path, value));
    Difference {
        before: value(leaf.before),
        after: value(leaf.after),
        path: cut_text(path),
    }
}

fn cut(value: Value) -> Value {
    match value {
        Value::String(text) => cut_text(text).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
        value => match value.to_string() {
            text if text.len() > VALUE_BYTES_MAX => cut_text(text).into(),
            _ => value,
        },
    }
}

fn cut_text(mut text: String) -> String {
    if text.len() > VALUE_BYTES_MAX {
        text.truncate(text.floor_char_boundary(VALUE_BYTES_MAX));
        text.push('…');
    }
    text
}

fn size(one: &Difference) -> usize {
    let of = |value: &Value| match value {
        Value::String(text) => text.len(),
        value => value.to_string().len(),
    };
    one.path.len() + of(&one.before) + of(&one.after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn lines(before: Value, after: Value) -> Vec<String> {
        let values = Changes::between(before, after).values.into_iter();
        let mut lines: Vec<String> = values
            .map(|one| format!("{} {} {}", one.path, one.before, one.after))
            .collect();
        // The order of members is the object's, or that of the alphabet, as the library is built.
        lines.sort_unstable();
        lines
    }

    #[test]
    fn what_is_set_is_told_and_what_goes_on_by_itself_is_not() {
        let object = |state: &str, users: u32, used: &str| {
            json!({
                "id": "c1", "state": state, "users": users, "created": used, "updated": used, "due": users,
                "settings": { "accept_passwords": state == "paused", "groups": users },
                "tokens": [{ "id": "t1", "last_used": used }],
            })
        };
        assert_eq!(
            lines(object("active", 1, "monday"), object("paused", 2, "sunday")),
            [
                r#"settings.accept_passwords false true"#,
                r#"settings.groups 1 2"#,
                r#"state "active" "paused""#,
            ]
        );
        assert_eq!(
            lines(object("active", 1, "monday"), object("active", 2, "sunday")),
            ["settings.groups 1 2"]
        );
    }

    #[test]
    fn what_is_made_or_gone_is_told_value_by_value() {
        let object = json!({
            "id": 7, "label": "ci", "created": "monday", "token": "S3", "expires": null, "addresses": [],
            "rights": { "role": "owner" }, "connectors": ["okta", "entra"], "users": 3,
        });
        let made = lines(Value::Null, object.clone());
        assert_eq!(
            made,
            [
                "addresses null []",
                r#"connectors[0] null "okta""#,
                r#"connectors[1] null "entra""#,
                r#"created null "monday""#,
                r#"id null 7"#,
                r#"label null "ci""#,
                r#"rights.role null "owner""#,
                r#"token null "***""#,
            ]
        );
        assert_eq!(lines(object, Value::Null).len(), made.len());
        assert_eq!(lines(Value::Null, Value::Null), [""; 0]);
    }

    #[test]
    fn none_is_not_the_same_as_an_empty_list() {
        let object = |groups: Value| json!({ "directories": [{ "directory": "d", "login_groups": groups }] });
        assert_eq!(
            lines(object(json!(null)), object(json!([]))),
            ["directories[0].login_groups null []"]
        );
    }

    #[test]
    fn things_in_a_list_are_told_by_their_names() {
        let object = |names: &[&str], leavers: u32| {
            let all = names
                .iter()
                .map(|name| json!({ "name": name, "leavers": leavers }));
            json!({ "connectors": all.collect::<Vec<_>>() })
        };
        assert_eq!(
            lines(object(&["entra", "okta"], 1), object(&["okta"], 2)),
            [
                "connectors[entra].leavers 1 null",
                r#"connectors[entra].name "entra" null"#,
                "connectors[okta].leavers 1 2",
            ]
        );
        assert_eq!(
            lines(object(&[], 1), object(&["okta"], 2)),
            [
                "connectors[okta].leavers null 2",
                r#"connectors[okta].name null "okta""#,
            ]
        );
    }

    #[test]
    fn not_more_is_told_than_can_be_read() {
        let many: Value = (0..500).map(|nth| (format!("a{nth:03}"), nth)).collect();
        let changes = Changes::between(Value::Null, many);
        assert_eq!(
            (changes.values.len(), changes.left_out),
            (VALUES_MAX, 500 - VALUES_MAX)
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-zü<\"]{0,12}".prop_map(Value::from),
            "[x-zß]{1900,2200}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 60, 6, |inner| {
            let names = "(a|b|c|items|name|users|secret|tokens|client_password|last_used|value)";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(names, inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn with_secret(value: Value, name: &str, beside: &str) -> Value {
        json!({ "a": [{ name: "S3CRET", beside: value.clone() }], "b": { name: { "x": ["S3CRET"] } }, "c": value })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_same_differs_in_nothing(object in any_json()) {
            prop_assert_eq!(Changes::between(object.clone(), object), Changes::default());
        }

        #[test]
        fn looked_at_from_the_other_side_it_is_the_same(one in any_json(), other in any_json()) {
            let there = Changes::between(one.clone(), other.clone());
            let back = Changes::between(other, one);
            let turned = back.values.iter().map(|one| (&one.path, &one.after, &one.before));
            let there: std::collections::BTreeMap<_, _> =
                there.values.iter().map(|one| (&one.path, (&one.before, &one.after))).collect();
            let turned: std::collections::BTreeMap<_, _> =
                turned.map(|(path, before, after)| (path, (before, after))).collect();
            prop_assert_eq!(there, turned);
        }

        #[test]
        fn it_has_an_end(one in any_json(), other in any_json()) {
            let changes = Changes::between(one, other);
            prop_assert!(changes.values.len() <= VALUES_MAX);
            prop_assert!(changes.values.iter().map(size).sum::<usize>() <= BYTES_MAX);
            for value in changes.values.iter().flat_map(|one| [&one.before, &one.after]) {
                prop_assert!(value.as_str().unwrap_or_default().len() <= VALUE_BYTES_MAX + '…'.len_utf8());
            }
        }

        #[test]
        fn a_secret_is_never_told(
            one in any_json(),
            other in any_json(),
            name in "(password|clientSecret|token|api_token|credential)",
        ) {
            for (before, after) in [
                (Value::Null, with_secret(one.clone(), &name, "beside")),
                (one.clone(), with_secret(other.clone(), &name, "beside")),
                (with_secret(one, &name, "beside"), json!({ "a": 1 })),
            ] {
                let text = serde_json::to_string(&Changes::between(before, after)).unwrap_or_default();
                prop_assert!(!text.contains("S3CRET"), "{}", text);
            }
        }
    }
}
