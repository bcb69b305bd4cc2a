//! What Okta sends: template apps (PUT and PATCH) and wizard apps (PUT only).

use scim::{MemberOp, PatchRequest, ResourceType, members_of};
use serde_json::json;

use crate::scene::*;

#[test]
fn assigning_a_user_creates_it_without_its_placeholder_password() {
    let body = json!({
        "schemas": [CORE_USER], "userName": "test.user@example.org",
        "name": { "givenName": "Test", "familyName": "User" },
        "emails": [{ "primary": true, "value": "test.user@example.org", "type": "work" }],
        "displayName": "Test User", "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [], "password": "1mz050nq", "active": true,
    });
    let (resource, warnings) = post(ResourceType::user(), &body).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(resource.taken_password(), Some("1mz050nq"));
    assert!(
        !resource.to_stored().contains("1mz050nq") && !format!("{resource:?}").contains("1mz050nq")
    );
    assert_eq!(
        document(&resource),
        json!({
            "schemas": [CORE_USER], "externalId": "00ujl29u0le5T6Aj10h7", "userName": "test.user@example.org",
            "name": { "givenName": "Test", "familyName": "User" }, "displayName": "Test User", "locale": "en-US",
            "active": true, "emails": [{ "primary": true, "value": "test.user@example.org", "type": "work" }],
        })
    );
}

#[test]
fn a_profile_change_puts_back_what_was_read() {
    let before = joy();
    let (after, warnings) = put(
        &before,
        &json!({
            "schemas": [CORE_USER], "id": "23a35c27", "userName": "joy@example.org",
            "name": { "givenName": "Another", "middleName": "Excited", "familyName": "User" },
            "emails": [{ "primary": true, "value": "joy@example.org", "type": "work", "display": "joy@example.org" }],
            "active": true,
            "groups": [{ "value": "1", "display": "Staff", "$ref": "https://x/Groups/1" }],
            "meta": { "resourceType": "User", "version": "W/\"1\"", "lastModified": "2020-01-01T00:00:00Z" },
        }),
    )
    .unwrap();
    assert_eq!(warnings, []);
    assert_eq!(
        document(&after),
        json!({
            "schemas": [CORE_USER], "userName": "joy@example.org",
            "name": { "givenName": "Another", "middleName": "Excited", "familyName": "User" }, "active": true,
            "emails": [{ "primary": true, "value": "joy@example.org", "type": "work", "display": "joy@example.org" }],
        })
    );
}

#[test]
fn a_put_without_active_disables_nobody() {
    for active in [true, false] {
        let before = user(&json!({ "userName": "a", "active": active }));
        let (after, _) = put(
            &before,
            &json!({ "userName": "a", "title": "T", "password": "secret" }),
        )
        .unwrap();
        assert_eq!(after.active(), Some(active));
        assert_eq!(after.taken_password(), Some("secret"));
    }
    let never_said = user(&json!({ "userName": "a" }));
    assert_eq!(
        put(&never_said, &json!({ "userName": "a" }))
            .unwrap()
            .0
            .active(),
        None
    );
    let disabled = put(
        &joy(),
        &json!({ "userName": "joy@example.org", "active": false }),
    )
    .unwrap()
    .0;
    assert_eq!(disabled.active(), Some(false));
}

#[test]
fn the_same_put_again_changes_nothing() {
    let before = joy();
    let (after, _) = put(&before, &document(&before)).unwrap();
    assert_eq!(after, before);
    assert_eq!(after.to_stored(), before.to_stored());
}

#[test]
fn users_are_disabled_enabled_and_given_passwords_without_a_path() {
    let off = patch(
        &joy(),
        &json!([{ "op": "replace", "value": { "active": false } }]),
    )
    .unwrap();
    assert_eq!((off.resource.active(), off.changed), (Some(false), true));
    let on = patch(
        &off.resource,
        &json!([{ "op": "replace", "value": { "active": true } }]),
    )
    .unwrap();
    assert_eq!(on.resource, joy());
    let password = patch(
        &joy(),
        &json!([{ "op": "replace", "value": { "password": "s3cret" } }]),
    )
    .unwrap();
    assert_eq!(
        (password.resource.taken_password(), password.changed),
        (Some("s3cret"), false)
    );
}

#[test]
fn a_password_is_found_before_the_request_is_applied() {
    let ty = ResourceType::user();
    for (operations, password) in [
        (
            json!([{ "op": "replace", "value": { "password": "a" } }]),
            Some("a"),
        ),
        (
            json!([{ "op": "Replace", "path": "PASSWORD", "value": "a" }, { "op": "add", "path": "password", "value": "b" }]),
            Some("b"),
        ),
        (
            json!([{ "op": "replace", "value": { format!("{CORE_USER}:password"): "a" } }]),
            Some("a"),
        ),
        (
            json!([{ "op": "remove", "path": "password", "value": "a" }]),
            None,
        ),
        (
            json!([{ "op": "replace", "value": { "title": "a" } }]),
            None,
        ),
    ] {
        let request = PatchRequest::parse(object(&json!({ "Operations": operations }))).unwrap();
        assert_eq!(request.password(ty), password, "{operations}");
    }
    assert_eq!(
        scim::password_of(&object(&json!({ "userName": "a", "Password": "b" })), ty),
        Some("b")
    );
    assert_eq!(
        scim::password_of(&object(&json!({ "userName": "a" })), ty),
        None
    );
}

fn split(operations: serde_json::Value) -> (PatchRequest, Vec<MemberOp>) {
    let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
    PatchRequest::parse(object(&body))
        .unwrap()
        .split_members()
        .unwrap()
}

#[test]
fn a_group_is_pushed_renamed_and_its_members_changed_by_difference() {
    let mut body = object(&json!({
        "schemas": [CORE_GROUP], "displayName": "Example Group",
        "members": [{ "value": "85467bb3", "display": "steve@example.org" }],
    }));
    let members = members_of(&mut body).unwrap().unwrap();
    assert_eq!(
        (members[0].value.as_str(), members[0].display.as_deref()),
        ("85467bb3", Some("steve@example.org"))
    );
    assert!(!body.contains_key("members"));
    let before = group(&json!({ "displayName": "Test SCIMv2" }));

    let (rest, members) = split(
        json!([{ "op": "replace", "value": { "id": "abf4dd94", "displayName": "Test SCIMv2" } }]),
    );
    let renamed = rest
        .apply(ResourceType::group(), &before, &scim::Dialect::plain())
        .unwrap();
    assert!(!renamed.changed && renamed.warnings.is_empty() && members.is_empty());

    let (rest, members) = split(json!([
        { "op": "remove", "path": "members[value eq \"89bb1940\"]" },
        { "op": "add", "path": "members", "value": [{ "value": "23a35c27", "display": "test.user@example.org" }] },
    ]));
    assert!(rest.is_empty());
    assert_eq!(members[0], MemberOp::Remove(vec!["89bb1940".to_owned()]));
    assert!(matches!(&members[1], MemberOp::Add(added) if added[0].value == "23a35c27"));
}

#[test]
fn push_now_replaces_all_members_also_by_nobody() {
    let (_, ops) = split(
        json!([{ "op": "replace", "path": "members", "value": [{ "value": "a" }, { "value": "b" }] }]),
    );
    assert!(matches!(&ops[..], [MemberOp::Replace(members)] if members.len() == 2));
    let (_, ops) = split(json!([{ "op": "replace", "path": "members", "value": [] }]));
    assert_eq!(ops, [MemberOp::Replace(vec![])]);
}
