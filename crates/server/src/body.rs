//! Reading request bodies within limits of size and time.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header::CONTENT_ENCODING, header::CONTENT_LENGTH};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::limits::BODY_TIMEOUT;

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
    let limited = Limited::new(body, bytes_max).collect();
    match tokio::time::timeout(BODY_TIMEOUT, limited).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge(bytes_max)),
        Ok(Err(_)) => Err(BodyError::Broken),
        Err(_elapsed) => Err(BodyError::TooSlow),
    }
}
