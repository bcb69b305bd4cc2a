//! What every handler can reach.

use std::path::PathBuf;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use provision::{AddressRange, IssuerKeys, OpenIdClient, Passwords, Provision};
use tokio::sync::Semaphore;

use crate::audit::{Knocking, Turns};
use crate::authority::{Failures, KnownCallers, SignedTokens, VerifiedPasswords};
use crate::forwarded::{FORWARDED_HOST, FORWARDED_PROTO};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::open_id::OpenId;
use crate::record::{Records, Retention};
use crate::seen::Seen;
use crate::staging::{FailedRestore, RestoreOrder, Staging};
use crate::traffic::Traffic;

/// How this server is reached.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The URL by which clients know this server, without a slash at the end; none to take it
    /// from each request's `Host`.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<AddressRange>,
    /// Who gets the figures of `/metrics` without a token, beside this machine.
    pub metrics_from: Vec<AddressRange>,
    /// How much of everything there may be.
    pub limits: Limits,
    /// How long records of requests are kept.
    pub retention: Retention,
    /// What Crowd clients are told as product and version, e.g. `Crowd/5.3.1`; none for our own.
    pub crowd_version: Option<String>,
    /// Where a backup may lie ready to be restored; none where nobody heeds [`App::restore_ordered`].
    pub staging: Option<PathBuf>,
    /// The restore with which this start began, if it failed.
    pub failed_restore: Option<FailedRestore>,
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
    pub(crate) records: Records,
    pub(crate) verified: VerifiedPasswords,
    pub(crate) callers: KnownCallers,
    pub(crate) signed: SignedTokens,
    pub(crate) failures: Failures,
    /// Attempts at passwords and codes of the console: those are held back, where a token that is right never is.
    pub(crate) sign_ins: Failures,
    pub(crate) traffic: Traffic,
    pub(crate) knocking: Knocking,
    pub(crate) turns: Turns,
    pub(crate) open_id: OpenId,
    /// The right to give out a backup, which one caller at a time has.
    pub(crate) backups: Arc<Semaphore>,
    pub(crate) staging: Staging,
}

impl App {
    /// A server on these use cases, which can't fetch the keys of issuers of signed tokens.
    pub fn new(provision: Provision, settings: Settings) -> Self {
        Self::build(provision, settings, None, None)
    }

    /// A server that takes signed tokens as well.
    pub fn with_issuer_keys(
        provision: Provision,
        settings: Settings,
        keys: Arc<dyn IssuerKeys>,
    ) -> Self {
        Self::build(provision, settings, Some(keys), None)
    }

    /// A server that takes signed tokens, and lets administrators sign in at an OpenID provider.
    pub fn with_clients(
        provision: Provision,
        settings: Settings,
        keys: Arc<dyn IssuerKeys>,
        open_id: Arc<dyn OpenIdClient>,
    ) -> Self {
        Self::build(provision, settings, Some(keys), Some(open_id))
    }

    fn build(
        provision: Provision,
        settings: Settings,
        keys: Option<Arc<dyn IssuerKeys>>,
        open_id: Option<Arc<dyn OpenIdClient>>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                failures: Failures::new(settings.limits.failed_authentications),
                sign_ins: Failures::new(settings.limits.failed_authentications),
                traffic: Traffic::new(&settings.limits),
                signed: SignedTokens::new(keys),
                callers: KnownCallers::default(),
                staging: Staging::new(settings.staging.as_deref(), settings.failed_restore.clone()),
                provision,
                passwords: Passwords::default(),
                settings,
                metrics: Metrics::default(),
                seen: Seen::default(),
                records: Records::default(),
                verified: VerifiedPasswords::default(),
                knocking: Knocking::default(),
                turns: Turns::default(),
                open_id: OpenId::new(open_id),
                backups: Arc::new(Semaphore::new(1)),
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

    /// The URL of this server as the client of a request knows it, without a slash at the end: as it is
    /// set, else as a trusted proxy says, else from `Host`.
    pub fn base_url(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.inner.settings.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let is_host = |host: &&str| host.bytes().all(is_host_byte) && !host.is_empty();
        let host = forwarded(headers, FORWARDED_HOST)
            .filter(is_host)
            .or_else(|| forwarded(headers, HOST.as_str()).filter(is_host))
            .unwrap_or("localhost");
        let scheme = match self.is_https(headers) {
            true => "https",
            false => "http",
        };
        format!("{scheme}://{host}")
    }

    /// Whether the client of a request came over HTTPS, as far as the settings or a trusted proxy tell.
    pub(crate) fn is_https(&self, headers: &HeaderMap) -> bool {
        match &self.inner.settings.public_url {
            Some(url) => url.starts_with("https://"),
            None => forwarded(headers, FORWARDED_PROTO)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")),
        }
    }

    /// What Crowd clients are told as product and version.
    pub(crate) fn crowd_version(&self) -> &str {
        let set = self.inner.settings.crowd_version.as_deref();
        set.unwrap_or(concat!("Vestibule/", env!("CARGO_PKG_VERSION")))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Waits until somebody wants everything to begin anew with a backup: this server has to end then.
    pub async fn restore_ordered(&self) -> RestoreOrder {
        self.inner.staging.ordered().await
    }

    /// Work that goes on beside the requests: evaluations that are due, and notes of last uses.
    /// Ends when it is dropped.
    pub async fn run_background_work(self) {
        let worker = self.provision().clone().work();
        let records = crate::record::write_down(self.clone());
        let pruning = crate::record::prune(self.clone());
        let sessions = crate::crowd::prune_sessions(self.clone());
        let audit = crate::audit::maintain(self.clone());
        let notes = crate::seen::write_down(self);
        tokio::join!(worker, records, pruning, sessions, audit, notes);
    }
}

/// What a header says first.
fn forwarded<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let value = headers.get(name)?.to_str().ok()?;
    value.split(',').next().map(str::trim)
}

/// Host names, addresses, ports; nothing that could leave a URL.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte)
}
