//! Answers that are whole in memory, compressed for clients that ask for it. What is streamed is not: each compressor
//! would hold memory of its own for as long as the client reads. No answer of this face has a secret in it, so that
//! its length tells nothing worth knowing.

use std::io::Write;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;

/// A shorter answer is one packet anyway.
const BYTES_MIN: u64 = 1_500;
/// A longer one would keep others waiting.
const BYTES_MAX: u64 = 512 * 1024;

/// The answer, compressed if that is asked for and worth it.
pub(super) async fn compressed(asked: &HeaderMap, response: Response) -> Response {
    let length = response.body().size_hint().exact();
    if !length.is_some_and(|length| (BYTES_MIN..=BYTES_MAX).contains(&length)) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let vary = HeaderValue::from_static("accept-encoding");
    parts.headers.insert(VARY, vary);
    if !takes_gzip(asked) {
        return Response::from_parts(parts, body);
    }
    let most = usize::try_from(BYTES_MAX).unwrap_or(usize::MAX);
    // A body that is whole in memory has nothing that could fail.
    let whole = to_bytes(body, most).await.unwrap_or_default();
    match zipped(&whole) {
        Some(short) => {
            let gzip = HeaderValue::from_static("gzip");
            parts.headers.insert(CONTENT_ENCODING, gzip);
            Response::from_parts(parts, Body::from(short))
        }
        None => Response::from_parts(parts, Body::from(whole)),
    }
}

fn zipped(whole: &Bytes) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(whole.len() / 4), Compression::fast());
    encoder.write_all(whole).ok()?;
    encoder.finish().ok()
}

/// Whether a client names gzip, and does not refuse it (RFC 9110 section 12.5.3).
fn takes_gzip(asked: &HeaderMap) -> bool {
    let values = asked.get_all(ACCEPT_ENCODING).iter();
    let mut codings = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case("gzip")
            && weight.trim().parse().is_ok_and(|q: f32| q > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_refuses_gzip_does_not_get_it() {
        for (asked, takes) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("br;q=1.0, gzip; q=0.1", true),
            ("gzip;q=0", false),
            ("gzip;q=x", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(asked));
            assert_eq!(takes_gzip(&headers), takes, "{asked}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
