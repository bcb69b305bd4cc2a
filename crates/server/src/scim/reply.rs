//! Answers of the SCIM face.

use axum::http::header::{ALLOW, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use scim::{Meta, Projection, ScimError, catalogue, render};
use serde_json::Value;

use super::{MEDIA_TYPE, error_response};

/// What a handler gives back.
pub(super) type Reply = Result<Response, ScimError>;

/// A document to show.
pub(super) fn shown(body: String) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, MEDIA_TYPE)], body).into_response()
}

/// One resource, with its entity tag and its address (RFC 7644 sections 3.4.1 and 3.14).
pub(super) fn one(body: String, meta: &Meta, location: &str) -> Response {
    tagged(shown(body), meta, location)
}

/// A discovery document.
pub(super) fn document(body: &Value) -> Response {
    shown(body.to_string())
}

/// A resource that was created.
pub(super) fn created(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::CREATED;
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
pub(super) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// A resource was written and is not shown.
pub(super) fn written(meta: &Meta, location: &str) -> Response {
    tagged(no_content(), meta, location)
}

/// The client has this version already.
pub(super) fn not_modified(meta: &Meta) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    set(response.headers_mut(), ETAG, &meta.etag());
    response
}

/// The methods of an endpoint, as an answer to OPTIONS.
pub(super) fn options(allowed: &[Method]) -> Response {
    let mut response = no_content();
    set(response.headers_mut(), ALLOW, &names(allowed));
    response
}

/// The endpoint has no such method.
pub(super) fn wrong_method(method: &Method, allowed: &[Method]) -> Response {
    let names = names(allowed);
    let mut response = error_response(
        &catalogue::METHOD_NOT_OFFERED
            .error(format!("{method} is not possible here; {names} are.")),
    );
    set(response.headers_mut(), ALLOW, &names);
    response
}

fn names(methods: &[Method]) -> String {
    let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
    names.join(", ")
}

fn tagged(mut response: Response, meta: &Meta, location: &str) -> Response {
    set(response.headers_mut(), ETAG, &meta.etag());
    set(response.headers_mut(), LOCATION, location);
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
