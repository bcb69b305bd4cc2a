//! Who is asking: proofs of authority, made by middleware around each face and handed to handlers
//! as arguments. Without one there is no way to a connector or a directory.

mod admin;
mod application;
mod failures;
mod jwt;
mod known;
mod reach;
mod refusal;
mod rights;
mod scim;
mod verified;

pub use admin::Admin;
pub use application::CrowdApplication;
pub use scim::ScimCaller;

pub(crate) use admin::{prove, require_admin};
pub(crate) use application::require_application;
pub(crate) use failures::Failures;
pub(crate) use jwt::{Refused as RefusedToken, SignedTokens};
pub(crate) use rights::decide;
pub(crate) use scim::{KnownCallers, scim_caller};
pub(crate) use verified::VerifiedPasswords;

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, header::AUTHORIZATION};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use provision::AddressRange;

use crate::App;
use crate::forwarded::client_address;
use crate::limits::CREDENTIAL_BYTES_MAX;

/// What stands in `Authorization`.
pub(crate) enum Presented<'a> {
    /// Nothing.
    Nothing,
    /// `Bearer` and a token.
    Bearer(&'a str),
    /// `Basic` and base64.
    Basic(&'a str),
    /// One word, without a scheme.
    Bare(&'a str),
    /// Two headers.
    Several,
    /// More than any credential needs.
    TooLong,
    /// Something else, or unreadable.
    Unusable,
}

pub(crate) fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Presented::Nothing;
    };
    if values.next().is_some() {
        return Presented::Several;
    }
    if value.len() > CREDENTIAL_BYTES_MAX {
        return Presented::TooLong;
    }
    let Ok(text) = value.to_str() else {
        return Presented::Unusable;
    };
    let text = text.trim();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Presented::Bearer(token.trim())
        }
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
            Presented::Basic(pair.trim())
        }
        None if text.eq_ignore_ascii_case("bearer") => Presented::Bearer(""),
        None if !text.is_empty() => Presented::Bare(text),
        _ => Presented::Unusable,
    }
}

/// User name and password of HTTP Basic, split at the first colon; UTF-8, or else ISO-8859-1
/// (RFC 7617 section 2.1). The character NUL is in neither.
pub(crate) fn basic_pair(pair: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(pair).ok()?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    };
    let (name, password) = text.split_once(':').filter(|_| !text.contains('\0'))?;
    Some((name.to_owned(), password.to_owned()))
}

/// Whether an address is in one of the ranges; no ranges allow any address.
pub(crate) fn may_come_from(ranges: &[AddressRange], address: Option<IpAddr>) -> bool {
    ranges.is_empty()
        || address.is_some_and(|address| ranges.iter().any(|range| range.contains(address)))
}

/// From which address a request comes.
pub(crate) fn address_of(app: &App, request: &Request) -> Option<IpAddr> {
    address_behind(app, request.extensions(), request.headers())
}

fn address_behind(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    client_address(&app.inner().settings, extensions, headers)
}

/// Lets a request with a proof through to its handler, which takes the proof as an argument.
async fn admit<Proof: Clone + Send + Sync + 'static>(
    proof: Result<Proof, Response>,
    mut request: Request,
    next: Next,
) -> Response {
    match proof {
        Ok(proof) => {
            request.extensions_mut().insert(proof);
            next.run(request).await
        }
        Err(refusal) => refusal,
    }
}

/// The id of a request, for logs and the journal.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    headers
        .get("x-request-id")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}
