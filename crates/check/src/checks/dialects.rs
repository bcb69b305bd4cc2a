//! PATCH of users as clients write it: capital letters, texts for booleans, paths that create, keys with dots and URNs.

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit};
use crate::profile::Need;
use crate::talk::{ENTERPRISE, expect};
use crate::wire::Ask;

use super::patch::patched;

const WHY_ENTRA: &str =
    "Entra sends exactly this; after enough failures it puts the connection into quarantine.";
const WHY_OKTA: &str =
    "Okta sends exactly this; a failure ends up in its list of tasks, and the person keeps access.";

/// A start, the operations and what is there then.
fn change(
    id: &'static str,
    client: Client,
    title: &'static str,
    (start, operations, then): (Value, Value, Value),
) -> Check {
    let why = match client {
        Client::Okta | Client::OktaWizard => WHY_OKTA,
        _ => WHY_ENTRA,
    };
    habit(id, client, title, move |t| {
        patched(t, &start, &operations, &then)
    })
    .why(why)
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = plain();
    checks.extend(creating());
    checks.extend(manager());
    checks.extend(grouped());
    checks.extend(others());
    checks
        .into_iter()
        .map(|check| check.needs(&[Need::Patch]))
        .collect()
}

fn plain() -> Vec<Check> {
    use Client::Entra;
    vec![
        change("DIA-ENTR-01", Entra, "Operations may begin with a capital letter", (
            json!({"title": "Old", "nickName": "x"}),
            json!([{"op": "Replace", "path": "title", "value": "New"}, {"op": "Add", "path": "userType", "value": "E"}, {"op": "Remove", "path": "nickName"}]),
            json!({"title": "New", "userType": "E", "nickName": null}),
        ))
        .fix("Compare `op` without regard to case."),
        change("DIA-ENTR-02", Entra, "active \"False\" disables", (
            json!({}), json!([{"op": "Replace", "path": "active", "value": "False"}]), json!({"active": false}),
        ))
        .fix("Read \"True\" and \"False\" in any case where the schema has a boolean, and answer a boolean."),
        change("DIA-ENTR-03", Entra, "active \"True\" enables", (
            json!({"active": false}), json!([{"op": "Replace", "path": "active", "value": "True"}]), json!({"active": true}),
        ))
        .fix("Read \"True\" and \"False\" in any case where the schema has a boolean, and answer a boolean."),
        change("DIA-ENTR-04", Entra, "An empty text clears an attribute", (
            json!({"title": "Old"}), json!([{"op": "Replace", "path": "title", "value": ""}]), json!({"title": null}),
        ))
        .fix("Take an empty text for a cleared attribute, or store it; do not refuse it."),
        change("DIA-ENTR-05", Entra, "null clears an attribute", (
            json!({"title": "Old"}), json!([{"op": "Replace", "path": "title", "value": null}]), json!({"title": null}),
        ))
        .fix("Treat null as removal (RFC 7643 section 2.5)."),
        change("DIA-ENTR-06", Entra, "Removing what is not there is a success", (
            json!({"title": "Keep"}),
            json!([{"op": "Remove", "path": "nickName"}, {"op": "Remove", "path": "phoneNumbers[type eq \"mobile\"]"}]),
            json!({"title": "Keep", "nickName": null, "phoneNumbers": null}),
        ))
        .fix("Change nothing and answer success; noTarget is for paths that cannot be meant."),
        change("DIA-ENTR-07", Entra, "externalId can be replaced", (
            json!({"externalId": "vcheck-old"}), json!([{"op": "Replace", "path": "externalId", "value": "vcheck-new"}]), json!({"externalId": "vcheck-new"}),
        ))
        .fix("externalId is readWrite."),
    ]
}

fn creating() -> Vec<Check> {
    use Client::Entra;
    let fix = "Where the filter of a path has only eq terms and nothing matches, add and replace append an element made of them.";
    vec![
        change("DIA-PATH-01", Entra, "Replacing the work e-mail of somebody without one creates it", (
            json!({"emails": [{"value": "home@example.com", "type": "home"}]}),
            json!([{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "work@example.com"}]),
            json!({"emails": [{"value": "home@example.com", "type": "home"}, {"value": "work@example.com", "type": "work"}]}),
        ))
        .fix(fix),
        change("DIA-PATH-02", Entra, "Adding the first telephone number by its type creates it", (
            json!({}),
            json!([{"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+47 1"}]),
            json!({"phoneNumbers": [{"value": "+47 1", "type": "mobile"}]}),
        ))
        .fix(fix),
        change("DIA-PATH-03", Entra, "Several parts for the same filter fill one element", (
            json!({}),
            json!([
                {"op": "Add", "path": "addresses[type eq \"work\"].streetAddress", "value": "1 Main St"},
                {"op": "Add", "path": "addresses[type eq \"work\"].country", "value": "NO"},
                {"op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Oslo"},
            ]),
            json!({"addresses": [{"type": "work", "streetAddress": "1 Main St", "country": "NO", "locality": "Oslo"}]}),
        ))
        .fix(fix),
        change("DIA-PATH-04", Entra, "The value of the primary e-mail is replaced", (
            json!({"emails": [{"value": "one@example.com", "type": "work", "primary": true}]}),
            json!([{"op": "Replace", "path": "emails[primary eq true].value", "value": "two@example.com"}]),
            json!({"emails": [{"value": "two@example.com", "primary": true}]}),
        ))
        .fix("Evaluate booleans in the filters of paths."),
        change("DIA-PATH-05", Entra, "primary \"True\" as a text makes an e-mail the primary one", (
            json!({"emails": [{"value": "one@example.com", "type": "work"}]}),
            json!([{"op": "Add", "path": "emails[type eq \"work\"].primary", "value": "True"}]),
            json!({"emails": [{"value": "one@example.com", "type": "work", "primary": true}]}),
        ))
        .fix("Read booleans from texts in sub-attributes too."),
        change("DIA-PATH-06", Entra, "A role is made by a filter on primary", (
            json!({}),
            json!([{"op": "Add", "path": "roles[primary eq \"True\"].value", "value": "Admin"}, {"op": "Add", "path": "roles[primary eq \"True\"].display", "value": "Administrator"}]),
            json!({"roles": [{"value": "Admin", "display": "Administrator", "primary": true}]}),
        ))
        .fix("Compare a boolean attribute with \"True\" as with true, also when an element is made of the filter."),
        change("DIA-PATH-07", Entra, "An element of another type stays as it is", (
            json!({"phoneNumbers": [{"value": "+47 1", "type": "home"}, {"value": "+47 2", "type": "work"}]}),
            json!([{"op": "Replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "+47 3"}]),
            json!({"phoneNumbers": [{"value": "+47 1", "type": "home"}, {"value": "+47 3", "type": "work"}]}),
        ))
        .fix("Change only what the filter matches."),
    ]
}

fn manager() -> Vec<Check> {
    use Client::Entra;
    let fix =
        "Take a text where manager belongs for manager.value, and an empty one for its removal.";
    let path = format!("{ENTERPRISE}:manager");
    let has = json!({ENTERPRISE: {"manager": {"value": "271"}, "department": "Tools"}});
    let kept = json!({ENTERPRISE: {"department": "Tools", "manager": null}});
    vec![
        change("DIA-MNGR-01", Entra, "A manager may come as a bare text", (
            json!({}), json!([{"op": "Add", "path": path, "value": "271"}]), json!({ENTERPRISE: {"manager": {"value": "271"}}}),
        ))
        .fix(fix),
        change("DIA-MNGR-02", Entra, "A manager may come as an object", (
            json!({}), json!([{"op": "Replace", "path": path, "value": {"value": "271"}}]), json!({ENTERPRISE: {"manager": {"value": "271"}}}),
        ))
        .fix(fix),
        change("DIA-MNGR-03", Entra, "An empty text removes the manager", (
            has.clone(), json!([{"op": "Replace", "path": path, "value": ""}]), kept.clone(),
        ))
        .fix(fix),
        change("DIA-MNGR-04", Entra, "Remove removes the manager, and nothing else of the extension", (
            has.clone(), json!([{"op": "Remove", "path": path}]), kept,
        ))
        .fix("remove with the URN of an extension and an attribute removes that attribute."),
        change("DIA-MNGR-05", Entra, "An attribute of the extension is added by its URN", (
            json!({}),
            json!([{"op": "Add", "path": format!("{ENTERPRISE}:employeeNumber"), "value": "1234"}]),
            json!({ENTERPRISE: {"employeeNumber": "1234"}}),
        ))
        .fix("Look for the longest known URN at the beginning of a path first."),
    ]
    .into_iter()
    .map(|check| check.needs(&[Need::Enterprise]))
    .collect()
}

fn grouped() -> Vec<Check> {
    use Client::EntraFlagged;
    let fix = "Without a path resolve each key as an attribute, a dotted path or a URN with an attribute.";
    vec![
        change("DIA-FLAG-01", EntraFlagged, "Keys with dots reach into complex attributes", (
            json!({}),
            json!([{"op": "replace", "value": {"displayName": "Bjfe", "name.givenName": "Kkom", "name.familyName": "Unua"}}]),
            json!({"displayName": "Bjfe", "name": {"givenName": "Kkom", "familyName": "Unua"}}),
        ))
        .fix(fix),
        change("DIA-FLAG-02", EntraFlagged, "Keys with a URN reach into the extension", (
            json!({}),
            json!([{"op": "replace", "value": {(format!("{ENTERPRISE}:department")): "Tools", (format!("{ENTERPRISE}:manager")): "271"}}]),
            json!({ENTERPRISE: {"department": "Tools", "manager": {"value": "271"}}}),
        ))
        .fix(fix)
        .needs(&[Need::Enterprise]),
        change("DIA-FLAG-03", EntraFlagged, "A URN with an object changes what is named in it", (
            json!({ENTERPRISE: {"department": "Tools", "costCenter": "1"}}),
            json!([{"op": "replace", "value": {ENTERPRISE: {"department": "Rails"}}}]),
            json!({ENTERPRISE: {"department": "Rails"}}),
        ))
        .fix(fix)
        .needs(&[Need::Enterprise]),
        change("DIA-FLAG-04", EntraFlagged, "A path and a grouped value work in one request", (
            json!({}),
            json!([
                {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "someone@example.org"},
                {"op": "replace", "value": {"displayName": "Bjfe", "active": false}},
            ]),
            json!({"emails": [{"value": "someone@example.org", "type": "work"}], "displayName": "Bjfe", "active": false}),
        ))
        .fix(fix),
        change("DIA-FLAG-05", EntraFlagged, "Keys that are unknown or readOnly are passed over", (
            json!({}),
            json!([{"op": "replace", "value": {"title": "New", "vcheckUnknown": 1, "id": "x", "meta": {"created": "1999-01-01T00:00:00Z"}, "groups": []}}]),
            json!({"title": "New", "vcheckUnknown": null}),
        ))
        .fix("Pass over what is unknown or readOnly in a value without a path."),
    ]
}

fn others() -> Vec<Check> {
    vec![
        change("DIA-OKTA-01", Client::Okta, "active without a path disables", (
            json!({}), json!([{"op": "replace", "value": {"active": false}}]), json!({"active": false}),
        ))
        .fix("Without a path apply each key of the value."),
        habit("DIA-OKTA-02", Client::Okta, "A password without a path is taken and not shown", |t| {
            let user = t.user(json!({}))?;
            let answer = t.patch(&user.path, &json!([{"op": "replace", "value": {"password": "Vcheck-1mz050nq"}}]))?;
            answer.status(&[200, 204])?;
            for answer in [answer, t.read(&user)?] {
                answer.ensure(!answer.text.contains("1mz050nq"), "an answer without the password", || "the password in it".to_owned())?;
            }
            Ok(())
        })
        .why(WHY_OKTA)
        .fix("Take `password` and drop it, or hash it."),
        habit("DIA-ANY-01", Client::JumpCloud, "A PATCH without schemas is taken", |t| {
            let user = t.user(json!({}))?;
            let body = json!({"Operations": [{"op": "replace", "path": "title", "value": "New", "name": "x"}]});
            t.ask(&Ask::new("PATCH", user.path.as_str()).json(&body))?.status(&[200, 204])?;
            expect(&t.read(&user)?, &json!({"title": "New"}))
        })
        .why("Small clients leave it out; there is nothing else it could be.")
        .fix("Do not demand `schemas` in PATCH, and pass over unknown members of operations."),
        habit("DIA-ANY-02", Client::OneLogin, "An e-mail may be one object instead of a list", |t| {
            let user = t.user(json!({}))?;
            let operations = json!([{"op": "replace", "path": "emails", "value": {"value": "one@example.com", "type": "work"}}]);
            t.patch(&user.path, &operations)?.status(&[200, 204])?;
            expect(&t.read(&user)?, &json!({"emails": [{"value": "one@example.com"}]}))
        })
        .why("Templates of OneLogin send it so.")
        .fix("Take one object where a list belongs."),
        habit("DIA-ANY-03", Client::Keycloak, "An empty list of operations changes nothing", |t| {
            let user = t.user(json!({"title": "Same"}))?;
            t.patch(&user.path, &json!([]))?.status(&[200, 204, 400])?;
            expect(&t.read(&user)?, &json!({"title": "Same"}))
        })
        .why("Clients that compute a difference send what is left of it.")
        .fix("Answer success, or 400; change nothing."),
    ]
}
