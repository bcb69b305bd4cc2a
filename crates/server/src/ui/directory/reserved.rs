//! User names that are kept for whoever had them.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::super::confirm::Confirm;
use super::super::desk::{Desk, Listed, segment};
use super::super::page::{Shell, Shown, show};
use super::super::when::When;
use super::{Directory, Frame};

/// Names on one page.
const PAGE: &str = "50";

#[derive(Template)]
#[template(path = "directory/reserved.html")]
struct ReservedPage {
    shell: Shell,
    frame: Frame,
    rows: Vec<Row>,
    /// The connectors that feed it: their name, and that as a segment of an address.
    connectors: Vec<(String, String)>,
    more: Option<String>,
}

#[derive(Deserialize)]
struct Reserved {
    name: String,
    key: String,
    now: String,
    given_up: String,
    since: Timestamp,
    until: Timestamp,
}

struct Row {
    /// The name as a segment of an address.
    address: String,
    /// The key of the account that had it, likewise.
    key: String,
    since: When,
    until: When,
    reserved: Reserved,
}

impl Row {
    /// How the name was given up, in words.
    fn manner(&self) -> &str {
        match self.reserved.given_up.as_str() {
            "renamed" => "renamed",
            "removed" => "removed",
            "anonymised" => "made anonymous",
            other => other,
        }
    }
}

/// Where a page begins.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Asked {
    after: String,
}

/// `GET /console/directories/{directory}/reserved-names`
pub(in crate::ui) async fn page(
    desk: Desk,
    Path(directory): Path<String>,
    Query(asked): Query<Asked>,
) -> Shown {
    let about = Directory::of(&desk, &directory).await?;
    let query = [("after", asked.after.as_str()), ("limit", PAGE)];
    let path = ["directories", directory.as_str(), "reserved-names"];
    let found: Listed<Reserved> = desk.get(&path, &query).await?;
    let more = found.more("", &query);
    let rows = found.items.into_iter().map(|reserved| Row {
        address: segment(&reserved.name),
        key: segment(&reserved.key),
        since: desk.when(reserved.since),
        until: desk.when(reserved.until),
        reserved,
    });
    let connectors = about.connectors.iter();
    let connectors = connectors.map(|name| (name.clone(), segment(name)));
    show(&ReservedPage {
        shell: desk.shell("settings"),
        frame: Frame::of(&about.name, "reserved"),
        rows: rows.collect(),
        connectors: connectors.collect(),
        more,
    })
}

/// `GET /console/directories/{directory}/reserved-names/{name}/release`
pub(in crate::ui) async fn ask(
    desk: Desk,
    Path((directory, name)): Path<(String, String)>,
) -> Shown {
    let back = place(&directory);
    Confirm::new("overview", format!("Let the name {name} go?"))
        .effect("Whoever wants it next gets it; users who wait for it are evaluated at once.")
        .effect("Products may show what the former holder wrote as if the new one had written it.")
        .verb("Let it go")
        .action(format!("{back}/{}/release", segment(&name)))
        .back(back)
        .show(&desk)
}

/// `POST /console/directories/{directory}/reserved-names/{name}/release`
pub(in crate::ui) async fn release(
    desk: Desk,
    Path((directory, name)): Path<(String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let path = ["directories", directory.as_str(), "reserved-names", &name];
    let _nothing: Value = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(&place(&directory), format!("The name {name} is let go."))
}

fn place(directory: &str) -> String {
    format!("/console/directories/{}/reserved-names", segment(directory))
}
