//! Jobs: begun in the transaction that makes the work, worked off piece by piece, ended when nothing is owed to them.

use directory::{
    Cause, Connector, ConnectorId, ConnectorState, DirectoryId, JobId, JobKind, JobState,
    Operation, SourceGroupPk, SourceUserPk, Trigger,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::{Claim, Job, JobQuery, JobWork, NewJob, ReadTx, Scope, WriteTx};

use crate::safety::keep_bases;
use crate::worker::is_about_data;
use crate::{Provision, ProvisionError};

/// What came of asking for a job.
#[derive(Debug, Clone)]
pub struct BegunJob {
    /// The job.
    pub job: Job,
    /// Whether it was there already, doing the same.
    pub coalesced: bool,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many are done.
    pub done: i64,
    /// How many there are.
    pub total: i64,
    /// How long it will go on as fast as so far, if anything can be said.
    pub remaining: Option<SignedDuration>,
    /// Whether it waits until its connector is active.
    pub waits: bool,
}

/// How far a job is, seen in this transaction.
pub fn progress(tx: &ReadTx<'_>, job: &Job) -> Result<Progress, ProvisionError> {
    let total = job.total.max(job.worked);
    let (left, waits) = match (job.state.is_over(), job.kind.evaluates()) {
        (true, _) => (0, false),
        (false, true) => (tx.job_left(job.id)?, waits(tx, job)?),
        (false, false) => (total - job.worked, false),
    };
    let done = (total - left).max(0);
    let remaining = match job.started {
        Some(started) if left > 0 && done > 0 => {
            let spent = tx.now().duration_since(started).as_millis();
            let millis = spent.saturating_mul(i128::from(left)) / i128::from(done);
            i64::try_from(millis).ok().map(SignedDuration::from_millis)
        }
        _ => None,
    };
    Ok(Progress {
        done,
        total,
        remaining: remaining.filter(|_| !waits),
        waits,
    })
}

/// The evaluation of everybody of a connector because its rules are new: the one that goes on, or the last one.
pub fn rules_job(tx: &ReadTx<'_>, connector: ConnectorId) -> Result<Option<Job>, ProvisionError> {
    let newest = tx.jobs(&JobQuery {
        connector: Some(connector),
        kind: Some(JobKind::Rules),
        limit: 1,
        ..JobQuery::default()
    })?;
    Ok(newest.into_iter().next())
}

fn waits(tx: &ReadTx<'_>, job: &Job) -> Result<bool, ProvisionError> {
    let connector = match job.connector {
        Some(connector) => tx.connector(connector)?,
        None => None,
    };
    Ok(connector.is_some_and(|found| found.connector.state != ConnectorState::Active))
}

impl Provision {
    /// Evaluates every user of a connector by the present rules. What is going on already is not begun again.
    pub async fn reconcile(
        &self,
        id: ConnectorId,
        actor: &str,
    ) -> Result<BegunJob, ProvisionError> {
        let (place, actor) = (self.place_of(id).await?, actor.to_owned());
        let begun = self
            .write_at(place, move |_, tx, connector| {
                begin_sweep(tx, &connector.connector, JobKind::Reconcile, &actor)
            })
            .await?;
        self.wake_worker();
        Ok(begun)
    }

    /// Ends a job before its end, where that leaves nothing undone.
    pub async fn cancel_job(&self, public_id: &str) -> Result<Job, ProvisionError> {
        let job = self.require_job(public_id).await?;
        let (directory, id) = (job.directory, job.id);
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                let job = present(tx, id)?;
                if job.state.is_over() {
                    return Err(ProvisionError::invalid(
                        "job",
                        format!("is over already: {}", job.state.as_str()),
                    ));
                }
                if !job.kind.can_be_cancelled() {
                    return Err(ProvisionError::invalid(
                        "job",
                        format!(
                            "of kind {} cannot be cancelled, since products would go on seeing what is not so any more",
                            job.kind.as_str()
                        ),
                    ));
                }
                tx.drop_job_due(id)?;
                tx.finish_job(id, JobState::Cancelled, None)?;
                present(tx, id)
            })
            .await
    }

    /// The job of this id.
    pub async fn require_job(&self, public_id: &str) -> Result<Job, ProvisionError> {
        let public_id = public_id.to_owned();
        self.store()
            .read(move |tx| {
                tx.find_job(&public_id)?
                    .ok_or_else(|| ProvisionError::not_found("job", &public_id))
            })
            .await
    }

    /// Forgets jobs that ended more than `days` ago. One small piece of work; gives how many went, and is to be called
    /// again if there were any.
    pub async fn prune_jobs(&self, days: u32) -> Result<u64, ProvisionError> {
        self.store()
            .write(Scope::Record, move |tx| {
                let from = tx
                    .now()
                    .checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
                    .unwrap_or(Timestamp::UNIX_EPOCH);
                Ok::<_, ProvisionError>(tx.prune_jobs(from)?)
            })
            .await
    }

    /// Does a piece of each job that is not made of evaluations, and ends those to which nothing is owed any more: what
    /// they were to do may have been done by writes in between. Gives how many pieces it did.
    pub async fn work_on_jobs(&self) -> Result<u64, ProvisionError> {
        self.end_jobs().await?;
        let unfinished = self
            .store()
            .read(|tx| Ok::<_, ProvisionError>(tx.unfinished_jobs()?))
            .await?;
        let mut pieces = 0;
        for job in unfinished.iter().filter(|job| !job.kind.evaluates()) {
            let done = match job.kind {
                JobKind::Transfer => self.work_on_transfer(job).await,
                JobKind::Undo => self.work_on_undo(job).await,
                JobKind::ApproveHolds | JobKind::RejectHolds => self.work_on_holds(job).await,
                _ => self.work_on_release(job).await,
            };
            pieces += match done {
                Ok(done) => u64::from(done),
                Err(error) if is_about_data(&error) => self.fail_job(job, &error).await?,
                Err(error) => return Err(error),
            };
        }
        Ok(pieces)
    }

    /// Ends a job that cannot go on; what it did stays.
    async fn fail_job(&self, job: &Job, error: &ProvisionError) -> Result<u64, ProvisionError> {
        tracing::error!(%error, job = job.public_id, "a job cannot go on");
        let (id, failure) = (job.id, error.to_string());
        self.store()
            .write(Scope::Directory(job.directory), move |tx| {
                tx.finish_job(id, JobState::Failed, Some(&failure))?;
                Ok(1)
            })
            .await
    }

    async fn end_jobs(&self) -> Result<(), ProvisionError> {
        let ready: Vec<Job> = self
            .store()
            .read(|tx| {
                let mut ready = Vec::new();
                for job in tx.unfinished_jobs()? {
                    if job.kind.evaluates() && !tx.job_is_owed(job.id)? {
                        ready.push(job);
                    }
                }
                Ok::<_, ProvisionError>(ready)
            })
            .await?;
        for job in ready {
            let id = job.id;
            self.store()
                .write(Scope::Directory(job.directory), move |tx| {
                    end_if_done(tx, id)
                })
                .await?;
        }
        Ok(())
    }
}

/// Begins the evaluation of a whole connector. One that is going on does for a second; new rules take it over, and
/// whoever was evaluated by the former ones is evaluated again.
pub(crate) fn begin_sweep(
    tx: &WriteTx<'_>,
    connector: &Connector,
    kind: JobKind,
    actor: &str,
) -> Result<BegunJob, ProvisionError> {
    let unfinished = tx.unfinished_jobs()?;
    let running = unfinished
        .into_iter()
        .filter(|job| job.connector == Some(connector.id) && job.kind.is_sweep())
        .max_by_key(|job| job.kind == JobKind::Rules);
    let (job, left) = match running {
        Some(job) if kind == JobKind::Reconcile => {
            return Ok(BegunJob {
                job,
                coalesced: true,
            });
        }
        Some(job) if job.kind == kind => {
            let left = tx.job_left(job.id)?;
            (job, Some(left))
        }
        _ => {
            let cause = Cause {
                trigger: Trigger::Reconcile,
                connector: Some(connector.id),
                actor: actor.to_owned(),
                request: String::new(),
            };
            (begin(tx, connector, kind, String::new(), &cause)?, None)
        }
    };
    keep_bases(tx, connector)?;
    tx.note_evaluation_begins(job.id, tx.journal_position(connector.directory)?)?;
    let claim = Claim::of_job(job.id, kind, &job.cause);
    tx.mark_all_nestings_due(connector.id, &job.cause, job.id)?;
    tx.mark_connector_due(connector.id, claim)?;
    let owed = tx.job_left(job.id)?;
    tx.set_job_total(job.id, job.total + owed - left.unwrap_or(0))?;
    Ok(BegunJob {
        job: present(tx, job.id)?,
        coalesced: left.is_some(),
    })
}

/// Owes an evaluation to everybody in a large group, as a job.
pub(crate) fn begin_for_group(
    tx: &WriteTx<'_>,
    connector: &Connector,
    (group, below): (SourceGroupPk, bool),
    kind: JobKind,
    cause: &Cause,
) -> Result<(), ProvisionError> {
    let names = tx.source_group_names(&[group])?;
    let subject = names.get(&group).cloned().unwrap_or_default();
    let job = begin(tx, connector, kind, subject, cause)?;
    let claim = Claim::of_job(job.id, kind, cause);
    match below {
        true => tx.mark_members_due(connector.id, group, claim)?,
        false => tx.mark_direct_members_due(connector.id, group, claim)?,
    }
    tx.set_job_total(job.id, tx.job_left(job.id)?)?;
    Ok(())
}

fn begin(
    tx: &WriteTx<'_>,
    connector: &Connector,
    kind: JobKind,
    subject: String,
    cause: &Cause,
) -> Result<Job, ProvisionError> {
    Ok(tx.insert_job(&NewJob {
        kind,
        connector: Some(connector.id),
        directory: connector.directory,
        subject,
        wish: Value::Object(serde_json::Map::new()),
        cause: cause.clone(),
    })?)
}

/// Notes that a piece of a job has evaluated these users, and ends the job if they were the last. Of so many of them
/// switches of the rules keep something back.
pub(crate) fn note_evaluated(
    tx: &WriteTx<'_>,
    job: JobId,
    before: i64,
    users: &[SourceUserPk],
    kept_back: i64,
) -> Result<(), ProvisionError> {
    let mut work = JobWork {
        worked: i64::try_from(users.len()).unwrap_or(i64::MAX),
        ..JobWork::default()
    };
    let conflicts = tx.count_name_conflicts(users)?;
    work.counts.add(Operation::Conflict, conflicts);
    work.counts.add(Operation::Error, tx.count_flagged(users)?);
    work.counts.add(Operation::Suppressed, kept_back);
    tx.note_job_work(job, before, &work)?;
    end_if_done(tx, job)
}

/// Notes that a piece of a job has compared child groups of so many groups, and ends the job if that was all.
pub(crate) fn note_compared(
    tx: &WriteTx<'_>,
    job: JobId,
    before: i64,
) -> Result<(), ProvisionError> {
    tx.note_job_work(job, before, &JobWork::default())?;
    end_if_done(tx, job)
}

/// Where a directory's journal ends, to tell afterwards what a piece of a job wrote.
pub(crate) fn position_for(
    tx: &ReadTx<'_>,
    directory: DirectoryId,
    job: Option<JobId>,
) -> Result<Option<(JobId, i64)>, ProvisionError> {
    job.map(|job| Ok((job, tx.journal_position(directory)?)))
        .transpose()
}

fn end_if_done(tx: &WriteTx<'_>, job: JobId) -> Result<(), ProvisionError> {
    if !tx.job_is_owed(job)? {
        tx.finish_job(job, JobState::Done, None)?;
    }
    Ok(())
}

/// The job as it is now.
pub(crate) fn present(tx: &ReadTx<'_>, job: JobId) -> Result<Job, ProvisionError> {
    tx.job(job)?
        .ok_or_else(|| ProvisionError::not_found("job", &job.to_string()))
}
