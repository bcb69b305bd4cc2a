//! A product that signed in with its application's name and password.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crowd::transport::{CHALLENGE, UNAUTHENTICATED, UNAUTHENTICATED_CONTENT_TYPE};
use directory::{ApplicationId, DirectoryId};
use provision::{AddressRange, HashError, Writer};
use store::{Access, Application, StoreError};

use super::{Presented, address_of, admit, basic_pair, may_come_from, presented, request_id};
use crate::App;
use crate::crowd::View;

/// The proof that a request comes from an application, and what it sees.
#[derive(Clone)]
pub struct CrowdApplication {
    /// The store's number.
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
    /// What it sees.
    pub(crate) view: View,
    /// What it may do.
    pub access: Access,
    /// The id of the request, for the journal.
    pub request: String,
    /// The URL of this server as the product knows it, without a slash at the end.
    pub base_url: String,
}

impl CrowdApplication {
    /// Whether it may write at all.
    pub fn may_write(&self) -> bool {
        self.access == Access::ReadWrite
    }

    /// The application as the author of local writes in a directory.
    pub fn writer(&self, directory: DirectoryId) -> Writer {
        Writer {
            directory,
            application: self.name.clone(),
            request: self.request.clone(),
        }
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
    let (name, password) = basic_pair(pair).ok_or_else(unauthorized)?;
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
    if !may_come_from(&AddressRange::all(&application.addresses), address) {
        return Err(forbidden());
    }
    let right = check_password(app, Some(&application), &password)
        .await
        .map_err(|error| hash_failure(&error, format))?;
    if !right {
        return Err(unauthorized());
    }
    app.inner().seen.application(application.id, now, &[]);
    Ok(CrowdApplication {
        id: application.id,
        name: application.name,
        view: View::new(application.mapping),
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
