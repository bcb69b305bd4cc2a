//! Connectors that take no effect at present, told wherever what they feed is looked at.

use askama::Template;
use jiff::Timestamp;
use serde::Deserialize;

use super::desk::{Desk, Listed, segment};
use super::page::Trouble;
use super::when::When;

/// What everybody should know of a connector that is not active.
#[derive(Deserialize)]
pub(super) struct Stopped {
    since: Option<Timestamp>,
    by: Option<String>,
    waiting: i64,
}

/// The same, as a page tells it.
#[derive(Template)]
#[template(path = "stopped.html")]
pub(super) struct Note {
    name: String,
    address: String,
    is_paused: bool,
    since: Option<When>,
    by: Option<String>,
    waiting: i64,
}

impl Stopped {
    pub(super) fn note(self, desk: &Desk, connector: &str, state: &str) -> Note {
        Note {
            name: connector.to_owned(),
            address: segment(connector),
            is_paused: state == "paused",
            since: self.since.map(|at| desk.when(at)),
            by: self.by,
            waiting: self.waiting,
        }
    }
}

/// The connectors that are not active, of those that feed a directory if one is named.
pub(super) async fn notes(desk: &Desk, directory: Option<&str>) -> Result<Vec<Note>, Trouble> {
    #[derive(Deserialize)]
    struct Connector {
        name: String,
        state: String,
        directory: String,
        stopped: Option<Stopped>,
    }
    let all: Listed<Connector> = desk.get(&["connectors"], &[("stopped", "true")]).await?;
    let all = all.items.into_iter();
    let fed = all.filter(|one| directory.is_none_or(|name| name == one.directory));
    let notes = fed.filter_map(|one| Some(one.stopped?.note(desk, &one.name, &one.state)));
    Ok(notes.collect())
}
