//! `vestibule requests`: what identity providers asked for, and what came of it.

use std::time::Duration;

use crate::cli::{RequestFilters, RequestsArgs, RequestsCommand};
use crate::config::Settings;
use crate::door::{self, Door, Replay, RequestDetail, RequestView};
use crate::exit::Failure;
use crate::output::{Output, Reader, counted, fields, moment, table};

/// How often `tail` looks for more.
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// Does what was asked.
pub fn run(args: &RequestsArgs, settings: &Settings, out: Output) -> Result<(), Failure> {
    let door = door::open(&args.door, settings)?;
    match &args.command {
        RequestsCommand::List(filters) => {
            let mut found = door.requests(filters, None)?;
            found.reverse();
            out.show(&found, |all| list(all))
        }
        RequestsCommand::Tail(filters) => tail(&door, filters, out),
        RequestsCommand::Show { id } => out.show(&door.request(*id)?, detail),
        RequestsCommand::Replay { id } => out.show(&door.replay_request(*id)?, replay),
    }
}

/// Prints what is there, then what comes, one line for each request.
fn tail(door: &Door, filters: &RequestFilters, out: Output) -> Result<(), Failure> {
    let mut newest = None;
    loop {
        let mut found = door.requests(filters, newest)?;
        found.reverse();
        for one in &found {
            newest = Some(one.id);
            match out.reader {
                Reader::Machine => {
                    let line = serde_json::to_string(one).map_err(anyhow::Error::from)?;
                    out.text(&line)?;
                }
                Reader::Person => out.text(&line(one))?,
            }
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn line(one: &RequestView) -> String {
    let [id, at, status, took, connector, operation, about, told] = cells(one);
    format!("{id} {at} {status} {took} {connector} {operation} {about} {told}")
}

fn cells(one: &RequestView) -> [String; 8] {
    let about = one
        .resource_name
        .clone()
        .or_else(|| one.resource_id.clone());
    let told = match (&one.detail, one.warnings.len()) {
        (Some(detail), _) => detail.chars().take(80).collect(),
        (None, 0) => String::new(),
        (None, 1) => "1 thing ignored".to_owned(),
        (None, count) => format!("{count} things ignored"),
    };
    [
        one.id.to_string(),
        moment(one.at),
        one.status.to_string(),
        milliseconds(one.took_micros),
        one.connector.clone(),
        one.operation.clone(),
        about.unwrap_or_default(),
        told,
    ]
}

fn milliseconds(micros: i64) -> String {
    format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100)
}

fn list(all: &[RequestView]) -> String {
    if all.is_empty() {
        return "There is no such request. Reads that succeed are not recorded.".to_owned();
    }
    table(
        [
            "id",
            "at",
            "status",
            "took",
            "connector",
            "operation",
            "about",
            "told",
        ],
        all.iter().map(cells),
    )
}

fn detail(one: &RequestDetail) -> String {
    let request = &one.request;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut told = fields(&[
        ("request", &request.request),
        ("at", &moment(request.at)),
        ("took", &milliseconds(request.took_micros)),
        ("connector", &request.connector),
        ("actor", &request.actor),
        ("client", &request.client),
        ("asked", &format!("{} {}", request.method, request.path)),
        ("operation", &request.operation),
        ("status", &request.status.to_string()),
        ("error", &text(&request.code)),
        ("scimType", &text(&request.scim_type)),
        ("detail", &text(&request.detail)),
        ("about", &text(&request.resource_name)),
        ("its id", &text(&request.resource_id)),
    ]);
    if let Some(error) = &one.error {
        let (meaning, cause, remedy) = (&error.meaning, &error.cause, &error.remedy);
        told.push_str(&format!(
            "\n\nMeans: {meaning}\nLikely: {cause}\nTo do: {remedy}\n"
        ));
    }
    for warning in &request.warnings {
        told.push_str(&format!("\nignored: {} ({})", warning.what, warning.why));
    }
    for effect in &one.effect {
        told.push_str(&format!("\neffect {}: {}", effect.position, effect.change));
    }
    if let Some(body) = &one.body {
        let cut = if one.body_cut { "\n(cut off here)" } else { "" };
        told.push_str(&format!("\n\n{body}{cut}"));
    }
    told
}

fn replay(found: &Replay) -> String {
    let mut told = vec!["Nothing was written. Now the request would be answered:".to_owned()];
    for one in &found.operations {
        told.push(match (one.status, &one.detail) {
            (Some(status), Some(detail)) => format!("  {status}: {detail}"),
            (Some(status), None) => format!("  {status}"),
            (None, _) => "  not begun, after too many failures".to_owned(),
        });
    }
    if found.as_replacement {
        told.push("The user that it made is there, so it was tried as a replacement.".to_owned());
    }
    if found.masked {
        told.push("Secrets are not kept, so *** stands for them.".to_owned());
    }
    if found.state != "active" {
        told.push(format!(
            "The connector is {}: nothing takes effect.",
            found.state
        ));
    }
    if found.changes.is_empty() {
        told.push("It would change nothing for the products at once.".to_owned());
    } else {
        told.push("It would change for the products:".to_owned());
    }
    for one in &found.changes {
        let about = [&one.user, &one.group, &one.child_group];
        let about: Vec<&str> = about.into_iter().flatten().map(String::as_str).collect();
        told.push(format!("  {}: {}", about.join(" / "), one.change));
    }
    if found.more_changes {
        told.push("  and more".to_owned());
    }
    if !found.held.is_empty() {
        told.push(format!(
            "Limits would hold {}.",
            counted(found.held.len(), "change", "changes")
        ));
    }
    if found.later > 0 {
        told.push(format!(
            "{} people would be evaluated soon after.",
            found.later
        ));
    }
    told.join("\n")
}
