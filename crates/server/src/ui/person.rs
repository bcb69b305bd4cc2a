//! A person's page: what the identity provider says and what products see, why, since when, and what can be done.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::compare::{Account, Compared, compared};
use super::desk::{Desk, Listed, segment};
use super::journal::{Entry, EntryRow};
use super::page::{Shell, Shown, Trouble, show};
use super::past::past_of;
use super::people::{Origin, because};
use super::stopped;
use super::undo::moment;
use super::when::When;
use super::why::Why;
use super::words;

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    shell: Shell,
    directory: String,
    directory_address: String,
    /// Where this page is.
    place: String,
    user: Detail,
    /// What the identity provider says beside what products see.
    sides: Vec<Side>,
    source_text: Option<String>,
    created: When,
    updated: When,
    last_login: Option<When>,
    /// What becomes of the account if nothing changes, and when.
    later: Option<(&'static str, When)>,
    memberships: Vec<MembershipRow>,
    overrides: Vec<OverrideRow>,
    products: Vec<Product>,
    why: Option<Why>,
    about: Option<About>,
    /// Since when it is compared, and with what.
    since: String,
    compared: Option<Compared>,
    history: Vec<EntryRow>,
    sessions: Vec<SessionRow>,
}

/// The group that was asked about, and the answer.
struct About {
    group: String,
    answer: Why,
    /// When the user became a member, or left.
    since: Option<When>,
}

/// One attribute on both sides.
struct Side {
    label: &'static str,
    source: String,
    directory: String,
}

#[derive(Deserialize)]
struct Detail {
    key: String,
    name: String,
    first_name: String,
    last_name: String,
    display_name: String,
    email: String,
    status: String,
    reason: String,
    connector: Option<String>,
    external_id: Option<String>,
    created: Timestamp,
    updated: Timestamp,
    last_login: Option<Timestamp>,
    attributes: BTreeMap<String, Vec<String>>,
    memberships: Vec<Membership>,
    source: Option<Source>,
    later: Option<Later>,
    #[serde(default)]
    overrides: Vec<Override>,
}

impl Detail {
    /// Why the account is as it is. What an override keeps may be the opposite of what is said now.
    fn because(&self) -> &str {
        match self.is_kept() {
            true => "an override keeps it exactly as it is",
            false => words::reason(&self.reason),
        }
    }

    fn is_kept(&self) -> bool {
        self.overrides.iter().any(|one| one.kind == "keep_as_is")
    }

    fn is_active(&self) -> bool {
        self.status == "active"
    }
}

/// The second stage of cleanup.
#[derive(Deserialize)]
struct Later {
    at: Timestamp,
    action: String,
}

impl Later {
    fn words(&self) -> &'static str {
        match self.action.as_str() {
            "anonymise" => "Anonymised",
            _ => "Deleted",
        }
    }
}

#[derive(Deserialize)]
struct Source {
    id: String,
    document: Map<String, Value>,
}

#[derive(Deserialize)]
struct Membership {
    group: String,
    origins: Vec<Origin>,
}

struct MembershipRow {
    group: String,
    address: String,
    because: String,
}

#[derive(Deserialize)]
struct Override {
    id: i64,
    kind: String,
    group: Option<String>,
    until: Option<Timestamp>,
    actor: String,
    comment: String,
}

struct OverrideRow {
    id: i64,
    words: String,
    until: Option<When>,
    actor: String,
    comment: String,
}

/// A product, and whether it has the latest of this person.
struct Product {
    name: String,
    address: String,
    words: String,
    is_current: bool,
}

#[derive(Deserialize)]
struct Application {
    id: String,
    name: String,
    directories: Vec<Attached>,
}

#[derive(Deserialize)]
struct Attached {
    directory: String,
    position: Option<i64>,
}

#[derive(Deserialize)]
struct Session {
    application: String,
    created: Timestamp,
    expires: Timestamp,
}

struct SessionRow {
    application: String,
    created: When,
    expires: When,
}

/// What is asked of the page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    group: String,
    since: String,
}

/// `GET /console/directories/{directory}/users/{user}`
pub(super) async fn page(
    desk: Desk,
    Path((directory, user)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Shown {
    match person(&desk, &directory, &user, asked).await {
        Ok(page) => show(&page),
        // Whoever is gone has no page any more, but a past.
        Err(trouble) if trouble.status == StatusCode::NOT_FOUND => {
            past_of(&desk, &directory, ("user", &user), trouble).await
        }
        Err(trouble) => Err(trouble),
    }
}

async fn person(
    desk: &Desk,
    directory: &str,
    user: &str,
    asked: Asked,
) -> Result<PersonPage, Trouble> {
    let path = ["directories", directory, "users", user];
    let below = |what| [path[0], path[1], path[2], path[3], what];
    let mut found: Detail = desk.get(&path, &[]).await?;
    let why = desk.find(&below("why"), &[]).await?;
    let about = match asked.group.trim() {
        "" => None,
        group => {
            let answer: Option<Why> = desk.find(&below("why"), &[("group", group)]).await?;
            answer.map(|answer| About {
                group: group.to_owned(),
                since: answer.turn().map(|turn| desk.when(turn.at)),
                answer,
            })
        }
    };
    let query = [
        ("user", found.key.as_str()),
        ("order", "newest"),
        ("limit", "30"),
    ];
    let journal = ["directories", directory, "journal"];
    let history: Listed<Entry> = desk.get(&journal, &query).await?;
    let newest = history.items.first().map(Entry::position);
    let sessions: Listed<Session> = desk.get(&below("sessions"), &[]).await?;
    let compared = match asked.since.trim() {
        "" => None,
        since => Some(since_then(desk, &below("history"), since).await?),
    };
    let directory_address = segment(directory);
    let memberships = std::mem::take(&mut found.memberships);
    let memberships = memberships.into_iter().map(|one| MembershipRow {
        address: segment(&one.group),
        because: because(&one.origins),
        group: one.group,
    });
    let overrides = std::mem::take(&mut found.overrides);
    let overrides = overrides.into_iter().map(|one| OverrideRow {
        id: one.id,
        words: match &one.group {
            Some(group) => format!("{} {group}", words::override_kind(&one.kind)),
            None => words::override_kind(&one.kind).to_owned(),
        },
        until: one.until.map(|at| desk.when(at)),
        actor: one.actor,
        comment: one.comment,
    });
    let sessions = sessions.items.into_iter().map(|one| SessionRow {
        application: one.application,
        created: desk.when(one.created),
        expires: desk.when(one.expires),
    });
    let source_text = found.source.as_ref().map(|source| {
        let document = Value::Object(source.document.clone());
        serde_json::to_string_pretty(&document).unwrap_or_default()
    });
    Ok(PersonPage {
        shell: desk
            .shell("people")
            .stopped(stopped::notes(desk, Some(directory)).await?),
        place: format!(
            "/console/directories/{directory_address}/users/{}",
            segment(&found.key)
        ),
        sides: sides(&found),
        source_text,
        created: desk.when(found.created),
        updated: desk.when(found.updated),
        last_login: found.last_login.map(|at| desk.when(at)),
        later: found
            .later
            .as_ref()
            .map(|later| (later.words(), desk.when(later.at))),
        memberships: memberships.collect(),
        overrides: overrides.collect(),
        products: products(desk, directory, newest).await?,
        history: history
            .items
            .into_iter()
            .map(|entry| entry.row(desk, directory).on_page_of(&found.key))
            .collect(),
        sessions: sessions.collect(),
        since: asked.since,
        compared,
        why,
        about,
        user: found,
        directory_address,
        directory: directory.to_owned(),
    })
}

/// What became of the account since a moment.
async fn since_then(desk: &Desk, path: &[&str], since: &str) -> Result<Compared, Trouble> {
    #[derive(Deserialize)]
    struct Past {
        user: Option<Account>,
        before: Option<Account>,
    }
    let since = moment(since);
    let past: Past = desk.get(path, &[("since", since.as_str())]).await?;
    Ok(compared(String::new(), past.before, past.user, false))
}

/// What the identity provider says beside what products see, attribute by attribute.
fn sides(user: &Detail) -> Vec<Side> {
    let empty = Map::new();
    let said = user.source.as_ref().map_or(&empty, |it| &it.document);
    let text = |name: &str| plain(said.get(name));
    let part = |name: &str| plain(said.get("name").and_then(|it| it.get(name)));
    let email = || {
        let emails = said.get("emails").and_then(Value::as_array)?;
        let primary = emails.iter().find(|one| one["primary"] == true);
        Some(plain(primary.or(emails.first())?.get("value")))
    };
    let active = match said.get("active") {
        Some(Value::Bool(false)) => "inactive",
        _ if user.source.is_some() => "active",
        _ => "",
    };
    let display = match text("displayName") {
        name if name.is_empty() => part("formatted"),
        name => name,
    };
    let side = |label, source, directory: &str| Side {
        label,
        source,
        directory: directory.to_owned(),
    };
    vec![
        side("User name", text("userName"), &user.name),
        side("Name", display, &user.display_name),
        side("Given name", part("givenName"), &user.first_name),
        side("Family name", part("familyName"), &user.last_name),
        side("E-mail", email().unwrap_or_default(), &user.email),
        side("Status", active.to_owned(), &user.status),
    ]
}

fn plain(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Which products have seen the newest change of a person.
async fn products(
    desk: &Desk,
    directory: &str,
    newest: Option<i64>,
) -> Result<Vec<Product>, Trouble> {
    let all: Vec<Application> = desk.applications().await?;
    let found = all.into_iter().filter_map(|application| {
        let mut attached = application.directories.iter();
        let attached = attached.find(|one| one.directory == directory)?;
        let (words, is_current) = match (attached.position, newest) {
            (None, _) => ("has not fetched anything yet", false),
            (Some(position), Some(newest)) if position < newest => {
                ("does not have the latest change yet", false)
            }
            _ => ("has the latest", true),
        };
        Some(Product {
            address: segment(&application.id),
            name: application.name,
            words: words.to_owned(),
            is_current,
        })
    });
    Ok(found.collect())
}
