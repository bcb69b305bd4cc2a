//! Answers of any length: a blocking thread reads the store and writes, the connection takes it piece by piece.
//!
//! What could not be read to its end never looks whole. A failure before the first piece is a plain refusal; a
//! later one breaks the connection, since a product deletes whatever is missing from a list that seems complete.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::crowd::{CrowdError, Format, Reason};
use axum::body::{Body, Bytes};
use futures_util::stream;
use store::ReadTx;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};

use super::Refusal;
use super::call::Call;
use super::reply::{Reply, document};
use super::view::View;

/// Pieces that may wait for the connection.
const PIECES_AHEAD: usize = 4;
/// A caller that takes nothing for so long is gone; its read transaction has to end.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);
/// A whole answer takes no longer, however steadily its caller drips: an old read transaction is a burden.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// Long answers at once. Each holds a connection to the database while its caller reads, and logins need some too.
const LISTINGS_AT_ONCE: usize = 4;

/// The right to write a long answer.
pub(super) struct Listings {
    running: Arc<Semaphore>,
}

impl Default for Listings {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(LISTINGS_AT_ONCE)),
        }
    }
}

/// Where an answer is written to.
pub(super) enum Sink {
    /// Memory, for an answer of bounded length.
    Memory(Vec<u8>),
    /// The connection, piece by piece.
    Connection(Pieces),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Memory(buffer) => buffer.write(bytes),
            Sink::Connection(pieces) => pieces.send(bytes).map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The thread's end of the channel to the connection.
#[derive(Clone)]
pub(super) struct Pieces {
    channel: mpsc::Sender<Piece>,
    sent: Arc<AtomicBool>,
    runtime: Handle,
}

enum Piece {
    Bytes(Bytes),
    End,
    Failed(Refusal),
}

impl Pieces {
    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        self.sent.store(true, Ordering::Relaxed);
        self.pass(Piece::Bytes(Bytes::copy_from_slice(bytes)))
    }

    fn pass(&self, piece: Piece) -> io::Result<()> {
        match self.channel.try_send(piece) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(TrySendError::Full(piece)) => {
                let waiting = self.channel.send_timeout(piece, STALL_TIMEOUT);
                self.runtime
                    .block_on(waiting)
                    .map_err(|_gone| io::ErrorKind::TimedOut.into())
            }
        }
    }

    /// A store may run a closure again after a lost connection. That is all right as long as nothing went out.
    fn begin(&self) -> io::Result<()> {
        if self.sent.load(Ordering::Relaxed) {
            return Err(io::Error::other("the answer was interrupted"));
        }
        Ok(())
    }
}

/// Answers with a document that may be of any length, written by `write` on one consistent state.
pub(super) async fn unbounded(
    call: &Call,
    format: Format,
    write: impl Fn(&ReadTx<'_>, &View, Sink) -> Result<Sink, Refusal> + Send + 'static,
) -> Reply {
    let running = Arc::clone(&call.face.listings.running)
        .acquire_owned()
        .await;
    let (store, view) = (
        call.face.app.provision().store().clone(),
        call.view().clone(),
    );
    let body = body_of(move |pieces| {
        let _running = running;
        store.read_blocking(|tx| {
            pieces.begin()?;
            write(tx, &view, Sink::Connection(pieces.clone())).map(drop)
        })
    });
    Ok(document(format, body.await?))
}

/// A body that `write` fills from a thread of its own.
async fn body_of(
    write: impl FnOnce(&Pieces) -> Result<(), Refusal> + Send + 'static,
) -> Result<Body, Refusal> {
    let (channel, mut pieces) = mpsc::channel(PIECES_AHEAD);
    let sender = Pieces {
        channel,
        sent: Arc::default(),
        runtime: Handle::current(),
    };
    tokio::task::spawn_blocking(move || {
        let last = match write(&sender) {
            Ok(()) => Piece::End,
            Err(refusal) => Piece::Failed(refusal),
        };
        if sender.pass(last).is_err() {
            tracing::debug!("the caller of a long answer went away");
        }
    });
    // What fits into one piece is sent as a whole, with its length.
    let first = next_bytes(&mut pieces).await?.unwrap_or_default();
    match next_bytes(&mut pieces).await? {
        None => Ok(Body::from(first)),
        Some(second) => Ok(rest_of(vec![second, first], pieces)),
    }
}

/// Answers with a document that the caller of this function knows to be short.
pub(super) async fn bounded(
    call: &Call,
    write: impl Fn(&ReadTx<'_>, &View, Sink) -> Result<Sink, Refusal> + Send + Sync + 'static,
) -> Reply {
    let view = call.view().clone();
    let store = call.face.app.provision().store();
    let sink = store
        .read(move |tx| write(tx, &view, Sink::Memory(Vec::new())))
        .await?;
    match sink {
        Sink::Memory(body) => Ok(document(call.format(), body)),
        Sink::Connection(_) => Err(interrupted()),
    }
}

/// The next piece; none at the end. A channel that closes before the end is a thread that died.
async fn next_bytes(pieces: &mut mpsc::Receiver<Piece>) -> Result<Option<Bytes>, Refusal> {
    match pieces.recv().await {
        Some(Piece::Bytes(bytes)) => Ok(Some(bytes)),
        Some(Piece::End) => Ok(None),
        Some(Piece::Failed(refusal)) => Err(refusal),
        None => Err(interrupted()),
    }
}

/// A body of the pieces at hand (last one first) and those to come, as long as there is time.
fn rest_of(at_hand: Vec<Bytes>, pieces: mpsc::Receiver<Piece>) -> Body {
    let time = Box::pin(tokio::time::sleep(ANSWER_TIMEOUT));
    let state = (at_hand, pieces, time);
    let all = stream::try_unfold(state, |(mut at_hand, mut pieces, mut time)| async {
        let next = match at_hand.pop() {
            Some(bytes) => Ok(Some(bytes)),
            None => tokio::select! {
                biased;
                () = &mut time => Err(interrupted()),
                next = next_bytes(&mut pieces) => next,
            },
        };
        let next = next.map_err(|refusal| {
            tracing::warn!(error = %refusal.into_error(), "a long answer was cut off");
            io::Error::other("the answer could not be read to its end")
        })?;
        Ok::<_, io::Error>(next.map(|bytes| (bytes, (at_hand, pieces, time))))
    });
    Body::from_stream(all)
}

fn interrupted() -> Refusal {
    let message = "The answer could not be read to its end. The server's log tells more.";
    CrowdError::new(Reason::OperationFailed, message).into()
}

#[cfg(test)]
mod tests {
    use std::future::IntoFuture;

    use axum::Router;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// Everything that comes back from a server whose one answer is written by `write`.
    fn answer_of(write: fn(&Pieces) -> Result<(), Refusal>) -> String {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async move {
            let answer = move || async move {
                match body_of(write).await {
                    Ok(body) => document(Format::Xml, body),
                    Err(refusal) => refusal.into_response(),
                }
            };
            let router = Router::new().route("/", get(answer));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(axum::serve(listener, router).into_future());
            let mut stream = TcpStream::connect(address).await.unwrap();
            let head = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = String::new();
            let _how_it_ended = stream.read_to_string(&mut answer).await;
            answer
        })
    }

    fn trouble() -> Refusal {
        CrowdError::new(Reason::OperationFailed, "the database went away").into()
    }

    #[test]
    fn a_short_answer_comes_whole_with_its_length() {
        let answer = answer_of(|pieces| Ok(pieces.send(b"<users/>")?));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("content-length: 8\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n<users/>"), "{answer}");
    }

    #[test]
    fn a_long_answer_comes_in_pieces_to_its_end() {
        let answer = answer_of(|pieces| {
            for _ in 0..100 {
                pieces.send(&[b'~'; 10_000])?;
            }
            Ok(())
        });
        assert_eq!(answer.matches('~').count(), 1_000_000);
        assert!(answer.ends_with("\r\n0\r\n\r\n"));
    }

    #[test]
    fn trouble_before_the_first_piece_is_a_refusal() {
        let answer = answer_of(|_| Err(trouble()));
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    }

    #[test]
    fn trouble_in_the_middle_breaks_the_connection() {
        let answer = answer_of(|pieces| {
            for _ in 0..100 {
                pieces.send(&[b'~'; 10_000])?;
            }
            Err(trouble())
        });
        assert!(answer.starts_with("HTTP/1.1 200"));
        assert!(
            !answer.ends_with("0\r\n\r\n"),
            "a reader would take this for the end"
        );
    }

    #[test]
    fn a_thread_that_dies_breaks_the_connection() {
        let answer = answer_of(|pieces| {
            for _ in 0..100 {
                pieces.send(&[b'~'; 10_000])?;
            }
            panic!("a mistake");
        });
        assert!(
            !answer.ends_with("0\r\n\r\n"),
            "a reader would take this for the end"
        );
        let answer = answer_of(|_| panic!("a mistake"));
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    }

    #[test]
    fn an_answer_that_has_begun_is_not_begun_again() {
        let answer = answer_of(|pieces| {
            pieces.begin()?;
            pieces.begin()?;
            pieces.send(b"half")?;
            Ok(pieces.begin()?)
        });
        assert!(
            !answer.contains("half\r\n0\r\n\r\n") && !answer.ends_with("half"),
            "{answer}"
        );
    }
}
