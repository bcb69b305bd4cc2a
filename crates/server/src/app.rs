//! What every handler can reach.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use provision::{AddressRange, Passwords, Provision};

use crate::authority::VerifiedPasswords;
use crate::metrics::Metrics;
use crate::seen::Seen;

/// How this server is reached.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The URL by which clients know this server, without a slash at the end; none to take it
    /// from each request's `Host`.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<AddressRange>,
}

/// The server's state. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) provision: Provision,
    pub(crate) passwords: Passwords,
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) seen: Seen,
    pub(crate) verified: VerifiedPasswords,
}

impl App {
    /// A server on these use cases.
    pub fn new(provision: Provision, settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                provision,
                passwords: Passwords::default(),
                settings,
                metrics: Metrics::default(),
                seen: Seen::default(),
                verified: VerifiedPasswords::default(),
            }),
        }
    }

    /// The use cases, and through them the store.
    pub fn provision(&self) -> &Provision {
        &self.inner.provision
    }

    /// The hasher of passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    /// The URL of this server as the client of a request knows it, without a slash at the end.
    pub fn base_url(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.inner.settings.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let host = headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .filter(|host| host.bytes().all(is_host_byte) && !host.is_empty())
            .unwrap_or("localhost");
        format!("http://{host}")
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Work that goes on beside the requests: evaluations that are due, and notes of last uses.
    /// Ends when it is dropped.
    pub async fn run_background_work(self) {
        let worker = self.provision().clone().work();
        let notes = crate::seen::write_down(self);
        tokio::join!(worker, notes);
    }
}

/// Host names, addresses, ports; nothing that could leave a URL.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte)
}
