//! Reading, replacing and deleting users (RFC 7644 sections 3.4.1, 3.5.1 and 3.6).

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit, must, should};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{GHOST, Made, Talk, expect, patch, resources};
use crate::wire::Answer;

const RFC_PUT: &str = "RFC 7644 section 3.5.1";
const RFC_DELETE: &str = "RFC 7644 section 3.6";
const WHY_PUT: &str = "Clients that only know PUT send whole users at every change.";

/// The user as it was sent, with changes; null takes out.
fn changed(user: &Made, changes: &Value) -> Value {
    let mut body = user.sent.clone();
    body["id"] = user.id.clone().into();
    for (key, value) in changes.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(body.as_object_mut().and_then(|map| map.shift_remove(key))),
            value => body[key] = value.clone(),
        }
    }
    body
}

fn time(answer: &Answer, key: &str) -> Step<jiff::Timestamp> {
    let text = answer.string(&format!("/meta/{key}"))?;
    text.parse()
        .or_else(|_| answer.wrong(format!("meta.{key} as a time with a zone"), text))
}

fn found_by_name(t: &Talk<'_>, user: &Made) -> Step<usize> {
    let name = user.sent["userName"].as_str().unwrap_or_default();
    let list = t.filtered("/Users", &format!("userName eq \"{name}\""))?;
    Ok(resources(&list).len())
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = reading();
    checks.extend(replacing());
    checks.extend(deleting());
    checks
}

fn reading() -> Vec<Check> {
    vec![
        must(
            "USR-GET-01",
            "RFC 7644 section 3.4.1",
            "A user can be read by its id",
            |t| {
                let user = t.user(json!({}))?;
                let answer = t.read(&user)?;
                expect(
                    &answer,
                    &json!({"id": user.id, "userName": user.sent["userName"]}),
                )
            },
        )
        .why("Everything else builds on it.")
        .fix("Serve GET /Users/{id} with the whole resource."),
        must(
            "USR-GET-02",
            "RFC 7644 section 3.4.1",
            "An id that is not there is answered with 404",
            |t| {
                t.get(&format!("/Users/{GHOST}"))?
                    .status(&[404])?
                    .scim_error()?;
                Ok(())
            },
        )
        .why("Clients create the user again when they get 404, and stop at anything else.")
        .fix("Answer 404 in SCIM's form.")
        .reading(),
        habit(
            "USR-GET-03",
            Client::Entra,
            "Disabled users are found and read like others",
            |t| {
                let user = t.user(json!({"active": false}))?;
                expect(&t.read(&user)?, &json!({"active": false}))?;
                let found = found_by_name(t, &user)?;
                crate::stop::ensure(found == 1, "the disabled user by filter", || {
                    format!("{found} users")
                })
            },
        )
        .why("Clients enable the user they find; one that is hidden is created a second time.")
        .fix("Never leave out users because of `active`.")
        .needs(&[Need::Filter]),
        should(
            "USR-GET-04",
            "RFC 7643 section 4.1.2",
            "A user tells its groups",
            |t| {
                let user = t.user(json!({}))?;
                let group = t.group(&[&user.id])?;
                expect(&t.read(&user)?, &json!({"groups": [{"value": group.id}]}))
            },
        )
        .why("Governance products read entitlements from there.")
        .fix("Compute `groups` from the memberships.")
        .needs(&[Need::Groups]),
        must(
            "USR-META-01",
            "RFC 7643 section 3.1",
            "A change moves lastModified, and leaves created and id",
            |t| {
                let user = t.user(json!({}))?;
                let before = t.read(&user)?;
                // Some servers keep whole seconds.
                std::thread::sleep(std::time::Duration::from_millis(1_100));
                t.put(
                    &user.path,
                    &changed(&user, &json!({"displayName": "Changed"})),
                )?
                .status(&[200])?;
                let after = t.read(&user)?;
                after.ensure(
                    time(&after, "lastModified")? > time(&before, "lastModified")?,
                    "a later meta.lastModified",
                    || after.body["meta"].to_string(),
                )?;
                after.ensure(
                    after.body["meta"]["created"] == before.body["meta"]["created"],
                    "the same meta.created",
                    || after.body["meta"].to_string(),
                )?;
                after.ensure(after.body["id"] == user.id.as_str(), "the same id", || {
                    after.body["id"].to_string()
                })
            },
        )
        .why("Clients that import only what is new go by lastModified.")
        .fix("Set lastModified at each change, and created once."),
        must(
            "USR-META-02",
            "RFC 7643 section 3.1",
            "lastModified is not before created",
            |t| {
                let answer = t.read(&t.user(json!({}))?)?;
                answer.ensure(
                    time(&answer, "lastModified")? >= time(&answer, "created")?,
                    "lastModified not before created",
                    || answer.body["meta"].to_string(),
                )
            },
        )
        .why("A client that compares them takes the user for unchanged for ever.")
        .fix("Take both from one reading of the clock."),
    ]
}

fn replacing() -> Vec<Check> {
    vec![
        must("USR-PUT-01", RFC_PUT, "PUT replaces a user and answers it", |t| {
            let user = t.user(json!({}))?;
            let wanted = json!({"displayName": "New Name", "name": {"givenName": "New", "familyName": "Name"}});
            let answer = t.put(&user.path, &changed(&user, &wanted))?;
            answer.status(&[200])?;
            expect(&answer, &wanted)?;
            expect(&t.read(&user)?, &wanted)
        })
        .why(WHY_PUT)
        .fix("Answer 200 with the whole resource, after it is stored."),
        should("USR-PUT-02", RFC_PUT, "What a PUT leaves out is cleared", |t| {
            let user = t.user(json!({"nickName": "probe", "title": "Engineer"}))?;
            t.put(&user.path, &changed(&user, &json!({"nickName": null})))?.status(&[200])?;
            expect(&t.read(&user)?, &json!({"nickName": null, "title": "Engineer"}))
        })
        .why("Clients that only know PUT have no other way to clear an attribute.")
        .fix("Clear readWrite attributes that are absent, except `active`."),
        must("USR-PUT-03", RFC_PUT, "PUT does not create", |t| {
            let body = t.user_body(json!({}));
            t.put(&format!("/Users/{GHOST}"), &body)?.status(&[404])?;
            Ok(())
        })
        .why("A user that was deleted would come back with an id of the client's choice.")
        .fix("Answer 404 to PUT of an unknown id."),
        must("USR-PUT-04", RFC_PUT, "PUT cannot take somebody else's userName", |t| {
            let first = t.user(json!({}))?;
            let second = t.user(json!({}))?;
            t.put(&second.path, &changed(&second, &json!({"userName": first.sent["userName"]})))?.status(&[409])?;
            expect(&t.read(&second)?, &json!({"userName": second.sent["userName"]}))
        })
        .why("One person could sign in as the other.")
        .fix("Check uniqueness in PUT as in POST, and change nothing on 409."),
        must("USR-PUT-05", RFC_PUT, "PUT can rename a user, who keeps the id", |t| {
            let user = t.user(json!({}))?;
            let wanted = json!({"userName": format!("{}@example.com", t.name())});
            t.put(&user.path, &changed(&user, &wanted))?.status(&[200])?;
            expect(&t.read(&user)?, &json!({"id": user.id, "userName": wanted["userName"]}))
        })
        .why("People marry and change their address.")
        .fix("Make userName readWrite."),
        must("USR-PUT-06", RFC_PUT, "PUT without a userName is refused", |t| {
            let user = t.user(json!({}))?;
            t.put(&user.path, &changed(&user, &json!({"userName": null})))?.status(&[400])?;
            expect(&t.read(&user)?, &json!({"userName": user.sent["userName"]}))
        })
        .why("The user would have no name any more.")
        .fix("Answer 400 invalidValue and change nothing."),
        must("USR-PUT-07", RFC_PUT, "PUT cannot change the id", |t| {
            let user = t.user(json!({}))?;
            let answer = t.put(&user.path, &changed(&user, &json!({"id": GHOST})))?;
            answer.status(&[200, 400])?;
            expect(&t.read(&user)?, &json!({"id": user.id}))
        })
        .why("Ids are what clients remember.")
        .fix("Pass over `id` in the body, or answer 400 mutability."),
        habit("USR-PUT-08", Client::Okta, "What GET gave can be PUT back, and changes nothing", |t| {
            let user = t.user(json!({"title": "Engineer", "nickName": "probe"}))?;
            let before = t.read(&user)?;
            t.put(&user.path, &before.body)?.status(&[200])?;
            let after = t.read(&user)?;
            let (mut old, mut new) = (before.body.clone(), after.body.clone());
            for body in [&mut old, &mut new] {
                drop(body.as_object_mut().and_then(|map| map.shift_remove("meta")));
            }
            after.ensure(old == new, "the same user", || "another one".to_owned())
        })
        .why("Okta reads, changes one thing, and writes all of it back, meta and groups included.")
        .fix("Pass over meta, groups and id in PUT, and return everything that is stored."),
        should("USR-PUT-09", "RFC 7643 section 3.1", "A PUT that changes nothing is no new version", |t| {
            let user = t.user(json!({}))?;
            let before = t.read(&user)?;
            t.put(&user.path, &before.body)?.status(&[200])?;
            let after = t.read(&user)?;
            after.ensure(before.body["meta"] == after.body["meta"], "the same meta", || after.body["meta"].to_string())
        })
        .why("Clients repeat themselves all day; each false change is work for everybody behind the server.")
        .fix("Compare before storing."),
        habit("USR-PUT-10", Client::Okta, "PUT without active leaves it as it is", |t| {
            let user = t.user(json!({}))?;
            t.put(&user.path, &changed(&user, &json!({"active": null})))?.status(&[200])?;
            let answer = t.read(&user)?;
            answer.ensure(answer.body["active"] != false, "the user still active", || answer.body["active"].to_string())
        })
        .why("Otherwise a change of a telephone number locks people out.")
        .fix("Keep `active` when it is absent."),
        habit("USR-PUT-11", Client::OktaWizard, "PUT disables and enables", |t| {
            let user = t.user(json!({}))?;
            for active in [false, true] {
                t.put(&user.path, &changed(&user, &json!({"active": active})))?.status(&[200])?;
                expect(&t.read(&user)?, &json!({"active": active}))?;
            }
            Ok(())
        })
        .why("Wizard apps, authentik and others disable people by PUT only.")
        .fix("Store `active` as it comes."),
        habit("USR-PUT-12", Client::Rauthy, "externalId null clears it", |t| {
            let user = t.user(json!({"externalId": t.name()}))?;
            let mut body = user.sent.clone();
            body["externalId"] = Value::Null;
            t.put(&user.path, &body)?.status(&[200])?;
            expect(&t.read(&user)?, &json!({"externalId": null}))
        })
        .why("rauthy unlinks users so.")
        .fix("Treat null as absent."),
    ]
}

fn deleting() -> Vec<Check> {
    vec![
        must("USR-DEL-01", RFC_DELETE, "DELETE is answered with 204 and nothing else", |t| {
            let user = t.user(json!({}))?;
            let answer = t.delete(&user.path)?;
            answer.status(&[204])?;
            answer.ensure(answer.text.is_empty(), "no body", || answer.text.clone())
        })
        .why("A body after 204 confuses connections that are used again.")
        .fix("Answer 204 without a body."),
        must("USR-DEL-02", RFC_DELETE, "What was deleted is not there any more, for any method", |t| {
            let user = t.user(json!({}))?;
            t.delete(&user.path)?.status(&[204])?;
            t.get(&user.path)?.status(&[404])?;
            t.delete(&user.path)?.status(&[404])?;
            t.put(&user.path, &user.sent)?.status(&[404])?;
            Ok(())
        })
        .why("Entra's validator deletes twice; and a deleted user that can be changed is not deleted.")
        .fix("Answer 404 to everything about a deleted id."),
        must("USR-DEL-03", RFC_DELETE, "What was deleted is in no list", |t| {
            let user = t.user(json!({}))?;
            t.delete(&user.path)?.status(&[204])?;
            let found = found_by_name(t, &user)?;
            crate::stop::ensure(found == 0, "nobody", || format!("{found} users"))
        })
        .why("Clients would go on with an id that does not work.")
        .fix("Leave deleted resources out of all queries.")
        .needs(&[Need::Filter]),
        should("USR-DEL-04", RFC_DELETE, "The name of somebody deleted is free, with a new id", |t| {
            let user = t.user(json!({}))?;
            t.delete(&user.path)?.status(&[204])?;
            let answer = t.post("/Users", &user.sent)?;
            answer.status(&[201])?;
            let id = answer.string("/id")?;
            answer.ensure(id != user.id, "another id", || id.to_owned())
        })
        .why("People come back; and an id that is used again gives one person another's rights.")
        .fix("Leave deleted resources out of the check for uniqueness, and never use an id twice."),
        must("USR-DEL-05", RFC_DELETE, "A deleted user cannot be patched", |t| {
            let user = t.user(json!({}))?;
            t.delete(&user.path)?.status(&[204])?;
            t.ask(&patch(&user.path, &json!([{"op": "replace", "path": "active", "value": true}])))?.status(&[404])?;
            Ok(())
        })
        .why("A client that enables somebody by id must hear that nobody is there.")
        .fix("Answer 404.")
        .needs(&[Need::Patch]),
    ]
}
