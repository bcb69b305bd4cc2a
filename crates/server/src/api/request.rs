//! Reading requests of the admin API: each part is understood as a whole or refused with what to do.

use std::ops::Deref;

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use directory::rules::TABLE_ENTRIES_MAX;
use scim::json::Limits;
use scim::limits::JSON_DEPTH_MAX;
use serde::de::DeserializeOwned;

use super::Problem;
use crate::audit::ReadBody;
use crate::body::{self, BodyError};
use crate::limits::{API_BODY_BYTES_MAX, CONFIGURATION_BODY_BYTES_MAX, CONFIGURATION_DEPTH_MAX};

/// How what is said of a body begins that was understood, but not as what it should be.
pub(crate) const BODY_UNUSABLE: &str = "The body cannot be used: ";
/// The same of parameters.
pub(crate) const PARAMETERS_UNUSABLE: &str = "The parameters cannot be used: ";

/// A JSON object in the body.
pub(super) struct Body<T>(pub(super) T);

/// A JSON object in the body that may be long.
pub(super) struct LongBody<T>(pub(super) T);

/// A JSON object in the body, or no body at all.
pub(super) struct OptionalBody<T>(pub(super) T);

/// The parameters behind the `?`; misspelt ones are refused where the type does so.
pub(super) struct Parameters<T>(pub(super) T);

/// The variable parts of the path.
pub(super) struct Segments<T>(pub(super) T);

impl<T> Deref for Segments<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let bytes = read(request, API_BODY_BYTES_MAX).await?;
        understand(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for LongBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let bytes = read(request, CONFIGURATION_BODY_BYTES_MAX).await?;
        understand_within(&bytes, CONFIGURATION_DEPTH_MAX).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        if request.headers().get(CONTENT_TYPE).is_none() {
            let (parts, body) = request.into_parts();
            let bytes = body::read(&parts.headers, body, API_BODY_BYTES_MAX).await;
            return match bytes.map_err(unreadable)? {
                bytes if bytes.is_empty() => Ok(Self(T::default())),
                _ => Err(not_json()),
            };
        }
        let bytes = read(request, API_BODY_BYTES_MAX).await?;
        understand(&bytes).map(Self)
    }
}

async fn read(request: Request, most: usize) -> Result<axum::body::Bytes, Problem> {
    let (mut parts, body) = request.into_parts();
    let audited = parts.extensions.remove::<ReadBody>();
    let kind = parts.headers.get(CONTENT_TYPE);
    let kind = kind
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    // Forms of other sites can send every other type without asking first.
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(not_json());
    }
    let bytes = body::read(&parts.headers, body, most).await;
    let bytes = bytes.map_err(unreadable)?;
    if let Some(audited) = audited {
        audited.note(&bytes);
    }
    Ok(bytes)
}

fn understand<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    understand_within(bytes, JSON_DEPTH_MAX)
}

fn understand_within<T: DeserializeOwned>(bytes: &[u8], depth_max: usize) -> Result<T, Problem> {
    // Refuses what a lenient reader would guess about: members twice, too deep. A spelling that nothing has is refused
    // where it is understood; in tables of rules, two spellings are two values.
    let limits = Limits {
        depth: depth_max,
        names: TABLE_ENTRIES_MAX,
        case_counts: true,
    };
    scim::json::read_object_within(bytes, limits)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.detail))?;
    match Json::<T>::from_bytes(bytes) {
        Ok(Json(value)) => Ok(value),
        Err(rejection) => {
            let text = rejection.body_text();
            let said = text
                .split_once("type: ")
                .map_or(text.as_str(), |(_, said)| said);
            Err(Problem::misread(rejection.status(), BODY_UNUSABLE, said))
        }
    }
}

fn not_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body has to be a JSON object, sent with 'Content-Type: application/json'.",
    )
}

pub(super) fn unreadable(error: BodyError) -> Problem {
    let (status, detail) = match error {
        BodyError::TooLarge(most) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The body may have {most} bytes at most."),
        ),
        BodyError::Encoded => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the body as it is, without Content-Encoding.".to_owned(),
        ),
        BodyError::TooSlow => (
            StatusCode::REQUEST_TIMEOUT,
            "The body did not arrive in time. Send it again.".to_owned(),
        ),
        BodyError::Broken => (
            StatusCode::BAD_REQUEST,
            "The body broke off. Send it again.".to_owned(),
        ),
    };
    Problem::new(status, detail)
}

/// No name has the character NUL, and no database takes it.
fn refuse_nul(encoded: &str) -> Result<(), Problem> {
    if encoded.contains("%00") {
        let detail = "The address has the character NUL in it, which no name has.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    Ok(())
}

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        refuse_nul(parts.uri.query().unwrap_or_default())?;
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                let text = rejection.body_text();
                let said = text
                    .split_once(": ")
                    .map_or(text.as_str(), |(_, said)| said);
                let status = StatusCode::BAD_REQUEST;
                Err(Problem::misread(status, PARAMETERS_UNUSABLE, said))
            }
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        refuse_nul(parts.uri.path())?;
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => {
                let status = rejection.into_response().status();
                let detail = "The path cannot be read. Numbers have digits only; names are percent-encoded as UTF-8.";
                Err(Problem::new(status, detail))
            }
        }
    }
}
