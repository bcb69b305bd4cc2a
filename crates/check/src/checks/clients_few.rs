//! Conversations of clients of which little is published: what is known of each, and nothing guessed.

use serde_json::json;

use super::clients::{FIX, WHY, look_up, post, text};
use crate::catalogue::{Check, Client, habit};
use crate::profile::Need;
use crate::stop::Step;
use crate::talk::{Talk, expect, resources, with_query};

/// The checks.
pub(super) fn checks() -> Vec<Check> {
    let checks = vec![
        habit(
            "CLI-GOOG-01",
            Client::Google,
            "The connection is tried with a list of one person; then somebody comes, without any group",
            google,
        ),
        habit(
            "CLI-POLI-01",
            Client::Polis,
            "Somebody comes with groups and attributes that no schema has, and is replaced and disabled",
            polis,
        )
        .needs(&[Need::Patch, Need::Filter]),
    ];
    checks
        .into_iter()
        .map(|check| check.why(WHY).fix(FIX))
        .collect()
}

fn google(t: &Talk<'_>) -> Step {
    let one = || t.get(&with_query("/Users", &[("count", "1")]));
    one()?.status(&[200])?;
    let user = post(t, "/Users", t.user_body(json!({})))?;
    let answer = one()?;
    answer.status(&[200])?;
    answer.ensure(resources(&answer).len() == 1, "one person", || {
        answer.text.clone()
    })?;
    t.read(&user)?;
    t.delete(&user.path)?.status(&[204, 200])?;
    Ok(())
}

/// Its fixtures have the dialects of Okta and Entra.
fn polis(t: &Talk<'_>) -> Step {
    let beside = json!({
        "companyName": "Example", "groups": [{"value": "staff", "display": "Staff"}],
        "addresses": [{"type": "work", "streetAddress": "1 Main St"}],
    });
    let user = post(t, "/Users", t.user_body(beside))?;
    let filter = format!("userName eq \"{}\"", text(&user.sent, "userName"));
    look_up(t, "/Users", &filter, 1)?;
    let mut body = user.sent.clone();
    body["name"]["givenName"] = "Gtfd".into();
    t.put(&user.path, &body)?.status(&[200])?;
    let off = json!([{"op": "replace", "value": {"active": false}}]);
    t.patch(&user.path, &off)?.status(&[200, 204])?;
    expect(
        &t.read(&user)?,
        &json!({
            "active": false, "name": {"givenName": "Gtfd"},
            "addresses": [{"type": "work", "streetAddress": "1 Main St"}],
        }),
    )
}
