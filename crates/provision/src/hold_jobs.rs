//! Decisions about very many holds, as jobs: which holds it is about is settled at the begin, and they are decided in
//! pieces, so that a piece is either done with all that comes of it or not at all.

use directory::{Cause, Connector, ConnectorState, JobKind, JobState, Trigger};
use serde::{Deserialize, Serialize};
use store::{HoldChoice, Job, JobWork, NewJob, Scope, WriteTx};

use crate::jobs::present;
use crate::release::wish_of;
use crate::{BegunJob, Provision, ProvisionError};

/// Holds that are decided in one transaction.
const CHUNK_MAX: i64 = 100;

/// What such a job has to remember.
#[derive(Serialize, Deserialize)]
struct Wish {
    choice: HoldChoice,
    /// The last hold that is decided.
    position: i64,
    /// The last hold that there was: those that begin later are not meant.
    upto: i64,
}

/// Begins a decision about open holds. The same decision is not begun again while it goes on.
pub(crate) fn begin_decision(
    tx: &WriteTx<'_>,
    connector: &Connector,
    kind: JobKind,
    choice: &HoldChoice,
    actor: &str,
) -> Result<BegunJob, ProvisionError> {
    for job in tx.unfinished_jobs()? {
        if job.kind == kind && job.connector == Some(connector.id) && job.cause.actor == actor {
            let known: Wish = wish_of(&job)?;
            // Time goes on for what is approved by time.
            let before = choice.before.or(known.choice.before);
            let known = HoldChoice {
                before,
                ..known.choice
            };
            if known == *choice {
                return Ok(BegunJob {
                    job,
                    coalesced: true,
                });
            }
        }
    }
    let wish = Wish {
        choice: choice.clone(),
        position: 0,
        upto: tx.newest_hold()?,
    };
    let job = tx.insert_job(&NewJob {
        kind,
        connector: Some(connector.id),
        directory: connector.directory,
        subject: String::new(),
        wish: written(&wish)?,
        cause: Cause {
            trigger: Trigger::Reconcile,
            connector: Some(connector.id),
            actor: actor.to_owned(),
            request: String::new(),
        },
    })?;
    tx.set_job_total(job.id, tx.count_open_holds(connector.id, choice)?)?;
    Ok(BegunJob {
        job: present(tx, job.id)?,
        coalesced: false,
    })
}

impl Provision {
    /// Decides about the next holds of a job. Gives false if there was nothing to do.
    pub(crate) async fn work_on_holds(&self, job: &Job) -> Result<bool, ProvisionError> {
        let (id, this) = (job.id, self.clone());
        self.store()
            .write(Scope::Directory(job.directory), move |tx| {
                let job = present(tx, id)?;
                let (Some(connector), Some(state)) = (job.connector, job.kind.decides()) else {
                    return Ok(false);
                };
                if job.state.is_over() {
                    return Ok(false);
                }
                let mut wish: Wish = wish_of(&job)?;
                let range = (wish.position, wish.upto);
                let holds = tx.open_holds_behind(connector, &wish.choice, range, CHUNK_MAX)?;
                let Some(last) = holds.last() else {
                    tx.finish_job(id, JobState::Done, None)?;
                    return Ok(true);
                };
                wish.position = *last;
                let before = tx.journal_position(job.directory)?;
                tx.decide_these_holds(&holds, state, &job.cause.actor)?;
                let loaded = this.require_connector(tx, connector)?;
                if state == directory::HoldState::Approved
                    && loaded.connector.state == ConnectorState::Active
                {
                    this.release_approved(tx, &loaded, CHUNK_MAX, &job.cause.request)?;
                }
                let work = JobWork {
                    worked: i64::try_from(holds.len()).unwrap_or(i64::MAX),
                    ..JobWork::default()
                };
                tx.note_job_work(id, before, &work)?;
                tx.set_job_wish(id, &written(&wish)?)?;
                Ok(true)
            })
            .await
    }
}

fn written(wish: &Wish) -> Result<serde_json::Value, ProvisionError> {
    serde_json::to_value(wish).map_err(|error| ProvisionError::invalid("job", error.to_string()))
}
