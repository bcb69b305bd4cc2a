//! The Crowd face: `/rest/usermanagement/{version}`, and the same under `/crowd`.

use axum::Router;
use axum::extract::Request;
use axum::http::header::ACCEPT;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use crowd::{CrowdError, Format, Reason};
use store::StoreError;

use crate::App;
use crate::authority::require_application;

/// The routes of this face. All of them, and every unknown path below, need an application first.
pub(crate) fn routes(app: App) -> Router<App> {
    let inside = Router::new()
        .fallback(unknown)
        .layer(from_fn_with_state(app, require_application));
    Router::new()
        .nest("/rest/usermanagement/{version}", inside.clone())
        .nest("/crowd/rest/usermanagement/{version}", inside)
}

async fn unknown(request: Request) -> Response {
    let error =
        CrowdError::new(Reason::OperationFailed, "There is no such resource").with_status(404);
    error_response(&error, format_of(request.headers()))
}

/// The form in which a client wants its answer.
pub(crate) fn format_of(headers: &HeaderMap) -> Format {
    Format::from_accept(headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()))
}

/// An error in Crowd's own form.
pub(crate) fn error_response(error: &CrowdError, format: Format) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = match format {
        Format::Xml => "application/xml;charset=UTF-8",
        Format::Json => "application/json;charset=UTF-8",
    };
    (status, [(CONTENT_TYPE, kind)], error.to_bytes(format)).into_response()
}

/// What a failure of the store means to a product: try again later, and change nothing meanwhile.
pub(crate) fn store_failure(error: &StoreError, format: Format) -> Response {
    tracing::warn!(%error, "a Crowd request failed");
    let status = match error {
        StoreError::Busy | StoreError::Unavailable { .. } | StoreError::DiskFull => 503,
        _ => 500,
    };
    let text = "The server cannot answer at the moment; its log tells more";
    let failure = CrowdError::new(Reason::OperationFailed, text).with_status(status);
    error_response(&failure, format)
}

/// A failure outside every handler.
pub(crate) fn failure(status: StatusCode, detail: &str) -> Response {
    let failure = CrowdError::new(Reason::OperationFailed, detail).with_status(status.as_u16());
    error_response(&failure, Format::Xml)
}
