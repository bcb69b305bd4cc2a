//! People who stay disabled whatever the identity provider says: seen, saved, added to, and taken back.

use askama::Template;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::confirm::Confirm;
use super::super::desk::{Desk, Listed, segment};
use super::super::form::Fields;
use super::super::page::{Shell, Shown, Trouble, show, show_wrong};
use super::super::undo::moment;
use super::super::when::When;
use super::super::words;
use super::{Directory, Frame};

/// People on one page.
const PAGE: &str = "50";
/// Names that a question lists.
const NAMES: usize = 20;

#[derive(Template)]
#[template(path = "directory/sticky.html")]
struct StickyPage {
    shell: Shell,
    frame: Frame,
    reason: String,
    rows: Vec<Row>,
    more: Option<String>,
    /// What was typed, if it has to be typed again.
    typed: Typed,
    /// Those for whom it could not be.
    refused: Vec<Refused>,
    wrong: Option<Trouble>,
}

#[derive(Deserialize)]
struct Sticky {
    key: String,
    user_name: String,
    display_name: String,
    connector: String,
    reason: String,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    last_login: Option<Timestamp>,
}

struct Row {
    /// The key as a segment of an address.
    address: String,
    since: Option<When>,
    until: Option<When>,
    last_login: Option<When>,
    user: Sticky,
}

impl Row {
    fn because(&self) -> &str {
        words::reason(&self.user.reason)
    }
}

/// What the form has.
#[derive(Default)]
struct Typed {
    users: String,
    until: String,
}

impl Typed {
    fn of(form: &Fields) -> Self {
        Self {
            users: form.exact("users"),
            until: form.text("until").to_owned(),
        }
    }

    /// The names, one on a line.
    fn names(&self) -> Vec<&str> {
        let lines = self.users.lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).collect()
    }
}

/// Which part of the list to show.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::ui) struct Asked {
    reason: String,
    after: String,
}

/// `GET /console/directories/{directory}/sticky`
pub(in crate::ui) async fn page(
    desk: Desk,
    Path(directory): Path<String>,
    Query(asked): Query<Asked>,
) -> Shown {
    show(&listed(&desk, &directory, asked).await?)
}

async fn listed(desk: &Desk, directory: &str, asked: Asked) -> Result<StickyPage, Trouble> {
    let about = Directory::of(desk, directory).await?;
    let query = [
        ("reason", asked.reason.as_str()),
        ("after", asked.after.as_str()),
        ("limit", PAGE),
    ];
    let path = ["directories", directory, "sticky-users"];
    let found: Listed<Sticky> = desk.get(&path, &query).await?;
    let more = found.more("", &query);
    let rows = found.items.into_iter().map(|user| Row {
        address: segment(&user.key),
        since: user.since.map(|at| desk.when(at)),
        until: user.until.map(|at| desk.when(at)),
        last_login: user.last_login.map(|at| desk.when(at)),
        user,
    });
    Ok(StickyPage {
        shell: desk.shell("settings"),
        frame: Frame::of(&about.name, "sticky"),
        rows: rows.collect(),
        reason: asked.reason,
        more,
        typed: Typed::default(),
        refused: Vec::new(),
        wrong: None,
    })
}

/// `GET /console/directories/{directory}/sticky.csv`
pub(in crate::ui) async fn csv(
    desk: Desk,
    Path(directory): Path<String>,
    Query(asked): Query<Asked>,
) -> Shown {
    let path = ["directories", directory.as_str(), "sticky-users.csv"];
    let query = [("reason", asked.reason.as_str())];
    desk.download(&path, &query).await
}

#[derive(Deserialize)]
struct Imported {
    changed: u64,
    unchanged: u64,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    user: String,
    why: String,
}

/// `POST /console/directories/{directory}/sticky`: asks first, then does it.
pub(in crate::ui) async fn add(desk: Desk, Path(directory): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let typed = Typed::of(&form);
    let names = typed.names();
    if names.is_empty() {
        let mut page = listed(&desk, &directory, Asked::default()).await?;
        let told = "Name somebody: one user name or key on a line.";
        let wrong = Trouble::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, told);
        page.typed = typed;
        let status = wrong.status;
        page.wrong = Some(wrong);
        return show_wrong(status, &page);
    }
    if form.text("sure").is_empty() {
        // It only asks: loaded again, it asks again.
        return ask(&desk, &directory, &typed);
    }
    // Who could not be disabled is told on the answer alone: loaded again, it takes the log-in from nobody who was given it back.
    let place = place(&directory);
    desk.once(&form, &place, keep_disabled(&desk, &directory, typed))
        .await
}

async fn keep_disabled(desk: &Desk, directory: &str, typed: Typed) -> Shown {
    let names = typed.names();
    let until = (!typed.until.is_empty()).then(|| moment(&typed.until));
    let users = names.iter();
    let users = users.map(|user| json!({ "user": user, "until": until }));
    let wish = json!({ "users": users.collect::<Vec<Value>>() });
    let path = ["directories", directory, "sticky-users"];
    let done = desk.send::<Imported>(Method::POST, &path, Some(wish)).await;
    let mut page = listed(desk, directory, Asked::default()).await?;
    match done {
        Ok(done) => {
            let told = match (done.changed, done.unchanged) {
                (0, 0) => "Nobody was disabled.".to_owned(),
                (0, _) => "They were kept disabled already.".to_owned(),
                (1, _) => "One person is kept disabled from now on.".to_owned(),
                (count, _) => format!("{count} people are kept disabled from now on."),
            };
            if done.refused.is_empty() {
                return desk.go_told(&place(directory), told);
            }
            page.shell = page.shell.told(told);
            page.refused = done.refused;
            show(&page)
        }
        Err(wrong) => {
            page.typed = typed;
            let status = wrong.status;
            page.wrong = Some(wrong);
            show_wrong(status, &page)
        }
    }
}

fn ask(desk: &Desk, directory: &str, typed: &Typed) -> Shown {
    let names = typed.names();
    let question = match names.as_slice() {
        [name] => format!("Take the log-in from {name}?"),
        all => format!("Take the log-in from {} people?", all.len()),
    };
    let ends = match typed.until.as_str() {
        "" => {
            "It stays so whatever the identity provider says, until an administrator takes it back."
                .to_owned()
        }
        until => format!(
            "It stays so whatever the identity provider says, until {} UTC.",
            until.replace('T', " ")
        ),
    };
    let shown = names.iter().take(NAMES).map(|name| (*name).to_owned());
    let mut shown: Vec<String> = shown.collect();
    if names.len() > NAMES {
        shown.push(format!("and {} more", names.len() - NAMES));
    }
    let back = place(directory);
    Confirm::new("overview", question)
        .effect("Products refuse the log-in as soon as they synchronise. Groups and everything else stay.")
        .effect(ends)
        .names(shown)
        .hidden("users", typed.users.clone())
        .hidden("until", typed.until.clone())
        .hidden("sure", "yes")
        .verb("Keep them disabled")
        .action(back.clone())
        .back(back)
        .show(desk)
}

#[derive(Deserialize)]
struct Cleared {
    enabled: u64,
}

/// `GET /console/directories/{directory}/sticky/clear`
pub(in crate::ui) async fn ask_clear(
    desk: Desk,
    Path(directory): Path<String>,
    Query(asked): Query<Asked>,
) -> Shown {
    let query = [("reason", asked.reason.as_str()), ("limit", "21")];
    let path = ["directories", directory.as_str(), "sticky-users"];
    let found: Listed<Sticky> = desk.get(&path, &query).await?;
    let mut names: Vec<String> = found.items.into_iter().map(|one| one.user_name).collect();
    if names.len() > NAMES {
        names.truncate(NAMES);
        names.push("and others".to_owned());
    }
    let question = match asked.reason.as_str() {
        "manual" => "Take back what administrators decided about all of them?",
        "inactivity_rule" => {
            "Take back what the rule for inactive people decided about all of them?"
        }
        _ => "Take back what was decided about all of them?",
    };
    let back = place(&directory);
    Confirm::new("overview", question)
        .effect("The rules decide about each again. Whom the identity provider says is active may log in again.")
        .names(names)
        .hidden("reason", asked.reason)
        .verb("Take it back for all")
        .action(format!("{back}/clear"))
        .back(back)
        .show(&desk)
}

/// `POST /console/directories/{directory}/sticky/clear`
pub(in crate::ui) async fn clear(desk: Desk, Path(directory): Path<String>, body: Body) -> Shown {
    let form = desk.form(body).await?;
    let query = [("reason", form.text("reason"))];
    let path = ["directories", directory.as_str(), "sticky-users"];
    let done: Cleared = desk.send_with(Method::DELETE, &path, &query, None).await?;
    let told = match done.enabled {
        1 => "The rules decide about one person again.".to_owned(),
        count => format!("The rules decide about {count} people again."),
    };
    desk.go_told(&place(&directory), told)
}

fn place(directory: &str) -> String {
    format!("/console/directories/{}/sticky", segment(directory))
}
