//! Who is signed in to the console where: an administrator's own sessions, and for owners those of others.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Method;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::desk::{Desk, Listed, Named, segment};
use super::page::{Shell, Shown, Trouble, show};
use super::when::When;
use super::{Ui, account};

/// The routes of sessions.
pub(super) fn routes() -> Router<Ui> {
    let of = |rest: &str| format!("/console/administrators/{{administrator}}/sessions{rest}");
    Router::new()
        .route("/console/account/sessions/{session}/end", post(end_own))
        .route(&of(""), get(page).post(end_all))
        .route(&of("/{session}/end"), post(end))
}

/// A session as a page shows it.
pub(super) struct Row {
    /// What the browser is.
    pub(super) browser: String,
    pub(super) address: String,
    pub(super) created: When,
    pub(super) last_used: When,
    pub(super) expires: When,
    /// Whether the page is shown in it.
    pub(super) is_this: bool,
    pub(super) waits: bool,
    /// Where it is ended.
    pub(super) end: String,
}

#[derive(Deserialize)]
struct Session {
    id: String,
    waits_for_second_factor: bool,
    #[serde(default)]
    address: String,
    #[serde(default)]
    user_agent: String,
    created: Timestamp,
    last_used: Timestamp,
    expires: Timestamp,
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    shell: Shell,
    name: String,
    place: String,
    sessions: Vec<Row>,
}

/// The sessions at a path of the admin API, with where each is ended.
async fn rows(desk: &Desk, path: &[&str], place: &str) -> Result<Vec<Row>, Trouble> {
    let all: Listed<Session> = desk.get(path, &[]).await?;
    let row = |session: Session| Row {
        browser: in_words(&session.user_agent),
        created: desk.when(session.created),
        last_used: desk.when(session.last_used),
        expires: desk.when(session.expires),
        is_this: session.id == desk.session_id(),
        waits: session.waits_for_second_factor,
        end: format!("{place}/sessions/{}/end", segment(&session.id)),
        address: session.address,
    };
    Ok(all.items.into_iter().map(row).collect())
}

/// The sessions of whoever looks at the page.
pub(super) async fn own(desk: &Desk) -> Result<Vec<Row>, Trouble> {
    rows(desk, &["account", "sessions"], account::PLACE).await
}

/// `GET /console/administrators/{administrator}/sessions`
async fn page(desk: Desk, Path(administrator): Path<String>) -> Shown {
    let path = ["administrators", administrator.as_str(), "sessions"];
    let found: Named = desk.get(&path[..2], &[]).await?;
    let place = format!("/console/administrators/{}", segment(&administrator));
    show(&SessionsPage {
        shell: desk.shell("settings"),
        name: found.name,
        sessions: rows(&desk, &path, &place).await?,
        place: format!("{place}/sessions"),
    })
}

/// `POST /console/account/sessions/{session}/end`
async fn end_own(desk: Desk, Path(session): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["account", "sessions", &session];
    let _nothing: IgnoredAny = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(account::PLACE, "The session is ended.")
}

/// `POST /console/administrators/{administrator}/sessions`: ends all of them.
async fn end_all(desk: Desk, Path(administrator): Path<String>, body: Body) -> Shown {
    desk.form(body).await?;
    let path = ["administrators", &administrator, "sessions"];
    let _ended: IgnoredAny = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(&place(&administrator), "All sessions are ended.")
}

/// `POST /console/administrators/{administrator}/sessions/{session}/end`
async fn end(
    desk: Desk,
    Path((administrator, session)): Path<(String, String)>,
    body: Body,
) -> Shown {
    desk.form(body).await?;
    let path = ["administrators", &administrator, "sessions", &session];
    let _nothing: IgnoredAny = desk.send(Method::DELETE, &path, None).await?;
    desk.go_told(&place(&administrator), "The session is ended.")
}

fn place(administrator: &str) -> String {
    let administrator = segment(administrator);
    format!("/console/administrators/{administrator}/sessions")
}

/// What a browser says of itself, told by its name. Browsers name those that they want to pass for as well, so the
/// order counts.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
/// The same of the system that it runs on.
const SYSTEMS: [(&str, &str); 7] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// What people call a browser, else what it calls itself.
fn in_words(agent: &str) -> String {
    let known = |all: &[(&str, &'static str)]| {
        let found = all.iter().find(|(mark, _)| agent.contains(mark));
        found.map(|(_, words)| *words)
    };
    match (known(&BROWSERS), known(&SYSTEMS)) {
        _ if agent.is_empty() => "unknown".to_owned(),
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => agent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_by_their_names() {
        for (agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("", "unknown"),
        ] {
            assert_eq!(in_words(agent), words);
        }
    }
}
