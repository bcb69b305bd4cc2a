//! What waits for somebody: names that are taken, values that cannot be used, groups to decide about, and members
//! whom nobody knows yet.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::confirm::Confirm;
use super::super::desk::{Desk, Listed, segment};
use super::super::page::{Shell, Shown, Trouble, show};
use super::super::when::When;
use super::super::words::apart;
use super::{Detail, Frame};

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
    flagged: Vec<FlaggedRow>,
    suppressed: Vec<SuppressedRow>,
    more_suppressed: Option<String>,
    more_flagged: Option<String>,
    more_conflicts: Option<String>,
    more_groups: Option<String>,
    more_pending: Option<String>,
}

#[derive(Deserialize)]
struct Conflict {
    user_id: String,
    user_name: String,
    display_name: String,
    email: String,
    wanted: String,
    since: Timestamp,
    matched_by: String,
    matched_value: Option<String>,
    matched_attribute: Option<String>,
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
    key: String,
    name: String,
    display_name: String,
    email: String,
    connector: Option<String>,
}

impl Holder {
    /// Whose the account is.
    fn owner(&self) -> String {
        match &self.connector {
            Some(connector) => format!("fed by {connector}"),
            None => "kept here".to_owned(),
        }
    }
}

impl Conflict {
    /// By what both were taken for one person.
    fn found_by(&self) -> String {
        let what = match (self.matched_by.as_str(), &self.matched_attribute) {
            ("username", _) => "the user name".to_owned(),
            ("email", _) => "the e-mail address".to_owned(),
            (_, Some(name)) => format!("the attribute {name}"),
            (_, None) => "an attribute".to_owned(),
        };
        match &self.matched_value {
            Some(value) => format!("{what}, {value}"),
            None => what,
        }
    }
}

/// Somebody by name, with what else tells them from others.
fn described(name: &str, others: &[&str]) -> String {
    let others = others
        .iter()
        .filter(|text| !text.is_empty() && **text != name);
    let others: Vec<String> = others.map(|text| apart(text)).collect();
    let name = apart(name);
    match others.is_empty() {
        true => name,
        false => format!("{name} ({})", others.join(", ")),
    }
}

struct ConflictRow {
    address: String,
    since: When,
    /// Until when nobody else gets the name.
    kept: Option<When>,
    /// Where the account is looked at that has the name.
    holder: Option<String>,
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

/// A user for whom the rules give values that cannot be used.
#[derive(Deserialize)]
struct Flagged {
    user_name: String,
    errors: Vec<ValueError>,
    since: Timestamp,
}

#[derive(Deserialize)]
struct ValueError {
    target: String,
    message: String,
}

struct FlaggedRow {
    address: String,
    since: When,
    flagged: Flagged,
}

/// A user for whom switches of the rules keep something back.
#[derive(Deserialize)]
struct SuppressedUser {
    user_id: Option<String>,
    user_name: String,
    account: Option<String>,
    kept_back: Vec<KeptBack>,
    since: Timestamp,
}

#[derive(Deserialize)]
struct KeptBack {
    text: String,
}

struct SuppressedRow {
    address: String,
    since: When,
    user: SuppressedUser,
}

/// Where each list begins.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Places {
    conflicts: String,
    groups: String,
    pending: String,
    values: String,
    suppressed: String,
}

/// `GET /console/connectors/{connector}/conflicts`
pub(in crate::ui) async fn page(
    desk: Desk,
    Path(connector): Path<String>,
    Query(places): Query<Places>,
) -> Shown {
    let name = connector.as_str();
    let mut fed: Detail = desk.get(&["connectors", name], &[]).await?;
    let directory = segment(&fed.directory);
    let part = |after| [("after", after), ("limit", PAGE)];
    let path = ["connectors", name, "name-conflicts"];
    let conflicts: Listed<Conflict> = desk.get(&path, &part(&places.conflicts)).await?;
    let path = ["connectors", name, "pending-members"];
    let pending: Listed<Pending> = desk.get(&path, &part(&places.pending)).await?;
    let path = ["connectors", name, "value-errors"];
    let flagged: Listed<Flagged> = desk.get(&path, &part(&places.values)).await?;
    let path = ["connectors", name, "suppressed"];
    let suppressed: Listed<SuppressedUser> = desk.get(&path, &part(&places.suppressed)).await?;
    let query = [
        ("state", "waiting"),
        ("after", places.groups.as_str()),
        ("limit", PAGE),
    ];
    let groups: Listed<Waiting> = desk.get(&["connectors", name, "groups"], &query).await?;
    let next = |list: &str, after: Option<String>| Some(format!("?{list}={}", segment(&after?)));
    let (more_conflicts, more_groups) = (
        next("conflicts", conflicts.after()),
        next("groups", groups.after()),
    );
    let (more_pending, more_flagged) = (
        next("pending", pending.after()),
        next("values", flagged.after()),
    );
    let flagged = flagged.items.into_iter().map(|flagged| FlaggedRow {
        address: format!("/console/people?search={}", segment(&flagged.user_name)),
        since: desk.when(flagged.since),
        flagged,
    });
    let more_suppressed = next("suppressed", suppressed.after());
    let suppressed = suppressed.items.into_iter().map(|user| SuppressedRow {
        address: match (&user.account, &user.user_id) {
            (Some(key), _) => format!("/console/directories/{directory}/users/{}", segment(key)),
            (None, Some(id)) => {
                let connector = segment(name);
                format!(
                    "/console/connectors/{connector}/source-users/{}",
                    segment(id)
                )
            }
            (None, None) => "/console/people".to_owned(),
        },
        since: desk.when(user.since),
        user,
    });
    let conflicts = conflicts.items.into_iter().map(|conflict| ConflictRow {
        address: segment(&conflict.user_id),
        since: desk.when(conflict.since),
        kept: conflict.reserved.as_ref().map(|kept| desk.when(kept.until)),
        holder: conflict.holder.as_ref().map(|holder| {
            let key = segment(&holder.key);
            format!("/console/directories/{directory}/users/{key}")
        }),
        conflict,
    });
    let groups = groups.items.into_iter().map(|group| GroupRow {
        address: segment(&group.id),
        group,
    });
    show(&ConflictsPage {
        shell: desk.shell("connectors"),
        frame: fed.frame(&desk, "conflicts"),
        conflicts: conflicts.collect(),
        groups: groups.collect(),
        pending: pending.items,
        flagged: flagged.collect(),
        suppressed: suppressed.collect(),
        more_suppressed,
        more_flagged,
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
    let path = ["connectors", connector.as_str(), "name-conflicts"];
    let found: Listed<Conflict> = desk.get(&path, &[("user", user.as_str())]).await?;
    let Some(found) = found.items.into_iter().next() else {
        let told = "Nothing is in the way of this user any more. The page of conflicts has those who wait.";
        return Err(Trouble::new(StatusCode::NOT_FOUND, told));
    };
    let user_name = &found.user_name;
    let who = described(user_name, &[&found.display_name, &found.email]);
    let (there, holder) = match &found.holder {
        Some(holder) => (
            holder.name.as_str(),
            format!(
                "The account: {}, {}.",
                described(&holder.name, &[&holder.display_name, &holder.email]),
                holder.owner()
            ),
        ),
        None => (
            found.wanted.as_str(),
            format!("Nobody has the name {} at the moment.", found.wanted),
        ),
    };
    let action = format!("{back}/{}/{}", segment(&user), segment(&decision));
    let asked = match decision.as_str() {
        "link" => Confirm::new(
            "connectors",
            format!("Are the user {user_name} and the account {there} the same person?"),
        ),
        "keep" => Confirm::new(
            "connectors",
            format!("Are the user {user_name} and the account {there} two people?"),
        ),
        _ => return Err(unknown()),
    };
    let asked = asked
        .effect(format!("The user of {connector}: {who}."))
        .effect(holder)
        .effect(format!("They were found by {}.", found.found_by()));
    let asked = match decision.as_str() {
        "link" => asked
            .effect(format!(
                "The account becomes the user’s own: from now on {connector} feeds it, and it follows the rules. \
                 Its key, and what products keep of it, stay."
            ))
            .verb("Yes, link them"),
        _ => asked
            .effect(
                "Both stay as they are, and nobody is asked again. The user gets no account under this name; give the user \
                 another name at the identity provider or by a mapping row.",
            )
            .verb("Yes, keep both")
            .harmless(),
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
    let told = match decision.as_str() {
        "link" => "They are one person now: the user feeds the account.",
        _ => "They stay two people, and nobody is asked again.",
    };
    desk.go_told(&place(&connector), told)
}

fn place(connector: &str) -> String {
    format!("/console/connectors/{}/conflicts", segment(connector))
}

fn unknown() -> Trouble {
    let told = "There is no such decision. The page of conflicts has those that there are.";
    Trouble::new(StatusCode::NOT_FOUND, told)
}
