//! Imports that this server reads itself: asked for here, fetched by who may.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use directory::DirectoryId;
use directory::census::{Census, CopyGroups, CopyOptions};
use store::{Import, ImportState, Scope};

use super::{documents, documents_of};
use crate::{Provision, ProvisionError};

/// How often it is noted how much was read.
const NOTED_EVERY: Duration = Duration::from_secs(2);
/// Characters of an address.
const URL_CHARS_MAX: usize = 2_000;

/// A Crowd server and the application as which it is read. The password is kept nowhere and shown nowhere.
#[derive(Clone)]
pub struct CrowdAddress {
    /// The address that people use for it.
    pub url: String,
    /// The application's name.
    pub application: String,
    /// The application's password.
    pub password: String,
}

impl fmt::Debug for CrowdAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "CrowdAddress({})", self.url)
    }
}

/// Hears what is being read, and how much of it was found.
pub type Told<'r> = &'r (dyn Fn(&'static str, usize) + Send + Sync);

/// What reading gives: everything, or why it cannot be had, for the administrator.
pub type ReadCrowd<'r> = Pin<Box<dyn Future<Output = Result<Census, String>> + Send + 'r>>;

/// Reads other Crowd servers.
pub trait CrowdReader: Send + Sync {
    /// Everybody and everything that the application sees; groups and memberships only if they are wanted.
    fn read<'r>(
        &'r self,
        server: &'r CrowdAddress,
        with_groups: bool,
        told: Told<'r>,
    ) -> ReadCrowd<'r>;
}

impl CrowdAddress {
    /// Refuses what can be no address.
    fn check(&self) -> Result<(), ProvisionError> {
        let rest = ["https://", "http://"]
            .iter()
            .find_map(|scheme| self.url.strip_prefix(scheme));
        let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
            return Err(ProvisionError::invalid(
                "url",
                "is no address of a server; write it as https://crowd.example.com/crowd",
            ));
        };
        if self.url.len() > URL_CHARS_MAX || self.url.contains(char::is_whitespace) {
            return Err(ProvisionError::invalid(
                "url",
                "is too long or has spaces in it",
            ));
        }
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') || rest.contains(['?', '#']) {
            return Err(ProvisionError::invalid(
                "url",
                "has more in it than a host and a path; the application and its password have their own places",
            ));
        }
        for (field, text) in [
            ("application", &self.application),
            ("password", &self.password),
        ] {
            if text.is_empty() {
                return Err(ProvisionError::invalid(field, "is missing"));
            }
        }
        Ok(())
    }
}

impl Provision {
    /// Says by whom other Crowd servers are read; without, none is.
    pub fn read_crowds_with(&self, reader: Arc<dyn CrowdReader>) {
        self.inner.crowds.get_or_init(|| reader);
    }

    /// Begins to read a Crowd server, and then to copy what was found there. The reading ends with this process, since the
    /// password is kept nowhere; the copying goes on after a restart. With `dry_run` nothing is copied
    /// until [`Provision::run_import`].
    pub async fn begin_crowd_import(
        &self,
        directory: DirectoryId,
        server: CrowdAddress,
        (options, dry_run): (CopyOptions, bool),
        actor: &str,
    ) -> Result<Import, ProvisionError> {
        server.check()?;
        self.require_issuer_reach("url", &server.url)?;
        documents(Census::default(), &options)?;
        let Some(reader) = self.inner.crowds.get().cloned() else {
            return Err(ProvisionError::Conflict(
                "only a running server reads others by itself: name it with --server, or leave --by-server out"
                    .to_owned(),
            ));
        };
        let (source, actor) = (server.url.clone(), actor.to_owned());
        let begins = (ImportState::Reading, 0);
        let import = self
            .note_import_begun(directory, source, actor, begins)
            .await?;
        let (this, begun) = (self.clone(), import.clone());
        tokio::spawn(async move {
            let read = this.read_crowd(&*reader, &server, &options, &begun);
            let copied = match read.await {
                Ok(census) => {
                    this.copy_read(begun.clone(), census, &options, dry_run)
                        .await
                }
                Err(why) => Err(why),
            };
            if let Err(why) = copied {
                this.note_import_failed(begun, why).await;
            }
        });
        Ok(import)
    }

    async fn read_crowd(
        &self,
        reader: &dyn CrowdReader,
        server: &CrowdAddress,
        options: &CopyOptions,
        import: &Import,
    ) -> Result<Census, String> {
        let found = AtomicI64::new(0);
        let told = |_what: &'static str, count: usize| {
            found.store(i64::try_from(count).unwrap_or(i64::MAX), Ordering::Relaxed);
        };
        let with_groups = options.groups != CopyGroups::None;
        let mut reading = reader.read(server, with_groups, &told);
        let mut noting = tokio::time::interval(NOTED_EVERY);
        loop {
            tokio::select! {
                read = &mut reading => return read,
                _ = noting.tick() => {
                    let mut now = import.clone();
                    now.total = found.load(Ordering::Relaxed);
                    // If that cannot be noted, the end will tell.
                    let _noted = self.note_import(now).await;
                }
            }
        }
    }

    async fn copy_read(
        &self,
        mut import: Import,
        census: Census,
        options: &CopyOptions,
        dry_run: bool,
    ) -> Result<(), String> {
        let told = |error: ProvisionError| error.to_string();
        let pieces = census.pieces(options).map_err(ProvisionError::Census);
        let pieces = pieces.map_err(told)?;
        import.state = ImportState::Staging;
        import.total = i64::try_from(pieces.len()).unwrap_or(i64::MAX);
        self.note_import(import.clone()).await.map_err(told)?;
        if dry_run {
            return self.try_pieces(import, pieces).await.map_err(told);
        }
        let documents = documents_of(&pieces).map_err(told)?;
        self.stage(&import, &documents).await.map_err(told)?;
        self.set_running(import).await.map(drop).map_err(told)
    }

    pub(super) async fn note_import(&self, import: Import) -> Result<(), ProvisionError> {
        self.store()
            .write(Scope::Directory(import.directory), move |tx| {
                Ok::<_, ProvisionError>(tx.update_import(&import)?)
            })
            .await
    }

    pub(super) async fn note_import_failed(&self, mut import: Import, why: String) {
        tracing::warn!(import = import.public_id, why, "an import cannot go on");
        import.state = ImportState::Failed;
        import.failure = Some(why);
        if let Err(error) = self.note_import(import).await {
            tracing::warn!(%error, "the end of an import could not be noted");
        }
    }
}
