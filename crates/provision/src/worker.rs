//! The worker: evaluations that are owed, in chunks, each chunk one transaction.

use std::time::Duration;

use directory::{Cause, ConnectorId, Trigger};
use jiff::SignedDuration;
use store::Scope;

use crate::loaded::LoadedConnector;
use crate::nesting::settle_children;
use crate::{Provision, ProvisionError};

/// Users settled in one transaction: long enough to be quick, short enough to let IdPs in between.
const CHUNK_MAX: i64 = 100;
/// Groups whose child groups are compared in one transaction.
const NESTINGS_MAX: i64 = 20;
/// The longest the worker sleeps; on PostgreSQL another node may have marked users.
const SLEEP_MAX: Duration = Duration::from_secs(5);
/// How long a user whose evaluation failed is left alone.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(5);

impl Provision {
    /// Tells the worker that something may be due.
    pub(crate) fn wake_worker(&self) {
        self.inner.work.notify_one();
    }

    /// Works for ever: whatever is due, then sleeps until something is.
    pub async fn work(self) {
        loop {
            let pause = match self.work_off().await {
                Ok(_) => self.time_to_next().await.min(SLEEP_MAX),
                Err(error) => {
                    tracing::warn!(%error, "evaluating due users failed; trying again");
                    SLEEP_MAX
                }
            };
            let _woken_or_not = tokio::time::timeout(pause, self.inner.work.notified()).await;
        }
    }

    /// Evaluates everyone who is due now, and compares child groups that are. Returns how many users and groups
    /// that were.
    pub async fn work_off(&self) -> Result<u64, ProvisionError> {
        let mut done = 0;
        loop {
            let connectors: Vec<ConnectorId> = self
                .store()
                .read(|tx| Ok::<_, ProvisionError>(tx.connectors_with_due_users()?))
                .await?;
            if connectors.is_empty() {
                return Ok(done);
            }
            for connector in connectors {
                done += self.work_off_chunk(connector, CHUNK_MAX).await?;
            }
        }
    }

    async fn work_off_chunk(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<u64, ProvisionError> {
        match self.settle_due(connector, limit).await {
            Err(error) if is_about_data(&error) && limit > 1 => {
                Box::pin(self.work_off_one_by_one(connector, limit)).await
            }
            other => other,
        }
    }

    /// One user whose data cannot be evaluated must not stop the others.
    async fn work_off_one_by_one(
        &self,
        connector: ConnectorId,
        limit: i64,
    ) -> Result<u64, ProvisionError> {
        let mut done = 0;
        for _ in 0..limit {
            match self.settle_due(connector, 1).await {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(error) if is_about_data(&error) => {
                    tracing::error!(%error, %connector, "a user cannot be evaluated; trying again later");
                    self.postpone_first(connector).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    async fn settle_due(&self, connector: ConnectorId, limit: i64) -> Result<u64, ProvisionError> {
        let directory = self.directory_of(connector).await?;
        let this = self.clone();
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let connector = this.require_connector(tx, connector)?;
                let due = tx.due_users(connector.connector.id, limit)?;
                for item in &due {
                    this.settle(tx, &connector, item.user, &item.cause)?;
                }
                let nestings = tx.due_nestings(connector.connector.id, NESTINGS_MAX.min(limit))?;
                for item in &nestings {
                    settle_children(tx, &connector, item.group, None, &item.cause)?;
                    tx.clear_due_nesting(connector.connector.id, item.group)?;
                }
                let left_behind = tx.accounts_left_behind(connector.connector.id, limit)?;
                for user in &left_behind {
                    if let Some(account) = tx.account(*user)? {
                        this.settle_deleted(tx, &connector, &account, &deletion(&connector))?;
                    }
                }
                Ok((due.len() + nestings.len() + left_behind.len()) as u64)
            })
            .await
    }

    async fn postpone_first(&self, connector: ConnectorId) -> Result<(), ProvisionError> {
        let directory = self.directory_of(connector).await?;
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let until = tx.now() + RETRY_AFTER;
                for item in tx.due_users(connector, 1)? {
                    tx.postpone_due(item.user, until)?;
                }
                Ok(())
            })
            .await
    }

    async fn time_to_next(&self) -> Duration {
        let next = self
            .store()
            .read(|tx| Ok::<_, ProvisionError>((tx.next_due()?, tx.now())))
            .await;
        match next {
            Ok((Some(at), now)) => Duration::try_from(at.duration_since(now)).unwrap_or_default(),
            _ => SLEEP_MAX,
        }
    }
}

/// The cause of what is made up for after a pause.
fn deletion(connector: &LoadedConnector) -> Cause {
    Cause {
        trigger: Trigger::Reconcile,
        connector: Some(connector.connector.id),
        actor: "after a pause".to_owned(),
        request: String::new(),
    }
}

/// Whether an error comes from what is stored, so that trying again at once would not help.
fn is_about_data(error: &ProvisionError) -> bool {
    !matches!(
        error,
        ProvisionError::Store(
            store::StoreError::Busy
                | store::StoreError::Unavailable { .. }
                | store::StoreError::DiskFull
        )
    )
}
