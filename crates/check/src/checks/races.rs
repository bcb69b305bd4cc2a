//! Requests at the same time: nothing that was answered with success may get lost.

use serde_json::{Value, json};

use crate::catalogue::{Check, Client, habit, must, should};
use crate::profile::Need;
use crate::stop::{Step, ensure};
use crate::talk::{Talk, exactly_one, expect, patch, resources};
use crate::wire::{Answer, Ask, ERROR};

const AT_ONCE: usize = 8;
const WHY: &str = "Clients send in parallel; what gets lost between two requests is found by nobody, as both were answered with success.";

/// So many creations of the same thing at the same time; one may succeed.
fn create_together(t: &Talk<'_>, collection: &str, body: &Value) -> Step<Vec<Answer>> {
    let asks: Vec<Ask> = (0..AT_ONCE)
        .map(|_| Ask::new("POST", collection).json(body))
        .collect();
    t.at_once(&asks)
}

fn all_succeed(answers: &[Answer]) -> Step {
    for answer in answers {
        answer.status(&[200, 204])?;
    }
    Ok(())
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let mut checks = creating();
    checks.extend(changing());
    checks.into_iter().map(|check| check.why(WHY)).collect()
}

fn creating() -> Vec<Check> {
    vec![
        must(
            "RAC-NEW-01",
            "RFC 7644 section 3.3",
            "Of users of the same name one is created",
            |t| {
                let body = t.user_body(json!({}));
                let answers = create_together(t, "/Users", &body)?;
                exactly_one(&answers, 201, "POST")?;
                for answer in answers.iter().filter(|answer| answer.status != 201) {
                    answer.status(&[409])?;
                }
                if t.profile().lacks(Need::Filter).is_none() {
                    let name = body["userName"].as_str().unwrap_or_default();
                    let found = t.filtered("/Users", &format!("userName eq \"{name}\""))?;
                    found.ensure(
                        resources(&found).len() == 1,
                        "one user of that name",
                        || resources(&found).len().to_string(),
                    )?;
                }
                Ok(())
            },
        )
        .fix(
            "Let the database keep userName unique; looking first and writing then is not enough.",
        ),
        must(
            "RAC-NEW-02",
            "RFC 7644 section 3.3",
            "Names that differ in case are the same also in a race",
            |t| {
                let name = format!("{}@example.com", t.name());
                let asks: Vec<Ask> = (0..AT_ONCE)
                    .map(|nth| {
                        let name = if nth % 2 == 0 {
                            name.to_uppercase()
                        } else {
                            name.clone()
                        };
                        Ask::new("POST", "/Users").json(&t.user_body(json!({"userName": name})))
                    })
                    .collect();
                exactly_one(&t.at_once(&asks)?, 201, "POST")
            },
        )
        .fix("Keep a folded copy of userName unique in the database."),
        habit(
            "RAC-NEW-03",
            Client::Entra,
            "Of groups of the same name one is created",
            |t| {
                let body = t.group_body(&[]);
                exactly_one(&create_together(t, "/Groups", &body)?, 201, "POST")
            },
        )
        .fix("Let the database keep displayName unique.")
        .needs(&[Need::Groups]),
        should(
            "RAC-NEW-04",
            "RFC 7644 section 3.12",
            "Refusals in a race are errors of SCIM",
            |t| {
                let body = t.user_body(json!({}));
                for answer in create_together(t, "/Users", &body)? {
                    let is_error = answer.body["schemas"]
                        .as_array()
                        .is_some_and(|list| list.iter().any(|urn| urn == ERROR));
                    answer.ensure(
                        answer.status == 201 || is_error,
                        "201 or an error of SCIM",
                        || answer.told(),
                    )?;
                }
                Ok(())
            },
        )
        .fix("Turn the database's complaint into 409 uniqueness."),
        must(
            "RAC-NEW-05",
            "RFC 7644 section 3.3",
            "Many different users are all created",
            |t| {
                let asks: Vec<Ask> = (0..24)
                    .map(|_| Ask::new("POST", "/Users").json(&t.user_body(json!({}))))
                    .collect();
                for answer in t.at_once(&asks)? {
                    answer.status(&[201])?;
                }
                Ok(())
            },
        )
        .fix("Make writers wait for each other instead of failing."),
        must(
            "RAC-DEL-01",
            "RFC 7644 section 3.6",
            "Of deletions of the same user one succeeds",
            |t| {
                let user = t.user(json!({}))?;
                let asks: Vec<Ask> = (0..AT_ONCE)
                    .map(|_| Ask::new("DELETE", user.path.as_str()))
                    .collect();
                let answers = t.at_once(&asks)?;
                for answer in &answers {
                    answer.status(&[204, 404])?;
                }
                exactly_one(&answers, 204, "DELETE")
            },
        )
        .fix("Decide in one transaction whether there was something to delete."),
    ]
}

fn changing() -> Vec<Check> {
    let fix = "Read and write members in one transaction, as differences and not as a whole list.";
    vec![
        must("RAC-MEM-01", "RFC 7644 section 3.5.2", "Members added at the same time are all in", |t| {
            let users = t.users(AT_ONCE)?;
            let group = t.group(&[])?;
            let asks: Vec<Ask> = users
                .iter()
                .map(|user| patch(&group.path, &json!([{"op": "add", "path": "members", "value": [{"value": user.id}]}])))
                .collect();
            all_succeed(&t.at_once(&asks)?)?;
            t.expect_members(&group, &users.iter().collect::<Vec<_>>())
        })
        .fix(fix)
        .needs(&[Need::Groups, Need::Patch]),
        must("RAC-MEM-02", "RFC 7644 section 3.5.2", "Additions and removals at the same time all have their effect", |t| {
            let users = t.users(AT_ONCE)?;
            let (stay, go) = users.split_at(AT_ONCE / 2);
            let ids: Vec<&str> = go.iter().map(|user| user.id.as_str()).collect();
            let group = t.group(&ids)?;
            let additions = stay.iter().map(|user| json!([{"op": "add", "path": "members", "value": [{"value": user.id}]}]));
            let removals = go.iter().map(|user| json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", user.id)}]));
            let asks: Vec<Ask> = additions.chain(removals).map(|operations| patch(&group.path, &operations)).collect();
            all_succeed(&t.at_once(&asks)?)?;
            t.expect_members(&group, &stay.iter().collect::<Vec<_>>())
        })
        .fix(fix)
        .needs(&[Need::Groups, Need::Patch]),
        must("RAC-MEM-03", "RFC 7644 section 3.5.2", "The same member added many times at once is in once", |t| {
            let user = t.user(json!({}))?;
            let group = t.group(&[])?;
            let ask = patch(&group.path, &json!([{"op": "add", "path": "members", "value": [{"value": user.id}]}]));
            all_succeed(&t.at_once(&vec![ask; AT_ONCE])?)?;
            t.expect_members(&group, &[&user])
        })
        .fix("Make group and member unique together in the database.")
        .needs(&[Need::Groups, Need::Patch]),
        must("RAC-PAT-01", "RFC 7644 section 3.5.2", "Changes of different attributes at the same time are all made", |t| {
            let user = t.user(json!({}))?;
            let names = ["title", "nickName", "userType", "locale", "timezone", "preferredLanguage"];
            let asks: Vec<Ask> = names
                .iter()
                .map(|name| patch(&user.path, &json!([{"op": "replace", "path": name, "value": format!("v-{name}")}])))
                .collect();
            all_succeed(&t.at_once(&asks)?)?;
            let wanted: Value = names.iter().map(|name| ((*name).to_owned(), json!(format!("v-{name}")))).collect::<serde_json::Map<_, _>>().into();
            expect(&t.read(&user)?, &wanted)
        })
        .fix("Read, change and write a user in one transaction.")
        .needs(&[Need::Patch]),
        must("RAC-REN-01", "RFC 7644 section 3.5.1", "Two who take the same name at the same time do not both get it", |t| {
            let users = t.users(4)?;
            let name = format!("{}@example.com", t.name());
            let asks: Vec<Ask> = users
                .iter()
                .map(|user| {
                    let mut body = user.sent.clone();
                    body["userName"] = name.clone().into();
                    Ask::new("PUT", user.path.as_str()).json(&body)
                })
                .collect();
            let answers = t.at_once(&asks)?;
            let winners = answers.iter().filter(|answer| answer.status == 200).count();
            ensure(winners == 1, "one PUT with 200", || format!("{winners}"))
        })
        .fix("Let the database keep userName unique."),
    ]
}
