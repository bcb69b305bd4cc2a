//! Who is signed in: the cookie, and the token that every form carries.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use sha2::{Digest, Sha256};
use store::token_hash;

use crate::App;

/// The cookie over a connection that nobody can read on the way: bound to this host, sent to no other site.
const COOKIE_SECURE: &str = "__Host-vestibule";
/// The cookie where there is no such connection.
const COOKIE_PLAIN: &str = "vestibule";

/// Whether what goes over the connection stays secret: HTTPS, or this very machine.
pub(super) fn is_private(app: &App, headers: &HeaderMap) -> bool {
    let base = app.base_url(headers);
    if base.starts_with("https://") {
        return true;
    }
    let host = base.strip_prefix("http://").unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name == "::1" || name.starts_with("127.")
}

fn cookie_name(app: &App, headers: &HeaderMap) -> &'static str {
    match is_private(app, headers) {
        true => COOKIE_SECURE,
        false => COOKIE_PLAIN,
    }
}

/// The text of the session that a request shows; none if it shows none, or two.
pub(super) fn shown(app: &App, headers: &HeaderMap) -> Option<String> {
    cookie(headers, cookie_name(app, headers))
}

fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter();
    let texts = lines.filter_map(|line| line.to_str().ok());
    let mut found = texts
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == wanted)
        .map(|(_, value)| value.to_owned());
    match (found.next(), found.next()) {
        (Some(text), None) => Some(text),
        _ => None,
    }
}

/// Lets the browser show a session from now on, or, with an empty text, no more.
pub(super) fn keep(app: &App, headers: &HeaderMap, response: &mut Response, text: &str) {
    let secure = match is_private(app, headers) {
        true => "; Secure",
        false => "",
    };
    let over = match text.is_empty() {
        true => "; Max-Age=0",
        false => "",
    };
    let name = cookie_name(app, headers);
    let cookie = format!("{name}={text}; Path=/; HttpOnly; SameSite=Strict{secure}{over}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// The cookie of an attempt to sign in elsewhere. It has to come back from another site, so it is not strict.
const COOKIE_ATTEMPT: &str = "vestibule-attempt";
/// Seconds that an attempt may take.
const ATTEMPT_SECONDS: u32 = 15 * 60;

/// Lets the browser keep an attempt, or, with an empty text, forget it.
pub(super) fn keep_attempt(app: &App, headers: &HeaderMap, response: &mut Response, text: &str) {
    let (prefix, secure) = match is_private(app, headers) {
        true => ("__Host-", "; Secure"),
        false => ("", ""),
    };
    let life = match text.is_empty() {
        true => 0,
        false => ATTEMPT_SECONDS,
    };
    let cookie = format!(
        "{prefix}{COOKIE_ATTEMPT}={text}; Path=/; HttpOnly; SameSite=Lax; Max-Age={life}{secure}"
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// The attempt that a browser brings back.
pub(super) fn attempt(app: &App, headers: &HeaderMap) -> Option<String> {
    let prefix = match is_private(app, headers) {
        true => "__Host-",
        false => "",
    };
    cookie(headers, &format!("{prefix}{COOKIE_ATTEMPT}"))
}

/// The cookie of what was just done, which the next page tells.
const COOKIE_TOLD: &str = "vestibule-told";
/// Seconds within which that page has to come.
const TOLD_SECONDS: u32 = 60;

/// Lets the browser keep what the next page is to tell, or, with an empty text, forget it.
pub(super) fn keep_told(app: &App, headers: &HeaderMap, response: &mut Response, text: &str) {
    let (prefix, secure) = match is_private(app, headers) {
        true => ("__Host-", "; Secure"),
        false => ("", ""),
    };
    let life = match text.is_empty() {
        true => 0,
        false => TOLD_SECONDS,
    };
    let cookie = format!(
        "{prefix}{COOKIE_TOLD}={text}; Path=/; HttpOnly; SameSite=Strict; Max-Age={life}{secure}"
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// What the browser brings back of it.
pub(super) fn told(app: &App, headers: &HeaderMap) -> Option<String> {
    let prefix = match is_private(app, headers) {
        true => "__Host-",
        false => "",
    };
    cookie(headers, &format!("{prefix}{COOKIE_TOLD}"))
}

/// What every form of a session carries: nobody else can know it, and it tells nothing of the session.
pub(super) fn form_token(session: &str) -> String {
    token_hash(&format!("form of {session}"))
}

/// Whether a form carries the token of its session. Digests are compared, so that the time tells nothing.
pub(super) fn is_form_token(session: &str, sent: &str) -> bool {
    Sha256::digest(form_token(session)) == Sha256::digest(sent)
}
