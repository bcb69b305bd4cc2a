//! Who is asking: proofs of authority, made by middleware around each face and handed to handlers
//! as arguments. Without one there is no way to a connector or a directory.

mod admin;
mod application;
mod scim;
mod verified;

pub use admin::Admin;
pub use application::CrowdApplication;
pub use scim::ScimCaller;

pub(crate) use admin::require_admin;
pub(crate) use application::require_application;
pub(crate) use scim::require_scim_caller;
pub(crate) use verified::VerifiedPasswords;

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, header::AUTHORIZATION};
use axum::middleware::Next;
use axum::response::Response;

use crate::App;
use crate::forwarded::client_address;

/// What stands in `Authorization`.
pub(crate) enum Presented<'a> {
    /// Nothing.
    Nothing,
    /// `Bearer` and a token.
    Bearer(&'a str),
    /// `Basic` and base64.
    Basic(&'a str),
    /// Something else, two of them, or unreadable.
    Unusable,
}

pub(crate) fn presented(headers: &HeaderMap) -> Presented<'_> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Presented::Nothing;
    };
    if values.next().is_some() {
        return Presented::Unusable;
    }
    let Ok(text) = value.to_str() else {
        return Presented::Unusable;
    };
    match text.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Presented::Bearer(token.trim())
        }
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
            Presented::Basic(pair.trim())
        }
        _ => Presented::Unusable,
    }
}

/// From which address a request comes.
fn address_of(app: &App, request: &Request) -> Option<IpAddr> {
    let settings = &app.inner().settings;
    client_address(settings, request.extensions(), request.headers())
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
