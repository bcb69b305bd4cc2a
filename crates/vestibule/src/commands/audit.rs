//! `vestibule audit`: what administrators did, and who tried.

use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cli::{AuditArgs, AuditCommand, AuditFilters, AuditFormat};
use crate::config::Settings;
use crate::door;
use crate::exit::{Exit, Failure};
use crate::output::{Output, difference, moment, table};

#[derive(Serialize, Deserialize)]
struct Entry {
    id: i64,
    at: Timestamp,
    actor_kind: String,
    actor_id: Option<String>,
    actor: String,
    address: Option<String>,
    action: String,
    target: String,
    object: Option<String>,
    succeeded: bool,
    detail: String,
    changes: Option<Vec<Change>>,
    changes_left_out: usize,
    request: String,
    digest: String,
}

#[derive(Serialize, Deserialize)]
struct Change {
    path: String,
    before: Value,
    after: Value,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Check {
    whole: bool,
    entries: i64,
    broken_at: Option<i64>,
    head: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    keep_days: u32,
}

/// `vestibule audit`
pub fn run(args: &AuditArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        AuditCommand::List {
            filters,
            limit,
            changes,
        } => {
            let mut query = query(filters);
            query.push(("limit", limit.to_string()));
            let mut page: Page = door.get_with(&["audit"], &query)?;
            page.items.reverse();
            out.show(&page.items, |all| match changes {
                true => listed_with_changes(all),
                false => listed(all),
            })
        }
        AuditCommand::Export { filters, format } => {
            let path = match format {
                AuditFormat::Csv => "audit.csv",
                AuditFormat::Json => "audit.json",
            };
            let text = door.text(Method::GET, &[path], &query(filters), None)?;
            out.text(text.trim_end())
        }
        AuditCommand::Check => {
            let check: Check = door.get(&["audit", "check"])?;
            if let Some(broken) = check.broken_at {
                let message = format!(
                    "the audit log was changed: entry {broken} does not follow from the one before"
                );
                return Err(Failure::new(Exit::Failed, message)
                    .with("compare it with an export or a backup from before"));
            }
            out.show(&check, |check| {
                let head = check.head.as_deref().unwrap_or("none");
                format!(
                    "The log is whole: {} entries, the newest with the digest {head}",
                    check.entries
                )
            })
        }
        AuditCommand::Settings { keep_days } => {
            let path = ["audit", "settings"];
            let kept: Kept = match keep_days {
                None => door.get(&path)?,
                Some(days) => {
                    door.ask(Method::PATCH, &path, Some(&json!({ "keep_days": days })))?
                }
            };
            out.show(&kept, |kept| {
                format!("Entries are kept for {} days.", kept.keep_days)
            })
        }
    }
}

fn query(filters: &AuditFilters) -> Vec<(&'static str, String)> {
    let texts = [
        ("actor", filters.actor.clone()),
        ("action", filters.action.clone()),
        ("target", filters.target.clone()),
        ("address", filters.address.clone()),
        ("succeeded", filters.failed.then(|| "false".to_owned())),
        ("since", filters.since.map(|at| at.to_string())),
        ("until", filters.until.map(|at| at.to_string())),
    ];
    let given = texts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    given.collect()
}

const NONE: &str = "There is no such entry.";

impl Entry {
    fn outcome(&self) -> &'static str {
        match self.succeeded {
            true => "done",
            false => "refused",
        }
    }
}

fn listed(all: &[Entry]) -> String {
    if all.is_empty() {
        return NONE.to_owned();
    }
    let rows = all.iter().map(|entry| {
        [
            moment(entry.at),
            entry.actor.clone(),
            entry.action.clone(),
            entry.target.clone(),
            entry.outcome().to_owned(),
            entry.address.clone().unwrap_or_default(),
        ]
    });
    table(["at", "who", "what", "to what", "outcome", "from"], rows)
}

fn listed_with_changes(all: &[Entry]) -> String {
    if all.is_empty() {
        return NONE.to_owned();
    }
    let mut lines = Vec::new();
    for entry in all {
        lines.push(format!(
            "{}  {}  {}  {}  {}",
            moment(entry.at),
            entry.actor,
            entry.action,
            entry.target,
            entry.outcome()
        ));
        let changes = entry.changes.iter().flatten();
        lines.extend(changes.map(|one| {
            let line = difference(&one.path, &one.before, &one.after);
            format!("    {line}")
        }));
        if entry.changes_left_out > 0 {
            lines.push(format!(
                "    and {} values more, which were not kept",
                entry.changes_left_out
            ));
        }
    }
    lines.join("\n")
}
