//! The HTTP client: every wait has an end, every answer a size, every address was checked.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method};
use provision::{Guard, Unreached};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Url, header, redirect};
use tokio::sync::OnceCell;

/// A connection, TLS included, must stand by then.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The whole answer must have arrived by then, unless a request says otherwise.
const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer, unless a request says otherwise.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Redirects followed, all on the same origin and for reading only.
const REDIRECTS_MAX: usize = 3;
/// Unused connections are kept for so long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why no answer came. The texts are for the administrator and hold no credentials.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not an absolute `http` or `https` URL, or one with credentials in it.
    #[error(
        "'{0}' is not a URL that can be called; write https://HOST/PATH, without user name and password"
    )]
    Url(String),
    /// A host whose addresses may not be reached.
    #[error(transparent)]
    Refused(#[from] Unreached),
    /// The answer did not come in time.
    #[error("{0} did not answer in time")]
    TooSlow(String),
    /// The answer is larger than the request allows, in bytes.
    #[error("{host} sent more than {bytes_max} bytes")]
    TooLarge {
        /// The host of the URL.
        host: String,
        /// The limit.
        bytes_max: usize,
    },
    /// The host is not known, refuses, breaks off, has no valid certificate.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// The host of the URL.
        host: String,
        /// All causes, the outermost first.
        why: String,
    },
    /// This machine lacks what calling needs, such as the certificates of authorities.
    #[error("nothing can be called: {0}")]
    Setup(String),
}

/// One request to somebody else.
#[derive(Clone)]
pub struct Request {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    timeout: Duration,
    answer_bytes_max: usize,
}

impl Request {
    /// A request without a body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: WHOLE_TIMEOUT,
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }

    /// To read something.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// To tell something.
    pub fn post(
        url: impl Into<String>,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Self {
        let mut request = Self::new(Method::POST, url);
        request.body = body.into();
        let content_type = HeaderValue::from_static(content_type);
        request.headers.insert(header::CONTENT_TYPE, content_type);
        request
    }

    /// With a header more.
    #[must_use]
    pub fn header(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The whole exchange ends by then.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// No more than this many bytes of the answer's body are read.
    #[must_use]
    pub fn answered_within(mut self, bytes_max: usize) -> Self {
        self.answer_bytes_max = bytes_max;
        self
    }
}

/// Headers and bodies carry credentials: only what is harmless is shown.
impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.method, host_of(&self.url))
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A client for requests of one purpose. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    /// Set up when it is first needed: reading the certificates of all authorities would hold up the start.
    http: Arc<OnceCell<reqwest::Client>>,
    guard: Arc<Guard>,
}

impl Client {
    /// A client that goes where the guard lets it. Proxies of the environment are not used: behind
    /// one the guard would see the proxy's address instead of the real one.
    pub fn new(guard: Guard) -> Self {
        // One that is there already is as good.
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        Self {
            http: Arc::default(),
            guard: Arc::new(guard),
        }
    }

    async fn http(&self) -> Result<&reqwest::Client, CallError> {
        let set_up = || async {
            let guard = Arc::clone(&self.guard);
            let set_up = tokio::task::spawn_blocking(move || set_up(guard)).await;
            set_up.unwrap_or_else(|error| Err(CallError::Setup(error.to_string())))
        };
        self.http.get_or_try_init(set_up).await
    }

    /// Sends a request and reads its whole answer. Nothing is tried a second time.
    pub async fn send(&self, request: Request) -> Result<Answer, CallError> {
        let url = self.checked(&request.url)?;
        let host = host_of(&request.url);
        tokio::time::timeout(request.timeout, self.exchange(request, url, &host))
            .await
            .unwrap_or_else(|_elapsed| Err(CallError::TooSlow(host.clone())))
    }

    async fn exchange(
        &self,
        request: Request,
        mut url: Url,
        host: &str,
    ) -> Result<Answer, CallError> {
        let http = self.http().await?;
        let told = |error: reqwest::Error| told(host, &error);
        let mut redirects = 0;
        let mut response = loop {
            let sending = http
                .request(request.method.clone(), url.clone())
                .headers(request.headers.clone())
                .body(request.body.clone());
            let response = sending.send().await.map_err(told)?;
            match next_place(&request.method, &url, &response) {
                Some(next) if redirects < REDIRECTS_MAX => (url, redirects) = (next, redirects + 1),
                _ => break response,
            }
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = BytesMut::new();
        while let Some(piece) = response.chunk().await.map_err(told)? {
            if body.len() + piece.len() > request.answer_bytes_max {
                return Err(CallError::TooLarge {
                    host: host.to_owned(),
                    bytes_max: request.answer_bytes_max,
                });
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer {
            status,
            headers,
            body: body.freeze(),
        })
    }

    /// The addresses of a host that is reached by another protocol than HTTP, all of them checked.
    pub(crate) async fn addresses(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, CallError> {
        let looked_up =
            tokio::time::timeout(CONNECT_TIMEOUT, tokio::net::lookup_host((host, port)));
        let found = match looked_up.await {
            Err(_elapsed) => return Err(CallError::TooSlow(host.to_owned())),
            Ok(Err(error)) => {
                return Err(CallError::Unreachable {
                    host: host.to_owned(),
                    why: causes(&error),
                });
            }
            Ok(Ok(found)) => found.collect::<Vec<_>>(),
        };
        for address in found.iter().map(SocketAddr::ip) {
            if let Some(why) = self.guard.refusal(address) {
                let host = host.to_owned();
                return Err(Unreached { host, address, why }.into());
            }
        }
        Ok(found)
    }

    fn checked(&self, text: &str) -> Result<Url, CallError> {
        let wrong = || CallError::Url(host_of(text));
        let url = Url::parse(text).ok().ok_or_else(wrong)?;
        let is_web = matches!(url.scheme(), "http" | "https");
        if !is_web || !url.username().is_empty() || url.password().is_some() {
            return Err(wrong());
        }
        let host = url.host_str().ok_or_else(wrong)?;
        self.guard.check_host(host)?;
        Ok(url)
    }
}

fn set_up(guard: Arc<Guard>) -> Result<reqwest::Client, CallError> {
    reqwest::Client::builder()
        .user_agent(concat!("Vestibule/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .no_proxy()
        .referer(false)
        .redirect(redirect::Policy::none())
        .dns_resolver(Arc::new(Resolver(guard)))
        .build()
        .map_err(|error| CallError::Setup(causes(&error)))
}

/// Where a redirect leads that may be followed: what only reads, to the same origin. Elsewhere it
/// could lead credentials or a body to a stranger.
fn next_place(method: &Method, from: &Url, response: &reqwest::Response) -> Option<Url> {
    if *method != Method::GET || !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    from.join(location)
        .ok()
        .filter(|to| to.origin() == from.origin())
}

/// Resolves a name once and hands on only addresses that were checked: the connection goes to one of
/// exactly these, so that a name cannot mean another place a moment later.
struct Resolver(Arc<Guard>);

#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct RefusedAddress {
    address: IpAddr,
    why: &'static str,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let refusals = found.iter().filter_map(|found| {
                let why = guard.refusal(found.ip())?;
                Some(RefusedAddress {
                    address: found.ip(),
                    why,
                })
            });
            // One address that is refused is enough: who answers so has something in mind.
            if let Some(refused) = refusals.into_iter().next() {
                return Err(refused.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn told(host: &str, error: &reqwest::Error) -> CallError {
    let host = host.to_owned();
    let cause = std::error::Error::source(error);
    let mut sources = std::iter::successors(cause, |each| each.source());
    if let Some(refused) = sources.find_map(|each| each.downcast_ref::<RefusedAddress>()) {
        let (address, why) = (refused.address, refused.why);
        return Unreached { host, address, why }.into();
    }
    if error.is_timeout() {
        return CallError::TooSlow(host);
    }
    CallError::Unreachable {
        host,
        why: causes(cause.unwrap_or(error)),
    }
}

/// An error with all that caused it. The outermost sentence of the library repeats the whole URL,
/// which may hold a secret, so callers leave it out.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |each| each.source());
    std::iter::once(error.to_string())
        .chain(sources.map(ToString::to_string))
        .collect::<Vec<_>>()
        .join(": ")
}

/// What of a URL can be told in logs and messages: its host.
fn host_of(url: &str) -> String {
    let host = Url::parse(url).ok();
    host.and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| url.chars().take(64).collect())
}

#[cfg(test)]
mod tests {
    use provision::{AddressRange, Reach};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn client(allowed: &[&str]) -> Client {
        let allowed = allowed
            .iter()
            .map(|text| AddressRange::parse(text).unwrap());
        Client::new(Guard::new(Reach::Network, allowed.collect()))
    }

    /// A server that answers the n-th connection with the n-th text, then no more.
    async fn answering(answers: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut asked = [0; 4096];
                let _read = stream.read(&mut asked).await.unwrap();
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        url
    }

    fn found(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}")
    }

    fn moved(to: &str) -> String {
        format!("HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: {to}\r\n\r\n")
    }

    const HERE: &[&str] = &["127.0.0.0/8", "::1"];

    #[tokio::test]
    async fn this_machine_is_reached_only_if_the_setting_allows_it() {
        let url = answering(vec![found("hello")]).await;
        let refused = client(&[]).send(Request::get(&url)).await.unwrap_err();
        assert!(matches!(refused, CallError::Refused(_)), "{refused}");
        let answer = client(HERE).send(Request::get(&url)).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"hello"[..]));
    }

    #[tokio::test]
    async fn names_are_checked_by_what_they_resolve_to() {
        let url = answering(vec![]).await.replace("127.0.0.1", "localhost");
        let refused = client(&[]).send(Request::get(&url)).await.unwrap_err();
        let text = refused.to_string();
        assert!(text.starts_with("localhost may not be called"), "{text}");
        assert!(text.contains("outbound_allow"), "{text}");
    }

    #[tokio::test]
    async fn odd_ways_to_write_an_address_are_seen_through() {
        for url in [
            "http://2130706433/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::1]/",
            "http://169.254.169.254/latest/meta-data/",
        ] {
            let refused = client(&[]).send(Request::get(url)).await.unwrap_err();
            assert!(matches!(refused, CallError::Refused(_)), "{url}: {refused}");
        }
    }

    #[test]
    fn only_plain_web_urls_are_called() {
        let client = client(&[]);
        for url in [
            "ftp://host/",
            "file:///etc/passwd",
            "host",
            "",
            "http://u:p@host/",
        ] {
            assert!(
                matches!(client.checked(url), Err(CallError::Url(_))),
                "{url}"
            );
        }
        assert!(client.checked("https://example.org/keys").is_ok());
    }

    #[tokio::test]
    async fn answers_end_at_their_limit() {
        let url = answering(vec![found(&"x".repeat(2_000))]).await;
        let request = Request::get(&url).answered_within(1_999);
        let refused = client(HERE).send(request).await.unwrap_err();
        assert!(matches!(refused, CallError::TooLarge { .. }), "{refused}");
    }

    #[tokio::test]
    async fn waiting_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let request = Request::get(&url).within(Duration::from_millis(50));
        let refused = client(HERE).send(request).await.unwrap_err();
        assert_eq!(refused, CallError::TooSlow("127.0.0.1".into()));
    }

    #[tokio::test]
    async fn redirects_stay_on_their_origin() {
        let there = answering(vec![found("elsewhere")]).await;
        let url = answering(vec![moved(&there)]).await;
        let answer = client(HERE).send(Request::get(&url)).await.unwrap();
        assert_eq!(answer.status, 302);
        let url = answering(vec![moved("/next"), found("here")]).await;
        let answer = client(HERE).send(Request::get(&url)).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (200, &b"here"[..]));
    }

    #[test]
    fn what_is_secret_is_not_shown() {
        let request = Request::get("https://example.org/hook?key=s3cret").header(
            header::AUTHORIZATION,
            HeaderValue::from_static("Bearer s3cret"),
        );
        assert_eq!(format!("{request:?}"), "GET example.org");
    }
}
