//! What was just done, told once: by the page that the browser is sent to, so that nothing is done again when that is loaded again.

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use store::token_hash;

use super::desk::Desk;
use super::page::{Shown, go_to};
use super::{Ui, back, session};
use crate::App;

/// Longest text that is told, in characters: encoded, a cookie has room for it.
const CHARS_MAX: usize = 300;

impl Desk {
    /// After a form: sends the browser to a page, which tells once what was done.
    pub(super) fn go_told(&self, target: &str, told: impl AsRef<str>) -> Shown {
        let mut answer = go_to(target)?;
        let text: String = told.as_ref().chars().take(CHARS_MAX).collect();
        let seal = seal(&self.session, &text);
        let text = utf8_percent_encode(&text, NON_ALPHANUMERIC);
        let (app, headers) = (&self.ui.app, self.headers());
        session::keep_told(app, headers, &mut answer, &format!("{seal}.{text}"));
        Ok(answer)
    }
}

/// What a page that is asked for has to tell; nothing to a script that asks.
pub(super) fn told(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    session: &str,
) -> Option<String> {
    if !is_looked_at(method, headers) {
        return None;
    }
    let kept = session::told(app, headers)?;
    let (sealed, text) = kept.split_once('.')?;
    let text = percent_decode_str(text).decode_utf8().ok()?.into_owned();
    (sealed == seal(session, &text)).then_some(text)
}

/// Shows that a text was written here for one session.
fn seal(session: &str, text: &str) -> String {
    token_hash(&format!("told {text} to {session}"))
}

fn is_looked_at(method: &Method, headers: &HeaderMap) -> bool {
    let dest = headers.get("sec-fetch-dest");
    let is_script = dest.is_some_and(|dest| dest != "document");
    method == Method::GET && !is_script
}

/// Lets the browser forget what a page has told.
pub(super) async fn forget(State(ui): State<Ui>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let has = is_looked_at(request.method(), headers) && session::told(&ui.app, headers).is_some();
    if !has {
        return next.run(request).await;
    }
    let headers = headers.clone();
    let mut answer = next.run(request).await;
    let is_page = back::is_page(&answer) || answer.status() == StatusCode::NOT_FOUND;
    if is_page && !answer.headers().contains_key(SET_COOKIE) {
        session::keep_told(&ui.app, &headers, &mut answer, "");
    }
    answer
}
