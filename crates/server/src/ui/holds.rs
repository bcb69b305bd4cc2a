//! Holds: what safety limits keep back, why, whom it hits, and what is decided about it.

use std::collections::BTreeSet;

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::confirm::Confirm;
use super::desk::{Desk, Listed, Named, segment};
use super::hold_filters::Wanted;
use super::journal;
use super::page::{Shell, Shown, Trouble, show};
use super::stopped;
use super::when::When;
use super::words;

/// Holds on one page.
const PAGE: &str = "50";
/// Names that a question lists.
const NAMES: &str = "20";

#[derive(Template)]
#[template(path = "holds.html")]
struct ListPage {
    shell: Shell,
    wanted: Wanted,
    connectors: Vec<Named>,
    states: [(&'static str, &'static str); 6],
    holds: Vec<HoldRow>,
    /// The connectors of what is shown: their name, and that as a segment of an address.
    deciding: Vec<(String, String)>,
    /// The filters, as a query.
    filters: String,
    more: Option<String>,
}

/// A hold as the admin API tells it.
#[derive(Deserialize)]
pub(super) struct StoredHold {
    id: i64,
    connector: String,
    kind: String,
    state: String,
    user: Option<HeldUser>,
    group: Option<String>,
    change: Value,
    cause: Cause,
    since: Timestamp,
    decided_by: Option<String>,
    decided: Option<Timestamp>,
}

#[derive(Deserialize)]
struct HeldUser {
    key: Option<String>,
    name: String,
}

#[derive(Deserialize)]
struct Cause {
    trigger: String,
    actor: String,
    request: String,
}

/// A hold as a page shows it.
pub(super) struct HoldRow {
    pub(super) id: i64,
    pub(super) connector: String,
    pub(super) kind: &'static str,
    state: String,
    pub(super) whom: String,
    pub(super) words: String,
    pub(super) why: String,
    pub(super) request: Option<String>,
    pub(super) since: When,
    pub(super) decided: Option<(When, String)>,
}

impl HoldRow {
    /// What became of it so far.
    pub(super) fn state(&self) -> &str {
        state_in_words(&self.state)
    }

    /// Whether a decision is still to come.
    pub(super) fn is_open(&self) -> bool {
        self.state == "open"
    }
}

impl StoredHold {
    fn is_open(&self) -> bool {
        self.state == "open"
    }

    /// That there is nothing to decide any more.
    fn decided_already(&self) -> String {
        let state = state_in_words(&self.state);
        match &self.decided_by {
            Some(by) => {
                format!("Nothing was done: this is decided already. It is {state}, by {by}.")
            }
            None => format!("Nothing was done: this waits no more. It is {state}."),
        }
    }

    pub(super) fn row(self, desk: &Desk) -> HoldRow {
        let group = self.group.clone().unwrap_or_default();
        let whom = match &self.user {
            Some(user) => user.name.clone(),
            None => format!("group {group}"),
        };
        let words = match (&self.user, group.as_str()) {
            (Some(_), "") | (None, _) => journal::told(&self.change, None),
            (Some(_), group) => format!("{} of {group}", journal::told(&self.change, None)),
        };
        let trigger = words::trigger(&self.cause.trigger);
        let why = match self.cause.actor.as_str() {
            "" => trigger.to_owned(),
            actor => format!("{trigger} ({actor})"),
        };
        HoldRow {
            id: self.id,
            connector: self.connector,
            kind: kind(&self.kind),
            state: self.state,
            whom,
            words,
            why,
            request: journal::request_page(&self.cause.trigger, &self.cause.request),
            since: desk.when(self.since),
            decided: self
                .decided
                .map(|at| (desk.when(at), self.decided_by.unwrap_or_default())),
        }
    }
}

/// The kinds of holds, with what people call them.
const KINDS: [(&str, &str); 4] = [
    ("deactivation", "loses the account"),
    ("membership_removal", "leaves a group"),
    ("group_deletion", "group goes"),
    ("rename", "new user name"),
];

/// The states of holds, with what people call them.
const STATES: [(&str, &str); 6] = [
    ("open", "waiting"),
    ("approved", "approved"),
    ("rejected", "rejected"),
    ("released", "released"),
    ("cancelled", "taken back by the identity provider"),
    ("collected", "still being collected"),
];

fn state_in_words(word: &str) -> &str {
    let found = STATES.iter().find(|(state, _)| *state == word);
    found.map_or(word, |(_, words)| words)
}

/// Where a hold is looked at.
fn place(hold: i64) -> String {
    format!("/console/holds/{hold}")
}

fn kind(word: &str) -> &'static str {
    let found = KINDS.iter().find(|(kind, _)| *kind == word);
    found.map_or("other", |(_, words)| *words)
}

/// `GET /console/holds`
pub(super) async fn list(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    show(&listed(&desk, wanted).await?)
}

async fn listed(desk: &Desk, mut wanted: Wanted) -> Result<ListPage, Trouble> {
    if wanted.state.is_empty() {
        wanted.state = "open".to_owned();
    }
    let connectors: Listed<Named> = desk.get(&["connectors"], &[]).await?;
    let state = if wanted.state == "all" {
        ""
    } else {
        &wanted.state
    };
    let query = [
        ("connector", wanted.connector.as_str()),
        ("kind", wanted.kind.as_str()),
        ("state", state),
        ("q", wanted.q.as_str()),
        ("after", wanted.after.as_str()),
        ("limit", PAGE),
    ];
    let found: Listed<StoredHold> = desk.get(&["holds"], &query).await?;
    let same = [
        ("connector", wanted.connector.as_str()),
        ("kind", wanted.kind.as_str()),
        ("state", wanted.state.as_str()),
        ("q", wanted.q.as_str()),
    ];
    let more = found.more("/console/holds", &same);
    let filters = wanted.query();
    let names: BTreeSet<&str> = found.items.iter().map(|it| it.connector.as_str()).collect();
    let deciding = names.into_iter().map(|it| (it.to_owned(), segment(it)));
    let deciding = deciding.collect();
    Ok(ListPage {
        shell: desk
            .shell("holds")
            .stopped(stopped::notes(desk, None).await?),
        connectors: connectors.items,
        states: STATES,
        deciding,
        filters,
        holds: found.items.into_iter().map(|hold| hold.row(desk)).collect(),
        more,
        wanted,
    })
}

#[derive(Deserialize)]
struct Detail {
    #[serde(flatten)]
    hold: StoredHold,
    would_change: Vec<Value>,
    #[serde(default)]
    members: Option<Members>,
    why: Vec<String>,
}

/// Who is in a group that is to go.
#[derive(Deserialize)]
struct Members {
    count: i64,
    looked_at: i64,
    changed: Vec<Changed>,
}

/// A member for whom an approval would change something.
#[derive(Deserialize)]
struct Changed {
    user: Named,
    changes: Vec<Value>,
}

impl Members {
    /// Who they are and what would change for each.
    fn told(&self) -> Vec<String> {
        let told = |one: &Changed| {
            let changes: Vec<String> = one.changes.iter().map(in_words).collect();
            format!("{}: {}", words::apart(&one.user.name), changes.join(", "))
        };
        self.changed.iter().map(told).collect()
    }
}

#[derive(Template)]
#[template(path = "hold.html")]
struct HoldPage {
    shell: Shell,
    row: HoldRow,
    person: Option<String>,
    would_change: Vec<String>,
    members: Option<Members>,
    why: Vec<String>,
    /// The list that it was found in, and its filters as a query.
    list: String,
    filters: String,
}

/// `GET /console/holds/{hold}`
pub(super) async fn page(
    desk: Desk,
    Path(hold): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Shown {
    let found: Detail = desk.get(&["holds", &hold], &[]).await?;
    let person = person_of(&desk, &found.hold).await?;
    show(&HoldPage {
        shell: desk
            .shell("holds")
            .stopped(stopped::notes(&desk, None).await?),
        person,
        would_change: found.would_change.iter().map(in_words).collect(),
        members: found.members,
        why: found.why,
        list: wanted.place(),
        filters: wanted.query(),
        row: found.hold.row(&desk),
    })
}

#[derive(Deserialize)]
struct Fed {
    directory: String,
}

/// Where the user that a hold is about is looked at.
async fn person_of(desk: &Desk, hold: &StoredHold) -> Result<Option<String>, Trouble> {
    let Some(key) = hold.user.as_ref().and_then(|user| user.key.as_deref()) else {
        return Ok(None);
    };
    let fed: Option<Fed> = desk.find(&["connectors", &hold.connector], &[]).await?;
    Ok(fed.map(|fed| {
        let (directory, key) = (segment(&fed.directory), segment(key));
        format!("/console/directories/{directory}/users/{key}")
    }))
}

/// A change with the group that it is about.
fn in_words(change: &Value) -> String {
    match change["group"].as_str() {
        Some(group) => format!("{}: {group}", journal::told(change, None)),
        None => journal::told(change, None),
    }
}

/// What is decided: the verb in addresses, and whether it lets through.
fn is_approval(decision: &str) -> Result<bool, Trouble> {
    match decision {
        "approve" => Ok(true),
        "reject" => Ok(false),
        _ => Err(Trouble::new(
            axum::http::StatusCode::NOT_FOUND,
            "A hold is approved or rejected. Its page has both.",
        )),
    }
}

const REJECTING: &str = "Nothing is taken away, now or by later evaluations, as long as the identity provider says the same. If it \
                         says something else of the person, that counts.";

/// `GET /console/holds/{hold}/{decision}`
pub(super) async fn ask_one(
    desk: Desk,
    Path((hold, decision)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Shown {
    let approve = is_approval(&decision)?;
    let found: Detail = desk.get(&["holds", &hold], &[]).await?;
    if !found.hold.is_open() {
        return desk.go_told(
            &wanted.within(&place(found.hold.id)),
            found.hold.decided_already(),
        );
    }
    let mut effects: Vec<String> = found.would_change.iter().map(in_words).collect();
    if effects.is_empty() {
        effects.push(in_words(&found.hold.change));
    }
    let row = found.hold.row(&desk);
    let action = format!("{}/{decision}", place(row.id));
    let asked = match approve {
        true => {
            let asked = Confirm::new("holds", format!("Let it happen to {}?", row.whom));
            let effects = effects.into_iter();
            effects
                .fold(asked, |asked, effect| {
                    asked.effect(format!("{} {effect}.", row.whom))
                })
                .verb("Approve")
        }
        false => Confirm::new("holds", format!("Keep {} as it is?", row.whom))
            .effect(REJECTING)
            .verb("Reject")
            .harmless(),
    };
    asked
        .hidden("filters", wanted.query())
        .action(action)
        .back(wanted.place())
        .show(&desk)
}

/// `POST /console/holds/{hold}/{decision}`
pub(super) async fn decide_one(
    desk: Desk,
    Path((hold, decision)): Path<(String, String)>,
    body: Body,
) -> Shown {
    let approve = is_approval(&decision)?;
    let form = desk.form(body).await?;
    let wanted = Wanted::of_query(form.text("filters"));
    let found: StoredHold = desk.get(&["holds", &hold], &[]).await?;
    if !found.is_open() {
        return desk.go_told(&wanted.within(&place(found.id)), found.decided_already());
    }
    let whom = found.row(&desk).whom;
    let path = ["holds", &hold, &decision];
    let _decided: Value = desk.send(Method::POST, &path, None).await?;
    let words = match approve {
        true => format!("Approved: it happens to {whom}."),
        false => format!("Rejected: nothing happens to {whom}."),
    };
    desk.go_told(&wanted.place(), words)
}

/// `GET /console/connectors/{connector}/holds/{decision}`
pub(super) async fn ask_all(
    desk: Desk,
    Path((connector, decision)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Shown {
    let approve = is_approval(&decision)?;
    let query = [
        ("connector", connector.as_str()),
        ("state", "open"),
        ("kind", wanted.kind.as_str()),
        ("q", wanted.q.as_str()),
        ("limit", NAMES),
    ];
    let found: Listed<StoredHold> = desk.get(&["holds"], &query).await?;
    let of_kind = match wanted.kind.as_str() {
        "" => String::new(),
        word => format!(" of the kind “{}”", kind(word)),
    };
    let named = match wanted.q.as_str() {
        "" => String::new(),
        text => format!(" with “{text}” in the name"),
    };
    let which = format!("{of_kind}{named}");
    if found.items.is_empty() {
        return desk.go_told(&wanted.place(), "None of these is open any more.");
    }
    let is_all = found.after().is_none();
    let count = found.items.len();
    let many = match is_all {
        true if count == 1 => "This one".to_owned(),
        true => format!("All {count}"),
        false => format!("These {count} and all others"),
    };
    let names = found.items.into_iter().map(|hold| hold.row(&desk));
    let names = names
        .map(|row| format!("{}: {}", row.whom, row.words))
        .collect();
    let action = format!(
        "/console/connectors/{}/holds/{decision}",
        segment(&connector)
    );
    let asked = match approve {
        true => Confirm::new(
            "holds",
            format!("Approve the open holds of {connector}{which}?"),
        )
        .effect(format!(
            "{many} happen now. Products see it at their next synchronisation."
        ))
        .verb("Approve all of them"),
        false => Confirm::new(
            "holds",
            format!("Reject the open holds of {connector}{which}?"),
        )
        .effect(REJECTING)
        .verb("Reject all of them")
        .harmless(),
    };
    asked
        .names(names)
        .hidden("filters", wanted.query())
        .action(action)
        .back(wanted.place())
        .show(&desk)
}

/// What came of a decision: how many holds it was about, or the job that decides.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answered {
    Now(Decided),
    Later { job: Began },
}

#[derive(Deserialize)]
struct Began {
    id: String,
}

#[derive(Deserialize)]
struct Decided {
    decided: u64,
}

impl Decided {
    fn words(&self, connector: &str, approve: bool) -> String {
        let holds = match self.decided {
            1 => "One hold".to_owned(),
            count => format!("{count} holds"),
        };
        match approve {
            true => format!("{holds} of {connector} approved: they take effect now."),
            false => format!("{holds} of {connector} rejected: everybody stays as they are."),
        }
    }
}

/// `POST /console/connectors/{connector}/holds/{decision}`
pub(super) async fn decide_all(
    desk: Desk,
    Path((connector, decision)): Path<(String, String)>,
    body: Body,
) -> Shown {
    let approve = is_approval(&decision)?;
    let form = desk.form(body).await?;
    let wanted = Wanted::of_query(form.text("filters"));
    let mut selection = json!({});
    for (name, value) in [("kind", &wanted.kind), ("q", &wanted.q)] {
        if !value.is_empty() {
            selection[name] = value.as_str().into();
        }
    }
    let path = ["connectors", &connector, "holds", &decision];
    match desk.send(Method::POST, &path, Some(selection)).await? {
        Answered::Now(done) => desk.go_told(&wanted.place(), done.words(&connector, approve)),
        Answered::Later { job } => {
            let words = "These are many, so they are decided one after the other. This page shows how far it is.";
            desk.go_told(&format!("/console/jobs/{}", segment(&job.id)), words)
        }
    }
}
