//! A directory's page: what is in it, who feeds it, and the way to what is set about it as a whole.

pub(super) mod import;
pub(super) mod precedence;
pub(super) mod reserved;
pub(super) mod sticky;

use askama::Template;
use axum::extract::Path;
use jiff::Timestamp;
use serde::Deserialize;

use super::desk::{Desk, segment};
use super::page::{Shell, Shown, Trouble, show};
use super::stopped;
use super::when::When;

/// What stands above every tab.
pub(super) struct Frame {
    pub(super) name: String,
    /// The name as a segment of an address.
    pub(super) address: String,
    open: &'static str,
}

/// A tab.
pub(super) struct Tab {
    label: &'static str,
    place: String,
    is_open: bool,
}

impl Frame {
    /// The frame of a directory with this tab open.
    pub(super) fn of(name: &str, open: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            address: segment(name),
            open,
        }
    }

    pub(super) fn tabs(&self) -> Vec<Tab> {
        let all = [
            ("directory", "Directory", ""),
            ("sticky", "Kept disabled", "/sticky"),
            ("reserved", "Reserved names", "/reserved-names"),
            ("precedence", "Precedence", "/precedence"),
            ("import", "Import", "/import"),
        ];
        let tab = |(key, label, place): (&str, &'static str, &str)| Tab {
            label,
            place: format!("/console/directories/{}{place}", self.address),
            is_open: key == self.open,
        };
        all.into_iter().map(tab).collect()
    }
}

/// A directory as the admin API tells it.
#[derive(Deserialize)]
pub(super) struct Directory {
    pub(super) name: String,
    created: Timestamp,
    pub(super) connectors: Vec<String>,
    active_users: i64,
    disabled_users: i64,
    users_without_connector: i64,
    groups: i64,
    position: i64,
    local_users: bool,
}

impl Directory {
    /// The directory of this name or id.
    pub(super) async fn of(desk: &Desk, name: &str) -> Result<Self, Trouble> {
        desk.get(&["directories", name], &[]).await
    }
}

#[derive(Deserialize)]
struct Sharing {
    #[serde(default)]
    precedence: Option<serde_json::Value>,
    shared_accounts: i64,
}

#[derive(Template)]
#[template(path = "directory/home.html")]
struct HomePage {
    shell: Shell,
    frame: Frame,
    directory: Directory,
    created: When,
    /// The connectors that feed it: their name, and that as a segment of an address.
    connectors: Vec<(String, String)>,
    sharing: Sharing,
}

/// `GET /console/directories/{directory}`
pub(super) async fn page(desk: Desk, Path(directory): Path<String>) -> Shown {
    let found = Directory::of(&desk, &directory).await?;
    let path = ["directories", directory.as_str(), "precedence"];
    let sharing: Sharing = desk.get(&path, &[]).await?;
    let stopped = stopped::notes(&desk, Some(&found.name)).await?;
    let connectors = found.connectors.iter();
    let connectors = connectors.map(|name| (name.clone(), segment(name)));
    show(&HomePage {
        shell: desk.shell("settings").stopped(stopped),
        frame: Frame::of(&found.name, "directory"),
        created: desk.when(found.created),
        connectors: connectors.collect(),
        sharing,
        directory: found,
    })
}
