//! Versions: ETag, If-Match and If-None-Match (RFC 7644 section 3.14).

use serde_json::json;

use crate::catalogue::{Check, must, should};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{Made, Talk, exactly_one, expect, patch};
use crate::wire::{Answer, Ask};

const RFC: &str = "RFC 7644 section 3.14";
const WHY: &str =
    "Two who change the same person at the same time overwrite each other, and nobody notices.";
const FIX: &str = "Compare If-Match with the stored version in the same transaction as the change, and answer 412 otherwise.";
const STALE: &str = "W/\"vcheck-no-such-version\"";

fn version(answer: &Answer) -> Step<String> {
    match answer.header("etag") {
        Some(tag) => Ok(tag.to_owned()),
        None => answer.wrong("an ETag header", "none"),
    }
}

fn change(t: &Talk<'_>, user: &Made, tag: &str, title: &str) -> Step<Answer> {
    let mut body = user.sent.clone();
    body["title"] = title.into();
    t.ask(
        &Ask::new("PUT", user.path.as_str())
            .json(&body)
            .header("If-Match", tag),
    )
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    vec![
        must(
            "ETG-TAG-01",
            RFC,
            "The ETag of an answer is meta.version",
            |t| {
                let answer = t.read(&t.user(json!({}))?)?;
                let (tag, said) = (version(&answer)?, answer.string("/meta/version")?);
                answer.ensure(tag == said, format!("ETag {said}"), || tag.clone())
            },
        )
        .why("Clients take one for the other: in lists there is only meta.version.")
        .fix("Build both from the same text, quotation marks and W/ included."),
        must(
            "ETG-TAG-02",
            "RFC 9110 section 8.8.3",
            "An ETag is a quoted text, with W/ before it if weak",
            |t| {
                let answer = t.read(&t.user(json!({}))?)?;
                let tag = version(&answer)?;
                let plain = tag.strip_prefix("W/").unwrap_or(&tag);
                answer.ensure(
                    plain.len() >= 2 && plain.starts_with('"') && plain.ends_with('"'),
                    "a quoted text",
                    || tag.clone(),
                )
            },
        )
        .why("Proxies drop or change tags that are not well-formed.")
        .fix("Write W/\"...\"."),
        must(
            "ETG-TAG-03",
            RFC,
            "A change makes a new version, in PUT and PATCH and when read",
            |t| {
                let user = t.user(json!({}))?;
                let first = version(&t.read(&user)?)?;
                let put = change(t, &user, &first, "One")?;
                put.status(&[200])?;
                let second = version(&t.read(&user)?)?;
                put.ensure(first != second, "another ETag", || second.clone())?;
                put.ensure(
                    version(&put)? == second,
                    "the new ETag in the answer to PUT",
                    || put.header("etag").unwrap_or_default().to_owned(),
                )
            },
        )
        .why(WHY)
        .fix("Compute the version from what is stored, after it is stored."),
        should("ETG-TAG-04", RFC, "The answer to POST has an ETag", |t| {
            let answer = t.post("/Users", &t.user_body(json!({})))?;
            answer.status(&[201])?;
            version(&answer).map(|_| ())
        })
        .why("The client could change the user without reading it first.")
        .fix("Send the ETag with 201."),
        must(
            "ETG-GET-01",
            RFC,
            "If-None-Match with the current version gives 304",
            |t| {
                let user = t.user(json!({}))?;
                let tag = version(&t.read(&user)?)?;
                let answer =
                    t.ask(&Ask::new("GET", user.path.as_str()).header("If-None-Match", tag))?;
                answer.status(&[304])?;
                answer.ensure(answer.text.is_empty(), "no body", || answer.text.clone())
            },
        )
        .why("Clients save the transfer of what they have.")
        .fix("Compare weakly, and answer 304 without a body."),
        must(
            "ETG-GET-02",
            RFC,
            "If-None-Match with another version gives the resource",
            |t| {
                let user = t.user(json!({}))?;
                let answer =
                    t.ask(&Ask::new("GET", user.path.as_str()).header("If-None-Match", STALE))?;
                answer.status(&[200])?;
                expect(&answer, &json!({"id": user.id}))
            },
        )
        .why("A client would go on with what is old.")
        .fix("Answer 304 only if the tag is the current one."),
        must(
            "ETG-PUT-01",
            RFC,
            "PUT with an old version is refused with 412, and changes nothing",
            |t| {
                let user = t.user(json!({}))?;
                let old = version(&t.read(&user)?)?;
                change(t, &user, &old, "One")?.status(&[200])?;
                change(t, &user, &old, "Two")?.status(&[412])?;
                expect(&t.read(&user)?, &json!({"title": "One"}))
            },
        )
        .why(WHY)
        .fix(FIX),
        must(
            "ETG-PUT-02",
            RFC,
            "PUT with the current version, with a list of versions or with * is carried out",
            |t| {
                let user = t.user(json!({}))?;
                let tag = version(&t.read(&user)?)?;
                change(t, &user, &tag, "One")?.status(&[200])?;
                let tag = version(&t.read(&user)?)?;
                change(t, &user, &format!("{STALE}, {tag}"), "Two")?.status(&[200])?;
                change(t, &user, "*", "Three")?.status(&[200])?;
                expect(&t.read(&user)?, &json!({"title": "Three"}))
            },
        )
        .why("Careful clients could change nothing any more.")
        .fix("Read If-Match as HTTP has it: a list of tags, or *."),
        must(
            "ETG-PTCH-01",
            RFC,
            "PATCH with an old version is refused with 412, and changes nothing",
            |t| {
                let user = t.user(json!({"title": "Old"}))?;
                let ask = patch(
                    &user.path,
                    &json!([{"op": "replace", "path": "title", "value": "New"}]),
                );
                t.ask(&ask.header("If-Match", STALE))?.status(&[412])?;
                expect(&t.read(&user)?, &json!({"title": "Old"}))
            },
        )
        .why(WHY)
        .fix(FIX)
        .needs(&[Need::Patch]),
        must(
            "ETG-DEL-01",
            RFC,
            "DELETE with an old version is refused with 412",
            |t| {
                let user = t.user(json!({}))?;
                t.ask(&Ask::new("DELETE", user.path.as_str()).header("If-Match", STALE))?
                    .status(&[412])?;
                let tag = version(&t.read(&user)?)?;
                t.ask(&Ask::new("DELETE", user.path.as_str()).header("If-Match", tag))?
                    .status(&[204])?;
                Ok(())
            },
        )
        .why("Somebody who was just enabled would be deleted.")
        .fix(FIX),
        must(
            "ETG-GRP-01",
            RFC,
            "A change of members makes a new version of the group",
            |t| {
                let user = t.user(json!({}))?;
                let group = t.group(&[])?;
                let before = version(&t.read(&group)?)?;
                t.patch(
                    &group.path,
                    &json!([{"op": "add", "path": "members", "value": [{"value": user.id}]}]),
                )?
                .status(&[200, 204])?;
                let answer = t.read(&group)?;
                let after = version(&answer)?;
                answer.ensure(before != after, "another ETag", || after.clone())
            },
        )
        .why("A client that has the group in its cache would not see who came and went.")
        .fix("Let the version of a group depend on its members.")
        .needs(&[Need::Groups, Need::Patch]),
        must(
            "ETG-RACE-01",
            RFC,
            "Of changes at the same time with the same version one wins",
            |t| {
                let user = t.user(json!({}))?;
                let tag = version(&t.read(&user)?)?;
                let asks: Vec<Ask> = (0..6)
                    .map(|nth| {
                        let mut body = user.sent.clone();
                        body["title"] = format!("Title {nth}").into();
                        Ask::new("PUT", user.path.as_str())
                            .json(&body)
                            .header("If-Match", tag.as_str())
                    })
                    .collect();
                exactly_one(&t.at_once(&asks)?, 200, "PUT")
            },
        )
        .why(WHY)
        .fix(FIX),
    ]
    .into_iter()
    .map(|check| check.needs(&[Need::Etag]))
    .collect()
}
