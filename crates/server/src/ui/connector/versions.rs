//! Versions of a connector's rules: who changed what, and the way back.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use directory::rules::told_value;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::desk::{Desk, Listed, segment};
use super::super::editor;
use super::super::page::{Shell, Shown, go_to, number, show};
use super::super::when::When;
use super::Frame;

#[derive(Template)]
#[template(path = "connector/versions.html")]
struct VersionsPage {
    shell: Shell,
    frame: Frame,
    versions: Vec<Row>,
    more: Option<String>,
}

#[derive(Deserialize)]
struct Version {
    version: i64,
    author: String,
    comment: String,
    created: Timestamp,
}

struct Row {
    created: When,
    is_newest: bool,
    version: Version,
}

/// Where a list begins.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct After {
    after: String,
}

/// `GET /console/connectors/{connector}/versions`
pub(in crate::ui) async fn list(
    desk: Desk,
    Path(connector): Path<String>,
    Query(after): Query<After>,
) -> Shown {
    let path = ["connectors", &connector, "rules", "versions"];
    let query = [("after", after.after.as_str()), ("limit", "30")];
    let found: Listed<Version> = desk.get(&path, &query).await?;
    let more = found.more("", &query);
    let is_first_page = after.after.is_empty();
    let rows = found
        .items
        .into_iter()
        .enumerate()
        .map(|(index, version)| Row {
            created: desk.when(version.created),
            is_newest: is_first_page && index == 0,
            version,
        });
    show(&VersionsPage {
        shell: desk.shell("connectors"),
        frame: Frame::of(&desk, &connector, "versions").await?,
        versions: rows.collect(),
        more,
    })
}

/// A place at which rules differ.
#[derive(Deserialize)]
pub(in crate::ui) struct Difference {
    pub(in crate::ui) path: String,
    pub(in crate::ui) before: Value,
    pub(in crate::ui) after: Value,
}

impl Difference {
    /// What was there, as people write it; nothing if nothing was.
    pub(in crate::ui) fn before(&self) -> String {
        told_value(&self.before).join("\n")
    }

    /// What is there.
    pub(in crate::ui) fn after(&self) -> String {
        told_value(&self.after).join("\n")
    }
}

#[derive(Template)]
#[template(path = "connector/version.html")]
struct VersionPage {
    shell: Shell,
    frame: Frame,
    version: Version,
    created: When,
    /// What it changed.
    changed: Vec<Difference>,
    /// What going back to it would change.
    back: Vec<Difference>,
    text: String,
    is_newest: bool,
}

#[derive(Deserialize)]
struct Whole {
    #[serde(flatten)]
    version: Version,
    rules: Value,
}

/// `GET /console/connectors/{connector}/versions/{version}`
pub(in crate::ui) async fn page(
    desk: Desk,
    Path((connector, version)): Path<(String, String)>,
) -> Shown {
    let path = ["connectors", &connector, "rules", "versions", &version];
    let version = number(&version)?;
    let found: Whole = desk.get(&path, &[]).await?;
    let present: Whole = desk.get(&["connectors", &connector, "rules"], &[]).await?;
    let is_newest = present.version.version == version;
    let diff = async |wish: Value| {
        let path = ["connectors", connector.as_str(), "rules", "diff"];
        let found = desk.ask::<Listed<Difference>>(&path, &[], wish);
        found.await.map(|list| list.items)
    };
    let changed = match version {
        ..=1 => Vec::new(),
        version => diff(json!({ "from": version - 1, "to": version })).await?,
    };
    let back = match is_newest {
        true => Vec::new(),
        false => diff(json!({ "from": present.version.version, "to": version })).await?,
    };
    show(&VersionPage {
        shell: desk.shell("connectors"),
        frame: Frame::of(&desk, &connector, "versions").await?,
        created: desk.when(found.version.created),
        text: serde_json::to_string_pretty(&found.rules).unwrap_or_default(),
        version: found.version,
        changed,
        back,
        is_newest,
    })
}

/// `POST /console/connectors/{connector}/versions/{version}/plan`: going back is planned like any other change.
pub(in crate::ui) async fn plan(
    desk: Desk,
    Path((connector, version)): Path<(String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let path = ["connectors", &connector, "rules", "versions", &version];
    let version = number(&version)?;
    let found: Whole = desk.get(&path, &[]).await?;
    let address = editor::begin_plan(&desk, &connector, &found.rules).await?;
    go_to(&format!(
        "{address}?comment={}",
        segment(&format!("back to version {version}"))
    ))
}
