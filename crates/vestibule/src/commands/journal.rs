//! `vestibule journal`: what changed in a directory, and what made it change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::past::{in_words, sole};
use crate::cli::JournalArgs;
use crate::config::Settings;
use crate::door;
use crate::exit::Failure;
use crate::output::{Output, moment, table};

#[derive(Serialize, Deserialize)]
struct Page {
    items: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Whoever>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<Whoever>,
}

/// Whom it is about, and what became of them.
#[derive(Serialize, Deserialize)]
struct Whoever {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    became: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    position: i64,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    child_group: Option<String>,
    change: Value,
    cause: Cause,
}

#[derive(Serialize, Deserialize)]
struct User {
    key: String,
    name: String,
}

#[derive(Serialize, Deserialize)]
struct Cause {
    trigger: String,
    connector: Option<String>,
    actor: String,
    request: String,
}

/// `vestibule journal`
pub fn run(args: &JournalArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    let directory = sole(&door, args.directory.as_deref())?;
    let asked = [
        ("user", args.user.clone()),
        ("group", args.group.clone()),
        ("connector", args.connector.clone()),
        ("since", args.since.map(|time| time.to_string())),
        ("until", args.until.map(|time| time.to_string())),
        ("order", Some("newest".to_owned())),
        ("limit", Some(args.limit.to_string())),
    ];
    let asked = asked.into_iter();
    let query: Vec<(&str, String)> = asked
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let page: Page = door.get_with(&["directories", &directory, "journal"], &query)?;
    out.show(&page, |page| {
        let whoever = page.user.iter().chain(&page.group);
        let became = whoever.filter_map(|it| it.became.clone());
        let parts: Vec<String> = became.chain([told(&page.items)]).collect();
        parts.join("\n")
    })
}

fn told(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "No change is like this.".to_owned();
    }
    let rows = entries.iter().map(|entry| {
        let user = entry.user.as_ref().map(|user| user.name.clone());
        let groups = [entry.group.clone(), entry.child_group.clone()];
        let whom: Vec<String> = user
            .into_iter()
            .chain(groups.into_iter().flatten())
            .collect();
        let by = match (&entry.cause.connector, entry.cause.actor.as_str()) {
            (Some(connector), "") => connector.clone(),
            (Some(connector), actor) => format!("{actor} ({connector})"),
            (None, actor) => actor.to_owned(),
        };
        [
            entry.position.to_string(),
            moment(entry.at),
            whom.join(", "),
            in_words(&entry.change),
            by,
        ]
    });
    table(["position", "when", "whom", "change", "by"], rows)
}
