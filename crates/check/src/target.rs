//! Which server is asked, and how the caller proves who they are.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A SCIM server as one caller reaches it.
#[derive(Debug, Clone)]
pub struct Target {
    /// The base URL, to which `/Users` is added. A query after it is sent with every request.
    pub url: String,
    /// How the caller proves who they are.
    pub credentials: Credentials,
    /// Headers that go with every request.
    pub headers: Vec<(String, String)>,
    /// How long to wait for one answer.
    pub time_limit: Duration,
    /// Certificates (PEM) of authorities to trust beside those of the machine.
    pub authorities: Option<Vec<u8>>,
    /// Whether to accept any certificate.
    pub is_insecure: bool,
}

impl Target {
    /// A target that is asked with a bearer token and waits 30 seconds for an answer.
    pub fn new(url: impl Into<String>, credentials: Credentials) -> Target {
        Target {
            url: url.into(),
            credentials,
            headers: Vec::new(),
            time_limit: Duration::from_secs(30),
            authorities: None,
            is_insecure: false,
        }
    }
}

/// A proof of who asks. Its text never gets into a report.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// None at all.
    Nothing,
    /// A bearer token (RFC 6750).
    Bearer(String),
    /// Name and password (RFC 7617).
    Basic {
        /// The name.
        name: String,
        /// The password.
        password: String,
    },
    /// A header of the server's own.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

impl Credentials {
    /// The header that carries the proof.
    pub(crate) fn header(&self) -> Option<(String, String)> {
        let authorization = |value| Some(("Authorization".to_owned(), value));
        match self {
            Credentials::Nothing => None,
            Credentials::Bearer(token) => authorization(format!("Bearer {token}")),
            Credentials::Basic { name, password } => authorization(format!(
                "Basic {}",
                STANDARD.encode(format!("{name}:{password}"))
            )),
            Credentials::Header { name, value } => Some((name.clone(), value.clone())),
        }
    }

    /// The texts that may not be seen in a report.
    pub(crate) fn secrets(&self) -> Vec<String> {
        match self {
            Credentials::Nothing => Vec::new(),
            Credentials::Bearer(token) => vec![token.clone()],
            Credentials::Basic { name, password } => {
                let together = STANDARD.encode(format!("{name}:{password}"));
                vec![together, password.clone()]
            }
            Credentials::Header { value, .. } => vec![value.clone()],
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::Nothing => "Nothing",
            Credentials::Bearer(_) => "Bearer(***)",
            Credentials::Basic { .. } => "Basic(***)",
            Credentials::Header { .. } => "Header(***)",
        })
    }
}
