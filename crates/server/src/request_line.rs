//! Request lines that the HTTP library would refuse before anybody of ours sees them, as in
//! `GET /Users?filter=userName eq "x"`.
//!
//! Bytes that may not stand in a target are replaced by one that may, byte for byte, so that nothing
//! moves and the library reads the message as it was sent; the target as it came is kept aside for the
//! handler. A target with blanks is not guessed at (RFC 9112, section 3.2): it is refused, but in the
//! form of the face that it was meant for.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response, Uri};
use hyper::body::{Frame, SizeHint};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is encoded of a target that came in the clear: what the library refuses, and nothing that could
/// be encoded already.
const REFUSED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');
/// Stands for a refused byte until the handler has the target as it came.
const PLACEHOLDER: u8 = b'_';

/// The target cannot be used as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlankInTarget;

/// What the connection and the handlers of its requests share.
#[derive(Clone, Default)]
pub(crate) struct Lines {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// A request is being answered: what arrives now is its body, or comes too early to be looked at.
    busy: AtomicBool,
    /// The target of the present request as it came, if it had to be changed.
    target: Mutex<Option<Vec<u8>>>,
}

impl Lines {
    /// Gives a request the target that its client meant.
    pub(crate) fn restore(&self, request: &mut Request<Body>) {
        self.shared.busy.store(true, Ordering::Release);
        let target = self.lock().take();
        let Some(target) = target else {
            return;
        };
        let (readable, has_blank) = match target.iter().position(|byte| b" \t".contains(byte)) {
            Some(blank) => (target.get(..blank).unwrap_or_default(), true),
            None => (target.as_slice(), false),
        };
        if let Ok(uri) = percent_encode(readable, REFUSED).to_string().parse::<Uri>() {
            *request.uri_mut() = uri;
        }
        if has_blank {
            request.extensions_mut().insert(BlankInTarget);
        }
    }

    /// Marks the end of a request: when its answer has been handed over, or given up.
    pub(crate) fn until_answered(&self, response: Response<Body>) -> Response<Guarded> {
        let end = End(self.clone());
        response.map(|body| Guarded { body, _end: end })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<u8>>> {
        self.shared
            .target
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the first bytes of a message.
    fn repair(&self, bytes: &mut [u8]) {
        let Some(range) = target_of(bytes) else {
            return;
        };
        let Some(target) = bytes.get_mut(range) else {
            return;
        };
        let is_refused = |byte: &u8| !(b'!'..=b'~').contains(byte) || b"\"<>".contains(byte);
        if !target.iter().any(is_refused) {
            return;
        }
        *self.lock() = Some(target.to_vec());
        for byte in target.iter_mut().filter(|byte| is_refused(byte)) {
            *byte = PLACEHOLDER;
        }
    }
}

/// The body of an answer, at whose end the connection waits for the next message.
pub(crate) struct Guarded {
    body: Body,
    _end: End,
}

impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

struct End(Lines);

impl Drop for End {
    fn drop(&mut self) {
        self.0.shared.busy.store(false, Ordering::Release);
    }
}

/// Where the target stands, if the bytes begin with a whole request line for a path.
fn target_of(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..end)?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let start = line.iter().position(|byte| *byte == b' ')? + 1;
    let stop = line.iter().rposition(|byte| *byte == b' ')?;
    let method = line.get(..start - 1)?;
    let is_line = !method.is_empty()
        && method.iter().all(u8::is_ascii_uppercase)
        && line.get(stop..)?.starts_with(b" HTTP/1.")
        && line.get(start) == Some(&b'/')
        && start < stop;
    is_line.then_some(start..stop)
}

/// A connection whose request lines are looked at as they come in.
pub(crate) struct Lenient<S> {
    stream: S,
    lines: Lines,
    /// Nothing of the next message has come yet.
    at_start: bool,
}

impl<S> Lenient<S> {
    pub(crate) fn new(stream: S, lines: Lines) -> Self {
        Self {
            stream,
            lines,
            at_start: true,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lenient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let came = buffer.filled().len() > before;
        if came && !self.lines.shared.busy.load(Ordering::Acquire) {
            if self.at_start
                && let Some(new) = buffer.filled_mut().get_mut(before..)
            {
                self.lines.repair(new);
            }
            self.at_start = false;
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lenient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // An answer goes out: what comes after it begins a message.
        self.at_start = true;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.at_start = true;
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(line: &str) -> (String, Option<String>) {
        let lines = Lines::default();
        let mut bytes = line.as_bytes().to_vec();
        lines.repair(&mut bytes);
        let target = lines.lock().take();
        (
            String::from_utf8(bytes).unwrap(),
            target.map(|target| String::from_utf8(target).unwrap()),
        )
    }

    #[test]
    fn only_targets_are_changed_and_nothing_moves() {
        let line = "GET /Users?filter=userName+eq+\"x\" HTTP/1.1\r\nA: \"b\"\r\n\r\n";
        let (now, target) = repaired(line);
        assert_eq!(
            now,
            "GET /Users?filter=userName+eq+_x_ HTTP/1.1\r\nA: \"b\"\r\n\r\n"
        );
        assert_eq!(target.as_deref(), Some("/Users?filter=userName+eq+\"x\""));
        for line in [
            "GET /Users?a=%22 HTTP/1.1\r\n\r\n",
            "GET /Users?a=\"x",
            "{\"a\": \"/ HTTP/1.1\"}\r\n",
            "get /\"x HTTP/1.1\r\n",
            "GET x\"y HTTP/1.1\r\n",
            "GET /x\"y\r\n",
            " /\" HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\n",
            "GET  HTTP/1.1\r\n",
            "\r\n",
        ] {
            assert_eq!(repaired(line), (line.to_owned(), None), "{line:?}");
        }
    }

    #[test]
    fn a_handler_gets_the_target_as_it_was_meant() {
        let given = |target: &str| {
            let lines = Lines::default();
            *lines.lock() = Some(target.as_bytes().to_vec());
            let mut request = Request::new(Body::empty());
            lines.restore(&mut request);
            let has_blank = request.extensions().get::<BlankInTarget>().is_some();
            (request.uri().to_string(), has_blank)
        };
        assert_eq!(
            given("/Users?a=\"%22ä<b>"),
            ("/Users?a=%22%22%C3%A4%3Cb%3E".to_owned(), false)
        );
        assert_eq!(
            given("/scim/Users?a eq \"b\""),
            ("/scim/Users?a".to_owned(), true)
        );
    }
}
