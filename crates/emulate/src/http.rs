//! A thin HTTP client that remembers its last exchanges, so that tests and the demo can show what went over the wire.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::{Duration, Instant};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use serde::Serialize;

pub use reqwest::Method;

use crate::latency::{Histogram, Latency};
use crate::report::lock;

/// Bodies are remembered up to this many bytes.
const KEPT_BODY: usize = 4096;
/// So many exchanges are remembered unless told otherwise.
const KEPT_EXCHANGES: usize = 64;

/// Everything but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What is wrong with the settings of an emulated client.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not an http or https address.
    #[error("{0:?} is not an http or https address")]
    Address(String),
    /// A header that cannot be sent.
    #[error("the credentials hold a character that no header can carry")]
    Credentials,
    /// The TLS library refused its settings.
    #[error("the HTTP client could not be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// One request and its answer. Long bodies are cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exchange {
    /// GET, POST ...
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body sent, empty if none.
    pub request: String,
    /// The status, 0 if no answer came.
    pub status: u16,
    /// The body that came, or what kept it from coming.
    pub answer: String,
    /// From sending to the last byte, in microseconds.
    pub micros: u64,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.method, self.path, self.status)
    }
}

/// Why a task failed, and on which exchange.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) why: String,
    pub(crate) exchange: Box<Exchange>,
}

impl Trouble {
    /// The status that caused it; 0 if there was no answer.
    pub(crate) fn status(&self) -> u16 {
        self.exchange.status
    }
}

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    exchange: Exchange,
}

impl Answer {
    /// The answer counts as a failure, for this reason.
    pub(crate) fn trouble(&self, why: impl Into<String>) -> Trouble {
        Trouble {
            why: why.into(),
            exchange: Box::new(self.exchange.clone()),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// How a client behaves when it is told to come again later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How often it tries in all.
    pub(crate) attempts: u32,
    /// Whether 5xx are tried again like 429.
    pub(crate) server_errors: bool,
    /// How long it waits if it is not told, in seconds; doubled each time.
    pub(crate) seconds: u64,
}

/// Counts of all that a client did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Traffic {
    /// Requests sent.
    pub requests: u64,
    /// How often the server said 429 or 503.
    pub throttled: u64,
    /// How long answers took.
    pub latency: Latency,
}

struct Recorder {
    last: Mutex<VecDeque<Exchange>>,
    capacity: usize,
    requests: AtomicU64,
    throttled: AtomicU64,
    times: Histogram,
}

/// A client for one server. Clones share their memory of exchanges.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    /// Text that stands in every query, as in `aadOptscim062020`.
    flag: String,
    headers: HeaderMap,
    recorder: Arc<Recorder>,
    /// What a second of waiting is; shorter in tests.
    second: Duration,
}

impl Client {
    /// A client for the service at `address`, whose query, if it has one, is repeated on every request.
    pub(crate) fn new(
        address: &str,
        headers: &[(&'static str, String)],
        read: Duration,
    ) -> Result<Client, SetupError> {
        install_crypto();
        let parsed = reqwest::Url::parse(address)
            .map_err(|_unreadable| SetupError::Address(address.to_owned()))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(SetupError::Address(address.to_owned()));
        }
        let (base, flag) = address.split_once('?').unwrap_or((address, ""));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value =
                HeaderValue::from_str(value).map_err(|_unsendable| SetupError::Credentials)?;
            map.insert(HeaderName::from_static(name), value);
        }
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(read)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Client {
            http,
            base: base.trim_end_matches('/').to_owned(),
            flag: flag.to_owned(),
            headers: map,
            recorder: Arc::new(Recorder::new(KEPT_EXCHANGES)),
            second: Duration::from_secs(1),
        })
    }

    /// Remembers so many exchanges instead of the usual few; forgets those of before.
    #[must_use]
    pub fn remembering(mut self, exchanges: usize) -> Client {
        self.recorder = Arc::new(Recorder::new(exchanges));
        self
    }

    /// Shortens every wait that the server or the client's habits ask for, for tests.
    #[must_use]
    pub fn with_second(mut self, second: Duration) -> Client {
        self.second = second;
        self
    }

    /// The same client without the query of the tenant address.
    pub(crate) fn without_flag(&self) -> Client {
        Client {
            flag: String::new(),
            ..self.clone()
        }
    }

    /// The last exchanges, oldest first.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.recorder.last).iter().cloned().collect()
    }

    /// The last exchanges, which are then forgotten.
    #[must_use]
    pub fn take_exchanges(&self) -> Vec<Exchange> {
        lock(&self.recorder.last).drain(..).collect()
    }

    /// Counts of everything since the client was made.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.recorder.requests.load(Ordering::Relaxed),
            throttled: self.recorder.throttled.load(Ordering::Relaxed),
            latency: self.recorder.times.latency(),
        }
    }

    /// Sends a request; `path` begins with a slash and is encoded already.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &'static str)],
        body: Option<String>,
    ) -> Result<Answer, Trouble> {
        let target = self.target(path);
        let mut exchange = Exchange {
            method: method.to_string(),
            path: path_of(&target),
            request: body
                .as_deref()
                .map(|text| cut(text.as_bytes()))
                .unwrap_or_default(),
            ..Exchange::default()
        };
        let mut request = self
            .http
            .request(method, &target)
            .headers(self.headers.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let started = Instant::now();
        // A kept connection that the server has closed meanwhile shows only when it is used: what only reads is asked
        // again, as the real clients do.
        let again = request.try_clone().filter(|_| exchange.method == "GET");
        let received = match (receive(request).await, again) {
            (Err(error), Some(again)) if !error.is_connect() && !error.is_timeout() => {
                receive(again).await
            }
            (received, _) => received,
        };
        exchange.micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        match received {
            Ok((status, headers, body)) => {
                exchange.status = status;
                exchange.answer = cut(&body);
                self.recorder.note(&exchange);
                Ok(Answer {
                    status,
                    headers,
                    body,
                    exchange,
                })
            }
            Err(error) => {
                exchange.answer = causes(&error);
                self.recorder.note(&exchange);
                let why = format!("no answer: {}", exchange.answer);
                Err(Trouble {
                    why,
                    exchange: Box::new(exchange),
                })
            }
        }
    }

    /// Sends a request again for as long as the server says 429 (or 5xx) and the patience lasts.
    pub(crate) async fn send_patiently(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &'static str)],
        body: Option<String>,
        patience: Patience,
    ) -> Result<Answer, Trouble> {
        let mut doubled = 1;
        for _ in 1..patience.attempts {
            let answer = self
                .send(method.clone(), path, headers, body.clone())
                .await?;
            if answer.status != 429 && !(patience.server_errors && answer.status >= 500) {
                return Ok(answer);
            }
            // An HTTP date is not understood: it counts as nothing said.
            let told = answer
                .headers
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
            let seconds = told.map_or(patience.seconds, u64::from);
            let wait = self
                .second
                .saturating_mul(u32::try_from(seconds * doubled).unwrap_or(u32::MAX));
            doubled *= 2;
            tokio::time::sleep(wait).await;
        }
        self.send(method, path, headers, body).await
    }

    fn target(&self, path: &str) -> String {
        let Client { base, flag, .. } = self;
        match (path.split_once('?'), flag.as_str()) {
            (_, "") => format!("{base}{path}"),
            (Some((path, query)), flag) => format!("{base}{path}?{flag}&{query}"),
            (None, flag) => format!("{base}{path}?{flag}"),
        }
    }
}

impl Recorder {
    fn new(capacity: usize) -> Recorder {
        Recorder {
            last: Mutex::default(),
            capacity,
            requests: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            times: Histogram::new(),
        }
    }

    fn note(&self, exchange: &Exchange) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.times.add(Duration::from_micros(exchange.micros));
        if matches!(exchange.status, 429 | 503) {
            self.throttled.fetch_add(1, Ordering::Relaxed);
        }
        if self.capacity > 0 {
            let mut last = lock(&self.last);
            if last.len() >= self.capacity {
                last.pop_front();
            }
            last.push_back(exchange.clone());
        }
    }
}

async fn receive(
    request: reqwest::RequestBuilder,
) -> Result<(u16, HeaderMap, Bytes), reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok((status, headers, response.bytes().await?))
}

/// TLS needs a provider of cryptography, chosen once for the process; one that is there already is as good.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// A value for a query or a path segment, with `%20` for a blank.
pub(crate) fn encoded(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

/// A value for a query as forms have it, with `+` for a blank.
pub(crate) fn form_encoded(value: &str) -> String {
    encoded(value).replace("%20", "+")
}

fn path_of(target: &str) -> String {
    let after_scheme = target.split_once("://").map_or(target, |(_, rest)| rest);
    after_scheme
        .find('/')
        .map_or_else(|| "/".to_owned(), |slash| after_scheme[slash..].to_owned())
}

fn cut(body: &[u8]) -> String {
    let kept = &body[..body.len().min(KEPT_BODY)];
    let mut text = String::from_utf8_lossy(kept).into_owned();
    if kept.len() < body.len() {
        text.push_str(&format!(" … ({} bytes)", body.len()));
    }
    text
}

/// An error with all that caused it: reqwest's own sentence alone does not say why.
fn causes(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |each| each.source());
    std::iter::once(error.to_string())
        .chain(sources.map(ToString::to_string))
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Client, Method, encoded, form_encoded};

    #[test]
    fn a_tenant_query_stands_on_every_request() {
        let client = Client::new(
            "http://host/scim/?aadOptscim062020",
            &[],
            Duration::from_secs(1),
        )
        .expect("an address");
        assert_eq!(
            client.target("/Users"),
            "http://host/scim/Users?aadOptscim062020"
        );
        assert_eq!(
            client.target("/Users?a=b"),
            "http://host/scim/Users?aadOptscim062020&a=b"
        );
    }

    #[test]
    fn only_web_addresses_are_taken() {
        for wrong in ["", "host/scim", "ftp://host/", "http://"] {
            assert!(
                Client::new(wrong, &[], Duration::from_secs(1)).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn values_are_encoded_for_queries() {
        assert_eq!(encoded("a b+ü'\""), "a%20b%2B%C3%BC%27%22");
        assert_eq!(form_encoded("a b+ü"), "a+b%2B%C3%BC");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_a_failure_with_a_reason() {
        let client =
            Client::new("http://127.0.0.1:9", &[], Duration::from_secs(5)).expect("an address");
        let trouble = client
            .send(Method::GET, "/Users", &[], None)
            .await
            .err()
            .expect("nobody listens there");
        assert_eq!(trouble.status(), 0);
        assert!(trouble.why.starts_with("no answer"), "{}", trouble.why);
        assert_eq!(client.exchanges().len(), 1);
    }
}
