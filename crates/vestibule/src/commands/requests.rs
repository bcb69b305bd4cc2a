//! `vestibule requests`: what identity providers asked for, and what came of it.

use std::time::Duration;

use crate::cli::{RequestFilters, RequestsArgs, RequestsCommand};
use crate::config::Settings;
use crate::door::{self, Door, RequestDetail, RequestView};
use crate::exit::Failure;
use crate::output::{Output, Reader, fields, moment, table};

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
        RequestsCommand::Tail(filters) => tail(door.as_ref(), filters, out),
        RequestsCommand::Show { id } => out.show(&door.request(*id)?, detail),
    }
}

/// Prints what is there, then what comes, one line for each request.
fn tail(door: &dyn Door, filters: &RequestFilters, out: Output) -> Result<(), Failure> {
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
