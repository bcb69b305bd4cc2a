//! The worker: evaluations that are owed, in chunks, each chunk one transaction.

use std::time::Duration;

use directory::{Cause, ConnectorId, Operation, SourceUserPk, Trigger};
use jiff::{SignedDuration, Timestamp};
use store::{DueAccount, DueNesting, DueUser, Scope, WriteTx};

use crate::group_work::work_on_groups;
use crate::jobs::{note_compared, note_evaluated, position_for};
use crate::loaded::LoadedConnector;
use crate::nesting::settle_children;
use crate::safety::end_collection;
use crate::{Provision, ProvisionError};

/// Users settled in one transaction: long enough to be quick, short enough to let IdPs in between.
const CHUNK_MAX: i64 = 100;
/// Groups whose child groups are compared in one transaction.
const NESTINGS_MAX: i64 = 20;
/// The longest the worker sleeps; on PostgreSQL another node may have marked users.
const SLEEP_MAX: Duration = Duration::from_secs(5);
/// How often it is looked for holds that have waited long enough.
const HOLDS_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// When it looks again after it was woken.
const ONCE_MORE: Duration = Duration::from_millis(100);
/// How long a user whose evaluation failed is left alone.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(5);

impl Provision {
    /// Tells the worker that something may be due.
    pub(crate) fn wake_worker(&self) {
        self.inner.work.notify_one();
    }

    /// Works for ever: whatever is due, then sleeps until something is.
    pub async fn work(self) {
        let mut kept: Option<Timestamp> = None;
        let mut woken = false;
        loop {
            if let Err(error) = self.run_schedules().await {
                tracing::warn!(%error, "a scheduled run could not be begun; trying again");
            }
            let now = self.store().now();
            // A clock that was set back is no reason to wait.
            if kept.is_none_or(|kept| now.duration_since(kept).abs() >= HOLDS_EVERY) {
                if let Err(error) = self.keep_holds().await {
                    tracing::warn!(%error, "looking after holds failed; trying again");
                }
                kept = Some(now);
            }
            let pause = match self.work_off().await {
                Ok(_) => self.time_to_next().await.min(SLEEP_MAX),
                Err(error) => {
                    tracing::warn!(%error, "evaluating due users failed; trying again");
                    SLEEP_MAX
                }
            };
            // Whoever woke it may not have committed then: it looks once more in a moment.
            let pause = if woken { pause.min(ONCE_MORE) } else { pause };
            woken = tokio::time::timeout(pause, self.inner.work.notified())
                .await
                .is_ok();
        }
    }

    /// Evaluates everyone who is due now, and compares child groups that are. Returns how many users and groups
    /// that were.
    pub async fn work_off(&self) -> Result<u64, ProvisionError> {
        self.end_overrides().await?;
        self.keep_logins().await?;
        let mut done = 0;
        loop {
            let connectors: Vec<ConnectorId> = self
                .store()
                .read(|tx| Ok::<_, ProvisionError>(tx.connectors_with_due_users()?))
                .await?;
            if connectors.is_empty() {
                match self.work_on_jobs().await? {
                    0 => return Ok(done + self.work_off_imports().await?),
                    pieces => done += pieces,
                }
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
                    self.postpone_first(connector, error.to_string()).await?;
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
                let owed = owed(tx, connector.connector.id, limit)?;
                for part in owed.chunk_by(|one, next| one.goes_with(next)) {
                    this.settle_owed(tx, &connector, part)?;
                }
                let nestings = tx.due_nestings(connector.connector.id, NESTINGS_MAX.min(limit))?;
                for part in nestings.chunk_by(|one, next| one.job == next.job) {
                    compare_part(tx, &connector, part)?;
                }
                if owed.is_empty() && nestings.is_empty() {
                    end_collection(tx, &connector)?;
                }
                let released = this.release_approved(tx, &connector, limit, "")?;
                let left_behind = tx.accounts_left_behind(connector.connector.id, limit)?;
                for user in &left_behind {
                    if let Some(account) = tx.account(*user)? {
                        this.settle_deleted(tx, &connector, &account, &deletion(&connector))?;
                    }
                }
                let people = owed.len() + nestings.len() + left_behind.len();
                // What becomes of groups depends on who is left in them.
                let groups = match people {
                    0 => work_on_groups(tx, &connector)?,
                    _ => 0,
                };
                Ok((people + groups) as u64 + released)
            })
            .await
    }

    /// Looks at those who follow each other and can be looked at together.
    fn settle_owed(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        part: &[Owed],
    ) -> Result<(), ProvisionError> {
        let mut users = Vec::with_capacity(part.len());
        for one in part {
            match one {
                Owed::User(due) => users.push(due),
                Owed::Deleted(due) => {
                    if let Some(account) = tx.account(due.user)? {
                        let cause = due.cause.clone();
                        let cause = cause.unwrap_or_else(|| deletion(connector));
                        self.settle_deleted(tx, connector, &account, &cause)?;
                    }
                }
            }
        }
        match users.as_slice() {
            [] => Ok(()),
            users => self.settle_part(tx, connector, users),
        }
    }

    /// Evaluates users who are due for the same job, or for none.
    fn settle_part(
        &self,
        tx: &WriteTx<'_>,
        connector: &LoadedConnector,
        part: &[&DueUser],
    ) -> Result<(), ProvisionError> {
        let job = part.first().and_then(|item| item.job);
        let noted = position_for(tx, connector.connector.directory, job)?;
        let due: Vec<_> = part.iter().map(|item| (item.user, &item.cause)).collect();
        let kept_back = self.settle_each(tx, connector, &due)?;
        let Some((job, before)) = noted else {
            return Ok(());
        };
        let users: Vec<SourceUserPk> = part.iter().map(|item| item.user).collect();
        note_evaluated(tx, job, before, &users, kept_back)
    }

    async fn postpone_first(
        &self,
        connector: ConnectorId,
        failure: String,
    ) -> Result<(), ProvisionError> {
        let directory = self.directory_of(connector).await?;
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let until = tx.now() + RETRY_AFTER;
                for item in owed(tx, connector, 1)? {
                    match item {
                        Owed::User(item) => {
                            tx.postpone_due(item.user, until, &failure)?;
                            if let Some(job) = item.job {
                                tx.count_for_job(job, Operation::Error, 1)?;
                            }
                        }
                        Owed::Deleted(due) => {
                            tx.set_account_due(due.user, Some(until), due.cause.as_ref())?;
                        }
                    }
                }
                Ok(())
            })
            .await
    }

    async fn time_to_next(&self) -> Duration {
        let next = self
            .store()
            .read(|tx| {
                let next = [tx.next_due()?, tx.next_override_end()?];
                Ok::<_, ProvisionError>((next.into_iter().flatten().min(), tx.now()))
            })
            .await;
        match next {
            Ok((Some(at), now)) => Duration::try_from(at.duration_since(now)).unwrap_or_default(),
            _ => SLEEP_MAX,
        }
    }
}

/// Somebody who is to be looked at.
enum Owed {
    /// A user of the source.
    User(DueUser),
    /// An account whose user the IdP deleted.
    Deleted(DueAccount),
}

impl Owed {
    fn since(&self) -> Timestamp {
        match self {
            Owed::User(due) => due.at,
            Owed::Deleted(due) => due.at,
        }
    }

    /// Whether both can be looked at together: they are due for the same job, or for none.
    fn goes_with(&self, next: &Self) -> bool {
        match (self, next) {
            (Owed::User(one), Owed::User(next)) => one.job == next.job,
            (Owed::Deleted(..), Owed::Deleted(..)) => true,
            _ => false,
        }
    }
}

/// The next who are to be looked at, in the order in which that became due: what was written during a pause takes effect
/// in the order in which it was written. Of what came at once, deletions are first, as they free names.
fn owed(tx: &WriteTx<'_>, connector: ConnectorId, limit: i64) -> Result<Vec<Owed>, ProvisionError> {
    let deleted = tx.accounts_due(connector, limit)?.into_iter();
    let users = tx.due_users(connector, limit)?.into_iter();
    let mut owed: Vec<Owed> = deleted
        .map(Owed::Deleted)
        .chain(users.map(Owed::User))
        .collect();
    owed.sort_by_key(Owed::since);
    // What comes behind the last of one list may come behind others of it that were not read.
    owed.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(owed)
}

/// Compares the child groups of groups for which that is due for the same job, or for none.
fn compare_part(
    tx: &WriteTx<'_>,
    connector: &LoadedConnector,
    part: &[DueNesting],
) -> Result<(), ProvisionError> {
    let job = part.first().and_then(|item| item.job);
    let noted = position_for(tx, connector.connector.directory, job)?;
    for item in part {
        settle_children(tx, connector, item.group, None, &item.cause)?;
        tx.clear_due_nesting(connector.connector.id, item.group)?;
    }
    match noted {
        Some((job, before)) => note_compared(tx, job, before),
        None => Ok(()),
    }
}

/// The cause of what becomes of somebody deleted without anybody writing: after a pause, or after some days.
fn deletion(connector: &LoadedConnector) -> Cause {
    Cause {
        trigger: Trigger::Reconcile,
        connector: Some(connector.connector.id),
        actor: "in the course of time".to_owned(),
        request: String::new(),
    }
}

/// Whether an error comes from what is stored, so that trying again at once would not help.
pub(crate) fn is_about_data(error: &ProvisionError) -> bool {
    !matches!(
        error,
        ProvisionError::Store(
            store::StoreError::Busy
                | store::StoreError::Unavailable { .. }
                | store::StoreError::DiskFull
        )
    )
}
