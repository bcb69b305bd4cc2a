//! Undo: what somebody did in a directory, shown as it would be taken back, and taken back.

use askama::Template;
use axum::body::Body;
use axum::extract::Query;
use axum::http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::compare::{Account, Compared, compared};
use super::desk::{Desk, Listed, Named, segment};
use super::form::Fields;
use super::jobs;
use super::page::{Shell, Shown, Trouble, show};

/// Users looked at on one page.
const PAGE: &str = "25";
/// Evaluations by new rules that are looked through for the one that is to be undone.
const JOBS: &str = "100";

#[derive(Template)]
#[template(path = "undo.html")]
struct UndoPage {
    shell: Shell,
    wanted: Wanted,
    directories: Vec<Named>,
    connectors: Vec<Named>,
    preview: Option<Preview>,
    wrong: Option<Trouble>,
}

/// What is to be taken back.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    directory: String,
    request: String,
    connector: String,
    actor: String,
    from: String,
    to: String,
    user: String,
    after: String,
}

impl Wanted {
    fn of(form: &Fields) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        Self {
            directory: text("directory"),
            request: text("request"),
            connector: text("connector"),
            actor: text("actor"),
            from: text("from"),
            to: text("to"),
            user: text("user"),
            after: String::new(),
        }
    }

    fn is_empty(&self) -> bool {
        [&self.request, &self.connector, &self.actor, &self.from]
            .iter()
            .all(|text| text.is_empty())
    }

    /// As the admin API wants it.
    fn selection(&self) -> Value {
        let mut said = Map::new();
        let texts = [
            ("connector", &self.connector),
            ("request", &self.request),
            ("actor", &self.actor),
        ];
        for (name, text) in texts {
            if !text.is_empty() {
                said.insert(name.to_owned(), text.as_str().into());
            }
        }
        for (name, text) in [("from", &self.from), ("to", &self.to)] {
            if !text.is_empty() {
                said.insert(name.to_owned(), moment(text).into());
            }
        }
        if !self.user.is_empty() {
            said.insert("users".to_owned(), vec![self.user.clone()].into());
        }
        Value::Object(said)
    }

    /// The same as fields of a form.
    fn fields(&self) -> [(&'static str, &str); 7] {
        [
            ("directory", &self.directory),
            ("request", &self.request),
            ("connector", &self.connector),
            ("actor", &self.actor),
            ("from", &self.from),
            ("to", &self.to),
            ("user", &self.user),
        ]
    }

    /// The same as a query of an address.
    fn query(&self, after: &str) -> String {
        let parts = self.fields().into_iter().chain([("after", after)]);
        let parts = parts.filter(|(_, value)| !value.is_empty());
        let parts: Vec<String> = parts
            .map(|(name, value)| format!("{name}={}", segment(value)))
            .collect();
        format!("?{}", parts.join("&"))
    }
}

/// A moment as a browser's field writes it (`2026-05-28T20:26`) is one of UTC.
pub(super) fn moment(text: &str) -> String {
    match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

struct Preview {
    users: usize,
    group_changes: i64,
    people: Vec<Compared>,
    more: Option<String>,
    /// The rules that did it, if new rules did.
    rules: Option<NewRules>,
}

/// New rules that are in force.
struct NewRules {
    connector: String,
    /// Where a version before them is put in force again.
    versions: String,
}

impl NewRules {
    /// Those of which an evaluation of everybody has this number of a request.
    async fn behind(desk: &Desk, wanted: &Wanted) -> Result<Option<Self>, Trouble> {
        #[derive(Deserialize)]
        struct Job {
            connector: Option<String>,
            request: String,
        }
        if wanted.request.is_empty() {
            return Ok(None);
        }
        let query = [
            ("directory", wanted.directory.as_str()),
            ("kind", "rules"),
            ("limit", JOBS),
        ];
        let jobs: Listed<Job> = desk.get(&["jobs"], &query).await?;
        let jobs = jobs.items;
        let did = jobs.iter().find(|job| job.request == wanted.request);
        // What others have followed since is in force no more.
        let newest = did.and_then(|did| jobs.iter().find(|job| job.connector == did.connector));
        let newest = newest.filter(|newest| newest.request == wanted.request);
        let connector = newest.and_then(|job| job.connector.clone());
        Ok(connector.map(|connector| Self {
            versions: format!("/console/connectors/{}/versions", segment(&connector)),
            connector,
        }))
    }
}

#[derive(Deserialize)]
struct Found {
    users: usize,
    group_changes: i64,
    items: Vec<One>,
    next: Option<i64>,
}

#[derive(Deserialize)]
struct One {
    user: String,
    key: String,
    before: Account,
    after: Account,
    conflicts: Vec<String>,
}

/// `GET /console/undo`
pub(super) async fn page(desk: Desk, Query(wanted): Query<Wanted>) -> Shown {
    show(&undo_page(&desk, wanted).await?)
}

async fn undo_page(desk: &Desk, mut wanted: Wanted) -> Result<UndoPage, Trouble> {
    let directories: Listed<Named> = desk.get(&["directories"], &[]).await?;
    let connectors: Listed<Named> = desk.get(&["connectors"], &[]).await?;
    if wanted.directory.is_empty()
        && let Some(first) = directories.items.first()
    {
        wanted.directory.clone_from(&first.name);
    }
    let (mut preview, mut wrong) = (None, None);
    if !wanted.is_empty() && !wanted.directory.is_empty() {
        match previewed(desk, &wanted).await {
            Ok(found) => preview = Some(found),
            Err(trouble) => wrong = Some(trouble),
        }
    }
    Ok(UndoPage {
        shell: desk.shell("journal"),
        directories: directories.items,
        connectors: connectors.items,
        wanted,
        preview,
        wrong,
    })
}

async fn previewed(desk: &Desk, wanted: &Wanted) -> Result<Preview, Trouble> {
    let path = ["directories", wanted.directory.as_str(), "undo", "preview"];
    let query = [("after", wanted.after.as_str()), ("limit", PAGE)];
    let found: Found = desk.ask(&path, &query, wanted.selection()).await?;
    let people = found.items.into_iter().map(|one| {
        let address = format!(
            "/console/directories/{}/users/{}",
            segment(&wanted.directory),
            segment(&one.key)
        );
        Compared {
            address: Some(address),
            troubles: one.conflicts,
            ..compared(one.user, Some(one.before), Some(one.after), false)
        }
    });
    Ok(Preview {
        rules: NewRules::behind(desk, wanted).await?,
        users: found.users,
        group_changes: found.group_changes,
        people: people.collect(),
        more: found.next.map(|next| wanted.query(&next.to_string())),
    })
}

/// What came of an undo: it is done, or many people are worked off by a job.
#[derive(Deserialize)]
#[serde(untagged)]
enum Undone {
    Now(Done),
    Later { job: BegunJob },
}

#[derive(Deserialize)]
struct BegunJob {
    id: String,
}

#[derive(Deserialize)]
struct Done {
    request: String,
    users: u64,
    changes: u64,
    kept_as_is: u64,
    conflict_count: u64,
    conflicts: Vec<Conflict>,
}

#[derive(Deserialize)]
struct Conflict {
    user: String,
    text: String,
}

#[derive(Template)]
#[template(path = "undone.html")]
struct UndonePage {
    shell: Shell,
    done: Done,
    /// Where this can be taken back.
    again: String,
}

/// `POST /console/undo`
pub(super) async fn undo(desk: Desk, body: Body) -> Shown {
    let form = desk.form(body).await?;
    desk.once(
        &form,
        "/console/journal",
        carried_out(&desk, Wanted::of(&form)),
    )
    .await
}

async fn carried_out(desk: &Desk, wanted: Wanted) -> Shown {
    let path = ["directories", wanted.directory.as_str(), "undo"];
    let undone = desk.send(Method::POST, &path, Some(wanted.selection()));
    let done = match undone.await? {
        Undone::Now(done) => done,
        Undone::Later { job } => {
            let told = "It is being undone. This is how far it is.";
            return desk.go_told(&jobs::place(&job.id), told);
        }
    };
    let again = Wanted {
        directory: wanted.directory,
        request: done.request.clone(),
        ..Wanted::default()
    };
    show(&UndonePage {
        shell: desk.shell("journal"),
        again: format!("/console/undo{}", again.query("")),
        done,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_browser_are_of_utc() {
        for (typed, meant) in [
            ("2026-05-28", "2026-05-28T00:00:00Z"),
            ("2026-05-28T20:26", "2026-05-28T20:26:00Z"),
            ("2026-05-28T20:26:40", "2026-05-28T20:26:40Z"),
            ("2026-05-28T20:26:40+02:00", "2026-05-28T20:26:40+02:00"),
        ] {
            assert_eq!(moment(typed), meant);
        }
    }
}
