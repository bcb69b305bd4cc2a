//! Reading request bodies within limits of size and time.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header::CONTENT_ENCODING, header::CONTENT_LENGTH};
use bytes::BytesMut;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::{Duration, Instant, timeout_at};

use crate::limits::{BODY_BYTES_PER_SECOND_MIN, BODY_TIMEOUT, FIRST_BYTE_TIMEOUT};

/// Why a body could not be read. Each face words it in its protocol's own form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than this many bytes: 413.
    TooLarge(usize),
    /// It is compressed or otherwise encoded: 415.
    Encoded,
    /// It did not arrive in time: 408.
    TooSlow,
    /// The connection broke: 400.
    Broken,
}

/// The whole body, if it is at most `bytes_max` long.
pub async fn read(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Bytes, BodyError> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(BodyError::Encoded);
    }
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    if announced.is_some_and(|length| length > bytes_max as u64) {
        return Err(BodyError::TooLarge(bytes_max));
    }
    let mut body = Limited::new(body, bytes_max);
    // What arrives buys time for the rest, so that a client which drips does not hold its place.
    let started = Instant::now();
    let mut read = BytesMut::new();
    loop {
        let bought = Duration::from_secs(read.len() as u64 / BODY_BYTES_PER_SECOND_MIN);
        let allowed = (FIRST_BYTE_TIMEOUT + bought).min(BODY_TIMEOUT);
        match timeout_at(started + allowed, body.frame()).await {
            Ok(None) => return Ok(read.freeze()),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                // Most bodies come in one piece, which needs no copy.
                Ok(data) if read.is_empty() && announced == Some(data.len() as u64) => {
                    return Ok(data);
                }
                Ok(data) => read.extend_from_slice(&data),
                Err(_trailers) => {}
            },
            Ok(Some(Err(error))) if error.is::<LengthLimitError>() => {
                return Err(BodyError::TooLarge(bytes_max));
            }
            Ok(Some(Err(_broken))) => return Err(BodyError::Broken),
            Err(_elapsed) => return Err(BodyError::TooSlow),
        }
    }
}
