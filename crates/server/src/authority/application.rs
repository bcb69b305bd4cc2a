//! A product that signed in with its application's name and password.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crowd::transport::{CHALLENGE, UNAUTHENTICATED, UNAUTHENTICATED_CONTENT_TYPE};
use directory::{ApplicationId, DirectoryId};
use provision::{AddressRange, HashError, RefusedProduct, Writer};
use store::{Access, Application, StoreError};

use super::{Presented, address_of, admit, basic_pair, may_come_from, presented, request_id};
use crate::App;
use crate::crowd::View;
use crate::metrics::Refused;
use crate::traffic::whole_seconds;

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
    let proof = proof.map_err(|refusal| refusal.counted(&app, request.headers(), address));
    admit(proof, request, next).await
}

/// Why an application is not let in.
enum Refusal {
    /// It showed nothing that could be wrong.
    Anonymous,
    /// What it showed is wrong.
    Wrong,
    /// It may not come from there.
    Address,
    /// The server could not find out.
    Failed(Response),
}

impl Refusal {
    /// Counts the refusal. One that comes after too many says to come later, and repeats the sentence that
    /// administrators look for.
    fn counted(self, app: &App, headers: &HeaderMap, address: Option<IpAddr>) -> Response {
        let metrics = &app.inner().metrics;
        let now = app.provision().store().now();
        match self {
            Refusal::Anonymous => unauthorized(),
            Refusal::Failed(response) => response,
            Refusal::Address => {
                metrics.refused(Refused::Address);
                forbidden()
            }
            Refusal::Wrong => match app.inner().failures.note(address, now) {
                None => {
                    metrics.refused(Refused::Credential);
                    unauthorized()
                }
                Some(wait) => {
                    metrics.refused(Refused::Throttled);
                    throttled(wait, headers)
                }
            },
        }
    }
}

async fn authorize(
    app: &App,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<CrowdApplication, Refusal> {
    let (name, password) = match presented(headers) {
        Presented::Basic(pair) => basic_pair(pair).ok_or(Refusal::Wrong)?,
        Presented::Nothing => return Err(Refusal::Anonymous),
        _ => return Err(Refusal::Wrong),
    };
    let looked_up = app
        .provision()
        .store()
        .look_up(move |tx| {
            let now = tx.now();
            Ok::<_, StoreError>(tx.application(&name)?.map(|found| (found, now)))
        })
        .await;
    let format = crate::crowd::format_of(headers);
    let failed = |error: &StoreError| Refusal::Failed(crate::crowd::store_failure(error, format));
    let Some((application, now)) = looked_up.map_err(|error| failed(&error))? else {
        // Takes as long as with a name that is right.
        let hashed = check_password(app, None, &password).await;
        return Err(hashed.map_or_else(|error| failed(&hash_failure(&error)), |_| Refusal::Wrong));
    };
    let note = |is_address| {
        let address = address.map(|address| address.to_string());
        let refused = RefusedProduct {
            at: now,
            address,
            is_address,
        };
        app.inner()
            .seen
            .refused_application(application.id, refused);
    };
    if !may_come_from(&AddressRange::all(&application.addresses), address) {
        note(true);
        return Err(Refusal::Address);
    }
    let right = check_password(app, Some(&application), &password).await;
    if !right.map_err(|error| failed(&hash_failure(&error)))? {
        note(false);
        return Err(Refusal::Wrong);
    }
    app.inner().seen.application(application.id, now);
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

/// Somebody guesses, or a product has a password that is no more.
fn throttled(wait: Duration, headers: &HeaderMap) -> Response {
    let seconds = whole_seconds(wait);
    let message = format!(
        "Too many failed attempts came from this address; come again in {seconds} s. The last one: {UNAUTHENTICATED}."
    );
    let format = crate::crowd::format_of(headers);
    let mut response = crate::crowd::failure(StatusCode::TOO_MANY_REQUESTS, &message, format);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn hash_failure(error: &HashError) -> StoreError {
    tracing::warn!(%error, "an application's password could not be checked");
    StoreError::Busy
}
