//! Parts of resources: `attributes` and `excludedAttributes` (RFC 7644 section 3.9).

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit, must, should};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{ENTERPRISE, Talk, expect, resources, with_query};
use crate::wire::{Answer, Ask};

const RFC: &str = "RFC 7644 section 3.9";
const WHY: &str = "Clients ask for parts to be fast; what is missing they take for absent, and what is too much they do not expect.";
const FIX: &str = "Apply both parameters to the stored resource just before it is answered, and always return id and schemas.";

/// The names of the top-level attributes, sorted.
fn keys(resource: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = resource
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    keys.sort_unstable();
    keys
}

/// Fails unless exactly these are there; meta may be, as servers differ on it.
fn only(answer: &Answer, resource: &Value, wanted: &[&str]) -> Step {
    let came: Vec<&str> = keys(resource)
        .into_iter()
        .filter(|key| *key != "meta")
        .collect();
    answer.ensure(came == wanted, format!("only {wanted:?}"), || {
        format!("{came:?}")
    })
}

fn part(t: &Talk<'_>, parameter: &str, value: &str) -> Step<Answer> {
    let user = t.user(json!({"title": "Engineer", "nickName": "probe"}))?;
    let answer = t.get(&with_query(&user.path, &[(parameter, value)]))?;
    answer.status(&[200])?;
    Ok(answer)
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = reading();
    checks.extend(writing());
    checks
        .into_iter()
        .map(|check| check.why(WHY).fix(FIX))
        .collect()
}

fn reading() -> Vec<Check> {
    vec![
        must("PRJ-ATTR-01", RFC, "attributes gives these, and id and schemas", |t| {
            let answer = part(t, "attributes", "userName")?;
            only(&answer, &answer.body, &["id", "schemas", "userName"])
        }),
        must("PRJ-ATTR-02", RFC, "attributes takes several, with commas between", |t| {
            let answer = part(t, "attributes", "userName,title")?;
            only(&answer, &answer.body, &["id", "schemas", "title", "userName"])
        }),
        must("PRJ-ATTR-03", RFC, "attributes takes a part of a complex attribute", |t| {
            let answer = part(t, "attributes", "name.familyName")?;
            only(&answer, &answer.body, &["id", "name", "schemas"])?;
            expect(&answer, &json!({"name": {"familyName": "Probe", "givenName": null}}))
        }),
        must("PRJ-ATTR-04", RFC, "attributes takes a part of a list", |t| {
            let answer = part(t, "attributes", "emails.value")?;
            only(&answer, &answer.body, &["emails", "id", "schemas"])?;
            let email = &answer.body["emails"][0];
            answer.ensure(email["value"].is_string() && email["type"].is_null(), "only the value", || email.to_string())
        }),
        must("PRJ-ATTR-05", RFC, "Names may be written in any case, and with their URN", |t| {
            for name in ["USERNAME", "urn:ietf:params:scim:schemas:core:2.0:User:userName"] {
                let answer = part(t, "attributes", name)?;
                only(&answer, &answer.body, &["id", "schemas", "userName"])?;
            }
            Ok(())
        }),
        should("PRJ-ATTR-06", RFC, "A name that does not exist is passed over", |t| {
            let answer = part(t, "attributes", "userName,vcheckNothing")?;
            only(&answer, &answer.body, &["id", "schemas", "userName"])
        }),
        must("PRJ-ATTR-07", RFC, "An attribute of the extension can be asked for", |t| {
            let user = t.user(json!({ENTERPRISE: {"department": "Tools", "costCenter": "1"}}))?;
            let answer = t.get(&with_query(&user.path, &[("attributes", &format!("{ENTERPRISE}:department"))]))?;
            answer.status(&[200])?;
            expect(&answer, &json!({ENTERPRISE: {"department": "Tools", "costCenter": null}, "userName": null}))
        })
        .needs(&[Need::Enterprise]),
        must("PRJ-EXCL-01", RFC, "excludedAttributes leaves these out", |t| {
            let answer = part(t, "excludedAttributes", "emails,title")?;
            expect(&answer, &json!({"emails": null, "title": null, "nickName": "probe"}))
        }),
        must("PRJ-EXCL-02", RFC, "id cannot be left out", |t| {
            let answer = part(t, "excludedAttributes", "id,schemas,displayName")?;
            expect(&answer, &json!({"displayName": null}))?;
            answer.string("/id").map(|_| ())
        }),
        must("PRJ-EXCL-03", RFC, "A part of a complex attribute can be left out", |t| {
            let answer = part(t, "excludedAttributes", "name.givenName")?;
            expect(&answer, &json!({"name": {"familyName": "Probe", "givenName": null}}))
        }),
        should("PRJ-BOTH-01", RFC, "Both at once are refused, or one of them is honoured", |t| {
            let user = t.user(json!({"title": "Engineer"}))?;
            let answer = t.get(&with_query(&user.path, &[("attributes", "userName"), ("excludedAttributes", "title")]))?;
            answer.status(&[200, 400])?;
            answer.ensure(answer.body["title"].is_null(), "no title", || answer.body["title"].to_string())
        }),
        must("PRJ-LIST-01", RFC, "Lists give parts, too", |t| {
            let user = t.user(json!({"title": "Engineer"}))?;
            let filter = format!("id eq \"{}\"", user.id);
            let answer = t.query("/Users", &[("filter", &filter), ("attributes", "title")])?;
            answer.status(&[200])?;
            let found = resources(&answer);
            answer.ensure(found.len() == 1, "the one user", || answer.text.clone())?;
            only(&answer, &found[0], &["id", "schemas", "title"])
        })
        .needs(&[Need::Filter]),
        habit("PRJ-LIST-02", Client::Entra, "A list of groups without members has none", |t| {
            let user = t.user(json!({}))?;
            let group = t.group(&[&user.id])?;
            let filter = format!("displayName eq \"{}\"", group.sent["displayName"].as_str().unwrap_or_default());
            let answer = t.query("/Groups", &[("excludedAttributes", "members"), ("filter", &filter)])?;
            answer.status(&[200])?;
            let found = resources(&answer);
            answer.ensure(found.len() == 1 && found[0]["members"].is_null(), "the group without members", || answer.text.clone())
        })
        .needs(&[Need::Filter, Need::Groups]),
    ]
}

fn writing() -> Vec<Check> {
    vec![
        should(
            "PRJ-POST-01",
            RFC,
            "The answer to POST gives the parts that are asked for",
            |t| {
                let answer = t.post(
                    "/Users?attributes=userName",
                    &t.user_body(json!({"title": "Engineer"})),
                )?;
                answer.status(&[201])?;
                only(&answer, &answer.body, &["id", "schemas", "userName"])
            },
        ),
        should(
            "PRJ-PUT-01",
            RFC,
            "The answer to PUT gives the parts that are asked for",
            |t| {
                let user = t.user(json!({"title": "Engineer"}))?;
                let answer = t.put(&format!("{}?attributes=userName", user.path), &user.sent)?;
                answer.status(&[200])?;
                only(&answer, &answer.body, &["id", "schemas", "userName"])?;
                expect(&t.read(&user)?, &json!({"title": "Engineer"}))
            },
        ),
        should(
            "PRJ-PTCH-01",
            RFC,
            "The answer to PATCH gives the parts that are asked for",
            |t| {
                let user = t.user(json!({"title": "Engineer"}))?;
                let path = format!("{}?attributes=title", user.path);
                let answer = t.patch(
                    &path,
                    &json!([{"op": "replace", "path": "title", "value": "Director"}]),
                )?;
                match answer.status {
                    204 => Ok(()),
                    _ => {
                        answer.status(&[200])?;
                        only(&answer, &answer.body, &["id", "schemas", "title"])
                    }
                }
            },
        )
        .needs(&[Need::Patch]),
        should(
            "PRJ-HEAD-01",
            "RFC 9110 section 9.3.2",
            "HEAD is answered like GET, without a body",
            |t| {
                let user = t.user(json!({}))?;
                let answer = t.ask(&Ask::new("HEAD", user.path.as_str()))?;
                answer.status(&[200, 405, 501])?;
                answer.ensure(answer.text.is_empty(), "no body", || answer.text.clone())
            },
        ),
    ]
}
