//! The audit log: who did what, when and from where.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::http::Method;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Ui;
use super::desk::{Desk, Listed, segment};
use super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::when::When;
use crate::audit;

/// Where this page is.
const PLACE: &str = "/console/audit";
/// Changes of an entry that are seen at once; more are folded away.
const SEEN_AT_ONCE: usize = 4;
/// Of a longer value the beginning is shown, and the rest on demand.
const LONG_CHARS: usize = 120;

/// The pages of the audit log.
pub(super) fn routes() -> Router<Ui> {
    Router::new()
        .route(PLACE, get(page))
        .route("/console/audit.csv", get(csv))
        .route("/console/audit.json", get(json_export))
        .route("/console/audit/settings", post(settings))
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    wrong: Option<Trouble>,
    wanted: Wanted,
    /// What actions are called, to choose from.
    actions: Vec<String>,
    entries: Vec<Row>,
    check: Check,
    keep_days: String,
    /// What the exports and the next page are asked with.
    query: String,
    more: Option<String>,
}

/// Which entries to show.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    actor: String,
    action: String,
    target: String,
    address: String,
    succeeded: String,
    since: String,
    until: String,
    after: String,
}

impl Wanted {
    /// As the admin API asks. A day that is picked begins and ends at midnight, UTC.
    fn query(&self) -> Vec<(&'static str, String)> {
        let moment = |day: &str| match day.len() {
            10 => format!("{day}T00:00:00Z"),
            _ => day.to_owned(),
        };
        let all = [
            ("actor", self.actor.trim().to_owned()),
            ("action", self.action.trim().to_owned()),
            ("target", self.target.trim().to_owned()),
            ("address", self.address.trim().to_owned()),
            ("succeeded", self.succeeded.clone()),
            ("since", moment(&self.since)),
            ("until", moment(&self.until)),
        ];
        all.into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }

    fn is_empty(&self) -> bool {
        self.query().is_empty()
    }
}

struct Row {
    at: When,
    entry: Entry,
    /// What else was done to the same.
    same: String,
}

#[derive(Deserialize)]
struct Entry {
    at: Timestamp,
    actor_kind: String,
    actor: String,
    address: Option<String>,
    action: String,
    target: String,
    succeeded: bool,
    detail: String,
    changes: Option<Vec<Change>>,
    changes_left_out: usize,
}

/// A value that is otherwise since.
#[derive(Deserialize)]
struct Change {
    path: String,
    before: Side,
    after: Side,
}

/// What a value was, or is.
#[derive(Deserialize)]
#[serde(from = "Value")]
struct Side {
    /// None if nothing was there.
    text: Option<String>,
}

impl From<Value> for Side {
    fn from(value: Value) -> Self {
        let text = match value {
            Value::Null => None,
            Value::String(text) if !text.is_empty() => Some(text),
            other => Some(other.to_string()),
        };
        Self { text }
    }
}

/// What an action is called, without underscores.
fn called(action: &str) -> String {
    action.replace('_', " ")
}

/// The beginning of a long text.
fn beginning(text: &str) -> Option<&str> {
    let (end, _) = text.char_indices().nth(LONG_CHARS)?;
    Some(&text[..end])
}

impl Entry {
    /// The changes that are seen at once, and those that are folded away.
    fn changes(&self) -> (&[Change], &[Change]) {
        let all = self.changes.as_deref().unwrap_or_default();
        all.split_at(all.len().min(SEEN_AT_ONCE))
    }

    fn who(&self) -> &str {
        match (self.actor.as_str(), self.actor_kind.as_str()) {
            ("", "nobody") => "somebody unknown",
            (name, _) => name,
        }
    }

    fn what(&self) -> String {
        called(&self.action)
    }
}

#[derive(Deserialize)]
struct Check {
    whole: bool,
    entries: i64,
    broken_at: Option<i64>,
    head: Option<String>,
}

#[derive(Deserialize)]
struct Settings {
    keep_days: u32,
}

/// `GET /console/audit`
async fn page(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    show(&listed(&desk, wanted).await?)
}

async fn listed(desk: &Desk, wanted: Wanted) -> Result<AuditPage, Trouble> {
    let filters = wanted.query();
    let mut query: Vec<(&str, &str)> = filters
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let written = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&query)
        .finish();
    query.extend([("after", wanted.after.as_str()), ("limit", "100")]);
    let mut wrong = None;
    let found: Listed<Entry> = match desk.get(&["audit"], &query).await {
        Ok(found) => found,
        // A time that cannot be read, say: told above the form that has it.
        Err(trouble) if trouble.status.is_client_error() => {
            wrong = Some(trouble);
            Listed {
                items: Vec::new(),
                next: None,
            }
        }
        Err(trouble) => return Err(trouble),
    };
    let more = found
        .after()
        .map(|after| format!("{PLACE}?{written}&after={after}"));
    let check: Check = desk.get(&["audit", "check"], &[]).await?;
    let settings: Settings = desk.get(&["audit", "settings"], &[]).await?;
    let row = |entry: Entry| Row {
        at: desk.when(entry.at),
        same: format!("{PLACE}?target={}", segment(&entry.target)),
        entry,
    };
    Ok(AuditPage {
        shell: desk.shell("settings"),
        wrong,
        actions: audit::actions().iter().map(|one| called(one)).collect(),
        entries: found.items.into_iter().map(row).collect(),
        check,
        keep_days: settings.keep_days.to_string(),
        query: written,
        more,
        wanted,
    })
}

/// `GET /console/audit.csv`
async fn csv(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    download(&desk, "audit.csv", &wanted).await
}

/// `GET /console/audit.json`
async fn json_export(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    download(&desk, "audit.json", &wanted).await
}

async fn download(desk: &Desk, path: &str, wanted: &Wanted) -> Shown {
    let filters = wanted.query();
    let query: Vec<(&str, &str)> = filters
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    desk.download(&[path], &query).await
}

/// `POST /console/audit/settings`
async fn settings(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let days: Option<u32> = form.text("keep_days").parse().ok();
    let wish = json!({ "keep_days": days.unwrap_or(0) });
    let path = ["audit", "settings"];
    let changed = desk.send::<Value>(Method::PATCH, &path, Some(wish)).await;
    match changed {
        Ok(_) => desk.go_told(PLACE, "It is kept so long from now on."),
        Err(wrong) => {
            let mut page = listed(&desk, Wanted::default()).await?;
            let status = wrong.status;
            page.wrong = Some(wrong);
            page.keep_days = form.text("keep_days").to_owned();
            show_wrong(status, &page)
        }
    }
}
