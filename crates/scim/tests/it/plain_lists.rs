//! Lists of values that are no objects: each is its own `value` (RFC 7643, 2.4), in filters, paths and values.

use proptest::prelude::*;
use scim::{
    CustomSchema, Dialect, Filter, PatchRequest, Resource, ResourceType, ResourceTypes, ScimError,
    ScimType, ValuePath,
};
use serde_json::{Value, json};

use crate::scene::*;

const STAFF: &str = "urn:example:params:scim:staff:1.0:User";
const ACME: &str = "urn:example:params:scim:acme:1.0:User";

fn types() -> ResourceTypes {
    let document = json!({ "id": STAFF, "attributes": [
        { "name": "tags", "type": "string", "multiValued": true },
        { "name": "codes", "type": "string", "multiValued": true, "caseExact": true },
        { "name": "floors", "type": "integer", "multiValued": true },
        { "name": "badge", "type": "string" },
    ] });
    let custom = CustomSchema::parse(&document, false, true, false).unwrap();
    ResourceTypes::with(&[custom]).unwrap()
}

fn made(ty: &ResourceType, staff: Value) -> Result<Resource, ScimError> {
    let body = json!({ "userName": "joy", STAFF: staff });
    let body = body.as_object().unwrap().clone();
    Resource::from_request(ty, body, &Dialect::generic()).map(|(resource, _)| resource)
}

fn patched(ty: &ResourceType, before: &Resource, operations: Value) -> Result<Resource, ScimError> {
    let body = json!({ "Operations": operations });
    PatchRequest::parse(body.as_object().unwrap().clone())?
        .apply(ty, before, &Dialect::generic())
        .map(|patched| patched.resource)
}

fn staff(resource: &Resource, name: &str) -> Value {
    let staff = resource.as_map().get(STAFF);
    staff.map_or(Value::Null, |staff| staff[name].clone())
}

fn tags(resource: &Resource) -> Value {
    staff(resource, "tags")
}

#[test]
fn values_may_come_as_objects() {
    let types = types();
    let ty = &types.user;
    let given = json!({ "tags": [{ "value": "a" }, "b", { "Value": "c", "primary": true }] });
    let joy = made(ty, given).unwrap();
    assert_eq!(tags(&joy), json!(["a", "b", "c"]));
    let one = made(
        ty,
        json!({ "tags": { "value": "a" }, "floors": [{ "value": 3 }] }),
    )
    .unwrap();
    assert_eq!(tags(&one), json!(["a"]));
    assert_eq!(staff(&one, "floors"), json!([3]));
    for wrong in [
        json!({ "tags": [{ "display": "a" }] }),
        json!({ "tags": [{ "value": { "value": "a" } }] }),
        json!({ "tags": [7] }),
        json!({ "floors": [{ "value": "three" }] }),
    ] {
        let error = made(ty, wrong.clone()).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{wrong}");
        assert!(error.detail.contains("as \"value\""), "{}", error.detail);
    }
}

#[test]
fn every_way_to_take_one_out_or_put_one_in() {
    let types = types();
    let ty = &types.user;
    let joy = made(ty, json!({ "tags": ["a", "b", "c"], "floors": [1, 2] })).unwrap();
    let path = |rest: &str| format!("{STAFF}:{rest}");
    let all = path("tags");
    for (operation, expected) in [
        (
            json!({ "op": "remove", "path": all, "value": ["b"] }),
            json!(["a", "c"]),
        ),
        (
            json!({ "op": "remove", "path": all, "value": "B" }),
            json!(["a", "c"]),
        ),
        (
            json!({ "op": "remove", "path": all, "value": [{ "value": "b" }] }),
            json!(["a", "c"]),
        ),
        (
            json!({ "op": "remove", "path": all, "value": { "value": "b" } }),
            json!(["a", "c"]),
        ),
        (
            json!({ "op": "remove", "path": path("tags[value eq \"b\"]") }),
            json!(["a", "c"]),
        ),
        (
            json!({ "op": "remove", "path": path("tags[value eq \"b\"].value") }),
            json!(["a", "c"]),
        ),
        (
            json!({ "op": "remove", "path": path("tags[value gt \"a\"]") }),
            json!(["a"]),
        ),
        (
            json!({ "op": "remove", "path": path("tags[not (value eq \"b\")]") }),
            json!(["b"]),
        ),
        (
            json!({ "op": "remove", "path": path("tags.value") }),
            Value::Null,
        ),
        (
            json!({ "op": "add", "path": all, "value": [{ "value": "d" }] }),
            json!(["a", "b", "c", "d"]),
        ),
        (
            json!({ "op": "add", "path": path("tags.value"), "value": "d" }),
            json!(["a", "b", "c", "d"]),
        ),
        (
            json!({ "op": "add", "path": path("tags[value eq \"B\"]"), "value": "b" }),
            json!(["a", "b", "c"]),
        ),
        (
            json!({ "op": "replace", "path": all, "value": [{ "value": "d" }] }),
            json!(["d"]),
        ),
        (
            json!({ "op": "replace", "path": path("tags[value eq \"b\"]"), "value": "d" }),
            json!(["a", "d", "c"]),
        ),
        (
            json!({ "op": "replace", "path": path("tags[value eq \"b\"].value"), "value": "d" }),
            json!(["a", "d", "c"]),
        ),
        (
            json!({ "op": "replace", "path": path("tags[value eq \"b\"]"), "value": { "value": "c" } }),
            json!(["a", "c"]),
        ),
        (
            json!({ "op": "replace", "path": path("tags[value eq \"b\"]"), "value": null }),
            json!(["a", "c"]),
        ),
        (
            json!({ "op": "replace", "value": { (path("tags[value eq \"b\"]")): "d" } }),
            json!(["a", "d", "c"]),
        ),
    ] {
        let after = patched(ty, &joy, json!([operation])).unwrap();
        assert_eq!(tags(&after), expected, "{operation}");
        assert_eq!(staff(&after, "floors"), json!([1, 2]), "{operation}");
    }
    let floor = json!([{ "op": "remove", "path": path("floors[value eq 2]") }]);
    assert_eq!(
        staff(&patched(ty, &joy, floor).unwrap(), "floors"),
        json!([1])
    );
}

#[test]
fn what_is_wrong_is_said() {
    let types = types();
    let ty = &types.user;
    let joy = made(ty, json!({ "tags": ["a"], "badge": "b" })).unwrap();
    let path = |rest: &str| format!("{STAFF}:{rest}");
    for (operation, told) in [
        (
            json!({ "op": "remove", "path": path("tags[type eq \"work\"]") }),
            "by 'value'",
        ),
        (
            json!({ "op": "remove", "path": path("tags[value eq \"a\"].type") }),
            "no part 'type'",
        ),
        (
            json!({ "op": "remove", "path": path("badge[value eq \"b\"]") }),
            "not a list",
        ),
        (
            json!({ "op": "remove", "path": path("tags"), "value": [{ "display": "a" }] }),
            "as \"value\"",
        ),
        (
            json!({ "op": "replace", "path": path("tags[value sw \"x\"]"), "value": "y" }),
            "fits the filter",
        ),
    ] {
        let error = patched(ty, &joy, json!([operation])).unwrap_err();
        assert!(error.detail.contains(told), "{operation}: {}", error.detail);
    }
}

#[test]
fn so_are_they_in_an_extension_that_nobody_registered() {
    let ty = ResourceType::user();
    let joy = user(&json!({ "userName": "joy", ACME: { "tags": ["a", "b"] } }));
    for operation in [
        json!({ "op": "remove", "path": format!("{ACME}:tags"), "value": [{ "value": "b" }] }),
        json!({ "op": "remove", "path": format!("{ACME}:tags[value eq \"B\"]") }),
    ] {
        let after = patched(ty, &joy, json!([operation])).unwrap();
        assert_eq!(
            after.as_map()[ACME],
            json!({ "tags": ["a"] }),
            "{operation}"
        );
    }
    let path = ValuePath::parse(&format!("{ACME}:tags[value sw \"b\"]")).unwrap();
    assert_eq!(path.resolve_open(ty).unwrap().values(&joy), [&json!("b")]);
}

#[derive(Debug, Clone)]
enum Step {
    Add(String),
    Remove(String),
    Exchange(String, String),
    Replace(Vec<String>),
}

impl Step {
    /// One of the ways to say it.
    fn json(&self, form: u8) -> Value {
        let path = format!("{STAFF}:codes");
        let as_object = form & 1 == 1;
        let one = |text: &String| match as_object {
            true => json!({ "value": text }),
            false => json!(text),
        };
        let chosen = |text: &String| match form & 2 {
            2 => format!("{path}[value eq \"{text}\"]"),
            _ => format!("{path}[value eq \"{text}\"].value"),
        };
        match self {
            Step::Add(text) => json!({ "op": "add", "path": path, "value": [one(text)] }),
            Step::Remove(text) if form & 4 == 4 => json!({ "op": "remove", "path": chosen(text) }),
            Step::Remove(text) => json!({ "op": "remove", "path": path, "value": [one(text)] }),
            Step::Exchange(old, new) => {
                json!({ "op": "replace", "path": chosen(old), "value": one(new) })
            }
            Step::Replace(texts) => {
                let texts: Vec<Value> = texts.iter().map(one).collect();
                json!({ "op": "replace", "path": path, "value": texts })
            }
        }
    }

    fn meaning(&self, model: &mut Vec<String>) {
        let add = |model: &mut Vec<String>, text: &String| {
            if !model.contains(text) {
                model.push(text.clone());
            }
        };
        match self {
            Step::Add(text) => add(model, text),
            Step::Remove(text) => model.retain(|known| known != text),
            Step::Exchange(old, new) => {
                let at = model.iter().position(|known| known == old);
                let rest = model.split_off(at.unwrap_or(model.len()));
                add(model, new);
                let rest = rest.iter().filter(|text| *text != old);
                rest.for_each(|text| add(model, text));
            }
            Step::Replace(texts) => {
                model.clear();
                texts.iter().for_each(|text| add(model, text));
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let text = || "[a-dA-B]";
    prop_oneof![
        3 => text().prop_map(Step::Add),
        2 => text().prop_map(Step::Remove),
        2 => (text(), text()).prop_map(|(old, new)| Step::Exchange(old, new)),
        1 => proptest::collection::vec(text(), 0..4).prop_map(Step::Replace),
    ]
}

proptest! {
    #[test]
    fn a_patch_does_what_the_model_says(steps in proptest::collection::vec((step(), 0..8_u8), 0..8)) {
        let types = types();
        let mut model = Vec::new();
        let mut joy = made(&types.user, json!({ "badge": "b" })).unwrap();
        for (step, form) in &steps {
            step.meaning(&mut model);
            joy = patched(&types.user, &joy, json!([step.json(*form)])).unwrap();
            let codes = staff(&joy, "codes");
            let expected = if model.is_empty() { Value::Null } else { json!(model) };
            prop_assert_eq!(codes, expected, "{:?}", step);
        }
    }

    #[test]
    fn brackets_and_value_ask_the_same_as_the_bare_name(
        known in proptest::collection::vec("[a-cA-C]{1,2}", 0..4),
        op in "eq|co|sw|ew|gt|ge|lt|le",
        asked in "[a-cA-C]{1,2}",
        name in "tags|codes",
    ) {
        let types = types();
        let joy = made(&types.user, json!({ &name: known })).unwrap();
        let holds = |text: String| {
            let node = Filter::parse(&text).unwrap().resolve(&types.user).unwrap();
            node.matches(&joy)
        };
        let bare = holds(format!("{name} {op} \"{asked}\""));
        prop_assert_eq!(holds(format!("{name}.value {op} \"{asked}\"")), bare);
        prop_assert_eq!(holds(format!("{STAFF}:{name}[VALUE {op} \"{asked}\"]")), bare);
        prop_assert_eq!(holds(format!("not ({name}[not (value {op} \"{asked}\")])")),
            known.iter().all(|one| holds_of(&types, &name, one, &op, &asked)));
        prop_assert_eq!(holds(format!("{name}[value pr]")), holds(format!("{name} pr")));
    }
}

/// Whether a list of one value passes.
fn holds_of(types: &ResourceTypes, name: &str, one: &str, op: &str, asked: &str) -> bool {
    let only = made(&types.user, json!({ name: [one] })).unwrap();
    let filter = Filter::parse(&format!("{name} {op} \"{asked}\"")).unwrap();
    filter.resolve(&types.user).unwrap().matches(&only)
}
