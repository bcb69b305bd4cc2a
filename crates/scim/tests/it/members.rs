//! The members of a group under PATCH: the one place where a wrong guess empties a department.

use std::collections::BTreeSet;

use proptest::prelude::*;
use scim::{MemberOp, PatchRequest, ScimType};
use serde_json::{Value, json};

use crate::scene::object;

fn split(operations: &Value) -> Result<Vec<MemberOp>, scim::ScimError> {
    let body = json!({ "Operations": operations });
    Ok(PatchRequest::parse(object(&body))?.split_members()?.1)
}

/// Carries out what was asked on a set, as a store would.
fn members_after(before: &BTreeSet<String>, operations: &Value) -> BTreeSet<String> {
    let mut members = before.clone();
    for op in split(operations).unwrap_or_else(|error| panic!("{error}: {operations}")) {
        match op {
            MemberOp::Add(added) => members.extend(added.into_iter().map(|member| member.value)),
            MemberOp::Remove(ids) => members.retain(|id| !ids.contains(id)),
            MemberOp::RemoveWhere(node) => {
                members.retain(|id| !node.matches_element(&json!({ "value": id })))
            }
            MemberOp::Replace(all) => {
                members = all.into_iter().map(|member| member.value).collect()
            }
        }
    }
    members
}

fn set(ids: &str) -> BTreeSet<String> {
    ids.chars().map(String::from).collect()
}

#[test]
fn every_form_of_an_operation_does_what_it_says() {
    for (operations, expected) in [
        (
            json!([{ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "d" }] }]),
            "abcd",
        ),
        (
            json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "a" }] }]),
            "bc",
        ),
        (
            json!([{ "op": "Remove", "path": "members", "value": "a" }]),
            "bc",
        ),
        (
            json!([{ "op": "Remove", "path": "members", "value": ["a", "x"] }]),
            "bc",
        ),
        (
            json!([{ "op": "Remove", "path": "members", "value": [] }]),
            "abc",
        ),
        (json!([{ "op": "remove", "path": "members" }]), ""),
        (
            json!([{ "op": "remove", "path": "members", "value": null }]),
            "",
        ),
        (
            json!([{ "op": "remove", "path": "members[value eq \"a\"]" }]),
            "bc",
        ),
        (
            json!([{ "op": "remove", "path": "members[value eq \"a\" or value eq \"b\"]" }]),
            "c",
        ),
        (
            json!([{ "op": "remove", "path": "members[value ne \"a\"]" }]),
            "a",
        ),
        (
            json!([{ "op": "remove", "path": "members[value eq \"a\"].value" }]),
            "bc",
        ),
        (
            json!([{ "op": "remove", "path": "Members[Value EQ \"a\"]" }]),
            "bc",
        ),
        (
            json!([{ "op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members[value eq \"a\"]" }]),
            "bc",
        ),
        (
            json!([{ "op": "replace", "path": "members", "value": [{ "value": "x" }] }]),
            "x",
        ),
        (
            json!([{ "op": "replace", "path": "members", "value": null }]),
            "",
        ),
        (
            json!([{ "op": "replace", "path": "members[value eq \"a\"]", "value": { "value": "x" } }]),
            "bcx",
        ),
        (
            json!([{ "op": "replace", "path": "members[value eq \"a\"].value", "value": "x" }]),
            "bcx",
        ),
        (
            json!([{ "op": "replace", "path": "members[value eq \"a\"].display", "value": "A" }]),
            "abc",
        ),
        (
            json!([{ "op": "add", "path": "members[value eq \"x\"]" }]),
            "abcx",
        ),
        (
            json!([{ "op": "add", "value": { "members": [{ "value": "x" }] } }]),
            "abcx",
        ),
        (
            json!([{ "op": "add", "value": { "members": { "value": "x" } } }]),
            "abcx",
        ),
        (
            json!([{ "op": "replace", "value": { "displayName": "G", "MEMBERS": [{ "value": "x" }] } }]),
            "x",
        ),
        (
            json!([{ "op": "replace", "value": { "displayName": "G" } }]),
            "abc",
        ),
        (
            json!([{ "op": "remove", "path": "members[value eq \"a\"]" }, { "op": "add", "path": "members", "value": ["a"] }]),
            "abc",
        ),
    ] {
        assert_eq!(
            members_after(&set("abc"), &operations),
            set(expected),
            "{operations}"
        );
    }
}

#[test]
fn what_cannot_be_understood_is_refused_and_removes_nobody() {
    for (operations, scim_type) in [
        (
            json!([{ "op": "Remove", "path": "members", "value": [{ "id": "a" }] }]),
            ScimType::InvalidValue,
        ),
        (
            json!([{ "op": "Remove", "path": "members", "value": [{}] }]),
            ScimType::InvalidValue,
        ),
        (
            json!([{ "op": "Remove", "path": "members", "value": "" }]),
            ScimType::InvalidValue,
        ),
        (
            json!([{ "op": "Remove", "path": "members", "value": 7 }]),
            ScimType::InvalidValue,
        ),
        (
            json!([{ "op": "Remove", "path": "members", "value": {} }]),
            ScimType::InvalidValue,
        ),
        (
            json!([{ "op": "replace", "path": "members" }]),
            ScimType::InvalidValue,
        ),
        (
            json!([{ "op": "add", "path": "members" }]),
            ScimType::InvalidValue,
        ),
        (
            json!([{ "op": "add", "path": "members[display eq \"Joy\"]" }]),
            ScimType::NoTarget,
        ),
        (
            json!([{ "op": "remove", "path": "members.value" }]),
            ScimType::InvalidPath,
        ),
        (
            json!([{ "op": "remove", "path": "members[shoe eq \"x\"]" }]),
            ScimType::InvalidPath,
        ),
        (
            json!([{ "op": "remove", "path": "members[value eq \"a\"" }]),
            ScimType::InvalidPath,
        ),
    ] {
        let error = split(&operations).unwrap_err();
        assert_eq!(
            (error.status, error.scim_type),
            (400, Some(scim_type)),
            "{operations}: {error}"
        );
    }
}

#[test]
fn members_are_counted_before_anything_is_done() {
    let ids: Vec<Value> = (0..=scim::limits::MEMBERS_PER_REQUEST_MAX)
        .map(|n| json!(n.to_string()))
        .collect();
    let error = split(&json!([{ "op": "add", "path": "members", "value": ids }])).unwrap_err();
    assert_eq!(error.status, 413);
    let half: Vec<Value> = ids[..ids.len() / 2 + 1].to_vec();
    let twice = json!([{ "op": "add", "path": "members", "value": half }, { "op": "add", "path": "members", "value": half }]);
    assert_eq!(split(&twice).unwrap_err().status, 413);
    let most = json!([{ "op": "add", "path": "members", "value": &ids[1..] }]);
    assert!(
        matches!(&split(&most).unwrap()[..], [MemberOp::Add(members)] if members.len() == ids.len() - 1)
    );
}

/// One operation, as JSON and as what it means.
#[derive(Debug, Clone)]
enum Step {
    Add(Vec<String>, bool),
    RemoveListed(Vec<String>),
    RemoveWhere(String),
    Replace(Vec<String>, bool),
    RemoveAll,
}

impl Step {
    fn json(&self) -> Value {
        let list = |ids: &[String]| {
            ids.iter()
                .map(|id| json!({ "value": id }))
                .collect::<Vec<_>>()
        };
        match self {
            Step::Add(ids, true) => json!({ "op": "add", "path": "members", "value": list(ids) }),
            Step::Add(ids, false) => json!({ "op": "Add", "value": { "members": list(ids) } }),
            Step::RemoveListed(ids) => {
                json!({ "op": "Remove", "path": "members", "value": list(ids) })
            }
            Step::RemoveWhere(id) => {
                json!({ "op": "remove", "path": format!("members[value eq \"{id}\"]") })
            }
            Step::Replace(ids, true) => {
                json!({ "op": "replace", "path": "members", "value": list(ids) })
            }
            Step::Replace(ids, false) => {
                json!({ "op": "replace", "value": { "members": list(ids) } })
            }
            Step::RemoveAll => json!({ "op": "remove", "path": "members" }),
        }
    }

    fn meaning(&self, members: &mut BTreeSet<String>) {
        match self {
            Step::Add(ids, _) => members.extend(ids.iter().cloned()),
            Step::RemoveListed(ids) => members.retain(|id| !ids.contains(id)),
            Step::RemoveWhere(id) => drop(members.remove(id)),
            Step::Replace(ids, _) => *members = ids.iter().cloned().collect(),
            Step::RemoveAll => members.clear(),
        }
    }
}

fn ids() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[a-f]", 0..4)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (ids(), any::<bool>()).prop_map(|(ids, path)| Step::Add(ids, path)),
        ids().prop_map(Step::RemoveListed),
        "[a-f]".prop_map(Step::RemoveWhere),
        (ids(), any::<bool>()).prop_map(|(ids, path)| Step::Replace(ids, path)),
        Just(Step::RemoveAll),
    ]
}

proptest! {
    #[test]
    fn a_patch_is_its_steps_one_after_the_other(
        before in proptest::collection::btree_set("[a-f]", 0..6),
        steps in proptest::collection::vec(step(), 0..8),
    ) {
        let operations: Value = steps.iter().map(Step::json).collect();
        let mut expected = before.clone();
        for step in &steps {
            step.meaning(&mut expected);
        }
        prop_assert_eq!(members_after(&before, &operations), expected);
    }

    #[test]
    fn removing_listed_members_never_removes_others(
        before in proptest::collection::btree_set("[a-f]", 0..6),
        listed in proptest::collection::vec(
            prop_oneof!["[a-f]".prop_map(|id| json!({ "value": id })), "[a-f]".prop_map(Value::from), Just(json!({})), Just(Value::Null)],
            0..5,
        ),
    ) {
        let named: Vec<&str> = listed.iter().filter_map(|item| item.as_str().or_else(|| item.get("value")?.as_str())).collect();
        let operations = json!([{ "op": "remove", "path": "members", "value": listed }]);
        if split(&operations).is_ok() {
            for id in before.difference(&members_after(&before, &operations)) {
                prop_assert!(named.contains(&id.as_str()), "{} was not listed in {}", id, operations);
            }
        }
    }
}
