//! PATCH of users as RFC 7644 section 3.5.2 describes it: each check is a start, the operations and what is there then.

use serde_json::{Value, json};

use crate::catalogue::{Check, Play, must, should};
use crate::profile::Need;
use crate::stop::{Step, ensure};
use crate::talk::{ENTERPRISE, GHOST, Talk, expect, patch};
use crate::wire::Ask;

const RFC: &str = "RFC 7644 section 3.5.2";
const WHY: &str =
    "A change that is answered with success and not made, or made elsewhere, is found weeks later.";

/// Creates a user, patches it and looks at it: the body of the answer, if there is one, and what is read later.
pub(super) fn patched(t: &Talk<'_>, start: &Value, operations: &Value, then: &Value) -> Step {
    let user = t.user(start.clone())?;
    let answer = t.patch(&user.path, operations)?;
    answer.status(&[200, 204])?;
    if answer.status == 200 {
        expect(&answer, then)?;
    }
    expect(&t.read(&user)?, then)
}

/// Creates a user and sends a PATCH that is to be refused and to change nothing.
fn refused(t: &Talk<'_>, start: &Value, operations: &Value, kind: Option<&str>) -> Step {
    let user = t.user(start.clone())?;
    let before = t.read(&user)?;
    let answer = t.patch(&user.path, operations)?;
    answer.status(&[400])?.scim_error()?;
    let after = t.read(&user)?;
    after.ensure(before.body == after.body, "nothing changed", || {
        "a changed user".to_owned()
    })?;
    match kind {
        Some(kind) => answer.scim_type(kind),
        None => Ok(()),
    }
}

/// A conversation that is data only.
fn change(start: Value, operations: Value, then: Value) -> Play {
    Box::new(move |t| patched(t, &start, &operations, &then))
}

fn refuse(start: Value, operations: Value, kind: Option<&'static str>) -> Play {
    Box::new(move |t| refused(t, &start, &operations, kind))
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = single();
    checks.extend(lists());
    checks.extend(whole());
    checks.extend(refusals());
    checks
        .into_iter()
        .map(|check| check.needs(&[Need::Patch]))
        .collect()
}

fn emails() -> Value {
    json!([
        {"value": "one@example.com", "type": "work", "primary": true},
        {"value": "two@example.com", "type": "home"},
    ])
}

fn single() -> Vec<Check> {
    let fix = "Apply add, replace and remove to the attribute that the path names.";
    let cases = [
        (
            "PAT-ONE-01",
            "replace sets a single attribute",
            json!({"title": "Old"}),
            json!([{"op": "replace", "path": "title", "value": "New"}]),
            json!({"title": "New"}),
        ),
        (
            "PAT-ONE-02",
            "replace creates an attribute that is absent",
            json!({}),
            json!([{"op": "replace", "path": "nickName", "value": "Annie"}]),
            json!({"nickName": "Annie"}),
        ),
        (
            "PAT-ONE-03",
            "add sets a single attribute",
            json!({"title": "Old"}),
            json!([{"op": "add", "path": "title", "value": "New"}]),
            json!({"title": "New"}),
        ),
        (
            "PAT-ONE-04",
            "remove clears a single attribute",
            json!({"title": "Old", "nickName": "x"}),
            json!([{"op": "remove", "path": "title"}]),
            json!({"title": null, "nickName": "x"}),
        ),
        (
            "PAT-ONE-05",
            "A part of a complex attribute is replaced, and the rest stays",
            json!({}),
            json!([{"op": "replace", "path": "name.familyName", "value": "New"}]),
            json!({"name": {"familyName": "New", "givenName": "Check"}}),
        ),
        (
            "PAT-ONE-06",
            "A part of a complex attribute is removed, and the rest stays",
            json!({"name": {"givenName": "A", "familyName": "B", "middleName": "C"}}),
            json!([{"op": "remove", "path": "name.middleName"}]),
            json!({"name": {"givenName": "A", "familyName": "B", "middleName": null}}),
        ),
        (
            "PAT-ONE-07",
            "Replacing a complex attribute changes the parts that are named",
            json!({}),
            json!([{"op": "replace", "path": "name", "value": {"familyName": "New"}}]),
            json!({"name": {"familyName": "New"}}),
        ),
        (
            "PAT-ONE-08",
            "active can be set",
            json!({}),
            json!([{"op": "replace", "path": "active", "value": false}]),
            json!({"active": false}),
        ),
        (
            "PAT-ONE-09",
            "Names in a path may be written in any case",
            json!({}),
            json!([{"op": "replace", "path": "NAME.familyname", "value": "New"}]),
            json!({"name": {"familyName": "New"}}),
        ),
        (
            "PAT-ONE-10",
            "A path may be qualified with the URN of the core schema",
            json!({}),
            json!([{"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:title", "value": "New"}]),
            json!({"title": "New"}),
        ),
    ];
    let mut checks: Vec<Check> = cases
        .into_iter()
        .map(|(id, title, start, operations, then)| {
            must(id, RFC, title, change(start, operations, then))
                .why(WHY)
                .fix(fix)
        })
        .collect();
    checks.push(
        must("PAT-ONE-11", RFC, "A path with the URN of an extension reaches into it", |t| {
            let path = format!("{ENTERPRISE}:department");
            patched(t, &json!({ENTERPRISE: {"costCenter": "1"}}),
                &json!([{"op": "replace", "path": path, "value": "Tools"}]),
                &json!({ENTERPRISE: {"department": "Tools", "costCenter": "1"}}))
        })
        .why("The dots and colons of a URN make simple splitting fail; department and manager then go nowhere.")
        .fix("Look for the longest known URN at the beginning of a path first.")
        .needs(&[Need::Enterprise]),
    );
    checks
}

fn lists() -> Vec<Check> {
    let fix = "Apply the operation to the elements that the path selects, and to no others.";
    let added = json!({"value": "three@example.com", "type": "other"});
    let cases = [
        (
            "PAT-LST-01",
            "add appends to a list",
            json!({"emails": emails()}),
            json!([{"op": "add", "path": "emails", "value": [added]}]),
            json!({"emails": [{"value": "one@example.com"}, {"value": "two@example.com"}, {"value": "three@example.com"}]}),
        ),
        (
            "PAT-LST-02",
            "add of an element that is there changes nothing",
            json!({"emails": emails()}),
            json!([{"op": "add", "path": "emails", "value": [{"value": "two@example.com", "type": "home"}]}]),
            json!({"emails": [{"value": "one@example.com"}, {"value": "two@example.com"}]}),
        ),
        (
            "PAT-LST-03",
            "replace of a list leaves only the new elements",
            json!({"emails": emails()}),
            json!([{"op": "replace", "path": "emails", "value": [added]}]),
            json!({"emails": [{"value": "three@example.com"}]}),
        ),
        (
            "PAT-LST-04",
            "remove of a list empties it",
            json!({"emails": emails()}),
            json!([{"op": "remove", "path": "emails"}]),
            json!({"emails": null}),
        ),
        (
            "PAT-LST-05",
            "remove with a filter removes what matches",
            json!({"emails": emails()}),
            json!([{"op": "remove", "path": "emails[type eq \"home\"]"}]),
            json!({"emails": [{"value": "one@example.com"}]}),
        ),
        (
            "PAT-LST-06",
            "replace with a filter and a part changes that part",
            json!({"emails": emails()}),
            json!([{"op": "replace", "path": "emails[type eq \"home\"].value", "value": "new@example.com"}]),
            json!({"emails": [{"value": "one@example.com", "type": "work"}, {"value": "new@example.com", "type": "home"}]}),
        ),
        (
            "PAT-LST-07",
            "A filter in a path may combine terms",
            json!({"emails": emails()}),
            json!([{"op": "remove", "path": "emails[type eq \"home\" and value sw \"two\"]"}]),
            json!({"emails": [{"value": "one@example.com"}]}),
        ),
        (
            "PAT-LST-08",
            "Of two primary e-mails the new one stays",
            json!({"emails": emails()}),
            json!([{"op": "add", "path": "emails", "value": [{"value": "three@example.com", "type": "other", "primary": true}]}]),
            json!({"emails": [{"value": "one@example.com"}, {"value": "two@example.com"}, {"value": "three@example.com", "primary": true}]}),
        ),
        (
            "PAT-LST-09",
            "add to an absent list creates it",
            json!({}),
            json!([{"op": "add", "path": "phoneNumbers", "value": [{"value": "+47 1", "type": "work"}]}]),
            json!({"phoneNumbers": [{"value": "+47 1", "type": "work"}]}),
        ),
    ];
    let mut checks: Vec<Check> = cases
        .into_iter()
        .map(|(id, title, start, operations, then)| {
            must(id, RFC, title, change(start, operations, then))
                .why(WHY)
                .fix(fix)
        })
        .collect();
    checks.push(
        must("PAT-LST-10", RFC, "A new primary takes the place of the old one", |t| {
            let user = t.user(json!({"emails": emails()}))?;
            t.patch(&user.path, &json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]))?.status(&[200, 204])?;
            let answer = t.read(&user)?;
            let emails = answer.body["emails"].as_array().cloned().unwrap_or_default();
            let primary: Vec<&Value> = emails.iter().filter(|email| email["primary"] == true).collect();
            answer.ensure(primary.len() == 1 && primary[0]["type"] == "home", "the home address alone as primary", || answer.body["emails"].to_string())
        })
        .why("Two primary addresses: each reader takes another one.")
        .fix("Setting primary on one element clears it on the others."),
    );
    checks
}

fn whole() -> Vec<Check> {
    vec![
        must("PAT-ALL-01", RFC, "Without a path each key of the value is applied", change(
            json!({"title": "Old", "nickName": "x"}),
            json!([{"op": "replace", "value": {"title": "New", "name": {"familyName": "New"}}}]),
            json!({"title": "New", "name": {"familyName": "New"}, "nickName": "x"}),
        ))
        .why(WHY)
        .fix("Apply the keys one by one; what is not named stays."),
        must("PAT-ALL-02", RFC, "add without a path appends to lists and sets the rest", change(
            json!({"emails": emails()}),
            json!([{"op": "add", "value": {"title": "New", "emails": [{"value": "three@example.com", "type": "other"}]}}]),
            json!({"title": "New", "emails": [{"value": "one@example.com"}, {"value": "two@example.com"}, {"value": "three@example.com"}]}),
        ))
        .why(WHY)
        .fix("add appends to lists, with and without a path."),
        must("PAT-ALL-03", RFC, "Operations are applied in their order", change(
            json!({"title": "Old"}),
            json!([
                {"op": "remove", "path": "title"}, {"op": "add", "path": "title", "value": "One"},
                {"op": "replace", "path": "title", "value": "Two"}, {"op": "add", "path": "nickName", "value": "N"},
            ]),
            json!({"title": "Two", "nickName": "N"}),
        ))
        .why(WHY)
        .fix("Apply one after the other, each to the result of the one before."),
        must("PAT-ALL-04", RFC, "If one operation is wrong none is applied", refuse(
            json!({"title": "Old"}),
            json!([{"op": "replace", "path": "title", "value": "New"}, {"op": "replace", "path": "active", "value": "maybe"}]),
            None,
        ))
        .why("The client takes a refused request for not done, and its picture of the user is wrong from then on.")
        .fix("Apply all operations to a copy, and store it at the end."),
        must("PAT-ALL-05", RFC, "PATCH is answered with 200 and the user, or with 204", |t| {
            let user = t.user(json!({}))?;
            let answer = t.patch(&user.path, &json!([{"op": "replace", "path": "title", "value": "New"}]))?;
            match answer.status {
                204 => answer.ensure(answer.text.is_empty(), "no body", || answer.text.clone()),
                _ => {
                    answer.status(&[200])?;
                    expect(&answer, &json!({"id": user.id, "title": "New"}))
                }
            }
        })
        .why("A client reads from the answer what it wrote.")
        .fix("Answer 200 with the whole resource, or 204 without a body."),
        should("PAT-ALL-06", RFC, "A PATCH that changes nothing is no new version", |t| {
            let user = t.user(json!({"title": "Same"}))?;
            let before = t.read(&user)?;
            t.patch(&user.path, &json!([{"op": "replace", "path": "title", "value": "Same"}]))?.status(&[200, 204])?;
            let after = t.read(&user)?;
            after.ensure(before.body["meta"] == after.body["meta"], "the same meta", || after.body["meta"].to_string())
        })
        .why("Clients repeat themselves; each false change is work for everybody behind the server.")
        .fix("Compare before storing."),
        must("PAT-ALL-07", RFC, "An id that is not there is answered with 404", |t| {
            t.patch(&format!("/Users/{GHOST}"), &json!([{"op": "replace", "path": "title", "value": "New"}]))?.status(&[404])?.scim_error()?;
            Ok(())
        })
        .why("The client creates the user again when it gets 404.")
        .fix("Answer 404 in SCIM's form."),
        must("PAT-ALL-08", RFC, "PATCH cannot take somebody else's userName", |t| {
            let (first, second) = (t.user(json!({}))?, t.user(json!({}))?);
            let operations = json!([{"op": "replace", "path": "userName", "value": first.sent["userName"]}]);
            t.patch(&second.path, &operations)?.status(&[409])?;
            expect(&t.read(&second)?, &json!({"userName": second.sent["userName"]}))
        })
        .why("One person could sign in as the other.")
        .fix("Check uniqueness in PATCH as in POST."),
    ]
}

fn refusals() -> Vec<Check> {
    let why = "A request that was misunderstood and answered with success is worse than a refusal.";
    let bad = |id, title, operations, fix: &'static str| {
        must(
            id,
            RFC,
            title,
            refuse(json!({"title": "Old"}), operations, None),
        )
        .why(why)
        .fix(fix)
    };
    let word = |id, title, operations, kind: &'static str| {
        should(
            id,
            "RFC 7644 section 3.12",
            title,
            refuse(json!({"title": "Old"}), operations, Some(kind)),
        )
        .why("By this word the client knows what to repair.")
        .fix("Use the scimType of the RFC's table.")
    };
    vec![
        bad("PAT-BAD-01", "An operation that does not exist is refused", json!([{"op": "delete", "path": "title"}]), "Accept add, replace and remove, in any case; answer 400 to others."),
        bad("PAT-BAD-02", "remove without a path is refused", json!([{"op": "remove"}]), "Answer 400 noTarget, and remove nothing."),
        bad("PAT-BAD-03", "A path that cannot be read is refused", json!([{"op": "replace", "path": "emails[type eq", "value": "x"}]), "Answer 400 invalidPath."),
        bad("PAT-BAD-04", "A value of the wrong type is refused", json!([{"op": "replace", "path": "active", "value": "maybe"}]), "Check types against the schema."),
        bad("PAT-BAD-05", "userName cannot be removed", json!([{"op": "remove", "path": "userName"}]), "Answer 400 to the removal of a required attribute."),
        word("PAT-BAD-06", "remove without a path is called noTarget", json!([{"op": "remove"}]), "noTarget"),
        word("PAT-BAD-07", "A path that cannot be read is called invalidPath", json!([{"op": "replace", "path": "emails[type eq", "value": "x"}]), "invalidPath"),
        word("PAT-BAD-08", "An operation that does not exist is called invalidSyntax", json!([{"op": "delete", "path": "title"}]), "invalidSyntax"),
        must("PAT-BAD-09", RFC, "The id cannot be changed", |t| {
            let user = t.user(json!({}))?;
            t.patch(&user.path, &json!([{"op": "replace", "path": "id", "value": GHOST}]))?.no_crash()?;
            expect(&t.read(&user)?, &json!({"id": user.id}))
        })
        .why("Ids are what clients remember.")
        .fix("Answer 400 mutability, or pass over it."),
        must("PAT-BAD-10", RFC, "A body without operations is refused", |t| {
            let user = t.user(json!({}))?;
            for body in [json!({}), json!({"Operations": "replace"}), json!({"Operations": [7]})] {
                let answer = t.ask(&Ask::new("PATCH", user.path.as_str()).json(&body))?;
                answer.status(&[400])?.scim_error()?;
            }
            Ok(())
        })
        .why(why)
        .fix("Answer 400 invalidSyntax."),
        should("PAT-BAD-11", "prudence", "Thousands of operations in one request break nothing", |t| {
            let user = t.user(json!({}))?;
            let many: Vec<Value> = (0..3_000).map(|n| json!({"op": "add", "path": "roles", "value": [{"value": format!("r{n}")}]})).collect();
            t.ask(&patch(&user.path, &Value::Array(many)))?.status(&[200, 204, 400, 413])?;
            let answer = t.read(&user)?;
            ensure(answer.status == 200, "the user still readable", || answer.status.to_string())
        })
        .why("Work that grows with the square of a request is a way to stop the server.")
        .fix("Limit the number of operations (413), and keep the cost of each small."),
    ]
}
