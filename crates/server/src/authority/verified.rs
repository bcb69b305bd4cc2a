//! Application passwords that were verified a moment ago: clients send them with every request,
//! and argon2id takes tens of milliseconds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use directory::ApplicationId;
use jiff::Timestamp;
use store::token_hash;

use crate::limits::{VERIFIED_PASSWORD_TTL, VERIFIED_PASSWORDS_MAX};

struct Entry {
    application: ApplicationId,
    /// A change of the application makes the entry worthless.
    updated: Timestamp,
    until: Instant,
}

/// Remembers digests, never passwords, for a minute.
#[derive(Default)]
pub(crate) struct VerifiedPasswords {
    entries: Mutex<HashMap<String, Entry>>,
}

impl VerifiedPasswords {
    /// Whether this very password was verified for this very state of the application.
    pub(crate) fn holds(
        &self,
        application: ApplicationId,
        updated: Timestamp,
        password: &str,
    ) -> bool {
        let digest = digest(application, password);
        self.lock().get(&digest).is_some_and(|entry| {
            entry.application == application
                && entry.updated == updated
                && entry.until > Instant::now()
        })
    }

    /// Remembers a verified password.
    pub(crate) fn remember(&self, application: ApplicationId, updated: Timestamp, password: &str) {
        let now = Instant::now();
        let mut entries = self.lock();
        if entries.len() >= VERIFIED_PASSWORDS_MAX {
            entries.retain(|_, entry| entry.until > now);
            if entries.len() >= VERIFIED_PASSWORDS_MAX {
                entries.clear();
            }
        }
        entries.insert(
            digest(application, password),
            Entry {
                application,
                updated,
                until: now + VERIFIED_PASSWORD_TTL,
            },
        );
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(application: ApplicationId, password: &str) -> String {
    token_hash(&format!("{application}\0{password}"))
}
