//! Jobs: how far they are, what they did, and which entries of the journal are theirs.

use std::collections::BTreeSet;

use directory::{
    Cause, ConnectorId, Counts, DirectoryId, JobId, JobKind, JobState, Operation, Trigger, UserPk,
};
use jiff::Timestamp;
use serde::Deserialize;

use crate::connectors::json;
use crate::{JournalEntry, ReadTx, Row, Sql, StoreError, WriteTx, args};

/// Jobs that are removed in one go.
const PRUNED_AT_ONCE: i64 = 100;

/// A job to be made.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// What it does.
    pub kind: JobKind,
    /// The connector it is about, if it is about one.
    pub connector: Option<ConnectorId>,
    /// The directory whose journal it writes.
    pub directory: DirectoryId,
    /// What it is about, for those who read.
    pub subject: String,
    /// What was asked for, in the terms of its kind.
    pub wish: serde_json::Value,
    /// What set it off. A request that is left out becomes the job's own id.
    pub cause: Cause,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// The store's number.
    pub id: JobId,
    /// UUID for URLs.
    pub public_id: String,
    /// What it does.
    pub kind: JobKind,
    /// The connector it is about.
    pub connector: Option<ConnectorId>,
    /// What that one was called when the job began.
    pub connector_name: Option<String>,
    /// The directory whose journal it writes.
    pub directory: DirectoryId,
    /// What that one was called when the job began.
    pub directory_name: String,
    /// What it is about, for those who read.
    pub subject: String,
    /// What was asked for, in the terms of its kind.
    pub wish: serde_json::Value,
    /// How far it is.
    pub state: JobState,
    /// What set it off.
    pub cause: Cause,
    /// How many there were to work off.
    pub total: i64,
    /// How many it has worked off itself.
    pub worked: i64,
    /// How often each operation happened.
    pub counts: Counts,
    /// Why it failed.
    pub failure: Option<String>,
    /// Memory of the processes that work on it.
    pub memory: JobMemory,
    /// When it was asked for.
    pub created: Timestamp,
    /// When its work began.
    pub started: Option<Timestamp>,
    /// When it was over.
    pub finished: Option<Timestamp>,
}

/// Resident memory of the process while a job was going on, in bytes, where that can be known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobMemory {
    /// When the job was asked for.
    pub start: Option<i64>,
    /// The most since, as seen at the end of each piece.
    pub peak: Option<i64>,
    /// When it was over.
    pub end: Option<i64>,
}

/// Which jobs to list; newest first.
#[derive(Debug, Clone, Default)]
pub struct JobQuery {
    /// Only jobs about this connector.
    pub connector: Option<ConnectorId>,
    /// Only jobs about one of these connectors.
    pub within: Option<Vec<ConnectorId>>,
    /// Only jobs about this directory.
    pub directory: Option<DirectoryId>,
    /// Only jobs of this kind.
    pub kind: Option<JobKind>,
    /// Only jobs that are so far.
    pub state: Option<JobState>,
    /// Only jobs before this one.
    pub before: Option<JobId>,
    /// At most so many.
    pub limit: i64,
}

/// One piece of a job: what it did in one transaction.
#[derive(Debug, Clone, Default)]
pub struct JobWork {
    /// Users, or what else it goes by, that it worked off.
    pub worked: i64,
    /// What became of them, apart from what is in the journal.
    pub counts: Counts,
}

pub(crate) const COLUMNS: &str = "pk, public_id, kind, connector_pk, connector_name, directory_pk, directory_name, subject, \
     wish, state, trigger_name, actor, request, total, worked, counts, failure, memory, created, started, finished, \
     memory_start, memory_peak";

pub(crate) fn read_job(row: &Row<'_>) -> Result<Job, StoreError> {
    let connector = row.opt_int(3)?.map(ConnectorId);
    Ok(Job {
        id: JobId(row.int(0)?),
        public_id: row.text(1)?,
        kind: JobKind::parse(&row.text(2)?).ok_or_else(|| StoreError::corrupt("job.kind"))?,
        connector,
        connector_name: row.opt_text(4)?,
        directory: DirectoryId(row.int(5)?),
        directory_name: row.text(6)?,
        subject: row.text(7)?,
        wish: serde_json::from_str(&row.text(8)?)
            .map_err(|error| StoreError::corrupt(format!("job.wish: {error}")))?,
        state: JobState::parse(&row.text(9)?).ok_or_else(|| StoreError::corrupt("job.state"))?,
        cause: Cause {
            trigger: Trigger::parse(&row.text(10)?)
                .ok_or_else(|| StoreError::corrupt("job.trigger_name"))?,
            connector,
            actor: row.text(11)?,
            request: row.text(12)?,
        },
        total: row.int(13)?,
        worked: row.int(14)?,
        counts: serde_json::from_str(&row.text(15)?)
            .map_err(|error| StoreError::corrupt(format!("job.counts: {error}")))?,
        failure: row.opt_text(16)?,
        memory: JobMemory {
            start: row.opt_int(21)?,
            peak: row.opt_int(22)?,
            end: row.opt_int(17)?,
        },
        created: row.time(18)?,
        started: row.opt_time(19)?,
        finished: row.opt_time(20)?,
    })
}

/// The kind of a change, from the beginning of its document.
#[derive(Deserialize)]
struct Kind {
    change: String,
}

impl ReadTx<'_> {
    /// The job with this number.
    pub fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE pk = $1");
        self.query_one(&sql, args![id], read_job)
    }

    /// The job with this public id.
    pub fn find_job(&self, public_id: &str) -> Result<Option<Job>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE public_id = $1");
        self.query_one(&sql, args![public_id], read_job)
    }

    /// Jobs, newest first.
    pub fn jobs(&self, query: &JobQuery) -> Result<Vec<Job>, StoreError> {
        let mut parts = Sql::new("pk < ").bind(query.before.map_or(i64::MAX, |job| job.0));
        if let Some(connector) = query.connector {
            parts = parts.then(" AND connector_pk = ").bind(connector.0);
        }
        if let Some(within) = &query.within {
            let numbers = within.iter().map(|connector| connector.0);
            parts = parts.then(" AND ").among("connector_pk", numbers);
        }
        if let Some(directory) = query.directory {
            parts = parts.then(" AND directory_pk = ").bind(directory.0);
        }
        if let Some(kind) = query.kind {
            parts = parts.then(" AND kind = ").bind(kind.as_str());
        }
        if let Some(state) = query.state {
            parts = parts.then(" AND state = ").bind(state.as_str());
        }
        let parts = parts.then(" ORDER BY pk DESC LIMIT ").bind(query.limit);
        let sql = format!("SELECT {COLUMNS} FROM job WHERE {}", parts.text());
        self.query(&sql, parts.args(), read_job)
    }

    /// Every job that is not over, oldest first.
    pub fn unfinished_jobs(&self) -> Result<Vec<Job>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE finished IS NULL ORDER BY pk");
        self.query(&sql, args![], read_job)
    }

    /// Where the journal ended when the evaluation of everybody of a connector began that is going on; none if none is.
    pub fn evaluation_began(&self, connector: ConnectorId) -> Result<Option<i64>, StoreError> {
        self.query_one(
            "SELECT position FROM job WHERE finished IS NULL AND connector_pk = $1 AND position IS NOT NULL \
             ORDER BY pk DESC LIMIT 1",
            args![connector.0],
            |row| row.int(0),
        )
    }

    /// How many evaluations and comparisons are still owed to a job.
    pub fn job_left(&self, job: JobId) -> Result<i64, StoreError> {
        let left = self.query_one(
            "SELECT (SELECT count(*) FROM due WHERE job_pk = $1) + (SELECT count(*) FROM due_nesting WHERE job_pk = $1)",
            args![job],
            |row| row.int(0),
        )?;
        Ok(left.unwrap_or(0))
    }

    /// Whether any evaluation or comparison is still owed to a job.
    pub fn job_is_owed(&self, job: JobId) -> Result<bool, StoreError> {
        let found = self.query_one(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM due WHERE job_pk = $1) \
             OR EXISTS (SELECT 1 FROM due_nesting WHERE job_pk = $1)",
            args![job],
            |_row| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// Entries of the journal that a job wrote, behind `after`, those about one user if one is given.
    pub fn job_entries(
        &self,
        job: &Job,
        user: Option<UserPk>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let ranges = self.query(
            "SELECT first, last FROM job_range WHERE job_pk = $1 AND last > $2 ORDER BY first",
            args![job.id, after],
            |row| Ok((row.int(0)?, row.int(1)?)),
        )?;
        let mut entries = Vec::new();
        for (first, last) in ranges {
            let Some(room) = limit.checked_sub(entries.len()).filter(|room| *room > 0) else {
                break;
            };
            entries.extend(self.journal_between(
                job.directory,
                (first.max(after), last),
                user,
                room,
            )?);
        }
        Ok(entries)
    }
}

impl WriteTx<'_> {
    /// Makes a job that has not begun yet.
    pub fn insert_job(&self, new: &NewJob) -> Result<Job, StoreError> {
        let public_id = self.new_id().to_string();
        let request = match new.cause.request.as_str() {
            "" => public_id.as_str(),
            request => request,
        };
        let memory = self.memory();
        let pk = self.insert(
            "INSERT INTO job (public_id, kind, connector_pk, connector_name, directory_pk, directory_name, subject, \
             wish, state, trigger_name, actor, request, total, worked, counts, created, memory_start, memory_mark) \
             VALUES ($1, $2, $3, (SELECT name FROM connector WHERE pk = $3), $4, \
             coalesce((SELECT name FROM directory WHERE pk = $4), ''), $5, $6, $7, $8, $9, $10, 0, 0, '{}', $11, $12, $13) \
             RETURNING pk",
            args![
                public_id.as_str(),
                new.kind.as_str(),
                new.connector.map(|connector| connector.0),
                new.directory,
                new.subject.as_str(),
                json(&new.wish)?,
                JobState::Queued.as_str(),
                new.cause.trigger.as_str(),
                new.cause.actor.as_str(),
                request,
                self.now(),
                memory.map(|it| it.resident),
                memory.map(|it| it.peak)
            ],
        )?;
        self.job(JobId(pk))?
            .ok_or_else(|| StoreError::corrupt("job"))
    }

    /// Says how many there are to work off.
    pub fn set_job_total(&self, job: JobId, total: i64) -> Result<(), StoreError> {
        self.execute("UPDATE job SET total = $1 WHERE pk = $2", args![total, job])?;
        Ok(())
    }

    /// Notes that a job begins to evaluate everybody where the journal of its directory ends.
    pub fn note_evaluation_begins(&self, job: JobId, position: i64) -> Result<(), StoreError> {
        self.execute(
            "UPDATE job SET position = $1 WHERE pk = $2",
            args![position, job],
        )?;
        Ok(())
    }

    /// Keeps what a job asked for in other terms, to be found when it goes on.
    pub fn set_job_wish(&self, job: JobId, wish: &serde_json::Value) -> Result<(), StoreError> {
        self.execute(
            "UPDATE job SET wish = $1 WHERE pk = $2",
            args![json(wish)?, job],
        )?;
        Ok(())
    }

    /// Notes a piece of a job: what it worked off, and that everything in the journal behind `before` is its
    /// doing. To be called in the transaction that did it, whose scope is the job's directory.
    pub fn note_job_work(&self, job: JobId, before: i64, work: &JobWork) -> Result<(), StoreError> {
        let Some(mut known) = self.job(job)? else {
            return Ok(());
        };
        let last = self.journal_position(known.directory)?;
        let mut touched = BTreeSet::new();
        self.for_each(
            "SELECT change, user_pk FROM journal WHERE directory_pk = $1 AND pk > $2 AND pk <= $3",
            args![known.directory, before, last],
            |row| {
                let kind: Kind = serde_json::from_str(row.str(0)?)
                    .map_err(|error| StoreError::corrupt(format!("journal.change: {error}")))?;
                known.counts.add(Operation::of_entry(&kind.change), 1);
                touched.extend(row.opt_int(1)?);
                Ok(())
            },
        )?;
        known.counts.merge(&work.counts);
        let untouched = work.worked - i64::try_from(touched.len()).unwrap_or(i64::MAX);
        if known.kind.evaluates() {
            known.counts.add(Operation::Unchanged, untouched.max(0));
        }
        self.execute(
            "UPDATE job SET state = $1, started = coalesce(started, $2), worked = worked + $3, counts = $4 WHERE pk = $5",
            args![
                JobState::Running.as_str(),
                self.now(),
                work.worked,
                json(&known.counts)?,
                job
            ],
        )?;
        self.note_job_memory(job)?;
        if last > before {
            self.note_job_range(job, before, last)?;
        }
        Ok(())
    }

    /// The most memory since a job was asked for. Where the process had never had as much before, the system knows it
    /// to the byte, also between two looks.
    fn note_job_memory(&self, job: JobId) -> Result<(), StoreError> {
        let Some(memory) = self.memory() else {
            return Ok(());
        };
        self.execute(
            "UPDATE job SET memory_peak = CASE WHEN memory_mark < $1 THEN $1 \
             WHEN coalesce(memory_peak, 0) < $2 THEN $2 ELSE memory_peak END WHERE pk = $3",
            args![memory.peak, memory.resident, job],
        )?;
        Ok(())
    }

    /// A piece that goes on where the one before it ended lengthens that one.
    fn note_job_range(&self, job: JobId, first: i64, last: i64) -> Result<(), StoreError> {
        let longer = self.execute(
            "UPDATE job_range SET last = $1 WHERE job_pk = $2 AND last = $3",
            args![last, job, first],
        )?;
        if longer == 0 {
            self.execute(
                "INSERT INTO job_range (job_pk, first, last) VALUES ($1, $2, $3)",
                args![job, first, last],
            )?;
        }
        Ok(())
    }

    /// Counts something that happened to a job outside of its work.
    pub fn count_for_job(
        &self,
        job: JobId,
        operation: Operation,
        count: i64,
    ) -> Result<(), StoreError> {
        let Some(mut known) = self.job(job)? else {
            return Ok(());
        };
        known.counts.add(operation, count);
        self.execute(
            "UPDATE job SET counts = $1 WHERE pk = $2",
            args![json(&known.counts)?, job],
        )?;
        Ok(())
    }

    /// Ends a job.
    pub fn finish_job(
        &self,
        job: JobId,
        state: JobState,
        failure: Option<&str>,
    ) -> Result<(), StoreError> {
        self.note_job_memory(job)?;
        let memory = self.memory().map(|it| it.resident);
        self.execute(
            "UPDATE job SET state = $1, failure = $2, memory = $3, finished = $4, started = coalesce(started, $4) \
             WHERE pk = $5 AND finished IS NULL",
            args![state.as_str(), failure, memory, self.now(), job],
        )?;
        self.execute("DELETE FROM job_user WHERE job_pk = $1", args![job])?;
        Ok(())
    }

    /// Takes back what only this job wanted: an evaluation that was owed later is owed then again.
    pub fn drop_job_due(&self, job: JobId) -> Result<(), StoreError> {
        self.execute(
            "UPDATE due SET due_at = later, job_pk = NULL, optional = 0, later = NULL \
             WHERE job_pk = $1 AND optional = 1 AND later IS NOT NULL",
            args![job],
        )?;
        self.execute(
            "DELETE FROM due WHERE job_pk = $1 AND optional = 1",
            args![job],
        )?;
        self.execute(
            "UPDATE due_nesting SET job_pk = NULL WHERE job_pk = $1",
            args![job],
        )?;
        Ok(())
    }

    /// Removes jobs that ended before a moment, some at a time; gives how many went, and is to be called again if
    /// that is not none.
    pub fn prune_jobs(&self, from: Timestamp) -> Result<u64, StoreError> {
        let old = self.query(
            "SELECT pk FROM job WHERE finished < $1 ORDER BY pk LIMIT $2",
            args![from, PRUNED_AT_ONCE],
            |row| row.int(0),
        )?;
        for job in &old {
            self.execute("DELETE FROM job_range WHERE job_pk = $1", args![*job])?;
            self.execute("DELETE FROM job WHERE pk = $1", args![*job])?;
        }
        Ok(old.len() as u64)
    }
}
