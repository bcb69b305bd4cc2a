//! User names that somebody gave up: who has to wait for them, and how long (CR-08).

use directory::rules::Accounts;
use directory::{Cause, ConnectorId, DirectoryId, Trigger};
use jiff::Timestamp;
use store::{FormerName, ReadTx, Scope};

use crate::{Provision, ProvisionError};

/// A name that is kept for whoever had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservedName {
    /// The name, and who had it.
    pub former: FormerName,
    /// Until when nobody else gets it.
    pub until: Timestamp,
}

impl Provision {
    /// Names of a directory that are kept from others now, by their folds, from one on.
    pub fn reserved_names(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        behind: &str,
        limit: i64,
    ) -> Result<Vec<ReservedName>, ProvisionError> {
        let Some(strictest) = self.strictest(tx, directory)? else {
            return Ok(Vec::new());
        };
        let since = strictest.given_up_since(tx.now());
        let found = tx.former_names(directory, since, behind, limit)?;
        let reserved = found.into_iter().filter_map(|former| {
            let until = strictest.reserved_until(former.former.at, tx.now())?;
            Some(ReservedName { former, until })
        });
        Ok(reserved.collect())
    }

    /// Lets a name go to whoever wants it. Those who wait for it are evaluated again.
    pub async fn release_name(
        &self,
        directory: DirectoryId,
        name: &str,
        actor: &str,
    ) -> Result<(), ProvisionError> {
        let cause = Cause {
            trigger: Trigger::Reconcile,
            connector: None,
            actor: actor.to_owned(),
            request: String::new(),
        };
        let name = name.to_owned();
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                if !tx.forget_former_name(directory, &name)? {
                    return Err(ProvisionError::not_found("reserved name", &name));
                }
                Ok(tx.mark_waiting_for_name(directory, &name, &cause)?)
            })
            .await?;
        self.wake_worker();
        Ok(())
    }

    /// Until when a connector keeps a name that was given up then.
    pub fn reserved_by(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        given_up: Timestamp,
    ) -> Result<Option<Timestamp>, ProvisionError> {
        let loaded = self.load_connector(tx, connector)?;
        Ok(loaded.and_then(|it| it.rules.reserved_until(given_up, tx.now())))
    }

    /// Until when a name that was given up then is kept from users whom no connector brings.
    pub(crate) fn reserved_until(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        given_up: Timestamp,
    ) -> Result<Option<Timestamp>, ProvisionError> {
        let strictest = self.strictest(tx, directory)?;
        Ok(strictest.and_then(|it| it.reserved_until(given_up, tx.now())))
    }

    /// Of the connectors that feed a directory, what the one says that keeps names longest.
    fn strictest(
        &self,
        tx: &ReadTx<'_>,
        directory: DirectoryId,
    ) -> Result<Option<Accounts>, ProvisionError> {
        let mut strictest: Option<Accounts> = None;
        for connector in tx.connectors_into(directory)? {
            if let Some(loaded) = self.load_connector(tx, connector)? {
                let accounts = loaded.connector.rules.accounts;
                let days = strictest.map_or(0, |it| it.names_reserved_days);
                if accounts.names_reserved_days > days {
                    strictest = Some(accounts);
                }
            }
        }
        Ok(strictest)
    }
}
