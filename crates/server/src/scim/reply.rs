//! Answers of the SCIM face.

use axum::http::header::{ALLOW, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use scim::{Meta, Projection, ScimError, render};
use serde_json::Value;

use super::{MEDIA_TYPE, error_response};

/// What a handler gives back.
pub(super) type Reply = Result<Response, ScimError>;

/// A document to show, with the entity tag if it is one resource.
pub(super) fn shown(body: String, meta: Option<&Meta>) -> Response {
    let mut response = (StatusCode::OK, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
    if let Some(meta) = meta {
        tag(response.headers_mut(), meta);
    }
    response
}

/// A discovery document.
pub(super) fn document(body: &Value) -> Response {
    shown(body.to_string(), None)
}

/// A resource that was created, with its address.
pub(super) fn created(mut response: Response, location: &str) -> Response {
    *response.status_mut() = StatusCode::CREATED;
    set(response.headers_mut(), LOCATION, location);
    response
}

/// What is shown of a rendered resource; `beside` is the attribute that was left out of it already
/// if it isn't wanted.
pub(super) fn project(
    rendered: String,
    projection: &Projection,
    beside: &str,
) -> Result<String, ScimError> {
    if projection.shows_document(&[beside]) {
        return Ok(rendered);
    }
    render::project(&rendered, projection)
}

/// Done, and nothing to show.
pub(super) fn no_content(meta: Option<&Meta>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(meta) = meta {
        tag(response.headers_mut(), meta);
    }
    response
}

/// The client has this version already.
pub(super) fn not_modified(meta: &Meta) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    tag(response.headers_mut(), meta);
    response
}

/// The endpoint has no such method.
pub(super) fn wrong_method(method: &Method, allowed: &[Method]) -> Response {
    let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    let names = names.join(", ");
    let mut response = error_response(&ScimError::method_not_allowed(format!(
        "{method} is not possible here; {names} are."
    )));
    set(response.headers_mut(), ALLOW, &names);
    response
}

fn tag(headers: &mut HeaderMap, meta: &Meta) {
    set(headers, ETAG, &meta.etag());
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
