//! Queries by POST (RFC 7644 section 3.4.3). No flag offers them: where they are not served the checks are skipped.

use serde_json::{Value, json};

use crate::catalogue::{Check, must, should};
use crate::profile::Need;
use crate::stop::{Step, skip};
use crate::talk::{Talk, column, resources};
use crate::wire::{Answer, Ask};

const RFC: &str = "RFC 7644 section 3.4.3";
const WHY: &str = "Clients send names by POST so that they are in no log, and filters that are too long for a URL.";
const FIX: &str = "Read the members of the body as the query parameters of the same names.";

fn search(t: &Talk<'_>, path: &str, mut body: Value) -> Step<Answer> {
    body["schemas"] = json!(["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]);
    let answer = t.ask(&Ask::new("POST", path).json(&body))?;
    match answer.status {
        404 | 405 | 501 => skip(format!("POST {path} is not offered")),
        _ => Ok(answer),
    }
}

fn scope(t: &Talk<'_>) -> Step<String> {
    Ok(format!("userName sw \"{}\"", t.cast()?.prefix))
}

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    vec![
        must(
            "SEA-USR-01",
            RFC,
            "A query by POST finds what the same query by GET finds",
            |t| {
                let filter = format!("{} and title eq \"Engineer\"", scope(t)?);
                let by_get = t.query("/Users", &[("filter", &filter)])?;
                let by_post = search(t, "/Users/.search", json!({"filter": filter}))?;
                by_post.status(&[200])?;
                by_post.ensure(
                    column(&by_post, "id") == column(&by_get, "id"),
                    "the same users",
                    || by_post.text.clone(),
                )?;
                by_post.ensure(
                    by_post.body["totalResults"] == by_get.body["totalResults"],
                    "the same total",
                    || by_post.body["totalResults"].to_string(),
                )
            },
        )
        .why(WHY)
        .fix(FIX),
        must("SEA-USR-02", RFC, "A query by POST has pages", |t| {
            let answer = search(
                t,
                "/Users/.search",
                json!({"filter": scope(t)?, "startIndex": 3, "count": 4}),
            )?;
            answer.status(&[200])?;
            let came = resources(&answer).len();
            answer.ensure(
                came == 4 && answer.body["startIndex"] == 3,
                "4 resources from the third on",
                || format!("{came} from {}", answer.body["startIndex"]),
            )
        })
        .why(WHY)
        .fix(FIX),
        must(
            "SEA-USR-03",
            RFC,
            "A query by POST can ask for parts",
            |t| {
                let answer = search(
                    t,
                    "/Users/.search",
                    json!({"filter": scope(t)?, "attributes": ["displayName"]}),
                )?;
                answer.status(&[200])?;
                for user in resources(&answer) {
                    let is_part = user["displayName"].is_string()
                        && user["id"].is_string()
                        && user["userName"].is_null()
                        && user["name"].is_null();
                    answer.ensure(is_part, "displayName and id only", || user.to_string())?;
                }
                Ok(())
            },
        )
        .why(WHY)
        .fix(FIX),
        must(
            "SEA-USR-04",
            RFC,
            "A query by POST can leave parts out",
            |t| {
                let answer = search(
                    t,
                    "/Users/.search",
                    json!({"filter": scope(t)?, "excludedAttributes": ["emails"]}),
                )?;
                answer.status(&[200])?;
                for user in resources(&answer) {
                    answer.ensure(
                        user["emails"].is_null() && user["userName"].is_string(),
                        "all but emails",
                        || user.to_string(),
                    )?;
                }
                Ok(())
            },
        )
        .why(WHY)
        .fix(FIX),
        must("SEA-GRP-01", RFC, "Groups can be queried by POST", |t| {
            let group = t.group(&[])?;
            let name = group.sent["displayName"].as_str().unwrap_or_default();
            let answer = search(
                t,
                "/Groups/.search",
                json!({"filter": format!("displayName eq \"{name}\"")}),
            )?;
            answer.status(&[200])?;
            answer.ensure(
                column(&answer, "id") == [group.id.clone()],
                "the one group",
                || answer.text.clone(),
            )
        })
        .why(WHY)
        .fix(FIX)
        .needs(&[Need::Groups]),
        should(
            "SEA-ALL-01",
            RFC,
            "Users and groups can be queried together",
            |t| {
                let name = t.name();
                let user = t.user(json!({"displayName": name}))?;
                let mut body = t.group_body(&[]);
                body["displayName"] = name.clone().into();
                let group = t.make("/Groups", body)?;
                let answer = search(
                    t,
                    "/.search",
                    json!({"filter": format!("displayName eq \"{name}\"")}),
                )?;
                answer.status(&[200])?;
                let mut came = column(&answer, "id");
                came.sort_unstable();
                let mut wanted = vec![user.id, group.id];
                wanted.sort_unstable();
                answer.ensure(came == wanted, "the user and the group", || {
                    answer.text.clone()
                })
            },
        )
        .why(WHY)
        .fix("Serve POST /.search over all resource types, or answer 501.")
        .needs(&[Need::Groups]),
        must(
            "SEA-BAD-01",
            RFC,
            "A filter that cannot be read is refused by POST, too",
            |t| {
                search(t, "/Users/.search", json!({"filter": "userName eq"}))?
                    .status(&[400])?
                    .scim_error()?;
                Ok(())
            },
        )
        .why("A filter that is misunderstood and answered with a list gives the wrong person.")
        .fix("Answer 400 invalidFilter."),
        should("SEA-BAD-02", RFC, "A body that is none is refused", |t| {
            for body in ["", "[]", "{"] {
                let ask = Ask::new("POST", "/Users/.search")
                    .body(body)
                    .header("Content-Type", crate::wire::SCIM_JSON);
                let answer = t.ask(&ask)?;
                if matches!(answer.status, 404 | 405 | 501) {
                    return skip("POST /Users/.search is not offered");
                }
                answer.status(&[400])?;
            }
            Ok(())
        })
        .why(WHY)
        .fix("Answer 400 invalidSyntax."),
    ]
    .into_iter()
    .map(|check| check.needs(&[Need::Filter]))
    .collect()
}
