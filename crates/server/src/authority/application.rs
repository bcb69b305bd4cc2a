//! A product that signed in with its application's name and password.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crowd::transport::{CHALLENGE, UNAUTHENTICATED, UNAUTHENTICATED_CONTENT_TYPE};
use directory::{ApplicationId, DirectoryId};
use provision::{AddressRange, HashError, Writer};
use store::{Access, Application, StoreError};

use super::{Presented, address_of, admit, presented, request_id};
use crate::App;

/// The proof that a request comes from an application, and which directory it sees.
#[derive(Clone)]
pub struct CrowdApplication {
    /// The store's number.
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
    /// The directory it sees.
    pub directory: DirectoryId,
    /// What it may do.
    pub access: Access,
    /// The id of the request, for the journal.
    pub request: String,
    /// The URL of this server as the product knows it, without a slash at the end.
    pub base_url: String,
}

impl CrowdApplication {
    /// The application as the author of local writes, if it may write at all.
    pub fn writer(&self) -> Option<Writer> {
        (self.access == Access::ReadWrite).then(|| Writer {
            directory: self.directory,
            application: self.name.clone(),
            request: self.request.clone(),
        })
    }
}

impl<S: Sync> FromRequestParts<S> for CrowdApplication {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let found = parts.extensions.get::<CrowdApplication>().cloned();
        found.ok_or_else(unauthorized)
    }
}

/// Lets a request through to the Crowd face if name, password and address are right.
pub(crate) async fn require_application(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let address = address_of(&app, &request);
    let proof = authorize(&app, request.headers(), address).await;
    admit(proof, request, next).await
}

async fn authorize(
    app: &App,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<CrowdApplication, Response> {
    let Presented::Basic(pair) = presented(headers) else {
        return Err(unauthorized());
    };
    let (name, password) = decode(pair).ok_or_else(unauthorized)?;
    let looked_up = app
        .provision()
        .store()
        .look_up(move |tx| {
            let now = tx.now();
            Ok::<_, StoreError>(tx.application(&name)?.map(|found| (found, now)))
        })
        .await;
    let format = crate::crowd::format_of(headers);
    let found = looked_up.map_err(|error| crate::crowd::store_failure(&error, format))?;
    let Some((application, now)) = found else {
        check_password(app, None, &password)
            .await
            .map_err(|error| hash_failure(&error, format))?;
        return Err(unauthorized());
    };
    if !may_come_from(&application, address) {
        return Err(forbidden());
    }
    let right = check_password(app, Some(&application), &password)
        .await
        .map_err(|error| hash_failure(&error, format))?;
    if !right {
        return Err(unauthorized());
    }
    app.inner().seen.application(application.id, now, None);
    Ok(CrowdApplication {
        id: application.id,
        name: application.name,
        directory: application.directory,
        access: application.access,
        request: request_id(headers),
        base_url: app.base_url(headers),
    })
}

async fn check_password(
    app: &App,
    application: Option<&Application>,
    password: &str,
) -> Result<bool, HashError> {
    let verified = &app.inner().verified;
    if let Some(found) = application
        && verified.holds(found.id, found.updated, password)
    {
        return Ok(true);
    }
    let hash = application.map(|found| found.password_hash.clone());
    let right = app.passwords().verify(password.to_owned(), hash).await?;
    if right && let Some(found) = application {
        verified.remember(found.id, found.updated, password);
    }
    Ok(right)
}

/// Name and password, split at the first colon; UTF-8, or else ISO-8859-1.
fn decode(pair: &str) -> Option<(String, String)> {
    let bytes = STANDARD.decode(pair).ok()?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    };
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn may_come_from(application: &Application, address: Option<IpAddr>) -> bool {
    if application.addresses.is_empty() {
        return true;
    }
    let mut ranges = application
        .addresses
        .iter()
        .filter_map(|text| AddressRange::parse(text));
    address.is_some_and(|address| ranges.any(|range| range.contains(address)))
}

/// The text is compared literally by some clients.
fn unauthorized() -> Response {
    let mut response = (
        StatusCode::UNAUTHORIZED,
        [(CONTENT_TYPE, UNAUTHENTICATED_CONTENT_TYPE)],
        UNAUTHENTICATED,
    )
        .into_response();
    let challenge = HeaderValue::from_static(CHALLENGE);
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

/// Clients look for this sentence.
fn forbidden() -> Response {
    (
        StatusCode::FORBIDDEN,
        [(CONTENT_TYPE, UNAUTHENTICATED_CONTENT_TYPE)],
        "The server understood the request but refuses to authorize it.\nThe application may not be used from this address.",
    )
        .into_response()
}

fn hash_failure(error: &HashError, format: ::crowd::Format) -> Response {
    tracing::warn!(%error, "an application's password could not be checked");
    crate::crowd::store_failure(&StoreError::Busy, format)
}
