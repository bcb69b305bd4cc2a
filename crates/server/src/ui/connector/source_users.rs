//! Users of the identity provider: everybody whom it wrote, with an account or without, and why there is none.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::desk::{Desk, Listed, Named, segment};
use super::super::page::{Shell, Shown, Trouble, show};
use super::super::person_acts::Evaluated;
use super::super::when::When;
use super::super::why::Why;
use super::{Detail, Frame};

/// Users on one page.
const PAGE: &str = "50";
/// Users without an account that a search among people shows of one connector.
const LEFT_OUT: &str = "10";

/// A user as the admin API tells it.
#[derive(Deserialize)]
struct User {
    id: String,
    user_name: String,
    display_name: String,
    email: String,
    external_id: Option<String>,
    active: bool,
    updated: Timestamp,
    account: Option<Account>,
}

#[derive(Deserialize)]
struct Account {
    key: String,
    name: String,
}

/// A user in a list.
pub(in crate::ui) struct Row {
    pub(in crate::ui) connector: String,
    /// Where the user is looked at.
    pub(in crate::ui) address: String,
    pub(in crate::ui) name: String,
    pub(in crate::ui) display_name: String,
    pub(in crate::ui) email: String,
    pub(in crate::ui) updated: When,
    pub(in crate::ui) has_account: bool,
}

impl User {
    fn row(self, desk: &Desk, connector: &str) -> Row {
        Row {
            connector: connector.to_owned(),
            address: place(connector, &self.id),
            name: self.user_name,
            display_name: self.display_name,
            email: self.email,
            updated: desk.when(self.updated),
            has_account: self.account.is_some(),
        }
    }
}

/// Where a user of a connector is looked at.
pub(in crate::ui) fn place(connector: &str, user: &str) -> String {
    let (connector, user) = (segment(connector), segment(user));
    format!("/console/connectors/{connector}/source-users/{user}")
}

/// Whom a text means who has no account, of all connectors that feed a directory; of all there are, if none is named.
pub(in crate::ui) async fn left_out(
    desk: &Desk,
    directory: &str,
    search: &str,
) -> Result<Vec<Row>, Trouble> {
    #[derive(Deserialize)]
    struct Feeding {
        name: String,
        directory: String,
    }
    let search = search.trim();
    if search.is_empty() {
        return Ok(Vec::new());
    }
    let all: Listed<Feeding> = desk.get(&["connectors"], &[]).await?;
    let query = [
        ("search", search),
        ("account", "false"),
        ("limit", LEFT_OUT),
    ];
    let mut rows = Vec::new();
    for one in all.items {
        if !directory.is_empty() && one.directory != directory {
            continue;
        }
        let path = ["connectors", one.name.as_str(), "users"];
        let found: Listed<User> = desk.get(&path, &query).await?;
        let found = found.items.into_iter();
        rows.extend(found.map(|user| user.row(desk, &one.name)));
    }
    Ok(rows)
}

#[derive(Template)]
#[template(path = "connector/source_users.html")]
struct ListPage {
    shell: Shell,
    frame: Frame,
    asked: Asked,
    rows: Vec<Row>,
    more: Option<String>,
}

/// Which users to show.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Asked {
    search: String,
    account: String,
    after: String,
}

/// `GET /console/connectors/{connector}/source-users`
pub(in crate::ui) async fn list(
    desk: Desk,
    Path(connector): Path<String>,
    Query(asked): Query<Asked>,
) -> Shown {
    let query = [
        ("search", asked.search.trim()),
        ("account", asked.account.as_str()),
        ("after", asked.after.as_str()),
        ("limit", PAGE),
    ];
    let path = ["connectors", connector.as_str(), "users"];
    let found: Listed<User> = desk.get(&path, &query).await?;
    let more = found.more("", &query);
    let rows = found.items.into_iter();
    show(&ListPage {
        shell: desk.shell("connectors"),
        frame: Frame::of(&desk, &connector, "setup").await?,
        rows: rows.map(|user| user.row(&desk, &connector)).collect(),
        more,
        asked,
    })
}

#[derive(Deserialize)]
struct Found {
    #[serde(flatten)]
    user: User,
    document: Map<String, Value>,
    groups: Vec<String>,
}

#[derive(Template)]
#[template(path = "connector/source_user.html")]
struct UserPage {
    shell: Shell,
    frame: Frame,
    /// Where this page is.
    place: String,
    user: User,
    updated: When,
    groups: Vec<String>,
    source_text: String,
    /// Where the account is looked at.
    person: Option<String>,
    why: Why,
    /// Where somebody decides about the name, if it is taken.
    conflict: Option<String>,
    /// Where the requests about the user are.
    requests: String,
}

/// `GET /console/connectors/{connector}/source-users/{user}`
pub(in crate::ui) async fn page(
    desk: Desk,
    Path((connector, user)): Path<(String, String)>,
) -> Shown {
    let name = connector.as_str();
    let mut fed: Detail = desk.get(&["connectors", name], &[]).await?;
    let found: Found = desk.get(&["connectors", name, "users", &user], &[]).await?;
    let id = found.user.id.as_str();
    let path = ["connectors", name, "users", id, "why"];
    let why: Why = desk.get(&path, &[]).await?;
    let person = match &found.user.account {
        Some(account) => person(&desk, &fed.directory, &account.key).await?,
        None => None,
    };
    let (at, called) = (segment(name), segment(&found.user.user_name));
    let conflict = has_conflict(&desk, name, id).await?;
    let document = Value::Object(found.document);
    show(&UserPage {
        shell: desk.shell("people"),
        place: place(name, id),
        updated: desk.when(found.user.updated),
        groups: found.groups,
        source_text: serde_json::to_string_pretty(&document).unwrap_or_default(),
        person,
        conflict: conflict.then(|| format!("/console/connectors/{at}/conflicts")),
        requests: format!("/console/activity?connector={at}&name={called}"),
        frame: fed.frame(&desk, "setup"),
        why,
        user: found.user,
    })
}

/// Where an account is looked at; nowhere if its directory is beyond reach.
async fn person(desk: &Desk, directory: &str, key: &str) -> Result<Option<String>, Trouble> {
    let within: Listed<Named> = desk.get(&["directories"], &[]).await?;
    let is_within = within.items.iter().any(|one| one.name == directory);
    let (directory, key) = (segment(directory), segment(key));
    Ok(is_within.then(|| format!("/console/directories/{directory}/users/{key}")))
}

/// Whether somebody else has the name of a user.
pub(in crate::ui) async fn has_conflict(
    desk: &Desk,
    connector: &str,
    user: &str,
) -> Result<bool, Trouble> {
    let path = ["connectors", connector, "name-conflicts"];
    let found: Listed<Value> = desk.get(&path, &[("user", user)]).await?;
    Ok(!found.items.is_empty())
}

/// `POST /console/connectors/{connector}/source-users/{user}/evaluate`
pub(in crate::ui) async fn evaluate(
    desk: Desk,
    Path((connector, user)): Path<(String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let path = ["connectors", &connector, "users", &user, "evaluate"];
    let done: Evaluated = desk.send(Method::POST, &path, None).await?;
    desk.go_told(&place(&connector, &user), done.told())
}
