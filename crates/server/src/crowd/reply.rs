//! The shapes of answers that are no refusals.

use ::crowd::Format;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Refusal;

/// What every handler gives back.
pub(super) type Reply = Result<Response, Refusal>;

/// 200 with a document.
pub(super) fn document(format: Format, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let kind = HeaderValue::from_static(format.content_type());
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// 201 with the place of what was made. It has a content type even without a body, since some clients crash
/// without one.
pub(super) fn created(format: Format, location: &str, body: Vec<u8>) -> Response {
    let mut response = document(format, body);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// 204.
pub(super) fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
