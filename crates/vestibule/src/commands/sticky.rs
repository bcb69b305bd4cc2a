//! `vestibule sticky`: who stays disabled although the identity provider says otherwise.

use std::path::Path;

use directory::census::csv_records;
use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::import::directory;
use crate::cli::{StickyArgs, StickyCommand, StickyReason};
use crate::config::Settings;
use crate::door::{self, Door};
use crate::exit::{Exit, Failure};
use crate::output::{Output, counted, moment, table};

/// A user who stays disabled, as the admin API tells it.
#[derive(Debug, Serialize, Deserialize)]
struct StickyView {
    key: String,
    user_name: String,
    display_name: String,
    email: String,
    connector: String,
    external_id: Option<String>,
    status: String,
    reason: String,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    last_login: Option<Timestamp>,
}

/// Somebody who is to stay disabled.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    user: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Imported {
    changed: u64,
    unchanged: u64,
    refused: Vec<Refused>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Refused {
    user: String,
    why: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Cleared {
    enabled: u64,
}

/// Runs `vestibule sticky`.
pub fn run(args: &StickyArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    let directory = directory(&door, args.directory.as_deref())?;
    let path = ["directories", directory.as_str(), "sticky-users"];
    match &args.command {
        StickyCommand::List { reason } => {
            let all: Vec<StickyView> = door.all_pages(&path, &by(*reason))?;
            out.show(&all, |all| list(all))
        }
        StickyCommand::Export { reason } => {
            let path = ["directories", directory.as_str(), "sticky-users.csv"];
            out.text(&door.text(Method::GET, &path, &by(*reason), None)?)
        }
        StickyCommand::Import { file, until } => import(&door, &path, (file, *until), out),
        StickyCommand::Clear { reason, yes } => {
            if !yes {
                let message = "everybody on the list would follow the identity provider again";
                return Err(Failure::new(Exit::Pending, message)
                    .with("look at vestibule sticky list, then say --yes"));
            }
            let cleared: Cleared = door.ask_with(Method::DELETE, &path, &by(*reason), None)?;
            out.show(&cleared, |cleared| match cleared.enabled {
                1 => "The rules decide about 1 user again.".to_owned(),
                count => format!("The rules decide about {count} users again."),
            })
        }
    }
}

fn import(
    door: &Door,
    path: &[&str],
    (file, until): (&Path, Option<Timestamp>),
    out: Output,
) -> Result<(), Failure> {
    let mut users = read(file)?;
    for entry in &mut users {
        entry.until = entry.until.or(until);
    }
    let done: Imported = door.post(path, &json!({ "users": users }))?;
    out.show(&done, |done| {
        let refused = done.refused.iter();
        let lines = refused.map(|one| format!("\n  {}: {}", one.user, one.why));
        format!(
            "{} disabled from now on, {} already; {} cannot be:{}",
            counted(done.changed, "stays", "stay"),
            done.unchanged,
            done.refused.len(),
            lines.collect::<String>()
        )
        .trim_end_matches(':')
        .to_owned()
    })?;
    match done.refused.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(
            Exit::Failed,
            "some users could not be disabled",
        )),
    }
}

fn by(reason: Option<StickyReason>) -> Vec<(&'static str, String)> {
    let reason = reason.map(|it| ("reason", it.as_str().to_owned()));
    reason.into_iter().collect()
}

fn read(file: &Path) -> Result<Vec<Entry>, Failure> {
    let wrong = |message: String| {
        Failure::new(Exit::Usage, format!("{}: {message}", file.display())).with(
            "it has to be CSV with a column key or user_name, or a JSON list of {\"user\": NAME}",
        )
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let is_csv = file
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    match is_csv {
        true => from_csv(&text).map_err(wrong),
        false => serde_json::from_str(&text).map_err(|error| wrong(error.to_string())),
    }
}

/// The users of a CSV: by key, which is never renamed, where there is one.
fn from_csv(text: &str) -> Result<Vec<Entry>, String> {
    let records = csv_records(text.trim_start_matches('\u{feff}')).map_err(|faults| {
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        texts.join("; ")
    })?;
    let mut records = records.into_iter();
    let (_, header) = records.next().ok_or("the file is empty")?;
    let place = |names: &[&str]| {
        header
            .iter()
            .position(|title| names.contains(&title.trim().to_lowercase().as_str()))
    };
    let (key, name) = (place(&["key"]), place(&["user_name", "username", "user"]));
    if key.is_none() && name.is_none() {
        return Err("there is no column key or user_name".to_owned());
    }
    let until = place(&["until"]);
    records
        .map(|(line, record)| {
            let cell = |place: Option<usize>| {
                let text = place.and_then(|place| record.get(place));
                text.map(|text| text.trim()).filter(|text| !text.is_empty())
            };
            let user = cell(key).or_else(|| cell(name));
            let user = user.ok_or_else(|| format!("line {line} names nobody"))?;
            let until = cell(until).map(|text| {
                let time: Result<Timestamp, _> = text.parse();
                time.map_err(|error| format!("line {line}: until: {error}"))
            });
            Ok(Entry {
                user: user.to_owned(),
                until: until.transpose()?,
            })
        })
        .collect()
}

fn list(all: &[StickyView]) -> String {
    if all.is_empty() {
        return "Nobody stays disabled against the identity provider.".to_owned();
    }
    let time = |at: Option<Timestamp>| at.map_or_else(String::new, moment);
    let rows = all.iter().map(|one| {
        [
            one.user_name.clone(),
            one.connector.clone(),
            one.external_id.clone().unwrap_or_default(),
            one.reason.clone(),
            time(one.since),
            time(one.until),
        ]
    });
    table(
        [
            "user",
            "connector",
            "externalId",
            "reason",
            "since",
            "until",
        ],
        rows,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_can_be_imported() {
        let text = "key,user_name,until\r\n1:ab,ann,2026-12-31T00:00:00Z\r\n,bob,\r\n";
        let until = Some("2026-12-31T00:00:00Z".parse().unwrap());
        let entry = |user: &str, until| Entry {
            user: user.to_owned(),
            until,
        };
        assert_eq!(
            from_csv(text).unwrap(),
            [entry("1:ab", until), entry("bob", None)]
        );
        for wrong in [
            "",
            "name\r\nann",
            "user_name,until\r\n,2026-12-31T00:00:00Z",
            "user_name,until\r\nann,soon",
        ] {
            assert!(from_csv(wrong).is_err(), "{wrong}");
        }
    }
}
