//! Activity: what identity providers asked for, what they were answered, and what came of it.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::connector::source_users;
use super::desk::{Desk, Listed, Named, segment};
use super::holds::{HoldRow, StoredHold};
use super::journal::told;
use super::page::{Shell, Shown, Trouble, show};
use super::undo::moment;
use super::when::When;

#[derive(Template)]
#[template(path = "activity.html")]
struct ListPage {
    shell: Shell,
    wanted: Wanted,
    connectors: Vec<Named>,
    requests: Vec<RequestRow>,
    more: Option<String>,
    /// Where the same is followed as it comes.
    live: String,
}

#[derive(Template)]
#[template(path = "activity_live.html")]
struct LivePage {
    shell: Shell,
    wanted: Wanted,
    connectors: Vec<Named>,
    requests: Vec<RequestRow>,
    /// What is asked for, as a query.
    query: String,
}

#[derive(Template)]
#[template(path = "activity_rows.html")]
struct LiveRows {
    requests: Vec<RequestRow>,
}

/// Which requests to show.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    connector: String,
    name: String,
    operation: String,
    status: String,
    since: String,
    until: String,
    request: String,
    after: String,
    /// `no` to keep a page that follows from loading itself.
    watch: String,
}

/// What requests mean, as the admin API calls it.
const OPERATIONS: [&str; 18] = [
    "create_user",
    "replace_user",
    "patch_user",
    "delete_user",
    "get_user",
    "list_users",
    "create_group",
    "replace_group",
    "patch_group",
    "delete_group",
    "get_group",
    "list_groups",
    "search",
    "bulk",
    "me",
    "discovery",
    "refused",
    "unknown",
];

/// Classes of answers, with what people call them.
const ANSWERS: [(&str, &str); 5] = [
    ("", "any"),
    ("2xx", "taken (2xx)"),
    ("error", "any error"),
    ("4xx", "refused (4xx)"),
    ("5xx", "failed here (5xx)"),
];

impl Wanted {
    /// Which of these requests are asked for, as fields of the form.
    fn fields(&self) -> [(&'static str, &str); 7] {
        [
            ("connector", &self.connector),
            ("name", &self.name),
            ("operation", &self.operation),
            ("status", &self.status),
            ("since", &self.since),
            ("until", &self.until),
            ("request", &self.request),
        ]
    }

    /// Whether a page that follows loads itself where nothing else can.
    fn reloads(&self) -> bool {
        self.watch != "no"
    }

    /// Whether one connector is asked for.
    fn is_about_one(&self) -> bool {
        !self.connector.is_empty()
    }

    /// The same as a query.
    fn query(&self) -> String {
        let said = self.fields().into_iter();
        let said = said.filter(|(_, value)| !value.is_empty());
        let said = said.map(|(name, value)| format!("{name}={}", segment(value)));
        said.collect::<Vec<_>>().join("&")
    }

    /// The operations to choose from, with what people call them.
    fn operations(&self) -> impl Iterator<Item = (&'static str, String)> {
        OPERATIONS.into_iter().map(|word| (word, in_words(word)))
    }

    /// The answers to choose from.
    fn answers(&self) -> [(&'static str, &'static str); 5] {
        ANSWERS
    }

    async fn found(&self, desk: &Desk) -> Result<Listed<Request>, Trouble> {
        let (since, until) = (moment(&self.since), moment(&self.until));
        let query = [
            ("connector", self.connector.as_str()),
            ("name", self.name.as_str()),
            ("operation", self.operation.as_str()),
            ("status", self.status.as_str()),
            ("since", since.as_str()),
            ("until", until.as_str()),
            ("request", self.request.as_str()),
            ("after", self.after.as_str()),
            ("limit", "50"),
        ];
        desk.get(&["requests"], &query).await
    }
}

/// What a request means, as people read it.
fn in_words(operation: &str) -> String {
    operation.replace('_', " ")
}

/// A request as a page shows it.
pub(super) struct RequestRow {
    pub(super) at: When,
    pub(super) took: String,
    pub(super) request: Request,
}

/// A request as the admin API tells it.
#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) id: i64,
    at: Timestamp,
    took_micros: i64,
    connector: String,
    method: String,
    path: String,
    operation: String,
    pub(super) status: i64,
    #[serde(default)]
    resource_type: Option<String>,
    #[serde(default)]
    resource_id: Option<String>,
    pub(super) resource_name: Option<String>,
    code: Option<String>,
    scim_type: Option<String>,
    detail: Option<String>,
    actor: String,
    request: String,
    warnings: Vec<Warning>,
}

impl Request {
    /// What it means, in words.
    pub(super) fn words(&self) -> String {
        in_words(&self.operation)
    }

    /// What it means, as a heading.
    fn title(&self) -> String {
        let words = self.words();
        let mut letters = words.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect()
    }

    pub(super) fn failed(&self) -> bool {
        self.status >= 400
    }
}

#[derive(Deserialize)]
struct Warning {
    what: String,
    why: String,
}

/// `GET /console/activity`
pub(super) async fn list(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    let connectors: Listed<Named> = desk.get(&["connectors"], &[]).await?;
    let mut shell = desk.shell("activity");
    let found = match wanted.found(&desk).await {
        // A time that cannot be read, say: told above the form that has it.
        Err(wrong) if wrong.status == StatusCode::BAD_REQUEST => {
            shell.wrong = Some(wrong);
            Listed {
                items: Vec::new(),
                next: None,
            }
        }
        found => found?,
    };
    let more = found.more("/console/activity", &wanted.fields());
    show(&ListPage {
        shell,
        connectors: connectors.items,
        requests: rows(&desk, found),
        live: format!("/console/activity/live?{}", wanted.query()),
        more,
        wanted,
    })
}

/// `GET /console/activity/live`
pub(super) async fn live(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    let connectors: Listed<Named> = desk.get(&["connectors"], &[]).await?;
    let found = wanted.found(&desk).await?;
    show(&LivePage {
        shell: desk.shell("activity"),
        connectors: connectors.items,
        requests: rows(&desk, found),
        query: wanted.query(),
        wanted,
    })
}

/// `GET /console/activity/live/rows`: what the page above shows, for its script.
pub(super) async fn live_rows(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    let found = wanted.found(&desk).await?;
    show(&LiveRows {
        requests: rows(&desk, found),
    })
}

fn rows(desk: &Desk, found: Listed<Request>) -> Vec<RequestRow> {
    let rows = found.items.into_iter().map(|request| row(desk, request));
    rows.collect()
}

/// The newest requests of a connector.
pub(super) async fn newest(
    desk: &Desk,
    connector: &str,
    limit: &str,
) -> Result<Vec<RequestRow>, Trouble> {
    let query = [("connector", connector), ("limit", limit)];
    let found: Listed<Request> = desk.get(&["requests"], &query).await?;
    Ok(rows(desk, found))
}

fn row(desk: &Desk, request: Request) -> RequestRow {
    RequestRow {
        at: desk.when(request.at),
        took: match request.took_micros {
            micros @ 0..=9_999 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
            micros => format!("{} ms", micros / 1_000),
        },
        request,
    }
}

/// Holds that a page about a request names.
const HOLDS: &str = "10";

#[derive(Template)]
#[template(path = "request.html")]
struct RequestPage {
    shell: Shell,
    row: RequestRow,
    about: About,
    /// Where it can be taken back.
    undo: Option<String>,
    error: Option<Explained>,
    body: Option<String>,
    body_cut: bool,
    /// Why nobody can tell what it would do now.
    not_replayable: Option<String>,
    effect: Vec<Effect>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(flatten)]
    request: Request,
    error: Option<Explained>,
    body: Option<String>,
    body_cut: bool,
    not_replayable: Option<String>,
    effect: Vec<Change>,
}

#[derive(Deserialize)]
struct Explained {
    meaning: String,
    cause: String,
    remedy: String,
}

#[derive(Deserialize)]
struct Change {
    position: i64,
    #[serde(flatten)]
    told: Told,
}

/// A change with those that it is about.
#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    child_group: Option<String>,
    change: Value,
}

impl Told {
    /// In words, after whom it is about.
    pub(super) fn words(&self) -> String {
        let words = told(&self.change, self.child_group.as_deref());
        match (&self.user, &self.group) {
            (Some(user), Some(group)) => format!("{user} {words}: {group}"),
            (Some(name), None) | (None, Some(name)) => format!("{name} {words}"),
            (None, None) => words,
        }
    }
}

struct Effect {
    position: i64,
    words: String,
}

/// What there is by now of what a request was about.
#[derive(Default)]
struct About {
    /// Where it is looked at, if it is there.
    place: Option<String>,
    /// Of a user: whether there is an account.
    has_account: Option<bool>,
    /// Where somebody decides about the name, if it is taken.
    conflict: Option<String>,
    /// What the request brought about and limits kept back: where it is looked at, and what it is.
    holds: Vec<(String, String)>,
    more_holds: bool,
}

impl About {
    async fn of(desk: &Desk, request: &Request) -> Result<Self, Trouble> {
        #[derive(Deserialize)]
        struct User {
            account: Option<Value>,
        }
        let mut about = Self::default();
        let connector = request.connector.as_str();
        match (request.resource_type.as_deref(), &request.resource_id) {
            (Some("User"), Some(id)) => {
                let path = ["connectors", connector, "users", id];
                if let Some(user) = desk.find::<User>(&path, &[]).await? {
                    about.place = Some(source_users::place(connector, id));
                    about.has_account = Some(user.account.is_some());
                    let is_taken = source_users::has_conflict(desk, connector, id).await?;
                    let conflicts = format!("/console/connectors/{}/conflicts", segment(connector));
                    about.conflict = is_taken.then_some(conflicts);
                }
            }
            (Some("Group"), Some(id)) => {
                let path = ["connectors", connector, "groups", id];
                let found: Option<Value> = desk.find(&path, &[]).await?;
                let (connector, id) = (segment(connector), segment(id));
                let place = format!("/console/connectors/{connector}/source-groups/{id}");
                about.place = found.map(|_there| place);
            }
            _ => {}
        }
        if !request.request.is_empty() {
            let query = [("request", request.request.as_str()), ("limit", HOLDS)];
            let found: Listed<StoredHold> = desk.get(&["holds"], &query).await?;
            about.more_holds = found.next.is_some();
            let holds = found.items.into_iter().map(|hold| hold.row(desk));
            let told = |row: HoldRow| {
                let words = format!("{}: {} ({})", row.whom, row.words, row.state());
                (format!("/console/holds/{}", row.id), words)
            };
            about.holds = holds.map(told).collect();
        }
        Ok(about)
    }
}

/// `GET /console/activity/{request}`
pub(super) async fn page(desk: Desk, Path(request): Path<String>) -> Shown {
    #[derive(Deserialize)]
    struct Fed {
        directory: String,
    }
    let found: Detail = desk.get(&["requests", &request], &[]).await?;
    let fed: Option<Fed> = desk
        .find(&["connectors", &found.request.connector], &[])
        .await?;
    let undo = fed.filter(|_| !found.effect.is_empty()).map(|fed| {
        let (directory, request) = (segment(&fed.directory), segment(&found.request.request));
        format!("/console/undo?directory={directory}&request={request}")
    });
    let effect = found.effect.into_iter().map(|one| Effect {
        position: one.position,
        words: one.told.words(),
    });
    let about = About::of(&desk, &found.request).await?;
    show(&RequestPage {
        shell: desk.shell("activity"),
        about,
        effect: effect.collect(),
        undo,
        row: row(&desk, found.request),
        error: found.error,
        body: found.body.map(|body| pretty(&body)),
        body_cut: found.body_cut,
        not_replayable: found.not_replayable,
    })
}

/// JSON with line breaks; anything else as it is.
fn pretty(body: &str) -> String {
    let parsed: Result<Value, _> = serde_json::from_str(body);
    parsed
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_not_json| body.to_owned())
}
