//! POST and PUT: what is accepted, made canonical, refused.

use proptest::prelude::*;
use scim::{AttrPath, Dialect, Resource, ResourceType, ScimType, ValuePath, limits};
use serde_json::{Value, json};

use crate::scene::*;

#[test]
fn names_get_their_canonical_spelling_and_order() {
    let urn = ENT.to_uppercase();
    let resource = user(&json!({
        urn: { "DEPARTMENT": "D" }, "ACTIVE": true, "EMAILS": [{ "VALUE": "a@b", "Type": "work" }],
        "Name": { "FAMILYNAME": "Y" }, "username": "joy", "externalID": "1",
    }));
    assert_eq!(
        resource.to_stored(),
        json!({
            "schemas": [CORE_USER, ENT], "externalId": "1", "userName": "joy", "name": { "familyName": "Y" },
            "active": true, "emails": [{ "value": "a@b", "type": "work" }], ENT: { "department": "D" },
        })
        .to_string()
    );
    assert_eq!(
        Resource::parse_stored(&resource.to_stored()).unwrap(),
        resource
    );
}

#[test]
fn a_required_name_must_be_there_and_be_a_name() {
    for body in [
        json!({}),
        json!({ "userName": null }),
        json!({ "userName": "" }),
        json!({ "userName": " a" }),
        json!({ "userName": "a\u{200B}b" }),
        json!({ "userName": "a\nb" }),
        json!({ "userName": 7 }),
        json!({ "userName": ["a"] }),
        json!({ "userName": { "value": "a" } }),
        json!({ "userName": "x".repeat(256) }),
        json!({ "userName": true }),
    ] {
        let error = post(ResourceType::user(), &body).unwrap_err();
        assert_eq!(
            (error.status, error.scim_type),
            (400, Some(ScimType::InvalidValue)),
            "{body}"
        );
        assert!(error.detail.contains("'userName'"), "{}", error.detail);
    }
    let error = post(ResourceType::group(), &json!({ "externalId": "1" })).unwrap_err();
    assert!(error.detail.contains("'displayName'"), "{}", error.detail);
    assert!(
        post(
            ResourceType::user(),
            &json!({ "userName": "ü".repeat(limits::NAME_CHARS_MAX) })
        )
        .is_ok()
    );
}

#[test]
fn types_are_strict_but_for_truth_in_text() {
    for (body, name) in [
        (json!({ "active": 1 }), "active"),
        (json!({ "active": "yes" }), "active"),
        (json!({ "active": "" }), "active"),
        (json!({ "active": [true] }), "active"),
        (json!({ "title": 7 }), "title"),
        (json!({ "title": { "value": "x" } }), "title"),
        (json!({ "name": "Joy" }), "name"),
        (json!({ "name": { "givenName": false } }), "name.givenName"),
        (json!({ "emails": [1] }), "emails"),
        (json!({ "emails": [[{ "value": "a" }]] }), "emails"),
        (json!({ "emails": [{ "value": 1 }] }), "emails.value"),
        (
            json!({ "emails": [{ "primary": "maybe" }] }),
            "emails.primary",
        ),
        (json!({ "addresses": ["Main St"] }), "addresses"),
        (json!({ "externalId": 1 }), "externalId"),
        (json!({ "password": 1 }), "password"),
        (json!({ ENT: "x" }), ENT),
        (json!({ ENT: { "department": 5 } }), "department"),
        (json!({ ENT: { "manager": ["a", "b"] } }), "manager"),
    ] {
        let mut body = body;
        body["userName"] = "joy".into();
        let error = post(ResourceType::user(), &body).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{body}");
        assert!(error.detail.contains(name), "{body}: {}", error.detail);
    }
}

#[test]
fn limits_hold_at_the_limit_and_one_above() {
    let with = |name: &str, value: Value| {
        post(
            ResourceType::user(),
            &json!({ "userName": "a", name: value }),
        )
    };
    for (name, chars) in [
        ("externalId", limits::EXTERNAL_ID_CHARS_MAX),
        ("title", limits::TEXT_CHARS_MAX),
    ] {
        assert!(with(name, "ä".repeat(chars).into()).is_ok(), "{name}");
        assert_eq!(
            with(name, "ä".repeat(chars + 1).into())
                .unwrap_err()
                .scim_type,
            Some(ScimType::InvalidValue)
        );
    }
    let mail = |chars| json!([{ "value": "x".repeat(chars) }]);
    assert!(with("emails", mail(limits::EMAIL_CHARS_MAX)).is_ok());
    assert!(with("emails", mail(limits::EMAIL_CHARS_MAX + 1)).is_err());

    let mails = |count: usize| {
        (0..count)
            .map(|n| json!({ "value": format!("{n}@x") }))
            .collect::<Vec<_>>()
    };
    assert!(with("emails", mails(limits::VALUES_MAX).into()).is_ok());
    assert_eq!(
        with("emails", mails(limits::VALUES_MAX + 1).into())
            .unwrap_err()
            .scim_type,
        Some(ScimType::InvalidValue)
    );
    let full = user(&json!({ "userName": "a", "emails": mails(limits::VALUES_MAX) }));
    let one_more = json!([{ "op": "add", "path": "emails", "value": { "value": "new@x" } }]);
    assert_eq!(
        patch(&full, &one_more).unwrap_err().scim_type,
        Some(ScimType::InvalidValue)
    );
    let by_filter =
        json!([{ "op": "add", "path": "emails[type eq \"new\"].value", "value": "new@x" }]);
    assert_eq!(
        patch(&full, &by_filter).unwrap_err().scim_type,
        Some(ScimType::InvalidValue)
    );

    let roles: Vec<Value> = (0..limits::VALUES_MAX)
        .map(|n| json!({ "value": format!("{n:04000}") }))
        .collect();
    assert_eq!(with("roles", roles.into()).unwrap_err().status, 413);
}

#[test]
fn at_most_one_value_is_primary_the_last_one_that_says_so() {
    let resource = user(&json!({ "userName": "a", "emails": [
        { "value": "1", "primary": true }, { "value": "2", "primary": true }, { "value": "3" },
    ] }));
    assert_eq!(
        document(&resource)["emails"],
        json!([{ "value": "1", "primary": false }, { "value": "2", "primary": true }, { "value": "3" }])
    );
    let after = patched(
        &resource,
        &json!([{ "op": "add", "path": "emails", "value": { "value": "4", "primary": true } }]),
    );
    let primary: Vec<bool> = after["emails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|email| email["primary"] == true)
        .collect();
    assert_eq!(primary, [false, false, false, true]);
    let none = user(&json!({ "userName": "a", "emails": [{ "value": "1" }] }));
    assert!(!none.to_stored().contains("primary"));
}

#[test]
fn paths_read_resources_in_any_case() {
    let joy = joy();
    let get = |path: &str| -> Vec<String> {
        let values = joy.get(&AttrPath::parse(path).unwrap()).into_iter();
        values
            .map(|value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            })
            .collect()
    };
    assert_eq!(get("USERNAME"), ["joy@example.org"]);
    assert_eq!(get("emails.value"), ["joy@example.org", "joy@home.example"]);
    assert_eq!(get("name.FamilyName"), ["Y"]);
    assert_eq!(get("department"), ["D"]);
    assert_eq!(get(&format!("{ENT}:manager.displayName")), ["Max"]);
    assert_eq!(get(&format!("{CORE_USER}:title")), ["Engineer"]);
    assert_eq!(get("emails").len(), 2);
    assert!(get("nickName").is_empty() && get("urn:x:y:title").is_empty());

    let select = |path: &str| -> Vec<String> {
        let selector = ValuePath::parse(path)
            .unwrap()
            .resolve(ResourceType::user())
            .unwrap();
        selector
            .values(&joy)
            .into_iter()
            .map(|value| value.as_str().unwrap_or("?").to_owned())
            .collect()
    };
    assert_eq!(
        select(r#"emails[type eq "home"].value"#),
        ["joy@home.example"]
    );
    assert_eq!(select("emails.type"), ["work", "home"]);
    assert_eq!(select("department"), ["D"]);
    assert_eq!(select(r#"emails[type eq "home"]"#), ["?"]);
    for path in [
        "emails[type eq \"x\"].shoe",
        "shoe",
        "title[type eq \"x\"]",
        "emails[shoe pr]",
    ] {
        assert!(
            ValuePath::parse(path)
                .unwrap()
                .resolve(ResourceType::user())
                .is_err(),
            "{path}"
        );
    }
    for path in [
        "",
        " ",
        "a b",
        "emails[",
        "emails[]",
        "emails[type pr].",
        "emails[type pr]x",
        "emails]",
        "a..b",
        "é",
    ] {
        assert_eq!(
            ValuePath::parse(path).unwrap_err().scim_type,
            Some(ScimType::InvalidPath),
            "{path}"
        );
    }
}

#[test]
fn the_letter_of_the_rfc_keeps_empty_texts_and_clears_active() {
    let read =
        |body: Value| Resource::from_request(ResourceType::user(), object(&body), &Dialect::rfc());
    let resource = read(json!({ "userName": "a", "title": "", "active": true }))
        .unwrap()
        .0;
    assert_eq!(document(&resource)["title"], "");
    let replaced = resource.replaced_by(
        ResourceType::user(),
        object(&json!({ "userName": "a" })),
        &Dialect::rfc(),
    );
    assert_eq!(replaced.unwrap().0.active(), None);
}

#[test]
fn values_that_say_nothing_are_not_kept() {
    let resource = user(&json!({
        "userName": "a", "name": {}, "nickName": "", "phoneNumbers": [null, {}, { "value": "" }, { "type": "work" }],
        "emails": [{ "value": "", "type": "work", "primary": true }], "addresses": [{ "type": "work" }],
        ENT: { "department": null, "manager": { "value": "" } }, "x509Certificates": [],
    }));
    assert_eq!(
        document(&resource),
        json!({ "schemas": [CORE_USER], "userName": "a" })
    );
}

/// Any JSON under names that exist or don't.
fn any_body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        Just(json!("True")),
        Just(json!("")),
    ];
    let name = prop_oneof![
        Just("userName"),
        Just("emails"),
        Just("value"),
        Just("type"),
        Just("primary"),
        Just("name"),
        Just("givenName"),
        Just("active"),
        Just("manager"),
        Just(ENT),
        Just(CORE_USER),
        Just("schemas"),
        Just("roles"),
        Just("groups"),
        Just("emails[type eq \"x\"].value"),
        Just("name.familyName"),
        Just("addresses"),
        Just("x"),
        Just("password"),
    ];
    let value = leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..5).prop_map(|map| map
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    });
    value.prop_map(|value| {
        if value.is_object() {
            value
        } else {
            json!({ "userName": value })
        }
    })
}

proptest! {
    #[test]
    fn texts_come_back_as_they_were_sent(text in any::<String>().prop_filter("a text", |text| !text.is_empty() && !text.contains('\0'))) {
        let body = json!({ "userName": "a", "title": text, "emails": [{ "display": text, "value": "b" }], ENT: { "department": text } });
        let stored = Resource::parse_stored(&user(&body).to_stored()).unwrap();
        for path in ["title", "emails.display", "department"] {
            let values = stored.get(&AttrPath::parse(path).unwrap());
            prop_assert_eq!(values[0].as_str(), Some(text.as_str()));
        }
        match post(ResourceType::user(), &json!({ "userName": text })) {
            Ok((resource, _)) => prop_assert_eq!(resource.user_name(), Some(text.as_str())),
            Err(error) => prop_assert_eq!(error.scim_type, Some(ScimType::InvalidValue)),
        }
    }

    #[test]
    fn nothing_makes_a_write_panic_and_what_is_accepted_is_stable(body in any_body()) {
        if let Ok((resource, _)) = post(ResourceType::user(), &body) {
            let again = post(ResourceType::user(), &document(&resource)).unwrap().0;
            prop_assert_eq!(again.to_stored(), resource.to_stored());
            let nothing = patch(&resource, &json!([])).unwrap();
            prop_assert!(!nothing.changed);
            let stored = Resource::parse_stored(&resource.to_stored()).unwrap();
            prop_assert_eq!(stored, resource);
        }
        for op in ["add", "replace", "remove"] {
            let _ = patch(&joy(), &json!([{ "op": op, "value": body }]));
            for path in ["emails", "name", "emails[type eq \"work\"]", "manager", "active", ENT, CORE_USER] {
                let _ = patch(&joy(), &json!([{ "op": op, "path": path, "value": body }]));
            }
        }
    }
}

#[test]
fn extensions_that_nobody_registered_have_one_order() {
    let sent = json!({
        "userName": "a", "urn:x:y:s": "a", "title": "T", "urn:x:b:2.0:User": { "q": 1 }, "urn:x:a:2.0:User": { "q": 1 },
    });
    let kept = user(&sent);
    let again = user(&document(&kept));
    assert_eq!(again.to_stored(), kept.to_stored());
    assert_eq!(
        document(&kept)["schemas"],
        json!([CORE_USER, "urn:x:a:2.0:User", "urn:x:b:2.0:User", "urn:x:y"])
    );
}
