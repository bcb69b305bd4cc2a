//! The SCIM face: `/scim/v2/{connector}`.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use provision::ProvisionError;
use scim::{ScimError, ScimType};
use store::StoreError;

use crate::App;
use crate::authority::require_scim_caller;

/// The media type of every answer (RFC 7644 section 3.1).
pub(crate) const MEDIA_TYPE: &str = "application/scim+json";

/// The routes of this face. All of them, and every unknown path below, need a caller first.
pub(crate) fn routes(app: App) -> Router<App> {
    let inside = Router::new()
        .fallback(unknown)
        .layer(from_fn_with_state(app, require_scim_caller));
    Router::new().nest("/scim/v2/{connector}", inside)
}

async fn unknown() -> Response {
    error_response(&ScimError::not_found(
        "There is no such endpoint. The endpoints are Users, Groups, ServiceProviderConfig, ResourceTypes and Schemas, below the base URL.",
    ))
}

/// An error in SCIM's own form (RFC 7644 section 3.12).
pub(crate) fn error_response(error: &ScimError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(CONTENT_TYPE, MEDIA_TYPE)], error.to_json()).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let seconds = axum::http::HeaderValue::from_static("10");
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

/// What a failed use case means to a SCIM client. Our own trouble is never the client's fault.
pub(crate) fn scim_error(error: ProvisionError) -> ScimError {
    match error {
        ProvisionError::Scim(error) => error,
        ProvisionError::Store(StoreError::Conflict { constraint }) => ScimError::new(
            409,
            Some(ScimType::Uniqueness),
            format!("The value is taken already ({constraint}). Look it up with a filter."),
        ),
        ProvisionError::Store(
            StoreError::Busy | StoreError::Unavailable { .. } | StoreError::DiskFull,
        ) => {
            tracing::warn!(%error, "a SCIM request had to be put off");
            ScimError::unavailable(
                "The server cannot store anything at the moment. Try again later; nothing of the request happened.",
            )
        }
        other => {
            tracing::error!(error = %other, "a SCIM request failed");
            ScimError::internal(
                "The server made a mistake. Nothing of the request was stored. The server's log tells more.",
            )
        }
    }
}
