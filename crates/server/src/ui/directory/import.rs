//! Imports into a directory: people and groups of another server or of a file, looked at first and then copied.

use askama::Template;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::desk::{Desk, Listed, segment};
use super::super::page::{Shell, Shown, Trouble, go_to, show, show_wrong};
use super::super::when::When;
use super::{Directory, Frame};
use crate::limits::IMPORT_BODY_BYTES_MAX;

/// An import as the admin API tells it.
#[derive(Deserialize)]
struct Import {
    #[serde(default)]
    id: String,
    source: String,
    actor: String,
    state: String,
    failure: Option<String>,
    total: i64,
    done: i64,
    counts: Counts,
    started: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Counts {
    users_created: i64,
    users_updated: i64,
    users_unchanged: i64,
    users_left_alone: i64,
    groups_created: i64,
    groups_unchanged: i64,
    memberships_added: i64,
    child_groups_added: i64,
    left_alone: Vec<String>,
}

impl Import {
    fn is_going_on(&self) -> bool {
        matches!(self.state.as_str(), "reading" | "staging" | "running")
    }

    fn colour(&self) -> &'static str {
        match self.state.as_str() {
            "done" => "good",
            "failed" => "bad",
            "tried" => "warn",
            _ => "info",
        }
    }

    /// How far it is, in words.
    fn state(&self) -> &str {
        match self.state.as_str() {
            "reading" => "is being read",
            "staging" => "is being compared",
            "running" => "is being copied",
            "tried" => "tried, nothing copied",
            "done" => "copied",
            other => other,
        }
    }

    /// What came of it, or would come of it: how many, of what, and the colour of the badge.
    fn figures(&self) -> Vec<(i64, &'static str, &'static str)> {
        let counts = &self.counts;
        let of = |(count, one, many, colour)| match count {
            1 => (count, one, colour),
            _ => (count, many, colour),
        };
        let all = [
            (counts.users_created, "new account", "new accounts", "good"),
            (
                counts.users_updated,
                "account changed",
                "accounts changed",
                "info",
            ),
            (
                counts.users_unchanged,
                "account as it should be",
                "accounts as they should be",
                "",
            ),
            (
                counts.users_left_alone,
                "account left alone",
                "accounts left alone",
                "warn",
            ),
            (counts.groups_created, "new group", "new groups", "good"),
            (
                counts.groups_unchanged,
                "group that is there",
                "groups that are there",
                "",
            ),
            (
                counts.memberships_added,
                "new membership",
                "new memberships",
                "good",
            ),
            (
                counts.child_groups_added,
                "group put into a group",
                "groups put into groups",
                "good",
            ),
        ];
        all.map(of).into()
    }
}

struct Row {
    address: String,
    started: Option<When>,
    import: Import,
}

impl Row {
    fn of(desk: &Desk, import: Import) -> Self {
        Self {
            address: segment(&import.id),
            started: import.started.map(|at| desk.when(at)),
            import,
        }
    }
}

/// What a form said, to be shown again if it is wrong. The password is not among it.
#[derive(Default)]
struct Said {
    url: String,
    application: String,
    groups: String,
    attributes: String,
}

#[derive(Template)]
#[template(path = "directory/import.html")]
struct ListPage {
    shell: Shell,
    frame: Frame,
    said: Said,
    rows: Vec<Row>,
    wrong: Option<Trouble>,
}

/// `GET /console/directories/{directory}/import`
pub(in crate::ui) async fn page(desk: Desk, Path(directory): Path<String>) -> Shown {
    show(&list(&desk, &directory, Said::default(), None).await?)
}

async fn list(
    desk: &Desk,
    directory: &str,
    said: Said,
    wrong: Option<Trouble>,
) -> Result<ListPage, Trouble> {
    let path = ["directories", directory, "imports"];
    let imports: Listed<Import> = desk.get(&path, &[]).await?;
    let rows = imports.items.into_iter();
    Ok(ListPage {
        shell: desk.shell("settings"),
        frame: Frame::of(directory, "import"),
        said,
        rows: rows.map(|import| Row::of(desk, import)).collect(),
        wrong,
    })
}

/// The page of an import that was begun, or the forms with what is wrong.
async fn begun(desk: &Desk, directory: &str, said: Said, begun: Result<Import, Trouble>) -> Shown {
    match begun {
        Ok(import) => go_to(&place(directory, &import.id)),
        Err(wrong) => {
            let status = wrong.status;
            show_wrong(status, &list(desk, directory, said, Some(wrong)).await?)
        }
    }
}

/// `POST /console/directories/{directory}/import/file`
pub(in crate::ui) async fn file(desk: Desk, Path(directory): Path<String>, body: Body) -> Shown {
    let form = desk.upload(body, IMPORT_BODY_BYTES_MAX as u64).await?;
    let text = |name: &str| form.fields.text(name).to_owned();
    let said = Said {
        groups: text("groups"),
        attributes: text("attributes"),
        ..Said::default()
    };
    if form.is_missing() {
        let wrong = Trouble::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Choose a file first: CSV or JSON, as the documentation’s chapter on moving an existing directory describes.",
        );
        return begun(&desk, &directory, said, Err(wrong)).await;
    }
    let name = form.name.clone();
    let bytes = form.bytes().await?;
    let query = [
        ("dry_run", "true"),
        ("keep", "true"),
        ("source", name.as_str()),
        ("groups", said.groups.as_str()),
        ("attributes", said.attributes.as_str()),
    ];
    let path = ["directories", directory.as_str(), "imports"];
    let sent = desk
        .send_file(Method::POST, &path, &query, (kind(&bytes), bytes.into()))
        .await;
    begun(&desk, &directory, said, sent).await
}

/// JSON begins with a brace; everything else is CSV, whatever its name is.
fn kind(bytes: &[u8]) -> &'static str {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match bytes.trim_ascii_start().first() {
        Some(b'{') => "application/json",
        _ => "text/csv",
    }
}

/// `POST /console/directories/{directory}/import/crowd`
pub(in crate::ui) async fn crowd(desk: Desk, Path(directory): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let text = |name: &str| form.text(name).to_owned();
    let said = Said {
        url: text("url"),
        application: text("application"),
        groups: text("groups"),
        attributes: text("attributes"),
    };
    let source = json!({
        "url": said.url,
        "application": said.application,
        "password": form.exact("password"),
    });
    let query = [
        ("dry_run", "true"),
        ("groups", said.groups.as_str()),
        ("attributes", said.attributes.as_str()),
    ];
    let path = ["directories", directory.as_str(), "imports", "crowd"];
    let sent = desk
        .send_with(Method::POST, &path, &query, Some(source))
        .await;
    begun(&desk, &directory, said, sent).await
}

#[derive(Template)]
#[template(path = "directory/import_one.html")]
struct OnePage {
    shell: Shell,
    frame: Frame,
    row: Row,
    /// The connectors that feed the directory: their name, and that as a segment of an address.
    connectors: Vec<(String, String)>,
}

/// `GET /console/directories/{directory}/import/{import}`
pub(in crate::ui) async fn one(
    desk: Desk,
    Path((directory, import)): Path<(String, String)>,
) -> Shown {
    let path = ["directories", &directory, "imports", &import];
    let found: Import = desk.get(&path, &[]).await?;
    let fed = Directory::of(&desk, &directory).await?;
    let connectors = fed.connectors.into_iter();
    show(&OnePage {
        shell: desk.shell("settings"),
        frame: Frame::of(&directory, "import"),
        row: Row::of(&desk, found),
        connectors: connectors.map(|name| (segment(&name), name)).collect(),
    })
}

/// `POST /console/directories/{directory}/import/{import}/run`
pub(in crate::ui) async fn run(
    desk: Desk,
    Path((directory, import)): Path<(String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let path = ["directories", &directory, "imports", &import, "run"];
    let _begun: Value = desk.send(Method::POST, &path, None).await?;
    go_to(&place(&directory, &import))
}

fn place(directory: &str, import: &str) -> String {
    let (directory, import) = (segment(directory), segment(import));
    format!("/console/directories/{directory}/import/{import}")
}
