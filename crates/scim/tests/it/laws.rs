//! PATCH against a naive model, and laws that hold whatever is sent.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scim::{Departure, Dialect, PatchRequest, ResourceType, ScimType};
use serde_json::{Value, json};

use crate::scene::*;

/// The naive model: two simple attributes, a part of a name, a department, and e-mails by type.
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    simple: BTreeMap<&'static str, String>,
    mails: Vec<(String, String)>,
}

const SIMPLE: [(&str, &str); 4] = [
    ("title", "title"),
    ("nickName", "nickname"),
    ("name.givenName", "Name.GivenName"),
    (
        "department",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    ),
];

#[derive(Debug, Clone)]
enum Step {
    Set {
        nth: usize,
        op: &'static str,
        with_path: bool,
        other_spelling: bool,
        value: String,
    },
    Clear {
        nth: usize,
        how: u8,
    },
    SetMail {
        kind: String,
        value: String,
    },
    AddMail {
        kind: String,
        value: String,
    },
    DropMail {
        kind: String,
    },
    DropListed {
        value: String,
    },
    SetMails {
        mails: Vec<(String, String)>,
    },
}

fn mail((kind, value): &(String, String)) -> Value {
    json!({ "type": kind, "value": value })
}

impl Step {
    fn json(&self) -> Value {
        match self {
            Step::Set {
                nth,
                op,
                with_path,
                other_spelling,
                value,
            } => {
                let (name, other) = SIMPLE[*nth];
                let name = if *other_spelling { other } else { name };
                if *with_path {
                    json!({ "op": op, "path": name, "value": value })
                } else {
                    json!({ "op": op, "value": { name: value } })
                }
            }
            Step::Clear { nth, how } => {
                let path = SIMPLE[*nth].0;
                match how {
                    0 => json!({ "op": "remove", "path": path }),
                    1 => json!({ "op": "Replace", "path": path, "value": "" }),
                    2 => json!({ "op": "add", "path": path, "value": null }),
                    _ => json!({ "op": "replace", "value": { path: null } }),
                }
            }
            Step::SetMail { kind, value } => {
                json!({ "op": "Replace", "path": format!("emails[type eq \"{kind}\"].value"), "value": value })
            }
            Step::AddMail { kind, value } => {
                json!({ "op": "add", "path": "emails", "value": [{ "type": kind, "value": value }] })
            }
            Step::DropMail { kind } => {
                json!({ "op": "remove", "path": format!("emails[type eq \"{kind}\"]") })
            }
            Step::DropListed { value } => {
                json!({ "op": "remove", "path": "emails", "value": [{ "value": value }] })
            }
            Step::SetMails { mails } => {
                json!({ "op": "replace", "path": "emails", "value": mails.iter().map(mail).collect::<Vec<_>>() })
            }
        }
    }

    fn meaning(&self, model: &mut Model) {
        let add = |mails: &mut Vec<(String, String)>, mail: (String, String)| {
            if !mails.contains(&mail) {
                mails.push(mail);
            }
        };
        match self {
            Step::Set { nth, value, .. } => {
                drop(model.simple.insert(SIMPLE[*nth].0, value.clone()))
            }
            Step::Clear { nth, .. } => drop(model.simple.remove(SIMPLE[*nth].0)),
            Step::SetMail { kind, value } => {
                let known = model.mails.iter().any(|mail| mail.0 == *kind);
                for mail in model.mails.iter_mut().filter(|mail| mail.0 == *kind) {
                    mail.1.clone_from(value);
                }
                if !known {
                    model.mails.push((kind.clone(), value.clone()));
                }
            }
            Step::AddMail { kind, value } => add(&mut model.mails, (kind.clone(), value.clone())),
            Step::DropMail { kind } => model.mails.retain(|mail| mail.0 != *kind),
            Step::DropListed { value } => model.mails.retain(|mail| mail.1 != *value),
            Step::SetMails { mails } => {
                model.mails.clear();
                for mail in mails {
                    add(&mut model.mails, mail.clone());
                }
            }
        }
    }
}

impl Model {
    fn document(&self) -> Value {
        let mut body = json!({ "schemas": [CORE_USER], "userName": "joy" });
        for (path, value) in &self.simple {
            match *path {
                "name.givenName" => body["name"] = json!({ "givenName": value }),
                "department" => {
                    body[ENT] = json!({ "department": value });
                    body["schemas"] = json!([CORE_USER, ENT]);
                }
                name => body[name] = value.as_str().into(),
            }
        }
        if !self.mails.is_empty() {
            body["emails"] = self.mails.iter().map(mail).collect();
        }
        body
    }
}

fn step() -> impl Strategy<Value = Step> {
    let kind = "work|home|other";
    let value = "[a-c]@x";
    prop_oneof![
        3 => (0..SIMPLE.len(), prop_oneof![Just("add"), Just("Replace")], any::<bool>(), any::<bool>(), "[a-c]{1,2}")
            .prop_map(|(nth, op, with_path, other_spelling, value)| Step::Set { nth, op, with_path, other_spelling, value }),
        2 => (0..SIMPLE.len(), 0..4_u8).prop_map(|(nth, how)| Step::Clear { nth, how }),
        2 => (kind, value).prop_map(|(kind, value)| Step::SetMail { kind, value }),
        2 => (kind, value).prop_map(|(kind, value)| Step::AddMail { kind, value }),
        1 => kind.prop_map(|kind| Step::DropMail { kind }),
        1 => value.prop_map(|value| Step::DropListed { value }),
        1 => proptest::collection::vec((kind, value), 0..3).prop_map(|mails| Step::SetMails { mails }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 0..10)
}

proptest! {
    #[test]
    fn a_patch_does_what_the_model_says(steps in steps()) {
        let mut model = Model::default();
        let before = user(&model.document());
        let operations: Value = steps.iter().map(Step::json).collect();
        steps.iter().for_each(|step| step.meaning(&mut model));
        let after = patch(&before, &operations).unwrap();
        prop_assert_eq!(document(&after.resource), model.document());
        prop_assert_eq!(after.changed, model != Model::default());
    }

    #[test]
    fn one_request_is_the_same_as_one_after_the_other(steps in steps()) {
        let before = user(&json!({ "userName": "joy", "title": "x" }));
        let operations: Value = steps.iter().map(Step::json).collect();
        let at_once = patch(&before, &operations).unwrap().resource;
        let mut one_by_one = before;
        for step in &steps {
            one_by_one = patch(&one_by_one, &json!([step.json()])).unwrap().resource;
        }
        prop_assert_eq!(at_once, one_by_one);
    }

    #[test]
    fn each_operation_repeated_changes_nothing_more(steps in steps(), last in step()) {
        let before = user(&json!({ "userName": "joy" }));
        let operations: Value = steps.iter().map(Step::json).collect();
        let once = patch(&patch(&before, &operations).unwrap().resource, &json!([last.json()])).unwrap();
        let twice = patch(&once.resource, &json!([last.json()])).unwrap();
        prop_assert!(!twice.changed, "{} changed {:?}", last.json(), once.resource);
    }

    #[test]
    fn post_put_and_both_kinds_of_patch_agree(model_steps in steps()) {
        let mut model = Model::default();
        model_steps.iter().for_each(|step| step.meaning(&mut model));
        let body = model.document();
        let posted = user(&body);
        let start = user(&json!({ "userName": "joy" }));
        prop_assert_eq!(&put(&start, &body).unwrap().0, &posted);
        prop_assert_eq!(&patch(&start, &json!([{ "op": "add", "value": body }])).unwrap().resource, &posted);
        prop_assert_eq!(&patch(&start, &json!([{ "op": "replace", "value": body }])).unwrap().resource, &posted);
        let by_path: Value = body.as_object().unwrap().iter()
            .map(|(name, value)| json!({ "op": "replace", "path": name, "value": value }))
            .collect();
        prop_assert_eq!(&patch(&start, &by_path).unwrap().resource, &posted);
    }
}

#[test]
fn a_patch_that_fails_in_its_last_operation_leaves_nothing_behind() {
    let before = joy();
    let error = patch(
        &before,
        &json!([
            { "op": "replace", "path": "title", "value": "changed" },
            { "op": "replace", "path": "active", "value": "perhaps" },
        ]),
    )
    .unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    assert_eq!(before, joy());
}

#[test]
fn requests_that_cannot_be_obeyed_say_why() {
    use ScimType::*;
    for (operations, scim_type) in [
        (
            json!([{ "op": "move", "path": "title", "value": "x" }]),
            InvalidSyntax,
        ),
        (
            json!([{ "op": 7, "path": "title", "value": "x" }]),
            InvalidSyntax,
        ),
        (json!([{ "path": "title", "value": "x" }]), InvalidSyntax),
        (json!(["replace"]), InvalidSyntax),
        (json!([{ "op": "replace", "value": "x" }]), InvalidSyntax),
        (json!([{ "op": "replace", "value": [] }]), InvalidSyntax),
        (json!([{ "op": "add" }]), InvalidValue),
        (json!([{ "op": "replace", "path": "title" }]), InvalidValue),
        (json!([{ "op": "remove" }]), NoTarget),
        (
            json!([{ "op": "remove", "value": { "title": "x" } }]),
            NoTarget,
        ),
        (json!([{ "op": "remove", "path": CORE_USER }]), NoTarget),
        (
            json!([{ "op": "replace", "path": 7, "value": "x" }]),
            InvalidPath,
        ),
        (
            json!([{ "op": "replace", "path": "title[", "value": "x" }]),
            InvalidPath,
        ),
        (
            json!([{ "op": "replace", "path": "title[type eq \"x\"].value", "value": "x" }]),
            InvalidPath,
        ),
        (
            json!([{ "op": "replace", "path": "emails[type eq \"x\"].shoe", "value": "x" }]),
            InvalidPath,
        ),
        (
            json!([{ "op": "replace", "path": "id", "value": "x" }]),
            Mutability,
        ),
        (
            json!([{ "op": "replace", "path": "meta.version", "value": "x" }]),
            Mutability,
        ),
        (
            json!([{ "op": "add", "path": "groups", "value": [{ "value": "x" }] }]),
            Mutability,
        ),
        (
            json!([{ "op": "remove", "path": "groups[value eq \"x\"]" }]),
            Mutability,
        ),
        (
            json!([{ "op": "remove", "path": "userName" }]),
            InvalidValue,
        ),
        (
            json!([{ "op": "replace", "path": "userName", "value": "" }]),
            InvalidValue,
        ),
        (
            json!([{ "op": "replace", "value": { "userName": null } }]),
            InvalidValue,
        ),
        (
            json!([{ "op": "remove", "path": "emails", "value": [{ "shoe": "x" }] }]),
            InvalidValue,
        ),
        (
            json!([{ "op": "remove", "path": "emails", "value": [{ "type": "work" }] }]),
            InvalidValue,
        ),
        (
            json!([{ "op": "remove", "path": "emails", "value": 7 }]),
            InvalidValue,
        ),
    ] {
        let error = patch(&joy(), &operations).unwrap_err();
        assert_eq!(
            (error.status, error.scim_type),
            (400, Some(scim_type)),
            "{operations}: {error}"
        );
    }
    for body in [
        json!({}),
        json!({ "Operations": {} }),
        json!({ "Operations": null }),
        json!({ "schemas": [] }),
    ] {
        assert_eq!(
            PatchRequest::parse(object(&body)).unwrap_err().scim_type,
            Some(InvalidSyntax),
            "{body}"
        );
    }
}

#[test]
fn read_only_and_computed_attributes_are_passed_over_in_values() {
    let operations = json!([{ "op": "replace", "value": {
        "schemas": ["urn:x"], "id": "9", "meta": { "version": "9" }, "groups": [{ "value": "9" }], "title": "T",
    } }]);
    let after = patch(&joy(), &operations).unwrap();
    let mut expected = document(&joy());
    expected["title"] = "T".into();
    assert_eq!(document(&after.resource), expected);
    let schemas = patch(
        &joy(),
        &json!([{ "op": "add", "path": "schemas", "value": ["urn:x"] }]),
    )
    .unwrap();
    assert!(!schemas.changed);
    let lenient = Dialect::generic().with(Departure::ReadOnlyPathIsIgnored);
    let operations = json!([{ "op": "replace", "path": "id", "value": "9" }]);
    let ignored = patch_as(&lenient, ResourceType::user(), &joy(), &operations).unwrap();
    assert_eq!((ignored.changed, ignored.warnings.len()), (false, 1));
}

#[test]
fn elements_are_replaced_merged_and_removed() {
    let home = json!({ "value": "joy@home.example", "type": "home" });
    for (operation, emails) in [
        (
            json!({ "op": "replace", "path": "emails[type eq \"work\"]", "value": { "value": "n@x" } }),
            json!([{ "type": "work", "value": "n@x" }, home]),
        ),
        (
            json!({ "op": "add", "path": "emails[type eq \"work\"]", "value": { "display": "D" } }),
            json!([{ "value": "joy@example.org", "type": "work", "primary": true, "display": "D" }, home]),
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq \"work\"]", "value": null }),
            json!([home]),
        ),
        (
            json!({ "op": "remove", "path": "emails[type eq \"work\"].primary" }),
            json!([{ "value": "joy@example.org", "type": "work" }, home]),
        ),
        (
            json!({ "op": "remove", "path": "emails.primary" }),
            json!([{ "value": "joy@example.org", "type": "work" }, home]),
        ),
        (
            json!({ "op": "remove", "path": "emails", "value": [{ "value": "JOY@example.org" }] }),
            json!([home]),
        ),
        (
            json!({ "op": "remove", "path": "emails", "value": [{ "value": "joy@example.org", "type": "home" }] }),
            json!([{ "value": "joy@example.org", "type": "work", "primary": true }, home]),
        ),
        (json!({ "op": "remove", "path": "emails" }), Value::Null),
        (
            json!({ "op": "remove", "path": "emails.value" }),
            Value::Null,
        ),
        (
            json!({ "op": "replace", "path": "emails", "value": [] }),
            Value::Null,
        ),
        (
            json!({ "op": "replace", "path": "emails", "value": "n@x" }),
            json!([{ "value": "n@x" }]),
        ),
        (
            json!({ "op": "add", "value": { "emails[type eq \"home\"].value": "h@x" } }),
            json!([{ "value": "joy@example.org", "type": "work", "primary": true }, { "value": "h@x", "type": "home" }]),
        ),
    ] {
        assert_eq!(
            patched(&joy(), &json!([operation]))["emails"],
            emails,
            "{operation}"
        );
    }
    let whole = patched(&joy(), &json!([{ "op": "remove", "path": ENT }]));
    assert_eq!(
        (&whole[ENT], &whole["schemas"]),
        (&Value::Null, &json!([CORE_USER]))
    );
    let set = patched(
        &joy(),
        &json!([{ "op": "replace", "path": ENT, "value": { "department": "N" } }]),
    );
    assert_eq!(
        (&set[ENT]["department"], &set[ENT]["employeeNumber"]),
        (&json!("N"), &json!("701984"))
    );
}
