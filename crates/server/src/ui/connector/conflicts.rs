//! What waits for somebody: names that are taken, groups to decide about, and members whom nobody knows yet.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::confirm::Confirm;
use super::super::desk::{Desk, Listed, segment};
use super::super::page::{Shell, Shown, Trouble, go_to, show};
use super::super::when::When;
use super::Frame;

/// Items of each list on one page.
const PAGE: &str = "25";

#[derive(Template)]
#[template(path = "connector/conflicts.html")]
struct ConflictsPage {
    shell: Shell,
    frame: Frame,
    conflicts: Vec<ConflictRow>,
    groups: Vec<GroupRow>,
    pending: Vec<Pending>,
    more_conflicts: Option<String>,
    more_groups: Option<String>,
    more_pending: Option<String>,
}

#[derive(Deserialize)]
struct Conflict {
    user_id: String,
    user_name: String,
    wanted: String,
    since: Timestamp,
    matched_by: String,
    kept: bool,
    holder: Option<Holder>,
    #[serde(default)]
    reserved: Option<KeptName>,
}

/// Nobody has a name, and it is kept for whoever had it.
#[derive(Deserialize)]
struct KeptName {
    until: Timestamp,
}

#[derive(Deserialize)]
struct Holder {
    name: String,
}

struct ConflictRow {
    address: String,
    since: When,
    /// Until when nobody else gets the name.
    kept: Option<When>,
    conflict: Conflict,
}

impl ConflictRow {
    fn kept_until(&self) -> String {
        self.kept.map(|at| at.to_string()).unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Waiting {
    id: String,
    name: String,
    members: i64,
    existing: Option<Existing>,
}

#[derive(Deserialize)]
struct Existing {
    name: String,
    local: bool,
    members: i64,
    would_add: i64,
    would_remove: i64,
}

struct GroupRow {
    address: String,
    group: Waiting,
}

#[derive(Deserialize)]
struct Pending {
    value: String,
    group: String,
}

/// Where each list begins.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Places {
    conflicts: String,
    groups: String,
    pending: String,
}

/// `GET /console/connectors/{connector}/conflicts`
pub(in crate::ui) async fn page(
    desk: Desk,
    Path(connector): Path<String>,
    Query(places): Query<Places>,
) -> Shown {
    let name = connector.as_str();
    let part = |after| [("after", after), ("limit", PAGE)];
    let path = ["connectors", name, "name-conflicts"];
    let conflicts: Listed<Conflict> = desk.get(&path, &part(&places.conflicts)).await?;
    let path = ["connectors", name, "pending-members"];
    let pending: Listed<Pending> = desk.get(&path, &part(&places.pending)).await?;
    let query = [
        ("state", "waiting"),
        ("after", places.groups.as_str()),
        ("limit", PAGE),
    ];
    let groups: Listed<Waiting> = desk.get(&["connectors", name, "groups"], &query).await?;
    let next = |list: &str, after: Option<String>| Some(format!("?{list}={}", segment(&after?)));
    let (more_conflicts, more_groups, more_pending) = (
        next("conflicts", conflicts.after()),
        next("groups", groups.after()),
        next("pending", pending.after()),
    );
    let conflicts = conflicts.items.into_iter().map(|conflict| ConflictRow {
        address: segment(&conflict.user_id),
        since: desk.when(conflict.since),
        kept: conflict.reserved.as_ref().map(|kept| desk.when(kept.until)),
        conflict,
    });
    let groups = groups.items.into_iter().map(|group| GroupRow {
        address: segment(&group.id),
        group,
    });
    show(&ConflictsPage {
        shell: desk.shell("connectors"),
        frame: Frame::of(&desk, name, "conflicts").await?,
        conflicts: conflicts.collect(),
        groups: groups.collect(),
        pending: pending.items,
        more_conflicts,
        more_groups,
        more_pending,
    })
}

/// `GET /console/connectors/{connector}/conflicts/{user}/{decision}`
pub(in crate::ui) async fn ask(
    desk: Desk,
    Path((connector, user, decision)): Path<(String, String, String)>,
) -> Shown {
    let back = place(&connector);
    let action = format!("{back}/{}/{}", segment(&user), segment(&decision));
    let asked = match decision.as_str() {
        "link" => Confirm::new("connectors", "Are both the same person?")
            .effect(
                "The account becomes the user’s own: from now on the identity provider feeds it, and it follows the rules. \
                 Its key, and what products keep of it, stay.",
            )
            .verb("Yes, link them"),
        "keep" => Confirm::new("connectors", "Are they two people?")
            .effect(
                "Both stay as they are, and nobody is asked again. The user gets no account under this name; give the user \
                 another name at the identity provider or by a mapping row.",
            )
            .verb("Yes, keep both")
            .harmless(),
        _ => return Err(unknown()),
    };
    asked.action(action).back(back).show(&desk)
}

/// `POST /console/connectors/{connector}/conflicts/{user}/{decision}`
pub(in crate::ui) async fn decide(
    desk: Desk,
    Path((connector, user, decision)): Path<(String, String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let path = ["connectors", &connector, "name-conflicts", &user];
    let wish = json!({ "action": decision });
    let _nothing: Value = desk.send(Method::POST, &path, Some(wish)).await?;
    go_to(&place(&connector))
}

fn place(connector: &str) -> String {
    format!("/console/connectors/{}/conflicts", segment(connector))
}

fn unknown() -> Trouble {
    let told = "There is no such decision. The page of conflicts has those that there are.";
    Trouble::new(StatusCode::NOT_FOUND, told)
}
