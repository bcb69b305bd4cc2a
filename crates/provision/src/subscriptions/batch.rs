//! What a subscription is told next: some events of one journal, or some jobs.

use std::collections::HashMap;

use directory::subscription::DirectoryEvent;
use directory::{ConnectorId, DirectoryId, JobKind, JobState};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::{
    Batch, Delivery, EntryNames, Job, JournalEntry, JournalQuery, Positions, ReadTx, StoreError,
    Subscription,
};

use crate::{Provision, ProvisionError};

/// Events of one message.
const EVENTS_MAX: usize = 100;
/// Entries of a journal that are looked at for one message.
const ENTRIES_MAX: usize = 1_000;
/// Jobs of one message.
const JOBS_MAX: i64 = 50;
/// A job whose end was written down takes no longer to be seen by everybody.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// What is to be done for a subscription.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// What was begun is sent.
    Again(Delivery, Vec<Value>),
    /// Something new is sent.
    New(Batch, Vec<Value>),
    /// Nothing of what happened since is wanted.
    MoveOn(Positions),
}

/// What is to be done for a subscription, if anything.
pub(super) fn next_step(
    provision: &Provision,
    tx: &ReadTx<'_>,
    subscription: &Subscription,
) -> Result<Option<Step>, ProvisionError> {
    if let Some(waiting) = tx.waiting_delivery(subscription.pk)? {
        let events = events(provision, tx, subscription, &waiting.batch)?;
        return Ok(Some(Step::Again(waiting, events)));
    }
    let mut told = subscription.told.clone();
    for directory in tx.directories()? {
        let id = directory.id;
        if !subscription.wants(id) {
            continue;
        }
        let after = match subscription.told.get(&id) {
            Some(position) => *position,
            None => tx.journal_floor(id)?,
        };
        if after >= tx.journal_position(id)? {
            continue;
        }
        match next_of_journal(provision, tx, subscription, (id, after))? {
            (Some(upto), found) if !found.is_empty() => {
                let batch = Batch::Journal(id, after, upto);
                return Ok(Some(Step::New(batch, found)));
            }
            (Some(upto), _) => {
                told.insert(id, upto);
            }
            (None, _) => {}
        }
    }
    if let Some(step) = next_jobs(tx, subscription)? {
        return Ok(Some(step));
    }
    Ok((told != subscription.told).then_some(Step::MoveOn(told)))
}

/// Up to which position a journal was looked through, and what is wanted of that.
fn next_of_journal(
    provision: &Provision,
    tx: &ReadTx<'_>,
    subscription: &Subscription,
    (directory, after): (DirectoryId, i64),
) -> Result<(Option<i64>, Vec<Value>), ProvisionError> {
    let query = JournalQuery {
        after,
        limit: i64::try_from(ENTRIES_MAX).unwrap_or(i64::MAX),
        ..JournalQuery::default()
    };
    let mut entries = tx.journal(directory, &query)?;
    let wanted = |entry: &JournalEntry| {
        DirectoryEvent::of(&entry.change).is_some_and(|event| subscription.hears(event))
    };
    let places = entries.iter().enumerate();
    let places = places.filter(|(_, entry)| wanted(entry));
    if let Some((last, _)) = places.take(EVENTS_MAX).last()
        && entries.iter().filter(|entry| wanted(entry)).count() > EVENTS_MAX
    {
        entries.truncate(last + 1);
    }
    let upto = entries.last().map(|entry| entry.position);
    let told = told_entries(provision, tx, subscription, directory, entries)?;
    Ok((upto, told))
}

fn next_jobs(tx: &ReadTx<'_>, subscription: &Subscription) -> Result<Option<Step>, StoreError> {
    let kind = match subscription.hears(DirectoryEvent::RunFinished) {
        true => None,
        false if subscription.hears(DirectoryEvent::DirectoryDeleted) => {
            Some(JobKind::DeleteDirectory)
        }
        false => return Ok(None),
    };
    let limit = JOBS_MAX + i64::try_from(subscription.jobs_told.len()).unwrap_or(0);
    let directories = subscription.draft.directories.as_deref();
    let mut jobs = tx.jobs_ended_since(subscription.jobs_since, directories, kind, limit)?;
    jobs.retain(|job| !subscription.jobs_told.contains(&job.public_id));
    let Some(first) = jobs.first().and_then(|job| job.finished) else {
        return Ok(None);
    };
    let ids = jobs.iter().map(|job| job.public_id.clone()).collect();
    let told = told_jobs(subscription, &jobs);
    Ok(Some(Step::New(Batch::Jobs(first, ids), told)))
}

/// The events of a batch, as far as they are still known.
pub(super) fn events(
    provision: &Provision,
    tx: &ReadTx<'_>,
    subscription: &Subscription,
    batch: &Batch,
) -> Result<Vec<Value>, ProvisionError> {
    match batch {
        Batch::Journal(directory, after, upto) => {
            let entries = tx.journal_between(*directory, (*after, *upto), None, ENTRIES_MAX)?;
            told_entries(provision, tx, subscription, *directory, entries)
        }
        Batch::Jobs(_, ids) => Ok(told_jobs(subscription, &tx.jobs_with(ids)?)),
    }
}

/// Makes a subscription what it is when a batch is behind it.
pub(super) fn move_on(
    tx: &ReadTx<'_>,
    subscription: &mut Subscription,
    batch: &Batch,
) -> Result<(), StoreError> {
    match batch {
        Batch::Journal(directory, _, upto) => {
            subscription.told.insert(*directory, *upto);
        }
        Batch::Jobs(first, ids) => {
            // Jobs are told in the order of their end, but for what was written down at the same time.
            let settled = first.checked_sub(SETTLED_AFTER).unwrap_or(Timestamp::MIN);
            let since = subscription.jobs_since.max(settled);
            subscription.jobs_since = since;
            subscription.jobs_told.extend(ids.iter().cloned());
            let known = tx.jobs_with(&subscription.jobs_told)?.into_iter();
            let late = known.filter(|job| job.finished.is_some_and(|at| at >= since));
            subscription.jobs_told = late.map(|job| job.public_id).collect();
        }
    }
    Ok(())
}

/// Entries of a journal as events. What rules hide is hidden here as in the journal itself: an endpoint stands outside.
fn told_entries(
    provision: &Provision,
    tx: &ReadTx<'_>,
    subscription: &Subscription,
    directory: DirectoryId,
    mut entries: Vec<JournalEntry>,
) -> Result<Vec<Value>, ProvisionError> {
    let hidden = provision.hidden_in(tx, directory)?;
    for entry in &mut entries {
        entry.change.redact(&hidden);
    }
    let names = EntryNames::of(tx, directory, &entries)?;
    let connectors = tx.connectors()?.into_iter();
    let connectors: HashMap<ConnectorId, String> = connectors
        .map(|stored| (stored.connector.id, stored.connector.name))
        .collect();
    let mut all = tx.directories()?.into_iter();
    let called = all.find(|one| one.id == directory).map(|one| one.name);
    let told = |entry: &JournalEntry| {
        let event = DirectoryEvent::of(&entry.change)?;
        if !subscription.hears(event) {
            return None;
        }
        let cause = &entry.cause;
        Some(json!({
            "event": event,
            "directory": called,
            "position": entry.position,
            "at": entry.at,
            "user": names.user(entry).map(|user| json!({"key": user.key, "name": user.name})),
            "group": names.group(entry),
            "child_group": names.child_group(entry),
            "change": entry.change,
            "cause": {
                "trigger": cause.trigger.as_str(),
                "connector": cause.connector.and_then(|id| connectors.get(&id)),
                "actor": cause.actor,
                "request": cause.request,
            },
        }))
    };
    Ok(entries.iter().filter_map(told).collect())
}

/// That jobs ended, and which directories are gone by that: their journals are gone with them.
fn told_jobs(subscription: &Subscription, jobs: &[Job]) -> Vec<Value> {
    let mut told = Vec::with_capacity(jobs.len());
    for job in jobs {
        let is_deletion = job.kind == JobKind::DeleteDirectory && job.state == JobState::Done;
        if is_deletion && subscription.hears(DirectoryEvent::DirectoryDeleted) {
            told.push(told_job(DirectoryEvent::DirectoryDeleted, job));
        }
        if subscription.hears(DirectoryEvent::RunFinished) {
            told.push(told_job(DirectoryEvent::RunFinished, job));
        }
    }
    told
}

fn told_job(event: DirectoryEvent, job: &Job) -> Value {
    json!({
        "event": event,
        "directory": job.directory_name,
        "at": job.finished,
        "job": {
            "id": job.public_id,
            "kind": job.kind.as_str(),
            "connector": job.connector_name,
            "subject": job.subject,
            "state": job.state.as_str(),
            "total": job.total,
            "counts": job.counts,
            "failure": job.failure,
        },
    })
}
