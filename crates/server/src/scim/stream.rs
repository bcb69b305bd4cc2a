//! Answers of any length. A short one is made in memory; one that turns out to be long is begun again
//! and written piece by piece while the client takes it, so that memory stays flat.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use provision::ProvisionError;
use scim::{Meta, ScimError, catalogue};
use store::{ReadTx, StoreError};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::reply::{self, Reply};
use super::request::Call;
use super::scim_error;

/// Answers up to this many bytes are made in memory.
const MEMORY_BYTES_MAX: usize = 256 * 1024;
/// Size of the pieces of a long answer, in bytes.
const PIECE_BYTES: usize = 32 * 1024;
/// Pieces that may wait for the client.
const PIECES_AHEAD: usize = 4;
/// A client that takes nothing for so long is gone; the reading transaction has to end.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);
/// Long answers at once; each holds a connection to the database while its client reads.
pub(super) const LONG_ANSWERS_MAX: usize = 4;

/// Why the writing of an answer stopped.
#[derive(Debug)]
pub(super) enum Halt {
    /// It is too long for memory.
    TooLong,
    /// The client went away, or a part was sent already and can't be taken back.
    Interrupted,
    /// The store failed, or there is nothing to show.
    Failed(ProvisionError),
}

impl<E: Into<ProvisionError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Halt::Failed(error.into())
    }
}

impl Halt {
    fn into_error(self) -> ScimError {
        match self {
            Halt::Failed(error) => scim_error(error),
            Halt::TooLong | Halt::Interrupted => {
                catalogue::INTERNAL_ERROR.error("The answer was interrupted. Ask again.")
            }
        }
    }
}

/// What an answer is written to.
pub(super) struct Out {
    text: String,
    one: Option<One>,
    pieces: Option<Pieces>,
}

impl Out {
    /// Says which version of one resource is shown, and its address; comes before its text.
    pub(super) fn tag(&mut self, meta: Meta, location: String) -> Result<(), Halt> {
        let one = One { meta, location };
        match &self.pieces {
            Some(pieces) => pieces.send(Piece::Tag(one)),
            None => {
                self.one = Some(one);
                Ok(())
            }
        }
    }

    /// Writes a part of the answer; `write` adds it to the text.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut String)) -> Result<(), Halt> {
        write(&mut self.text);
        match &self.pieces {
            None if self.text.len() > MEMORY_BYTES_MAX => Err(Halt::TooLong),
            Some(_) if self.text.len() >= PIECE_BYTES => self.flush(),
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), Halt> {
        let Some(pieces) = &self.pieces else {
            return Ok(());
        };
        let text = std::mem::take(&mut self.text);
        self.text.reserve(PIECE_BYTES + PIECE_BYTES / 8);
        pieces.send(Piece::Bytes(text.into()))
    }
}

/// Writes the elements of a list, which a store hands out one by one and whose callback can't halt
/// with an error of ours.
pub(super) fn each<T>(
    read: impl FnOnce(&mut dyn FnMut(T) -> Result<(), StoreError>) -> Result<(), StoreError>,
    mut write: impl FnMut(T) -> Result<(), Halt>,
) -> Result<(), Halt> {
    let mut halted = None;
    let outcome = read(&mut |item| {
        write(item).map_err(|halt| {
            halted = Some(halt);
            StoreError::Busy
        })
    });
    match halted {
        Some(halt) => Err(halt),
        None => Ok(outcome?),
    }
}

/// What the head of an answer tells of the one resource in it.
struct One {
    meta: Meta,
    location: String,
}

enum Piece {
    Tag(One),
    Bytes(Bytes),
    End,
    Failed(ScimError),
}

/// The writing thread's end of the channel to the connection.
#[derive(Clone)]
struct Pieces {
    channel: mpsc::Sender<Piece>,
    begun: Arc<AtomicBool>,
    runtime: Handle,
}

impl Pieces {
    fn send(&self, piece: Piece) -> Result<(), Halt> {
        self.begun.store(true, Ordering::Relaxed);
        let sent = self
            .runtime
            .block_on(self.channel.send_timeout(piece, STALL_TIMEOUT));
        sent.ok().ok_or(Halt::Interrupted)
    }

    /// A store may run a closure again after it lost its connection; once a part is out, it must not.
    fn begin(&self) -> Result<Out, Halt> {
        if self.begun.load(Ordering::Relaxed) {
            return Err(Halt::Interrupted);
        }
        Ok(Out {
            text: String::with_capacity(PIECE_BYTES),
            one: None,
            pieces: Some(self.clone()),
        })
    }
}

/// Answers with what `write` writes, on one consistent state of the store. `at_once` is for a few
/// index look-ups with a small answer.
pub(super) async fn answer(
    call: &Call,
    at_once: bool,
    write: impl Fn(&ReadTx<'_>, &mut Out) -> Result<(), Halt> + Clone + Send + Sync + 'static,
) -> Reply {
    let attempt = write.clone();
    let in_memory = move |tx: &mut ReadTx<'_>| {
        let mut out = Out {
            text: String::new(),
            one: None,
            pieces: None,
        };
        attempt(tx, &mut out)?;
        Ok::<_, Halt>(out)
    };
    let store = call.face.app.provision().store();
    let outcome = if at_once {
        store.look_up(in_memory).await
    } else {
        store.read(in_memory).await
    };
    match outcome {
        Ok(out) => Ok(head(out.text, out.one.as_ref())),
        Err(Halt::TooLong) => streamed(call, write).await,
        Err(halt) => Err(halt.into_error()),
    }
}

async fn streamed(
    call: &Call,
    write: impl Fn(&ReadTx<'_>, &mut Out) -> Result<(), Halt> + Send + 'static,
) -> Reply {
    let permit = Arc::clone(&call.face.long_answers).acquire_owned().await;
    let (channel, mut pieces) = mpsc::channel(PIECES_AHEAD);
    let sender = Pieces {
        channel,
        begun: Arc::default(),
        runtime: Handle::current(),
    };
    let store = call.face.app.provision().store().clone();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let outcome = store.read_blocking(|tx| {
            let mut out = sender.begin()?;
            write(tx, &mut out)?;
            out.flush()
        });
        let last = match outcome {
            Ok(()) => Piece::End,
            Err(halt) => Piece::Failed(halt.into_error()),
        };
        if sender.send(last).is_err() {
            tracing::debug!("the client of a long answer went away");
        }
    });
    let mut one = None;
    loop {
        match pieces.recv().await {
            Some(Piece::Tag(of)) => one = Some(of),
            Some(Piece::Bytes(first)) => return Ok(begun(first, one.as_ref(), pieces)),
            Some(Piece::Failed(error)) => return Err(error),
            Some(Piece::End) | None => return Err(Halt::Interrupted.into_error()),
        }
    }
}

fn head(body: String, one: Option<&One>) -> Response {
    match one {
        Some(One { meta, location }) => reply::one(body, meta, location),
        None => reply::shown(body),
    }
}

/// An answer of the first piece and those to come. What could not be read to its end never looks
/// whole: the connection breaks instead.
fn begun(first: Bytes, one: Option<&One>, pieces: mpsc::Receiver<Piece>) -> Response {
    let body =
        futures_util::stream::try_unfold((Some(first), pieces), |(first, mut pieces)| async {
            if let Some(first) = first {
                return Ok(Some((first, (None, pieces))));
            }
            match pieces.recv().await {
                Some(Piece::Bytes(bytes)) => Ok(Some((bytes, (None, pieces)))),
                Some(Piece::End) => Ok(None),
                _ => {
                    tracing::warn!("a long answer was cut off");
                    Err(io::Error::other("the answer could not be read to its end"))
                }
            }
        });
    let mut response = head(String::new(), one);
    *response.body_mut() = Body::from_stream(body);
    debug_assert_eq!(response.status(), StatusCode::OK);
    response
}
