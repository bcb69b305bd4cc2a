//! The format of answers, and the one place where refusals become entities.

use ::crowd::{CrowdError, Format, transport};
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// Seconds after which a caller may try again when the server could not serve it.
const RETRY_AFTER_SECONDS: u64 = 10;

/// The format that a request asks for.
pub(crate) fn format_of(headers: &HeaderMap) -> Format {
    let values = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let accept: Vec<&str> = values.collect();
    Format::from_accept((!accept.is_empty()).then(|| accept.join(",")).as_deref())
}

/// Gives every answer of this face the headers that clients count on, and every refusal its entity.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let format = format_of(request.headers());
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<CrowdError>() {
        let headers = std::mem::take(response.headers_mut());
        response = render(&error, format);
        // What routing added, e.g. the methods that a resource does know.
        for (name, value) in &headers {
            response
                .headers_mut()
                .entry(name)
                .or_insert_with(|| value.clone());
        }
    }
    let headers = response.headers_mut();
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static(transport::CACHE_CONTROL),
    );
    response
}

/// An error entity as a response.
pub(super) fn render(error: &CrowdError, format: Format) -> Response {
    let mut response = Response::new(Body::from(error.to_bytes(format)));
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    let unavailable = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER_SECONDS);
    if let Some(seconds) = error.retry_after.or(unavailable) {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::{failure, not_found};

    #[test]
    fn whatever_happens_is_said_in_the_format_that_was_asked_for() {
        for format in [Format::Xml, Format::Json] {
            let panicked = failure(StatusCode::INTERNAL_SERVER_ERROR, "A mistake.", format);
            let too_slow = failure(StatusCode::SERVICE_UNAVAILABLE, "Too slow.", format);
            assert_eq!(too_slow.headers()[RETRY_AFTER], "10");
            for answer in [panicked, too_slow, not_found(format)] {
                assert_eq!(answer.headers()[CONTENT_TYPE], format.content_type());
            }
        }
    }
}
