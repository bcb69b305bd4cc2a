//! Schemas of an administrator, and extensions that nobody registered.

use proptest::prelude::*;
use scim::{
    CustomSchema, Dialect, Filter, PatchRequest, Projection, Resource, ResourceType, ResourceTypes,
    ScimError, ScimType, ValuePath, discovery, limits,
};
use serde_json::{Map, Value, json};

use crate::scene::*;

const STAFF: &str = "urn:example:params:scim:staff:1.0:User";
const ACME: &str = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User";

fn document() -> Value {
    json!({
        "id": STAFF, "name": "Staff", "description": "What the staff office knows",
        "attributes": [
            { "name": "badge", "type": "string", "uniqueness": "server" },
            { "name": "floor", "type": "integer" },
            { "name": "hired", "type": "dateTime", "mutability": "immutable" },
            { "name": "score", "type": "decimal", "mutability": "readOnly" },
            { "name": "pin", "type": "string", "mutability": "writeOnly" },
            { "name": "notes", "type": "string", "returned": "request" },
            { "name": "site", "type": "string", "returned": "always" },
            { "name": "skills", "type": "string", "multiValued": true, "canonicalValues": ["rust"] },
            { "name": "desk", "type": "complex", "subAttributes": [
                { "name": "room", "type": "string", "required": true },
                { "name": "key", "type": "binary" },
            ] },
            { "name": "cars", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "plate", "type": "string" }, { "name": "type", "type": "string" },
                { "name": "electric", "type": "boolean" },
            ] },
        ],
    })
}

fn types(document: &Value) -> ResourceTypes {
    let custom = CustomSchema::parse(document, false, true, false).unwrap();
    ResourceTypes::with(&[custom]).unwrap()
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn made(ty: &ResourceType, staff: Value) -> Result<Resource, ScimError> {
    let body = object(&json!({ "userName": "joy", STAFF: staff }));
    Resource::from_request(ty, body, &Dialect::generic()).map(|(resource, _)| resource)
}

fn patched(ty: &ResourceType, before: &Resource, operations: Value) -> Result<Resource, ScimError> {
    let request = PatchRequest::parse(object(&json!({ "Operations": operations }))).unwrap();
    request
        .apply(ty, before, &Dialect::generic())
        .map(|patched| patched.resource)
}

fn errors(document: &Value) -> Vec<String> {
    let errors = CustomSchema::parse(document, false, true, true).unwrap_err();
    errors.iter().map(|error| error.path.clone()).collect()
}

#[test]
fn a_document_is_read_and_given_back() {
    let custom = CustomSchema::parse(&document(), true, true, false).unwrap();
    let again = discovery::document_of(&custom.schema);
    assert_eq!(
        CustomSchema::parse(&again, true, true, false).unwrap(),
        custom
    );
    assert_eq!(custom.unique_attributes().count(), 1);
    let types = ResourceTypes::with(&[custom]).unwrap();
    let listed = discovery::resource_type(&types, "User", "http://x").unwrap();
    assert_eq!(
        listed["schemaExtensions"][1],
        json!({ "schema": STAFF, "required": true })
    );
    assert!(discovery::schema(&types, &STAFF.to_uppercase(), "http://x").is_some());
    assert_eq!(types.group.extensions.len(), 0);
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let with = |attribute: Value| json!({ "id": STAFF, "attributes": [attribute] });
    for (attribute, path) in [
        (json!({ "name": "a", "type": "text" }), "attributes[0].type"),
        (json!({ "name": "a" }), "attributes[0].type"),
        (
            json!({ "name": "1a", "type": "string" }),
            "attributes[0].name",
        ),
        (
            json!({ "name": "ID", "type": "string" }),
            "attributes[0].name",
        ),
        (
            json!({ "name": "$ref", "type": "reference" }),
            "attributes[0].name",
        ),
        (
            json!({ "name": "a", "type": "string", "multivalued": true }),
            "attributes[0].multivalued",
        ),
        (
            json!({ "name": "a", "type": "string", "required": "yes" }),
            "attributes[0].required",
        ),
        (
            json!({ "name": "a", "type": "string", "mutability": "fixed" }),
            "attributes[0].mutability",
        ),
        (
            json!({ "name": "a", "type": "string", "mutability": "writeOnly", "returned": "always" }),
            "attributes[0].returned",
        ),
        (
            json!({ "name": "a", "type": "string", "mutability": "readOnly", "required": true }),
            "attributes[0].required",
        ),
        (
            json!({ "name": "a", "type": "integer", "uniqueness": "server" }),
            "attributes[0].uniqueness",
        ),
        (
            json!({ "name": "a", "type": "string", "mutability": "writeOnly", "returned": "never", "uniqueness": "server" }),
            "attributes[0].uniqueness",
        ),
        (
            json!({ "name": "a", "type": "string", "uniqueness": "global" }),
            "attributes[0].uniqueness",
        ),
        (
            json!({ "name": "a", "type": "string", "referenceTypes": ["User"] }),
            "attributes[0].referenceTypes",
        ),
        (
            json!({ "name": "a", "type": "string", "subAttributes": [{ "name": "b", "type": "string" }] }),
            "attributes[0].subAttributes",
        ),
        (
            json!({ "name": "a", "type": "complex" }),
            "attributes[0].subAttributes",
        ),
        (
            json!({ "name": "a", "type": "complex", "subAttributes": [
                { "name": "b", "type": "complex", "subAttributes": [{ "name": "c", "type": "string" }] }] }),
            "attributes[0].subAttributes[0].type",
        ),
        (
            json!({ "name": "a", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "b", "type": "string", "mutability": "immutable" }] }),
            "attributes[0].subAttributes[0].mutability",
        ),
        (json!(7), "attributes[0]"),
    ] {
        assert_eq!(errors(&with(attribute.clone())), [path], "{attribute}");
    }
    let twice = json!({ "id": STAFF, "attributes": [
        { "name": "a", "type": "string" }, { "name": "A", "type": "string" }] });
    assert_eq!(errors(&twice), ["attributes[1].name"]);
    for id in [
        "",
        "staff",
        "urn:x",
        "urn:x:a b",
        "urn:x:a]",
        ENT,
        CORE_USER,
        "urn:ietf:params:scim:api:messages:2.0:PatchOp",
    ] {
        let document = json!({ "id": id, "attributes": [{ "name": "a", "type": "string" }] });
        assert_eq!(errors(&document), ["id"], "{id}");
    }
    assert_eq!(errors(&json!([])), ["document"]);
    assert_eq!(errors(&json!({ "id": STAFF })), ["attributes"]);
    let many: Vec<Value> = (0..=limits::CUSTOM_ATTRIBUTES_MAX)
        .map(|nth| json!({ "name": format!("a{nth}"), "type": "string" }))
        .collect();
    assert_eq!(
        errors(&json!({ "id": STAFF, "attributes": many })),
        ["attributes"]
    );
    let long = "x".repeat(limits::CUSTOM_SCHEMA_BYTES_MAX);
    assert_eq!(
        errors(&json!({ "id": STAFF, "description": long })),
        ["document"]
    );
}

#[test]
fn schemas_must_be_told_apart() {
    let schema = |id: &str| {
        let document = json!({ "id": id, "attributes": [{ "name": "badge", "type": "string" }] });
        CustomSchema::parse(&document, false, true, false).unwrap()
    };
    assert!(ResourceTypes::with(&[schema(STAFF), schema("urn:example:other:1.0")]).is_ok());
    let clash = ResourceTypes::with(&[schema(STAFF), schema(&STAFF.to_uppercase())]);
    assert_eq!(clash.unwrap_err().len(), 1);
    let clash = ResourceTypes::with(&[schema(STAFF), schema(&format!("{STAFF}:badge"))]);
    assert_eq!(clash.unwrap_err().len(), 1);
    let many: Vec<CustomSchema> = (0..=limits::CUSTOM_SCHEMAS_MAX)
        .map(|nth| schema(&format!("urn:example:s{nth}:1.0")))
        .collect();
    assert!(ResourceTypes::with(&many).is_err());
}

#[test]
fn values_are_checked_when_they_are_written() {
    let types = types(&document());
    let ty = &types.user;
    let joy = made(
        ty,
        json!({ "BADGE": "b1", "floor": 3, "skills": ["rust", "sql"], "score": 9,
                "desk": { "ROOM": "12" }, "cars": [{ "plate": "X", "type": "van" }, { "type": "bike" }],
                "unknown": 1 }),
    )
    .unwrap();
    assert_eq!(
        joy.as_map()[STAFF],
        json!({ "badge": "b1", "floor": 3, "skills": ["rust", "sql"], "desk": { "room": "12" },
                "cars": [{ "plate": "X", "type": "van" }, { "type": "bike" }] })
    );
    for wrong in [
        json!({ "floor": "three" }),
        json!({ "floor": 1.5 }),
        json!({ "hired": "yesterday" }),
        json!({ "badge": 7 }),
        json!({ "desk": { "room": "1", "key": "not base64!" } }),
        json!({ "desk": { "key": "QUJD" } }),
        json!({ "cars": ["x"] }),
        json!({ "cars": [{ "electric": "perhaps" }] }),
    ] {
        let error = made(ty, wrong.clone()).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{wrong}");
        assert!(error.detail.contains(STAFF), "{}", error.detail);
    }
}

#[test]
fn what_is_written_once_stays() {
    let types = types(&document());
    let ty = &types.user;
    let hired = json!({ "hired": "2026-01-01T00:00:00Z" });
    let joy = made(ty, hired.clone()).unwrap();
    let path = |name: &str| format!("{STAFF}:{name}");
    let other =
        json!([{ "op": "replace", "path": path("hired"), "value": "2027-01-01T00:00:00Z" }]);
    for operations in [
        other,
        json!([{ "op": "remove", "path": path("hired") }]),
        json!([{ "op": "remove", "path": STAFF }]),
        json!([{ "op": "replace", "path": path("score"), "value": 1 }]),
    ] {
        let error = patched(ty, &joy, operations.clone()).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::Mutability), "{operations}");
    }
    let same = json!([{ "op": "add", "path": path("hired"), "value": "2026-01-01T00:00:00Z" }]);
    assert_eq!(patched(ty, &joy, same).unwrap(), joy);
    let put = object(&json!({ "userName": "joy", STAFF: { "floor": 2 } }));
    let (after, _) = joy.replaced_by(ty, put, &Dialect::generic()).unwrap();
    assert_eq!(
        after.as_map()[STAFF],
        json!({ "hired": "2026-01-01T00:00:00Z", "floor": 2 })
    );
}

#[test]
fn a_requirement_binds_what_comes_after_it() {
    let mut strict = document();
    strict["attributes"][0]["required"] = true.into();
    let custom = CustomSchema::parse(&strict, true, true, false).unwrap();
    let types = ResourceTypes::with(&[custom]).unwrap();
    let ty = &types.user;
    assert!(made(ty, json!({ "badge": "1" })).is_ok());
    assert!(made(ty, json!({ "floor": 1 })).is_err());
    assert!(made(ty, Value::Null).is_err());
    // One who was there before can still be disabled, but not lose more.
    let early = user(&json!({ "userName": "joy" }));
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(patched(ty, &early, off).unwrap().active(), Some(false));
    let whole = made(ty, json!({ "badge": "1" })).unwrap();
    let less = json!([{ "op": "remove", "path": format!("{STAFF}:badge") }]);
    assert!(patched(ty, &whole, less).is_err());
}

#[test]
fn what_a_former_schema_held_is_not_lost() {
    let wide = types(&document());
    let joy = made(&wide.user, json!({ "badge": "1", "skills": ["rust"] })).unwrap();
    let mut narrow = document();
    narrow["attributes"] = json!([{ "name": "floor", "type": "integer" }]);
    let narrow = types(&narrow);
    let path = format!("{STAFF}:floor");
    let after = patched(
        &narrow.user,
        &joy,
        json!([{ "op": "add", "path": path, "value": 4 }]),
    )
    .unwrap();
    assert_eq!(
        after.as_map()[STAFF],
        json!({ "floor": 4, "badge": "1", "skills": ["rust"] })
    );
    let put = object(&json!({ "userName": "joy" }));
    let (put, _) = after
        .replaced_by(&narrow.user, put, &Dialect::generic())
        .unwrap();
    assert_eq!(
        put.as_map()[STAFF],
        json!({ "badge": "1", "skills": ["rust"] })
    );
    // Without any schema all of it is an extension like others.
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    let without = patched(ResourceType::user(), &after, off).unwrap();
    assert_eq!(without.as_map()[STAFF], after.as_map()[STAFF]);
    // And with the schema again, names that came meanwhile get its spelling.
    let late =
        json!([{ "op": "add", "path": format!("{}:FLOOR", STAFF.to_lowercase()), "value": 5 }]);
    let late = patched(ResourceType::user(), &joy, late).unwrap();
    let title = json!([{ "op": "add", "path": "title", "value": "x" }]);
    let adopted = patched(&wide.user, &late, title).unwrap();
    assert_eq!(adopted.as_map()[STAFF]["floor"], 5);
}

#[test]
fn secrets_and_requests_are_not_shown() {
    let types = types(&document());
    let ty = &types.user;
    let joy = made(
        ty,
        json!({ "pin": "1234", "notes": "n", "site": "Oslo", "floor": 1 }),
    )
    .unwrap();
    assert_eq!(joy.taken_password(), None);
    let shown = |attributes: Option<&str>, excluded: Option<&str>| {
        let projection = Projection::parse(attributes, excluded, ty).unwrap();
        assert!(!projection.shows_everything() && !projection.shows_document(&[]));
        Value::Object(projection.apply(joy.as_map()))[STAFF].clone()
    };
    assert_eq!(shown(None, None), json!({ "site": "Oslo", "floor": 1 }));
    let (notes, pin) = (format!("{STAFF}:NOTES"), format!("{STAFF}:pin"));
    assert_eq!(
        shown(Some(&notes), None),
        json!({ "notes": "n", "site": "Oslo" })
    );
    assert_eq!(shown(Some(&pin), None), json!({ "site": "Oslo" }));
    assert_eq!(
        shown(Some(STAFF), None),
        json!({ "site": "Oslo", "floor": 1 })
    );
    assert_eq!(shown(None, Some(STAFF)), json!({ "site": "Oslo" }));
    let secret = Filter::parse(&format!("{STAFF}:pin eq \"1234\"")).unwrap();
    assert!(secret.resolve(ty).is_err());
}

#[test]
fn attributes_are_filtered_by_their_type() {
    let types = types(&document());
    let ty = &types.user;
    let joy = made(
        ty,
        json!({ "badge": "B-1", "floor": 12, "hired": "2026-03-01T00:00:00Z",
                "cars": [{ "plate": "AB", "electric": true }] }),
    )
    .unwrap();
    for (filter, matches) in [
        ("badge eq \"b-1\"", true),
        ("floor gt 9", true),
        ("floor gt 100", false),
        ("hired lt \"2026-03-01T02:00:00+01:00\"", true),
        ("cars[plate eq \"ab\" and electric eq true]", true),
        ("cars.plate sw \"z\"", false),
    ] {
        for text in [filter.to_owned(), format!("{STAFF}:{filter}")] {
            let node = Filter::parse(&text).unwrap().resolve(ty).unwrap();
            assert_eq!(node.matches(&joy), matches, "{text}");
        }
    }
}

#[test]
fn an_extension_that_nobody_registered_is_kept_and_changed_by_its_urn() {
    let ty = ResourceType::user();
    let joy = user(
        &json!({ "userName": "joy", ACME: { "tag": "x", "gone": null, "deep": { "a": [1] } } }),
    );
    assert_eq!(joy.as_map()["schemas"], json!([CORE_USER, ACME]));
    assert_eq!(
        joy.as_map()[ACME],
        json!({ "tag": "x", "deep": { "a": [1] } })
    );
    let roles = json!([{ "type": "a", "value": "1" }, { "type": "b", "value": "2" }]);
    let after = |operations: Value| {
        patched(ty, &joy, operations)
            .unwrap()
            .as_map()
            .get(ACME)
            .cloned()
    };
    let tag = format!("{ACME}:TAG");
    for operations in [
        json!([{ "op": "replace", "path": tag, "value": "y" }]),
        json!([{ "op": "replace", "path": ACME, "value": { "tag": "y" } }]),
        json!([{ "op": "replace", "value": { ACME: { "tag": "y" } } }]),
        json!([{ "op": "replace", "value": { tag: "y" } }]),
    ] {
        assert_eq!(
            after(operations.clone()),
            Some(json!({ "tag": "y", "deep": { "a": [1] } })),
            "{operations}"
        );
    }
    assert_eq!(after(json!([{ "op": "remove", "path": ACME }])), None);
    assert_eq!(
        after(json!([{ "op": "remove", "path": format!("{ACME}:deep") }])),
        Some(json!({ "tag": "x" }))
    );
    let list = format!("{ACME}:roles");
    let with = json!({ "op": "add", "path": list, "value": roles });
    assert_eq!(
        after(json!([with, { "op": "remove", "path": format!("{list}[type eq \"A\"]") }])).unwrap()
            ["roles"],
        json!([{ "type": "b", "value": "2" }])
    );
    assert_eq!(
        after(json!([with, { "op": "replace", "path": format!("{list}[type eq \"b\"].value"), "value": "3" }]))
            .unwrap()["roles"][1]["value"],
        "3"
    );
    let nobody = json!([with, { "op": "replace", "path": format!("{list}[type eq \"c\"].value"), "value": "3" }]);
    assert_eq!(
        patched(ty, &joy, nobody).unwrap_err().scim_type,
        Some(ScimType::NoTarget)
    );
    let put = object(&json!({ "userName": "joy", "urn:example:2.0": { "a": 1 } }));
    let (put, _) = joy.replaced_by(ty, put, &Dialect::generic()).unwrap();
    assert_eq!(
        put.as_map()["schemas"],
        json!([CORE_USER, "urn:example:2.0"])
    );
    let shown = Projection::parse(Some(&format!("{ACME}:tag")), None, ty).unwrap();
    assert_eq!(
        Value::Object(shown.apply(joy.as_map()))[ACME],
        json!({ "tag": "x" })
    );
}

#[test]
fn foreign_extensions_have_limits() {
    let body = |count: usize, bytes: usize| {
        let mut body = json!({ "userName": "joy" });
        for nth in 0..count {
            body[format!("urn:example:e{nth}:1.0")] = json!({ "a": "x".repeat(bytes) });
        }
        post(ResourceType::user(), &body)
    };
    assert!(body(limits::FOREIGN_EXTENSIONS_MAX, 10).is_ok());
    assert!(body(limits::FOREIGN_EXTENSIONS_MAX + 1, 10).is_err());
    assert!(body(1, limits::FOREIGN_EXTENSION_BYTES_MAX).is_err());
    let odd = json!({ "userName": "joy", "urn:x:a]\"b": { "a": 1 }, "urn:ietf:params:scim:api:x": { "a": 1 } });
    let (kept, warnings) = post(ResourceType::user(), &odd).unwrap();
    assert_eq!((kept.as_map().len(), warnings.len()), (2, 2));
}

#[test]
fn rules_read_what_is_stored_whatever_is_registered() {
    let joy = user(&json!({ "userName": "joy", ACME: {
        "tag": "x", "Level": 3, "teams": [{ "name": "a", "lead": true }, { "name": "b", "lead": false }] } }));
    let read = |path: String| {
        let selector = ValuePath::parse(&path).unwrap();
        let selector = selector.resolve_open(ResourceType::user()).unwrap();
        Value::Array(selector.values(&joy).into_iter().cloned().collect())
    };
    assert_eq!(read(format!("{ACME}:tag")), json!(["x"]));
    assert_eq!(read(format!("{}:level", ACME.to_lowercase())), json!([3]));
    assert_eq!(read(format!("{ACME}:teams.name")), json!(["a", "b"]));
    assert_eq!(
        read(format!("{ACME}:teams[lead eq true].name")),
        json!(["a"])
    );
    assert_eq!(
        read(format!("{ACME}:teams[name ne \"A\"].name")),
        json!(["b"])
    );
    assert_eq!(read(format!("{ACME}:nothing")), json!([]));
    let typo = ValuePath::parse(&format!("{ENT}:nothing")).unwrap();
    assert!(typo.resolve_open(ResourceType::user()).is_err());
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z$]{0,6}".prop_map(Value::from),
        Just(json!("complex")),
        Just(json!("string")),
        Just(json!(STAFF)),
    ];
    let name = prop_oneof![
        Just("name".to_owned()),
        Just("type".to_owned()),
        Just("id".to_owned()),
        Just("attributes".to_owned()),
        Just("subAttributes".to_owned()),
        Just("mutability".to_owned()),
        "[a-zA-Z]{1,5}",
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_is_read_or_refused(document in json_value()) {
        match CustomSchema::parse(&document, false, true, true) {
            Ok(custom) => {
                let again = discovery::document_of(&custom.schema);
                prop_assert_eq!(CustomSchema::parse(&again, false, true, true), Ok(custom));
            }
            Err(errors) => prop_assert!(!errors.is_empty()),
        }
    }

    #[test]
    fn any_data_under_a_foreign_urn_come_back(data in json_value(), more in json_value()) {
        let ty = ResourceType::user();
        let (joy, _) = post(ty, &json!({ "userName": "joy", ACME: { "a": data, "b": 1 } })).unwrap();
        prop_assert_eq!(&joy.as_map()[ACME]["b"], &json!(1));
        let operations = json!([{ "op": "add", "path": format!("{ACME}:a"), "value": more }]);
        if let Ok(after) = patched(ty, &joy, operations) {
            prop_assert_eq!(&after.as_map()[ACME]["b"], &json!(1));
            prop_assert_eq!(Resource::parse_stored(&after.to_stored()).unwrap(), after);
        }
    }
}
