//! `vestibule connector checklist` and `setup-link`: how far a set-up is, and links for somebody without an account.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::door::Door;
use crate::exit::Failure;
use crate::output::{Output, moment, table};

#[derive(Serialize, Deserialize)]
struct Checklist {
    complete: bool,
    items: Vec<Check>,
}

#[derive(Serialize, Deserialize)]
struct Check {
    check: String,
    title: String,
    side: String,
    state: String,
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct NewLink {
    id: String,
    link: String,
    expires: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Link {
    id: String,
    created_by: String,
    created: Timestamp,
    expires: Timestamp,
    last_opened: Option<Timestamp>,
    token: Option<String>,
}

/// How far the set-up of a connector is.
pub fn checklist(
    door: &Door,
    connector: &str,
    application: Option<&str>,
    out: Output,
) -> Result<(), Failure> {
    let named = application.map(|one| ("application", one.to_owned()));
    let query: Vec<(&str, String)> = named.into_iter().collect();
    let found: Checklist = door.get_with(&["connectors", connector, "checklist"], &query)?;
    out.show(&found, told)
}

fn told(list: &Checklist) -> String {
    let mut lines = Vec::new();
    for one in &list.items {
        lines.push(format!("{:<8} {}", one.state, one.title));
        lines.push(format!("         {}", one.seen));
        if let Some(remedy) = &one.remedy {
            lines.push(format!("         {remedy}"));
        }
    }
    lines.join("\n")
}

/// Makes a link.
pub fn link(door: &Door, connector: &str, days: u32, out: Output) -> Result<(), Failure> {
    let path = ["connectors", connector, "setup-links"];
    let made: NewLink = door.post(&path, &json!({ "days": days }))?;
    out.show(&made, |one| {
        format!(
            "{}\n\nThe link is shown this once, and good until {}.",
            one.link,
            moment(one.expires)
        )
    })
}

/// Lists the links that work.
pub fn links(door: &Door, connector: &str, out: Output) -> Result<(), Failure> {
    let all: Vec<Link> = door.list(&["connectors", connector, "setup-links"])?;
    out.show(&all, |all| {
        let rows = all.iter().map(|one| {
            [
                one.id.clone(),
                one.created_by.clone(),
                moment(one.expires),
                one.last_opened.map_or_else(|| "never".to_owned(), moment),
            ]
        });
        table(["id", "made by", "ends", "last opened"], rows)
    })
}

/// Takes a link back.
pub fn revoke_link(door: &Door, connector: &str, id: &str, out: Output) -> Result<(), Failure> {
    door.send(
        Method::DELETE,
        &["connectors", connector, "setup-links", id],
        None,
    )?;
    out.show(&json!({ "revoked": id }), |_| {
        "The link is taken back. The token that was made by it goes on working.".to_owned()
    })
}
