//! A form with a file in it: its fields are read first, and the file piece by piece.

use std::collections::HashMap;
use std::io;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use futures_util::{Stream, StreamExt, stream};
use http_body_util::BodyExt;
use multer::{Constraints, Field, Multipart, SizeLimit, parse_boundary};
use tokio::time::timeout;

use super::form::{Fields, require_ours};
use super::page::Trouble;
use crate::App;
use crate::limits::{FIRST_BYTE_TIMEOUT, UPLOAD_FIELDS_BYTES_MAX};

/// The field that the file is in. It is the last of its form.
const FILE: &str = "file";
/// Fields before it.
const FIELDS_MAX: usize = 20;

/// A form that is read as far as its file.
pub(super) struct Upload {
    pub(super) fields: Fields,
    /// What the file is called where it comes from.
    pub(super) name: String,
    file: Field<'static>,
}

impl Upload {
    /// Reads a form that a page of this server sent. What comes from elsewhere is refused before it is read.
    pub(super) async fn read(
        app: &App,
        headers: &HeaderMap,
        body: Body,
        bytes_max: u64,
    ) -> Result<Self, Trouble> {
        require_ours(app, headers)?;
        let kind = headers.get(CONTENT_TYPE);
        let boundary = kind.and_then(|kind| parse_boundary(kind.to_str().ok()?).ok());
        let boundary = boundary.ok_or_else(broken)?;
        let limit = SizeLimit::new()
            .per_field(UPLOAD_FIELDS_BYTES_MAX as u64)
            .for_field(FILE, bytes_max);
        let limits = Constraints::new().size_limit(limit);
        let mut parts = Multipart::with_constraints(pieces(body), boundary, limits);
        let mut fields = HashMap::new();
        while let Some(part) = parts.next_field().await.map_err(told)? {
            let name = part.name().unwrap_or_default().to_owned();
            if name == FILE {
                return Ok(Self {
                    fields: fields.into(),
                    name: part.file_name().unwrap_or_default().to_owned(),
                    file: part,
                });
            }
            if fields.len() == FIELDS_MAX {
                break;
            }
            fields.insert(name, part.text().await.map_err(told)?);
        }
        Err(broken())
    }

    /// Whether no file was chosen.
    pub(super) fn is_missing(&self) -> bool {
        self.name.is_empty()
    }

    /// The whole file.
    pub(super) async fn bytes(self) -> Result<Bytes, Trouble> {
        self.file.bytes().await.map_err(told)
    }

    /// The file as it comes.
    pub(super) fn into_body(self) -> Body {
        Body::from_stream(self.file)
    }
}

/// What arrives, each piece of it in time.
fn pieces(body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let frames = stream::unfold(body, |mut body| async {
        let frame = match timeout(FIRST_BYTE_TIMEOUT, body.frame()).await {
            Ok(frame) => frame?.map_err(io::Error::other),
            Err(_elapsed) => Err(io::ErrorKind::TimedOut.into()),
        };
        Some((frame, body))
    });
    frames.filter_map(async |frame| match frame {
        Ok(frame) => frame.into_data().ok().map(Ok),
        Err(error) => Some(Err(error)),
    })
}

fn told(error: multer::Error) -> Trouble {
    match error {
        multer::Error::FieldSizeExceeded { limit, .. } => Trouble::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "The file is too large: {} MiB at most may be sent here. The command line takes larger ones.",
                limit / 1024 / 1024
            ),
        ),
        _ => broken(),
    }
}

fn broken() -> Trouble {
    Trouble::new(
        StatusCode::BAD_REQUEST,
        "The form did not arrive as a whole. Go back, choose the file again, and send it once more.",
    )
}
