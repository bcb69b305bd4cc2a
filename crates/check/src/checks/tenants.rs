//! Two tenants of one server know nothing of each other.

use serde_json::json;

use crate::catalogue::{Check, must};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{Made, Talk, created, member_ids, patch, resources, with_query};
use crate::wire::Ask;

const WHY: &str =
    "Whoever may write for one customer could read or change the people of another one.";
const FIX: &str = "Make the tenant a part of every key and of every query, and answer 404 for what belongs to others.";
const SOURCE: &str = "prudence; reports about several servers";

/// A user of the other tenant.
fn stranger(t: &Talk<'_>) -> Step<Made> {
    let body = t.user_body(json!({}));
    let answer = t.ask_other(&Ask::new("POST", "/Users").json(&body))?;
    crate::stop::preparing(
        "creating a user in the other tenant",
        created("/Users", body, &answer),
    )
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    vec![
        must(
            "ISO-READ-01",
            SOURCE,
            "Users of another tenant cannot be read by their ids",
            |t| {
                let other = stranger(t)?;
                t.get(&other.path)?.status(&[404])?;
                Ok(())
            },
        ),
        must(
            "ISO-READ-02",
            SOURCE,
            "Users of another tenant are in no list",
            |t| {
                let other = stranger(t)?;
                let name = other.sent["userName"].as_str().unwrap_or_default();
                for filter in [
                    format!("userName eq \"{name}\""),
                    format!("id eq \"{}\"", other.id),
                ] {
                    let answer = t.query("/Users", &[("filter", &filter)])?;
                    answer.status(&[200])?;
                    answer.ensure(resources(&answer).is_empty(), "nobody", || {
                        answer.text.clone()
                    })?;
                }
                Ok(())
            },
        )
        .needs(&[Need::Filter]),
        must(
            "ISO-WRT-01",
            SOURCE,
            "Users of another tenant cannot be changed or deleted",
            |t| {
                let other = stranger(t)?;
                t.put(&other.path, &other.sent)?.status(&[404])?;
                t.ask(&patch(
                    &other.path,
                    &json!([{"op": "replace", "path": "active", "value": false}]),
                ))?
                .status(&[404, 501])?;
                t.delete(&other.path)?.status(&[404])?;
                let still = t.ask_other(&Ask::new("GET", other.path.as_str()))?;
                still.status(&[200])?;
                still.ensure(still.body["active"] == true, "the user unchanged", || {
                    still.text.clone()
                })
            },
        ),
        must(
            "ISO-WRT-02",
            SOURCE,
            "Users of another tenant cannot be made members",
            |t| {
                let other = stranger(t)?;
                let group = t.group(&[])?;
                let operations =
                    json!([{"op": "add", "path": "members", "value": [{"value": other.id}]}]);
                t.patch(&group.path, &operations)?.no_crash()?;
                let answer = t.read(&group)?;
                // A server may remember an id that it does not know; it may tell nothing about it.
                let name = other.sent["displayName"].as_str().unwrap_or_default();
                answer.ensure(
                    !answer.text.contains(name),
                    "nothing about the stranger",
                    || answer.text.clone(),
                )?;
                let seen = t.ask_other(&Ask::new("GET", other.path.as_str()))?;
                seen.ensure(
                    member_ids(&seen.body).is_empty()
                        && seen.body["groups"].as_array().is_none_or(Vec::is_empty),
                    "the stranger in no group",
                    || seen.text.clone(),
                )
            },
        )
        .needs(&[Need::Groups, Need::Patch]),
        must(
            "ISO-SAME-01",
            SOURCE,
            "The same name can be in both tenants",
            |t| {
                let other = stranger(t)?;
                let answer = t.post(
                    "/Users",
                    &t.user_body(json!({"userName": other.sent["userName"]})),
                )?;
                answer.status(&[201])?;
                Ok(())
            },
        ),
        must(
            "ISO-KEY-01",
            SOURCE,
            "A token of one tenant opens no other",
            |t| {
                let Some(own) = t.wire().authorization() else {
                    return crate::stop::skip("the run does not use an Authorization header");
                };
                let path = with_query("/Users", &[("count", "1")]);
                let answer = t.ask_other(&Ask::new("GET", path).authorization(own))?;
                let mine = t.profile().config.is_some();
                // With one base URL for all tenants the token alone decides: it then shows its own tenant.
                if answer.is_success() && mine {
                    let other = stranger(t)?;
                    let own = t.wire().authorization().unwrap_or_default();
                    let seen =
                        t.ask_other(&Ask::new("GET", other.path.as_str()).authorization(own))?;
                    return seen.ensure(!seen.is_success(), "a refusal", || {
                        format!("status {}", seen.status)
                    });
                }
                answer.status(&[401, 403, 404])?;
                Ok(())
            },
        ),
    ]
    .into_iter()
    .map(|check| check.why(WHY).fix(FIX).needs(&[Need::OtherTenant]))
    .collect()
}
