//! What the smaller clients send: authentik, rauthy, OneLogin, JumpCloud and some unknown ones.

use scim::{Dialect, Filter, MemberOp, PatchRequest, ResourceType, ScimType, members_of};
use serde_json::{Value, json};

use crate::scene::*;

fn split(operations: &Value) -> (PatchRequest, Vec<MemberOp>) {
    PatchRequest::parse(object(&json!({ "Operations": operations })))
        .unwrap()
        .split_members()
        .unwrap()
}

#[test]
fn authentik_searches_without_quotes() {
    let node = Filter::parse("userName eq joy@example.org")
        .unwrap()
        .resolve(ResourceType::user())
        .unwrap();
    assert!(node.matches(&joy()));
    for value in ["12345", "true", "null-and-void", "1e5"] {
        let node = Filter::parse(&format!("userName eq {value}"))
            .unwrap()
            .resolve(ResourceType::user())
            .unwrap();
        assert!(
            node.matches(&user(&json!({ "userName": value }))),
            "{value}"
        );
    }
}

#[test]
fn authentik_replaces_a_whole_group_without_a_path_and_removes_by_value_list() {
    let before = group(&json!({ "displayName": "Old", "externalId": "1" }));
    let (rest, members) = split(&json!([{ "op": "replace", "value": {
        "schemas": [CORE_GROUP], "id": "g1", "displayName": "New", "externalId": "1",
    } }]));
    let after = rest
        .apply(ResourceType::group(), &before, &Dialect::generic())
        .unwrap();
    assert_eq!(
        (
            after.resource.display_name(),
            after.warnings.len(),
            members.len()
        ),
        (Some("New"), 0, 0)
    );

    let (_, members) =
        split(&json!([{ "op": "remove", "path": "members", "value": [{ "value": "a" }] }]));
    assert_eq!(members, [MemberOp::Remove(vec!["a".to_owned()])]);
}

#[test]
fn rauthy_unlinks_with_null_and_sends_objects_of_its_own() {
    let before = group(&json!({ "displayName": "G", "externalId": "1" }));
    let (rest, _) =
        split(&json!([{ "op": "replace", "value": { "displayName": "G", "externalId": null } }]));
    let after = rest
        .apply(ResourceType::group(), &before, &Dialect::generic())
        .unwrap();
    assert_eq!((after.resource.external_id(), after.changed), (None, true));

    let (resource, warnings) = post(
        ResourceType::user(),
        &json!({
            "userName": "jane@example.org", "externalId": "x1", "name": { "givenName": "Jane", "familyName": "" },
            "emails": [{ "value": "jane@example.org" }], "roles": [{ "value": "admin" }], "custom": { "a": 1 },
        }),
    )
    .unwrap();
    assert_eq!(resource.external_id(), Some("x1"));
    assert_eq!(document(&resource)["name"], json!({ "givenName": "Jane" }));
    assert_eq!(warnings.len(), 1);
}

#[test]
fn onelogin_templates_have_texts_objects_and_old_urns() {
    let (resource, warnings) = post(
        ResourceType::user(),
        &json!({
            "schemas": ["urn:scim:schemas:core:1.0"], "id": null, "userName": "jane", "active": "true",
            "emails": { "value": "jane@example.org", "primary": true },
            "department": "D", "manager": { "managerId": "7", "displayName": "Max" },
        }),
    )
    .unwrap();
    assert_eq!(resource.active(), Some(true));
    assert_eq!(resource.emails().len(), 1);
    assert_eq!(
        document(&resource)[ENT],
        json!({ "department": "D", "manager": { "value": "7", "displayName": "Max" } })
    );
    assert_eq!(document(&resource)["schemas"], json!([CORE_USER, ENT]));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn a_member_is_added_by_value_path() {
    let (_, members) = split(&json!([{ "op": "add", "path": "members[value eq \"u1\"]" }]));
    assert_eq!(members, [MemberOp::Add(vec![scim::Member::new("u1")])]);
}

#[test]
fn ping_writes_attributes_and_operators_in_odd_case() {
    let node = Filter::parse("username Eq \"JOY@example.org\"")
        .unwrap()
        .resolve(ResourceType::user())
        .unwrap();
    assert!(node.matches(&joy()));
}

#[test]
fn external_ids_that_are_numbers_are_refused() {
    for ty in [ResourceType::user(), ResourceType::group()] {
        let error = post(
            ty,
            &json!({ "userName": "a", "displayName": "a", "externalId": 1 }),
        )
        .unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    }
    let error = patch(
        &joy(),
        &json!([{ "op": "replace", "value": { "externalId": 1 } }]),
    )
    .unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
}

#[test]
fn members_are_taken_in_any_shape_that_names_somebody() {
    for (members, expected) in [
        (
            json!([{ "value": "a", "$ref": null, "type": "User" }, { "Value": "b" }, "c"]),
            vec!["a", "b", "c"],
        ),
        (json!({ "value": "a" }), vec!["a"]),
        (json!([]), vec![]),
        (Value::Null, vec![]),
        (
            json!([{ "value": "" }, { "value": null }, {}, null, ""]),
            vec![],
        ),
    ] {
        let mut body = object(&json!({ "displayName": "G", "Members": members }));
        let found = members_of(&mut body).unwrap().unwrap();
        assert_eq!(
            found
                .iter()
                .map(|member| member.value.as_str())
                .collect::<Vec<_>>(),
            expected,
            "{members}"
        );
    }
    for members in [
        json!([{ "value": 5 }]),
        json!([7]),
        json!([[]]),
        json!(true),
    ] {
        let mut body = object(&json!({ "members": members }));
        assert_eq!(
            members_of(&mut body).unwrap_err().scim_type,
            Some(ScimType::InvalidValue),
            "{members}"
        );
    }
    assert_eq!(
        members_of(&mut object(&json!({ "displayName": "G" }))).unwrap(),
        None
    );
}
