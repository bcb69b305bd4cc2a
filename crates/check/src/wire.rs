//! Requests and answers over HTTP, and how they are told in a report without any secret.

use std::fmt::Write;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, Url};
use serde_json::Value;

use crate::stop::{Fault, Step, Stop};
use crate::target::Target;

/// The media type of SCIM (RFC 7644 section 8.1).
pub const SCIM_JSON: &str = "application/scim+json";
/// The schema of error answers (RFC 7644 section 3.12).
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// More of a body than this is not shown in a report.
const SHOWN_CHARS: usize = 1_500;

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Ask {
    method: &'static str,
    /// Path and query below the base URL, encoded.
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    proof: Proof,
}

/// Which credentials go with a request.
#[derive(Debug, Clone)]
enum Proof {
    Own,
    Nothing,
    Other(String),
}

impl Ask {
    /// A request without a body, which accepts SCIM.
    pub fn new(method: &'static str, path: impl Into<String>) -> Ask {
        Ask {
            method,
            path: path.into(),
            headers: vec![("Accept", SCIM_JSON.to_owned())],
            body: None,
            proof: Proof::Own,
        }
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Ask {
        self.body(body.to_string())
            .header("Content-Type", SCIM_JSON)
    }

    /// With a body as it is and no content type.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Ask {
        self.body = Some(body.into());
        self
    }

    /// With a header in place of one of that name.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Ask {
        self = self.without(name);
        self.headers.push((name, value.into()));
        self
    }

    /// Without a header.
    pub fn without(mut self, name: &str) -> Ask {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Without credentials.
    pub fn anonymous(mut self) -> Ask {
        self.proof = Proof::Nothing;
        self
    }

    /// With an `Authorization` of its own.
    pub fn authorization(mut self, value: impl Into<String>) -> Ask {
        self.proof = Proof::Other(value.into());
        self
    }

    /// The method.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Path and query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is sent, for a report.
    pub fn told(&self) -> String {
        let mut text = format!("{} {}", self.method, self.path);
        match &self.proof {
            Proof::Own => {}
            Proof::Nothing => text.push_str("\n(without Authorization)"),
            Proof::Other(value) => {
                let _infallible = write!(text, "\nAuthorization: {value}");
            }
        }
        for (name, value) in &self.headers {
            if !matches!(
                (*name, value.as_str()),
                ("Accept" | "Content-Type", SCIM_JSON)
            ) {
                let _infallible = write!(text, "\n{name}: {value}");
            }
        }
        if let Some(body) = &self.body {
            text.push('\n');
            text.push_str(&shortened(&String::from_utf8_lossy(body)));
        }
        text
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null if it is none.
    pub body: Value,
    /// Which request of the conversation it answers.
    pub nth: usize,
}

impl Answer {
    /// The first header of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the request was carried out.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// This answer is wrong.
    pub fn wrong<T>(&self, expected: impl Into<String>, came: impl Into<String>) -> Step<T> {
        Err(Stop::Fault(Fault {
            expected: expected.into(),
            came: came.into(),
            about: Some(self.nth),
        }))
    }

    /// This answer is wrong unless the condition holds.
    pub fn ensure(
        &self,
        is_right: bool,
        expected: impl Into<String>,
        came: impl FnOnce() -> String,
    ) -> Step {
        match is_right {
            true => Ok(()),
            false => self.wrong(expected, came()),
        }
    }

    /// One of these status codes.
    pub fn status(&self, allowed: &[u16]) -> Step<&Answer> {
        let words: Vec<String> = allowed.iter().map(u16::to_string).collect();
        self.ensure(
            allowed.contains(&self.status),
            format!("status {}", words.join(" or ")),
            || format!("status {}", self.status),
        )?;
        Ok(self)
    }

    /// Some refusal that is the client's fault: any 4xx, or 501.
    pub fn refused(&self) -> Step<&Answer> {
        self.ensure(
            (400..500).contains(&self.status) || self.status == 501,
            "a refusal (status 4xx)",
            || format!("status {}", self.status),
        )?;
        Ok(self)
    }

    /// Anything but a failure of the server.
    pub fn no_crash(&self) -> Step<&Answer> {
        self.ensure(
            self.status < 500 || self.status == 501,
            "an answer that is no failure of the server",
            || format!("status {}", self.status),
        )?;
        Ok(self)
    }

    /// The body, which has to be a JSON object.
    pub fn object(&self) -> Step<&Value> {
        self.ensure(self.body.is_object(), "a JSON object", || {
            match self.text.is_empty() {
                true => "an empty body".to_owned(),
                false => "a body that is no JSON object".to_owned(),
            }
        })?;
        Ok(&self.body)
    }

    /// The text at a JSON pointer.
    pub fn string(&self, pointer: &str) -> Step<&str> {
        match self.body.pointer(pointer).and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => self.wrong(
                format!("a text in {pointer}"),
                match self.body.pointer(pointer) {
                    None => "nothing there".to_owned(),
                    Some(value) => value.to_string(),
                },
            ),
        }
    }

    /// An error in SCIM's own form (RFC 7644 section 3.12).
    pub fn scim_error(&self) -> Step<&Answer> {
        self.object()?;
        let schemas = &self.body["schemas"];
        let is_error = schemas
            .as_array()
            .is_some_and(|list| list.iter().any(|urn| urn == ERROR));
        self.ensure(
            is_error,
            format!("an error body whose schemas has {ERROR}"),
            || format!("schemas {schemas}"),
        )?;
        Ok(self)
    }

    /// A `scimType` of the RFC's table (section 3.12).
    pub fn scim_type(&self, wanted: &str) -> Step {
        let came = &self.body["scimType"];
        self.ensure(
            came == wanted,
            format!("scimType {wanted}"),
            || match came.is_null() {
                true => "no scimType".to_owned(),
                false => format!("scimType {came}"),
            },
        )
    }

    /// What came, for a report.
    pub fn told(&self) -> String {
        let mut text = self.status.to_string();
        for (name, value) in &self.headers {
            let is_telling = matches!(
                name.as_str(),
                "content-type" | "location" | "etag" | "www-authenticate" | "allow" | "retry-after"
            );
            if is_telling {
                let _infallible = write!(text, "\n{name}: {value}");
            }
        }
        if !self.text.is_empty() {
            text.push('\n');
            text.push_str(&shortened(&self.text));
        }
        text
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} ... ({} bytes in all)", &text[..at], text.len()),
    }
}

/// Why no answer came.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoAnswer {
    /// It took too long.
    #[error("no answer within {} seconds", .0.as_secs_f64())]
    Late(Duration),
    /// No connection, or it broke.
    #[error("no answer: {0}")]
    Broken(String),
    /// The request could not be made.
    #[error("the request cannot be made: {0}")]
    Request(String),
}

impl From<NoAnswer> for Stop {
    fn from(why: NoAnswer) -> Stop {
        Stop::Fault(Fault {
            expected: "an answer".to_owned(),
            came: why.to_string(),
            about: None,
        })
    }
}

/// A way to one server as one caller.
#[derive(Debug)]
pub struct Wire {
    client: Client,
    base: String,
    /// A query that goes with every request.
    query: Option<String>,
    own: Vec<(HeaderName, HeaderValue)>,
    proof: Option<(HeaderName, HeaderValue)>,
    secrets: Vec<String>,
    time_limit: Duration,
}

impl Wire {
    /// Prepares the way; nothing is sent.
    pub fn new(target: &Target) -> Result<Wire, String> {
        let url = Url::parse(&target.url)
            .map_err(|error| format!("`{}` is no URL: {error}", target.url))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!(
                "`{}` does not begin with http or https",
                target.url
            ));
        }
        let header = |name: &str, value: &str| {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|error| format!("`{name}` is no name of a header: {error}"))?;
            let mut value = HeaderValue::from_str(value).map_err(|error| {
                format!("the value of the header `{name}` cannot be sent: {error}")
            })?;
            value.set_sensitive(true);
            Ok::<_, String>((name, value))
        };
        let own: Result<Vec<_>, String> = target
            .headers
            .iter()
            .map(|(name, value)| header(name, value))
            .collect();
        let proof = target
            .credentials
            .header()
            .map(|(name, value)| header(&name, &value))
            .transpose()?;
        let mut secrets = target.credentials.secrets();
        secrets.extend(target.headers.iter().map(|(_, value)| value.clone()));
        // A very short text would black out half of the report and protects nothing.
        secrets.retain(|secret| secret.len() >= 4);
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        Ok(Wire {
            client: client(target)?,
            base: base.as_str().trim_end_matches('/').to_owned(),
            query: url.query().map(str::to_owned),
            own: own?,
            proof,
            secrets,
            time_limit: target.time_limit,
        })
    }

    /// The base URL, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The value of the `Authorization` header, if that is what carries the proof.
    pub fn authorization(&self) -> Option<String> {
        let (name, value) = self.proof.as_ref()?;
        let value = value.to_str().ok()?;
        (*name == reqwest::header::AUTHORIZATION).then(|| value.to_owned())
    }

    /// The text without any secret.
    pub fn redacted(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, ask: &Ask) -> Result<Answer, NoAnswer> {
        let mut url = format!("{}{}", self.base, ask.path);
        if let Some(query) = &self.query {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(query);
        }
        let wrong = |error: &dyn std::error::Error| NoAnswer::Request(error.to_string());
        let url = Url::parse(&url).map_err(|error| wrong(&error))?;
        let method = Method::from_bytes(ask.method.as_bytes()).map_err(|error| wrong(&error))?;
        let mut headers = HeaderMap::new();
        headers.extend(self.own.iter().cloned());
        match &ask.proof {
            Proof::Own => headers.extend(self.proof.iter().cloned()),
            Proof::Nothing => {}
            Proof::Other(value) => {
                let value = HeaderValue::from_str(value).map_err(|error| wrong(&error))?;
                headers.insert(reqwest::header::AUTHORIZATION, value);
            }
        }
        for (name, value) in &ask.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| wrong(&error))?;
            let value = HeaderValue::from_str(value).map_err(|error| wrong(&error))?;
            headers.insert(name, value);
        }
        let mut request = self.client.request(method, url).headers(headers);
        if let Some(body) = &ask.body {
            request = request.body(body.clone());
        }
        let answer = async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let headers = response
                .headers()
                .iter()
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    (name.as_str().to_owned(), value)
                })
                .collect();
            let bytes = response.bytes().await?;
            Ok::<_, reqwest::Error>((status, headers, bytes))
        };
        let (status, headers, bytes) = answer.await.map_err(|error| self.broken(&error))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Answer {
            status,
            headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
            text,
            nth: 0,
        })
    }

    fn broken(&self, error: &reqwest::Error) -> NoAnswer {
        if error.is_timeout() {
            return NoAnswer::Late(self.time_limit);
        }
        // The cause at the bottom says most: connection refused, unknown authority ...
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        NoAnswer::Broken(cause.to_string())
    }
}

fn client(target: &Target) -> Result<Client, String> {
    // An error means that a provider is installed already, which is as good.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .timeout(target.time_limit)
        .tls_danger_accept_invalid_certs(target.is_insecure)
        .user_agent(concat!("vestibule-check/", env!("CARGO_PKG_VERSION")));
    if let Some(pem) = &target.authorities {
        let found = Certificate::from_pem_bundle(pem)
            .map_err(|error| format!("the file of authorities is no PEM: {error}"))?;
        if found.is_empty() {
            return Err("the file of authorities has no certificate in it".to_owned());
        }
        builder = builder.tls_certs_merge(found);
    }
    builder
        .build()
        .map_err(|error| format!("the HTTP client cannot be set up: {error}"))
}

/// An integer of an answer, which has to be a JSON number.
pub fn integer(answer: &Answer, pointer: &str) -> Step<i64> {
    let value = answer.body.pointer(pointer);
    match value.and_then(Value::as_i64) {
        Some(number) => Ok(number),
        None => answer.wrong(
            format!("an integer in {pointer}"),
            value.map_or("nothing there".to_owned(), Value::to_string),
        ),
    }
}
