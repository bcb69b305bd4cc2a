//! Log-ins that products tell of, kept in memory until the worker writes them down together.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use directory::{ConnectorState, User, UserPk};
use jiff::SignedDuration;
use store::{ReadTx, Scope};

use crate::{Provision, ProvisionError};

/// A log-in so soon after one that is written down is not.
const STEP: SignedDuration = SignedDuration::from_mins(10);
/// Users written down in one transaction.
const CHUNK: usize = 500;

/// Who has logged in and is not written down yet.
#[derive(Default)]
pub(crate) struct Logins(Mutex<BTreeSet<UserPk>>);

impl Logins {
    fn take(&self) -> BTreeSet<UserPk> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<UserPk>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Provision {
    /// Notes that a user has logged in with a product, or used a session. It is written down within seconds, and lost
    /// if the program is killed before.
    pub fn note_login(&self, user: UserPk) {
        self.inner.logins.lock().insert(user);
    }

    /// Whether the rules want to look at a user again who is about to log in (US-38). One index look-up at most.
    pub fn asks_at_log_in(&self, tx: &ReadTx<'_>, user: &User) -> Result<bool, ProvisionError> {
        let Some(connector) = user.connector else {
            return Ok(false);
        };
        let connector = self.load_connector(tx, connector)?;
        Ok(connector.is_some_and(|it| {
            it.connector.state == ConnectorState::Active && it.rules.ask_at_log_in(user.reason)
        }))
    }

    /// Evaluates a user who is about to log in and has proved who that is.
    pub async fn evaluate_at_log_in(
        &self,
        user: &User,
        application: &str,
    ) -> Result<(), ProvisionError> {
        let pk = user.pk;
        let account = self.store().look_up(move |tx| tx.account(pk)).await?;
        let source = account.and_then(|account| account.source);
        match user.connector.zip(source) {
            Some((connector, source)) => self
                .refresh(connector, source, application)
                .await
                .map(|_| ()),
            None => Ok(()),
        }
    }

    /// Writes down who has logged in.
    pub(crate) async fn keep_logins(&self) -> Result<(), ProvisionError> {
        let waiting: Vec<UserPk> = self.inner.logins.take().into_iter().collect();
        for chunk in waiting.chunks(CHUNK) {
            let users = chunk.to_vec();
            self.store()
                .write(Scope::Settings, move |tx| {
                    Ok::<_, ProvisionError>(tx.note_logins(&users, tx.now() - STEP)?)
                })
                .await?;
        }
        Ok(())
    }
}
