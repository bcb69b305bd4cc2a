//! Creating users (RFC 7644 section 3.3).

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit, must, should};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{ENTERPRISE, Made, Talk, USER, created, expect, resources};
use crate::wire::Answer;

const RFC: &str = "RFC 7644 section 3.3";
const RFC_USER: &str = "RFC 7643 section 4.1";
const WHY_KEEP: &str =
    "What is not kept is sent again and again, or is silently missing where it is needed.";

/// Creates a user with these attributes and reads it back; what came has to hold what is wanted, both times.
fn kept(t: &Talk<'_>, more: Value, wanted: &Value) -> Step<Made> {
    let body = t.user_body(more);
    let answer = t.post("/Users", &body)?;
    answer.status(&[201])?;
    let made = created("/Users", body, &answer)?;
    expect(&answer, wanted)?;
    expect(&t.read(&made)?, wanted)?;
    Ok(made)
}

/// Creates a user with a body that is not to be taken.
fn rejected(t: &Talk<'_>, more: Value) -> Step<Answer> {
    let answer = t.post("/Users", &t.user_body(more))?;
    answer.status(&[400])?.scim_error()?;
    Ok(answer)
}

/// `must` or `should`.
type MakeCheck = fn(&'static str, &'static str, &'static str, Conversation) -> Check;
type Conversation = fn(&Talk<'_>) -> Step;

fn keep(id: &'static str, level: MakeCheck, title: &'static str, play: Conversation) -> Check {
    level(id, RFC_USER, title, play)
        .why(WHY_KEEP)
        .fix("Store every attribute that the published schema has, and return it as it came.")
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = answer();
    checks.extend(attributes());
    checks.extend(uniqueness());
    checks.extend(refusals());
    checks.extend(clients());
    checks
}

fn answer() -> Vec<Check> {
    vec![
        must("USR-POST-01", RFC, "A new user is answered with 201 and the user", |t| {
            let body = t.user_body(json!({}));
            let answer = t.post("/Users", &body)?;
            answer.status(&[201])?;
            expect(&answer, &json!({"userName": body["userName"], "active": true}))?;
            answer.string("/id").map(|_| ())
        })
        .why("Okta reports `Create new user returned empty user` otherwise, and no client knows the id.")
        .fix("Answer 201 with the whole stored resource."),
        must("USR-POST-02", RFC, "201 has a Location, the same as meta.location", |t| {
            let answer = t.post("/Users", &t.user_body(json!({})))?;
            answer.status(&[201])?;
            let location = answer.header("location").unwrap_or_default();
            let said = answer.string("/meta/location")?;
            answer.ensure(location == said, format!("Location: {said}"), || format!("Location: {location}"))
        })
        .why("Some clients follow it instead of building the path.")
        .fix("Send the Location header with the absolute URL that is in meta.location."),
        must("USR-POST-03", "RFC 7643 section 3.1", "The id is the server's own, and never the text bulkId", |t| {
            let body = t.user_body(json!({"id": "vcheck-my-own-id"}));
            let answer = t.post("/Users", &body)?;
            answer.status(&[201])?;
            let id = answer.string("/id")?;
            answer.ensure(id != "vcheck-my-own-id", "an id of the server's own", || id.to_owned())?;
            answer.ensure(!id.to_lowercase().contains("bulkid"), "an id without the word bulkId", || id.to_owned())
        })
        .why("A client that chooses ids can take over somebody else's record.")
        .fix("Pass over `id` in requests, and make ids yourself."),
        must("USR-POST-04", "RFC 7643 section 3.1", "meta says type, times and place", |t| {
            let answer = t.post("/Users", &t.user_body(json!({})))?;
            answer.status(&[201])?;
            expect(&answer, &json!({"meta": {"resourceType": "User"}}))?;
            for key in ["created", "lastModified"] {
                let text = answer.string(&format!("/meta/{key}"))?;
                answer.ensure(text.parse::<jiff::Timestamp>().is_ok(), format!("meta.{key} as a time with a zone (RFC 3339)"), || text.to_owned())?;
            }
            let id = answer.string("/id")?;
            let place = answer.string("/meta/location")?;
            answer.ensure(place.ends_with(&format!("/Users/{id}")), format!("meta.location ending in /Users/{id}"), || place.to_owned())
        })
        .why("Pocket ID compares lastModified with its own clock, and skips updates when it cannot read it.")
        .fix("Give meta.resourceType, created, lastModified (with Z or an offset) and location."),
        must("USR-POST-05", "RFC 7643 section 3", "schemas names the schemas that the user has", |t| {
            let made = t.user(json!({}))?;
            let has = made.body["schemas"].as_array().is_some_and(|list| list.iter().any(|urn| urn == USER));
            t.read(&made)?.ensure(has, format!("schemas with {USER}"), || made.body["schemas"].to_string())
        })
        .why("Typed clients choose the class of a resource by it.")
        .fix("Return `schemas` with the core URN and each extension that has a value."),
        should("USR-POST-06", RFC, "What is answered is what is stored", |t| {
            let made = t.user(json!({"title": "Engineer"}))?;
            let answer = t.read(&made)?;
            answer.ensure(answer.body == made.body, "the same user as in the answer to POST", || "another one".to_owned())
        })
        .why("A client compares the answer with what it sent, and sends again what differs.")
        .fix("Build both answers from the stored resource."),
    ]
}

fn attributes() -> Vec<Check> {
    vec![
        keep("USR-KEEP-01", must, "Name, display name, active and e-mail are kept", |t| {
            let mail = format!("{}@example.com", t.name());
            let more = json!({
                "name": {"givenName": "Ann", "familyName": "Abel"}, "displayName": "Ann Abel", "active": true,
                "emails": [{"value": mail, "type": "work", "primary": true}],
            });
            kept(t, more.clone(), &more).map(|_| ())
        }),
        keep("USR-KEEP-02", must, "externalId is kept exactly", |t| {
            let more = json!({"externalId": format!("{}-AbC", t.name())});
            kept(t, more.clone(), &more).map(|_| ())
        }),
        keep("USR-KEEP-03", should, "The single attributes of the core schema are kept", |t| {
            let more = json!({
                "nickName": "Annie", "profileUrl": "https://example.com/ann", "title": "Engineer", "userType": "Employee",
                "preferredLanguage": "en-GB", "locale": "en-GB", "timezone": "Europe/Oslo",
            });
            kept(t, more.clone(), &more).map(|_| ())
        }),
        keep("USR-KEEP-04", should, "All parts of a name are kept", |t| {
            let more = json!({"name": {
                "formatted": "Dr. Ann Mary Abel III", "familyName": "Abel", "givenName": "Ann", "middleName": "Mary",
                "honorificPrefix": "Dr.", "honorificSuffix": "III",
            }});
            kept(t, more.clone(), &more).map(|_| ())
        }),
        keep("USR-KEEP-05", should, "Telephone numbers, addresses and other lists are kept", |t| {
            let more = json!({
                "phoneNumbers": [{"value": "+47 22 00 00 00", "type": "work"}, {"value": "+47 90 00 00 00", "type": "mobile"}],
                "addresses": [{"type": "work", "streetAddress": "1 Main St", "locality": "Oslo", "postalCode": "0150", "country": "NO"}],
                "roles": [{"value": "admin"}], "entitlements": [{"value": "build"}],
            });
            kept(t, more.clone(), &more).map(|_| ())
        }),
        keep("USR-KEEP-06", should, "Two e-mails of different types are kept apart", |t| {
            let name = t.name();
            let more = json!({"emails": [
                {"value": format!("{name}@example.com"), "type": "work", "primary": true},
                {"value": format!("{name}@example.org"), "type": "home"},
            ]});
            kept(t, more.clone(), &more).map(|_| ())
        }),
        keep("USR-KEEP-07", must, "The enterprise extension is kept", |t| {
            let more = json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {
                "employeeNumber": "701984", "costCenter": "4130", "organization": "Example", "division": "North", "department": "Tools",
            }});
            let made = kept(t, more.clone(), &json!({ENTERPRISE: more[ENTERPRISE]}))?;
            let schemas = &made.body["schemas"];
            let has = schemas.as_array().is_some_and(|list| list.iter().any(|urn| urn == ENTERPRISE));
            crate::stop::ensure(has, format!("schemas with {ENTERPRISE}"), || schemas.to_string())
        })
        .needs(&[Need::Enterprise]),
        keep("USR-KEEP-08", should, "A user created as disabled stays disabled", |t| {
            kept(t, json!({"active": false}), &json!({"active": false})).map(|_| ())
        }),
        keep("USR-KEEP-09", should, "A user without anything but a userName can be created", |t| {
            let name = format!("{}@example.com", t.name());
            let answer = t.post("/Users", &json!({"schemas": [USER], "userName": name}))?;
            answer.status(&[201])?;
            expect(&answer, &json!({"userName": name}))
        }),
    ]
}

fn uniqueness() -> Vec<Check> {
    let why = "Two accounts of one person: one gets the rights, the other signs in.";
    vec![
        must("USR-UNIQ-01", RFC, "A userName that is taken is answered with 409", |t| {
            let first = t.user(json!({}))?;
            let second = t.user_body(json!({"userName": first.sent["userName"]}));
            t.post("/Users", &second)?.status(&[409])?.scim_error()?;
            Ok(())
        })
        .why(why)
        .fix("Make userName unique in the database, and answer 409 uniqueness."),
        must("USR-UNIQ-02", "RFC 7643 section 4.1.1", "userName is compared without regard to case", |t| {
            let first = t.user(json!({}))?;
            let loud = first.sent["userName"].as_str().unwrap_or_default().to_uppercase();
            t.post("/Users", &t.user_body(json!({"userName": loud})))?.status(&[409])?;
            Ok(())
        })
        .why(why)
        .fix("Keep a folded copy of userName and make that unique."),
        should("USR-UNIQ-03", "RFC 7644 section 3.12", "409 has scimType uniqueness", |t| {
            let first = t.user(json!({}))?;
            let answer = t.post("/Users", &t.user_body(json!({"userName": first.sent["userName"]})))?;
            answer.status(&[409])?;
            answer.scim_type("uniqueness")
        })
        .why("Okta and others look for this word before they look the user up.")
        .fix("Add `scimType: uniqueness` to 409."),
        must("USR-UNIQ-04", "CVE-2025-41115 (Grafana)", "externalId is opaque: a number is not taken for an id, and comes back as text or not at all", |t| {
            let answer = t.post("/Users", &t.user_body(json!({"externalId": 1})))?;
            if answer.status == 400 {
                return Ok(());
            }
            answer.status(&[201])?;
            let external = &answer.body["externalId"];
            answer.ensure(external.is_string() || external.is_null(), "externalId as a text, or 400 invalidValue", || external.to_string())?;
            let id = answer.string("/id")?;
            answer.ensure(id != "1", "an id that has nothing to do with externalId", || id.to_owned())
        })
        .why("A server that mapped it to its own user ids gave away the administrator's account.")
        .fix("Refuse an externalId that is no text (400 invalidValue), and use it for nothing but comparing."),
        should("USR-UNIQ-05", "RFC 7643 section 3.1", "The same externalId twice breaks nothing", |t| {
            let more = json!({"externalId": t.name()});
            t.user(more.clone())?;
            t.post("/Users", &t.user_body(more))?.status(&[201, 409])?;
            Ok(())
        })
        .why("The RFC leaves its uniqueness to the client; a set-up that is done again sends the same ones.")
        .fix("Accept it, or answer 409."),
    ]
}

fn refusals() -> Vec<Check> {
    let why = "A user without a name, or with values of the wrong type, cannot be found or repaired later.";
    vec![
        must("USR-BAD-01", RFC_USER, "A user without a userName is refused", |t| {
            rejected(t, json!({"userName": null})).map(|_| ())
        })
        .why(why)
        .fix("Answer 400 invalidValue."),
        should("USR-BAD-02", RFC_USER, "An empty userName is refused", |t| rejected(t, json!({"userName": ""})).map(|_| ()))
            .why(why)
            .fix("Answer 400 invalidValue."),
        should("USR-BAD-03", "RFC 7644 section 3.12", "A missing value is called invalidValue", |t| {
            rejected(t, json!({"userName": null}))?.scim_type("invalidValue")
        })
        .why("By this word clients know that sending it again is useless.")
        .fix("Add `scimType: invalidValue`."),
        must("USR-BAD-04", "RFC 7644 section 3.12", "A value of the wrong type is refused, and breaks nothing", |t| {
            for more in [json!({"name": "Ann Abel"}), json!({"userName": {"a": 1}}), json!({"active": "maybe"})] {
                rejected(t, more)?;
            }
            Ok(())
        })
        .why(why)
        .fix("Check types against the schema and answer 400 invalidValue."),
        must("USR-BAD-05", "RFC 7643 section 2.4", "At most one e-mail is primary", |t| {
            let name = t.name();
            let answer = t.post("/Users", &t.user_body(json!({"emails": [
                {"value": format!("{name}@example.com"), "type": "work", "primary": true},
                {"value": format!("{name}@example.org"), "type": "home", "primary": true},
            ]})))?;
            if answer.status == 400 {
                return Ok(());
            }
            answer.status(&[201])?;
            let emails = answer.body["emails"].as_array().cloned().unwrap_or_default();
            let primaries = emails.iter().filter(|email| email["primary"] == true).count();
            answer.ensure(primaries <= 1, "at most one primary", || primaries.to_string())
        })
        .why("Readers take the first primary they meet, each another one.")
        .fix("Keep the last one that says so, or answer 400."),
        should("USR-BAD-06", "RFC 7643 section 2.1", "Names of attributes may be written in any case", |t| {
            let name = format!("{}@example.com", t.name());
            let answer = t.post("/Users", &json!({"schemas": [USER], "USERNAME": name, "Active": true, "DisplayName": "Ann"}))?;
            answer.status(&[201])?;
            expect(&answer, &json!({"userName": name, "displayName": "Ann"}))
        })
        .why("Templates are typed by people.")
        .fix("Compare names of attributes without regard to case, and answer them as the schema spells them."),
    ]
}

fn clients() -> Vec<Check> {
    vec![
        must("USR-PASS-01", "RFC 7643 section 4.1.1", "A password is never returned", |t| {
            let secret = "Vcheck-pa55-never-shown";
            let body = t.user_body(json!({"password": secret}));
            let answer = t.post("/Users", &body)?;
            answer.status(&[201])?;
            let made = created("/Users", body, &answer)?;
            let filter = format!("id eq \"{}\"", made.id);
            for answer in [
                answer,
                t.read(&made)?,
                t.query("/Users", &[("filter", &filter)])?,
                t.query(&made.path, &[("attributes", "password")])?,
                t.put(&made.path, &made.sent)?,
            ] {
                answer.ensure(!answer.text.contains(secret), "an answer without the password", || "the password in it".to_owned())?;
                answer.ensure(answer.body["password"].is_null(), "no attribute `password`", || answer.body["password"].to_string())?;
            }
            Ok(())
        })
        .why("Whoever may read the directory would read everybody's password.")
        .fix("Never store it in clear text, and leave it out of every answer, also when asked for by `attributes`."),
        habit("USR-OKTA-01", Client::Okta, "A user with a password, an empty list of groups and more is taken", |t| {
            let answer = t.post("/Users", &t.user_body(json!({
                "password": "1mz050nq", "groups": [], "locale": "en-US", "externalId": t.name(),
            })))?;
            answer.status(&[201])?;
            Ok(())
        })
        .why("Okta sends a random password with each new user.")
        .fix("Take `password` and drop it, and pass over `groups`."),
        must("USR-RO-01", RFC, "meta and groups that a client sends are passed over", |t| {
            let answer = t.post("/Users", &t.user_body(json!({
                "meta": {"resourceType": "Robot", "created": "1999-01-01T00:00:00Z"}, "groups": [{"value": "vcheck-no-such-group"}],
            })))?;
            answer.status(&[201])?;
            expect(&answer, &json!({"meta": {"resourceType": "User"}, "groups": null}))?;
            let created = answer.string("/meta/created")?;
            answer.ensure(!created.starts_with("1999"), "the server's own time", || created.to_owned())
        })
        .why("Clients send back what they got; a group membership must not come by this way.")
        .fix("Pass over readOnly attributes in POST and PUT."),
        habit("USR-ENTR-01", Client::Entra, "Nulls and empty lists are taken for absent", |t| {
            let answer = t.post("/Users", &t.user_body(json!({}))
                .as_object()
                .map(|body| {
                    let mut body = body.clone();
                    for (key, value) in [("title", Value::Null), ("addresses", Value::Null), ("roles", json!([])), ("preferredLanguage", Value::Null)] {
                        body.insert(key.to_owned(), value);
                    }
                    Value::Object(body)
                })
                .unwrap_or_default())?;
            answer.status(&[201])?;
            expect(&answer, &json!({"title": null, "addresses": null, "roles": null}))
        })
        .why("Entra sends null for what a user does not have.")
        .fix("Treat null and [] as absent (RFC 7643 section 2.5)."),
        habit("USR-ENTR-02", Client::Entra, "An unknown schema in the list does not matter", |t| {
            t.post("/Users", &t.user_body(json!({"schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"]})))?.status(&[201])?;
            Ok(())
        })
        .why("A widely used sample of Microsoft has a misspelt URN.")
        .fix("Pass over unknown URNs in `schemas`."),
        habit("USR-ENTR-03", Client::Entra, "active and primary may come as texts, and go as booleans", |t| {
            let mail = format!("{}@example.com", t.name());
            for (text, truth) in [("True", true), ("false", false)] {
                let answer = t.post("/Users", &t.user_body(json!({"active": text, "emails": [{"value": mail, "type": "work", "primary": "true"}]})))?;
                answer.status(&[201])?;
                expect(&answer, &json!({"active": truth, "emails": [{"value": mail, "primary": true}]}))?;
            }
            Ok(())
        })
        .why("Entra and templates of OneLogin send \"True\"; a server that stores the text has nobody active.")
        .fix("Read \"true\" and \"false\" in any case where the schema has a boolean, and answer booleans."),
        habit("USR-ENTR-04", Client::Entra, "Extension data are taken although schemas does not name them", |t| {
            let answer = t.post("/Users", &t.user_body(json!({ENTERPRISE: {"department": "Tools"}})))?;
            answer.status(&[201])?;
            expect(&answer, &json!({ENTERPRISE: {"department": "Tools"}}))
        })
        .why("Entra leaves custom extensions out of `schemas`.")
        .fix("Look at the keys of the body, not at `schemas`.")
        .needs(&[Need::Enterprise]),
        habit("USR-ONEL-01", Client::OneLogin, "A null id and unknown attributes are passed over", |t| {
            let mut body = t.user_body(json!({"vcheckUnknown": {"a": [1, {"b": null}]}, "custom": "x"}));
            body["id"] = Value::Null;
            t.post("/Users", &body)?.status(&[201])?;
            Ok(())
        })
        .why("Bodies come from templates that an administrator has typed.")
        .fix("Pass over what is unknown; refuse only what would be wrong to store."),
        habit("USR-RAUT-01", Client::Rauthy, "An empty family name and an e-mail without a type are taken", |t| {
            let mail = format!("{}@example.com", t.name());
            let external = t.name();
            let answer = t.post("/Users", &t.user_body(json!({
                "name": {"givenName": "Ann", "familyName": ""}, "emails": [{"value": mail, "primary": true}],
                "externalId": external, "roles": [{"value": "user"}],
            })))?;
            answer.status(&[201])?;
            expect(&answer, &json!({"externalId": external, "emails": [{"value": mail}]}))
        })
        .why("rauthy checks that externalId comes back, and fails the task if not.")
        .fix("Demand nothing but userName, and echo externalId."),
        habit("USR-JUMP-01", Client::JumpCloud, "A user can be created and deleted at once", |t| {
            let body = t.user_body(json!({}));
            let made = created("/Users", body.clone(), &t.post("/Users", &body)?)?;
            t.delete(&made.path)?.status(&[204, 200])?;
            let list = t.query("/Users", &[("filter", &format!("userName eq \"{}\"", body["userName"].as_str().unwrap_or_default()))])?;
            list.ensure(resources(&list).is_empty(), "nobody of that name any more", || list.text.clone())
        })
        .why("JumpCloud tests a new connection with a user that it creates and deletes.")
        .fix("Support DELETE, with effect at once."),
    ]
}
