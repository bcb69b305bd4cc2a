//! Last uses of tokens and applications, gathered in memory and written down now and then, so that
//! a read never costs a write.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use directory::{ApplicationId, DirectoryId};
use jiff::Timestamp;
use provision::{ApplicationUse, RefusedProduct};

use crate::App;

/// How often last uses are written down.
const WRITE_EVERY: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Uses {
    tokens: HashMap<String, (Timestamp, Option<IpAddr>)>,
    applications: HashMap<ApplicationId, Use>,
}

/// How an application was used.
#[derive(Default)]
struct Use {
    at: Timestamp,
    polled: Option<Timestamp>,
    positions: BTreeMap<DirectoryId, i64>,
}

/// What was used since it was last written down, and which products were not let in.
#[derive(Default)]
pub(crate) struct Seen {
    uses: Mutex<Uses>,
    /// One for each application that there is, at the most.
    refused: Mutex<HashMap<ApplicationId, RefusedProduct>>,
}

impl Seen {
    /// An application that was named, and not let in.
    pub(crate) fn refused_application(&self, id: ApplicationId, refused: RefusedProduct) {
        let mut all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id, refused);
    }

    /// Applications that were not let in since the start, each with the last time.
    pub(crate) fn refused_applications(&self) -> HashMap<ApplicationId, RefusedProduct> {
        let all = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }

    pub(crate) fn token(&self, id: &str, at: Timestamp, address: Option<IpAddr>) {
        let mut uses = self.lock();
        match uses.tokens.get_mut(id) {
            Some(known) => *known = (at, address),
            None => {
                uses.tokens.insert(id.to_owned(), (at, address));
            }
        }
    }

    /// An application asked for anything.
    pub(crate) fn application(&self, id: ApplicationId, at: Timestamp) {
        self.lock().applications.entry(id).or_default().at = at;
    }

    /// An application came to fetch: what is new, or everything. `positions` are those of the journals that it has now read
    /// up to, if it asked for them.
    pub(crate) fn poll(&self, id: ApplicationId, at: Timestamp, positions: &[(DirectoryId, i64)]) {
        let mut uses = self.lock();
        let known = uses.applications.entry(id).or_default();
        (known.at, known.polled) = (at, Some(at));
        known.positions.extend(positions.iter().copied());
    }

    fn take(&self) -> Uses {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Uses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes last uses down for ever.
pub(crate) async fn write_down(app: App) {
    loop {
        tokio::time::sleep(WRITE_EVERY).await;
        write_once(&app).await;
    }
}

/// Writes down what was used since the last time. A failure costs nothing but these notes.
pub(crate) async fn write_once(app: &App) {
    let uses = app.inner().seen.take();
    let tokens: Vec<_> = uses
        .tokens
        .into_iter()
        .map(|(id, (at, address))| (id, at, address.map(|address| address.to_string())))
        .collect();
    let applications: Vec<_> = uses
        .applications
        .into_iter()
        .map(|(application, used)| ApplicationUse {
            application,
            at: used.at,
            polled: used.polled,
            positions: used.positions.into_iter().collect(),
        })
        .collect();
    if !tokens.is_empty()
        && let Err(error) = app.provision().note_credential_uses(tokens).await
    {
        tracing::warn!(%error, "last uses of tokens could not be written down");
    }
    if !applications.is_empty()
        && let Err(error) = app.provision().note_application_uses(applications).await
    {
        tracing::warn!(%error, "last uses of applications could not be written down");
    }
}
