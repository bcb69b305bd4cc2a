//! An undo of many users as a job: whom it touches is noted at its begin, and worked off in pieces.

use directory::{Cause, DirectoryId, JobKind, JobState, Operation, Trigger};
use serde::{Deserialize, Serialize};
use store::{Job, JobWork, JournalSelection, NewJob, Scope};

use super::{CHUNK_MAX, UndoReport, Undoing};
use crate::jobs::present;
use crate::release::{require_idle, wish_of};
use crate::{BegunJob, Provision, ProvisionError};

/// What such a job has to remember.
#[derive(Serialize, Deserialize)]
struct Wish {
    selection: JournalSelection,
    /// What it did so far.
    report: UndoReport,
}

/// What a job that undoes did so far; none for a job of another kind.
pub fn undo_report(job: &Job) -> Result<Option<UndoReport>, ProvisionError> {
    match job.kind {
        JobKind::Undo => Ok(Some(wish_of::<Wish>(job)?.report)),
        _ => Ok(None),
    }
}

impl Provision {
    pub(super) async fn begin_undo(
        &self,
        directory: DirectoryId,
        undoing: Undoing,
        actor: &str,
        request: &str,
    ) -> Result<BegunJob, ProvisionError> {
        let wish = Wish {
            selection: undoing.selection,
            report: UndoReport {
                request: request.to_owned(),
                ..UndoReport::default()
            },
        };
        let new = NewJob {
            kind: JobKind::Undo,
            connector: None,
            directory,
            subject: String::new(),
            wish: serde_json::to_value(&wish).map_err(unwritten)?,
            cause: Cause {
                trigger: Trigger::Undo,
                connector: None,
                actor: actor.to_owned(),
                request: request.to_owned(),
            },
        };
        let users = undoing.users;
        let job = self
            .store()
            .write(Scope::Directory(directory), move |tx| {
                require_idle(tx, None, directory)?;
                let job = tx.insert_job(&new)?;
                tx.set_job_total(job.id, count(users.len()))?;
                tx.insert_users_to_undo(job.id, &users)?;
                present(tx, job.id)
            })
            .await?;
        self.wake_worker();
        Ok(BegunJob {
            job,
            coalesced: false,
        })
    }

    /// Does one piece of an undo. Gives false if there was nothing to do.
    pub(crate) async fn work_on_undo(&self, job: &Job) -> Result<bool, ProvisionError> {
        let (id, this) = (job.id, self.clone());
        self.store()
            .write(Scope::Directory(job.directory), move |tx| {
                let job = present(tx, id)?;
                if job.state.is_over() {
                    return Ok(false);
                }
                let users = tx.users_to_undo(id, count(CHUNK_MAX))?;
                let Some(last) = users.last() else {
                    tx.finish_job(id, JobState::Done, None)?;
                    return Ok(true);
                };
                let mut wish: Wish = wish_of(&job)?;
                let before = tx.journal_position(job.directory)?;
                let undoing = Undoing::again(tx, job.directory, wish.selection.clone())?;
                let done = this.undo_chunk(tx, job.directory, &undoing, &users, &job.cause)?;
                let mut work = JobWork {
                    worked: count(users.len()),
                    ..JobWork::default()
                };
                let conflicts = i64::try_from(done.conflict_count).unwrap_or(i64::MAX);
                work.counts.add(Operation::Conflict, conflicts);
                wish.report.add(done);
                tx.delete_users_to_undo(id, *last)?;
                tx.note_job_work(id, before, &work)?;
                tx.set_job_wish(id, &serde_json::to_value(&wish).map_err(unwritten)?)?;
                Ok(true)
            })
            .await
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unwritten(error: serde_json::Error) -> ProvisionError {
    ProvisionError::invalid("job", error.to_string())
}
