//! A backup that arrives, looked at while it does.

use std::fs::File;
use std::io::{self, Read, Write};

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use provision::CheckedBackup;
use store::BackupError;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;

use super::backup::{PIECES_AHEAD, interrupted, problem};
use super::request::unreadable;
use super::{Answer, Problem};
use crate::App;
use crate::body::BodyError;
use crate::limits::{BACKUP_BYTES_MAX, FIRST_BYTE_TIMEOUT};

/// Receives a backup that is whole and can be restored by this program. All of it is written to `keep` as well, for good.
pub(super) async fn receive(
    app: &App,
    alone: OwnedSemaphorePermit,
    headers: &HeaderMap,
    body: Body,
    keep: Option<File>,
) -> Answer<CheckedBackup> {
    // Forms of other sites can send other types without asking first.
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if kind != Some(b"application/octet-stream") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the file as it is, with 'Content-Type: application/octet-stream'.",
        ));
    }
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
    let app = app.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let _alone = alone;
        let mut arriving = Arriving {
            pieces,
            piece: Bytes::new(),
            is_whole: false,
            keep,
        };
        let checked = app.provision().check_backup(&mut arriving)?;
        arriving.keep.map_or(Ok(()), |file| file.sync_all())?;
        Ok(checked)
    });
    let arrived = hand_over(body, sender).await;
    let looked = looking
        .await
        .map_err(|_panicked| problem(interrupted().into()))?;
    arrived?;
    looked.map_err(|error| match error {
        BackupError::Store(error) => error.into(),
        error => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, sentence(&error)),
    })
}

fn sentence(error: &BackupError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let text: String = first.into_iter().flatten().chain(letters).collect();
    format!("{text}.")
}

/// Hands over what arrives, each piece of it in time. What nobody wants is read all the same: who sends it hears the answer
/// only afterwards.
async fn hand_over(mut body: Body, sender: mpsc::Sender<Option<Bytes>>) -> Answer<()> {
    let (mut bytes, mut is_wanted) = (0, true);
    loop {
        let frame = timeout(FIRST_BYTE_TIMEOUT, body.frame()).await;
        let frame = frame.map_err(|_elapsed| unreadable(BodyError::TooSlow))?;
        let piece = match frame {
            None => None,
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => Some(data),
                Err(_trailers) => continue,
            },
            Some(Err(_broken)) => return Err(unreadable(BodyError::Broken)),
        };
        bytes += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if bytes > BACKUP_BYTES_MAX {
            let detail = "The file is too large to be looked at here. 'vestibule restore FILE --check' looks at any.";
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        let is_last = piece.is_none();
        is_wanted = is_wanted && sender.send(piece).await.is_ok();
        if is_last {
            return Ok(());
        }
    }
}

/// What arrives, for a thread that may wait for it.
struct Arriving {
    /// Pieces, and nothing for the end of it.
    pieces: mpsc::Receiver<Option<Bytes>>,
    piece: Bytes,
    is_whole: bool,
    /// Gets all of it as well.
    keep: Option<File>,
}

impl Read for Arriving {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() && !self.is_whole {
            match self.pieces.blocking_recv() {
                Some(Some(piece)) => self.piece = piece,
                Some(None) => self.is_whole = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let count = self.piece.len().min(into.len());
        let piece = self.piece.split_to(count);
        if let Some(place) = into.get_mut(..count) {
            place.copy_from_slice(&piece);
        }
        if let Some(file) = &mut self.keep {
            file.write_all(&piece)?;
        }
        Ok(count)
    }
}
