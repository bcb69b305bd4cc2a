//! What Microsoft Entra ID sends: the old dialect (an operation per attribute, capitals, text booleans)
//! and the new one (`aadOptscim062020`), its roles, its validator.

use scim::{Dialect, ResourceType, ScimType};
use serde_json::{Value, json};

use crate::scene::*;

#[test]
fn a_user_is_created_from_nulls_and_empty_lists() {
    let body = json!({
        "schemas": [CORE_USER, ENT], "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "ab6490ee@example.org", "active": true, "displayName": "Joy Y",
        "title": null, "preferredLanguage": null, "addresses": null,
        "emails": [{ "primary": true, "type": "work", "value": "joy@example.org" }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "Joy Y", "familyName": "Y", "givenName": "Joy" }, "roles": [],
        ENT: { "department": "D", "employeeNumber": "701984" },
    });
    let (resource, warnings) = post(ResourceType::user(), &body).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(
        document(&resource),
        json!({
            "schemas": [CORE_USER, ENT], "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
            "userName": "ab6490ee@example.org",
            "name": { "formatted": "Joy Y", "familyName": "Y", "givenName": "Joy" }, "displayName": "Joy Y",
            "active": true, "emails": [{ "primary": true, "type": "work", "value": "joy@example.org" }],
            ENT: { "employeeNumber": "701984", "department": "D" },
        })
    );
}

/// Each case: what it is for, the operations, and the attributes of the user that they change.
fn check(cases: Vec<(&str, Value, Value)>) {
    for (what, operations, expected) in cases {
        let mut wanted = document(&joy());
        for (name, value) in expected.as_object().unwrap() {
            match (wanted.get_mut(name), value) {
                (_, Value::Null) => drop(wanted.as_object_mut().unwrap().shift_remove(name)),
                (Some(Value::Object(old)), Value::Object(new)) => {
                    for (part, value) in new {
                        match value {
                            Value::Null => drop(old.shift_remove(part)),
                            value => drop(old.insert(part.clone(), value.clone())),
                        }
                    }
                }
                _ => wanted[name] = value.clone(),
            }
        }
        assert_eq!(patched(&joy(), &operations), wanted, "{what}");
    }
}

const WORK: &str = "emails[type eq \"work\"]";

#[test]
fn the_old_dialect_of_users() {
    let home = json!({ "value": "joy@home.example", "type": "home" });
    check(vec![
        (
            "replace",
            json!([{ "op": "Replace", "path": "displayName", "value": "Pvlo" }]),
            json!({ "displayName": "Pvlo" }),
        ),
        (
            "an e-mail that is there, the other untouched",
            json!([{ "op": "Replace", "path": format!("{WORK}.value"), "value": "new@example.org" }]),
            json!({ "emails": [{ "value": "new@example.org", "type": "work", "primary": true }, home] }),
        ),
        (
            "an e-mail that is not there is made; several operations fill one",
            json!([
                { "op": "Add", "path": "emails[type eq \"other\"].primary", "value": "True" },
                { "op": "Add", "path": "emails[type eq \"other\"].value", "value": "o@example.org" },
            ]),
            json!({ "emails": [
                { "value": "joy@example.org", "type": "work", "primary": false }, home,
                { "type": "other", "primary": true, "value": "o@example.org" },
            ] }),
        ),
        (
            "phone numbers and addresses are made alike",
            json!([
                { "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+49 170" },
                { "op": "Add", "path": "addresses[type eq \"work\"].streetAddress", "value": "1 Main St" },
                { "op": "Add", "path": "addresses[type eq \"work\"].country", "value": "DE" },
            ]),
            json!({
                "phoneNumbers": [{ "value": "+49 30 1", "type": "work" }, { "type": "mobile", "value": "+49 170" }],
                "addresses": [{ "type": "work", "streetAddress": "1 Main St", "country": "DE" }],
            }),
        ),
        (
            "a part of the name",
            json!([{ "op": "Replace", "path": "name.givenName", "value": "G" }]),
            json!({ "name": { "givenName": "G" } }),
        ),
        (
            "externalId",
            json!([{ "op": "Replace", "path": "externalId", "value": "8aa1" }]),
            json!({ "externalId": "8aa1" }),
        ),
        (
            "extension attributes by URN",
            json!([{ "op": "Add", "path": format!("{ENT}:employeeNumber"), "value": "1234" }]),
            json!({ ENT: { "employeeNumber": "1234" } }),
        ),
        (
            "active as text",
            json!([{ "op": "Replace", "path": "active", "value": "False" }]),
            json!({ "active": false }),
        ),
        (
            "active as text in lower case",
            json!([{ "op": "replace", "path": "active", "value": "false" }]),
            json!({ "active": false }),
        ),
        (
            "primary compares truth with text",
            json!([{ "op": "Replace", "path": "emails[primary eq \"True\"].value", "value": "p@example.org" }]),
            json!({ "emails": [{ "value": "p@example.org", "type": "work", "primary": true }, home] }),
        ),
        (
            "primary that is not there is made",
            json!([{ "op": "Replace", "path": "phoneNumbers[primary eq true].value", "value": "1" }]),
            json!({ "phoneNumbers": [{ "value": "+49 30 1", "type": "work" }, { "primary": true, "value": "1" }] }),
        ),
        (
            "an empty text clears",
            json!([{ "op": "Replace", "path": "title", "value": "" }]),
            json!({ "title": null }),
        ),
        (
            "null clears",
            json!([{ "op": "Add", "path": "title", "value": null }]),
            json!({ "title": null }),
        ),
        (
            "null update: empty, then null, ends empty",
            json!([
                { "op": "Replace", "path": format!("{WORK}.value"), "value": "" },
                { "op": "Replace", "path": format!("{WORK}.value"), "value": null },
            ]),
            json!({ "emails": [home] }),
        ),
        (
            "a merge with nulls clears parts",
            json!([{ "op": "Replace", "path": "name", "value": { "givenName": "G", "formatted": null } }]),
            json!({ "name": { "givenName": "G", "formatted": null } }),
        ),
        (
            "remove without a target",
            json!([{ "op": "Remove", "path": "emails[type eq \"other\"]" }]),
            json!({}),
        ),
        (
            "remove of what is absent",
            json!([{ "op": "Remove", "path": "nickName" }]),
            json!({}),
        ),
    ]);
}

#[test]
fn the_manager_in_all_its_forms() {
    let path = format!("{ENT}:manager");
    let only_value = json!({ ENT: { "manager": { "value": "271" } } });
    let gone = json!({ ENT: { "manager": null } });
    check(vec![
        (
            "a bare text",
            json!([{ "op": "Add", "path": path, "value": "271" }]),
            only_value.clone(),
        ),
        (
            "an object",
            json!([{ "op": "Replace", "path": path, "value": { "value": "271" } }]),
            only_value.clone(),
        ),
        (
            "a list of one",
            json!([{ "op": "Add", "path": path, "value": [{ "$ref": null, "value": "271" }] }]),
            only_value.clone(),
        ),
        (
            "a path without URN",
            json!([{ "op": "Add", "path": "manager", "value": "271" }]),
            only_value.clone(),
        ),
        (
            "a path to its value",
            json!([{ "op": "Add", "path": format!("{path}.value"), "value": "271" }]),
            only_value.clone(),
        ),
        (
            "a key",
            json!([{ "op": "replace", "value": { path.as_str(): "271" } }]),
            only_value.clone(),
        ),
        (
            "a key to its value",
            json!([{ "op": "replace", "value": { format!("{path}.value"): "271" } }]),
            only_value.clone(),
        ),
        (
            "within its extension",
            json!([{ "op": "replace", "value": { ENT: { "manager": { "value": "271" } } } }]),
            only_value,
        ),
        (
            "an empty text",
            json!([{ "op": "Replace", "path": path, "value": "" }]),
            gone.clone(),
        ),
        (
            "an empty value",
            json!([{ "op": "Replace", "path": path, "value": { "value": "" } }]),
            gone.clone(),
        ),
        (
            "null",
            json!([{ "op": "Replace", "path": path, "value": null }]),
            gone.clone(),
        ),
        (
            "an empty list",
            json!([{ "op": "Replace", "path": path, "value": [] }]),
            gone.clone(),
        ),
        (
            "remove",
            json!([{ "op": "Remove", "path": path }]),
            gone.clone(),
        ),
        (
            "remove of its value",
            json!([{ "op": "Remove", "path": format!("{path}.value") }]),
            gone,
        ),
        (
            "the same again keeps the name",
            json!([{ "op": "Replace", "path": path, "value": { "value": "7" } }]),
            json!({}),
        ),
    ]);
}

#[test]
fn the_new_dialect_of_users() {
    check(vec![(
        "grouped replace",
        json!([
            { "op": "replace", "path": format!("{WORK}.value"), "value": "someone@example.org" },
            { "op": "replace", "value": {
                "displayName": "Bjfe", "name.givenName": "Kkom", "name.familyName": "Unua",
                format!("{ENT}:department"): "E", format!("{ENT}:manager"): "271", "active": false,
            } },
        ]),
        json!({
            "emails": [
                { "value": "someone@example.org", "type": "work", "primary": true },
                { "value": "joy@home.example", "type": "home" },
            ],
            "displayName": "Bjfe", "name": { "givenName": "Kkom", "familyName": "Unua" }, "active": false,
            ENT: { "department": "E", "manager": { "value": "271" } },
        }),
    )]);
}

#[test]
fn roles_come_as_json_in_a_text_as_lists_and_one_by_one() {
    let packed = r#"{"id":"827f","value":"Admin","displayName":"Administrator"}"#;
    let admin = json!({ "display": "Administrator", "value": "Admin" });
    let typed = json!({ "primary": false, "type": "WindowsAzureActiveDirectoryRole", "display": "A", "value": "A" });
    check(vec![
        (
            "packed",
            json!([{ "op": "Add", "path": "roles", "value": [{ "value": packed }] }]),
            json!({ "roles": [admin] }),
        ),
        (
            "text that only looks packed",
            json!([{ "op": "Add", "path": "roles", "value": [{ "value": "{x" }] }]),
            json!({ "roles": [{ "value": "{x" }] }),
        ),
        (
            "complex",
            json!([{ "op": "Add", "path": "roles", "value": [typed] }]),
            json!({ "roles": [typed] }),
        ),
        (
            "single role",
            json!([
                { "op": "Add", "path": "roles[primary eq \"True\"].display", "value": "Admin" },
                { "op": "Add", "path": "roles[primary eq \"True\"].value", "value": "Admin" },
                { "op": "Add", "path": "roles[primary eq \"True\"].type", "value": "T" },
            ]),
            json!({ "roles": [{ "primary": true, "display": "Admin", "value": "Admin", "type": "T" }] }),
        ),
        (
            "single role, packed",
            json!([{ "op": "Add", "path": "roles[primary eq \"True\"].value", "value": packed }]),
            json!({ "roles": [{ "primary": true, "display": "Administrator", "value": "Admin" }] }),
        ),
        (
            "single role, packed, without a filter",
            json!([{ "op": "Add", "path": "roles.value", "value": packed }]),
            json!({ "roles": [admin] }),
        ),
        (
            "packed, without a path",
            json!([{ "op": "Add", "value": { "roles": [{ "value": packed }] } }]),
            json!({ "roles": [admin] }),
        ),
        (
            "packed, by a name with a filter",
            json!([{ "op": "Add", "value": { "roles[primary eq \"True\"].value": packed } }]),
            json!({ "roles": [{ "primary": true, "display": "Administrator", "value": "Admin" }] }),
        ),
        (
            "packed, another one later",
            json!([
                { "op": "Add", "path": "roles[primary eq \"True\"].value", "value": packed },
                { "op": "Replace", "path": "roles[primary eq \"True\"].value",
                  "value": r#"{"id":"9","value":"User","displayName":"A user"}"# },
            ]),
            json!({ "roles": [{ "primary": true, "display": "A user", "value": "User" }] }),
        ),
        (
            "packed, and taken away so",
            json!([
                { "op": "Add", "path": "roles", "value": [{ "value": packed }, { "value": "User" }] },
                { "op": "Remove", "path": "roles", "value": [{ "value": packed }] },
            ]),
            json!({ "roles": [{ "value": "User" }] }),
        ),
    ]);
    let two = patch(
        &joy(),
        &json!([{ "op": "Add", "path": "roles", "value": [{ "value": "A" }, { "value": "B" }] }]),
    );
    let after = patched(
        &two.unwrap().resource,
        &json!([{ "op": "Replace", "path": "roles", "value": [{ "value": "C" }] }]),
    );
    assert_eq!(after["roles"], json!([{ "value": "C" }]));
}

#[test]
fn the_validator_sends_text_for_truth_and_any_text_for_the_rest() {
    let (resource, warnings) = post(
        ResourceType::user(),
        &json!({
            "schemas": [CORE_USER, ENT], "userName": "u@example.org", "active": "True", "timezone": "QZXW",
            "locale": "PXK", "profileUrl": "not a url", "preferredLanguage": "xx",
            "emails": [{ "type": "work", "value": "a@b", "primary": "true" }],
            ENT: { "manager": "does-not-exist" },
        }),
    )
    .unwrap();
    assert_eq!(warnings, []);
    assert_eq!(
        (resource.active(), resource.emails()[0].primary),
        (Some(true), true)
    );
    assert_eq!(
        document(&resource)[ENT]["manager"],
        json!({ "value": "does-not-exist" })
    );
}

#[test]
fn a_wrong_urn_is_reported_and_a_foreign_one_is_kept() {
    let custom = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User";
    let (resource, warnings) = post(
        ResourceType::user(),
        &json!({
            "schemas": [CORE_USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],
            "userName": "u", custom: { "tag": "x" }, "shoeSize": 44, "name": { "nick": "x" },
        }),
    )
    .unwrap();
    assert_eq!(
        document(&resource),
        json!({ "schemas": [CORE_USER, custom], "userName": "u", custom: { "tag": "x" } })
    );
    let what: Vec<&str> = warnings
        .iter()
        .map(|warning| warning.what.as_str())
        .collect();
    assert_eq!(
        what,
        [
            "shoeSize",
            "name.nick",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        ]
    );

    let by_path = patch(
        &joy(),
        &json!([{ "op": "Add", "path": format!("{custom}:tag"), "value": "x" }]),
    )
    .unwrap();
    assert_eq!((by_path.changed, by_path.warnings.len()), (true, 0));
    assert_eq!(document(&by_path.resource)[custom], json!({ "tag": "x" }));
    let unknown = patch(
        &joy(),
        &json!([{ "op": "Add", "path": "shoeSize", "value": "x" }]),
    )
    .unwrap_err();
    assert_eq!(unknown.scim_type, Some(ScimType::InvalidPath));
    let unknown = patch(
        &joy(),
        &json!([{ "op": "Add", "path": format!("{ENT}:shoeSize"), "value": "x" }]),
    )
    .unwrap_err();
    assert_eq!(unknown.scim_type, Some(ScimType::InvalidPath));
}

#[test]
fn repeated_operations_change_nothing() {
    let before = joy();
    for operations in [
        json!([{ "op": "Replace", "path": "displayName", "value": "Joy Y" }]),
        json!([{ "op": "Replace", "path": format!("{WORK}.value"), "value": "joy@example.org" }]),
        json!([{ "op": "Add", "path": "emails", "value": [{ "type": "work", "value": "JOY@example.org" }] }]),
        json!([{ "op": "Add", "path": "active", "value": "True" }]),
        json!([{ "op": "Remove", "path": "nickName" }]),
        json!([]),
    ] {
        let patched = patch(&before, &operations).unwrap();
        assert!(!patched.changed, "{operations}");
        assert_eq!(
            patched.resource.to_stored(),
            before.to_stored(),
            "{operations}"
        );
    }
}

#[test]
fn the_letter_of_the_rfc_knows_no_missing_elements() {
    let operations =
        json!([{ "op": "add", "path": "emails[type eq \"other\"].value", "value": "x@y" }]);
    let error = patch_as(&Dialect::rfc(), ResourceType::user(), &joy(), &operations).unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::NoTarget));
    for path in [
        "emails[type co \"oth\"].value",
        "emails[not (type eq \"work\") and type eq \"x\"].value",
    ] {
        let operations = json!([{ "op": "add", "path": path, "value": "x@y" }]);
        let error = patch(&joy(), &operations)
            .map(|patched| patched.resource)
            .unwrap_err();
        assert_eq!(
            error.scim_type,
            Some(ScimType::NoTarget),
            "{path}: nothing says what to make"
        );
    }
}
