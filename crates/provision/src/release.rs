//! Letting go: a directory is detached, a connector moves to another directory or is deleted. Each is a job.

use directory::{
    Cause, Connector, ConnectorId, ConnectorState, DirectoryId, Fate, JobKind, JobState, Trigger,
    UserPk,
};
use serde::{Deserialize, Serialize};
use store::{AccountCounts, Job, JobWork, NewJob, ReadTx, Scope, WriteTx};

use crate::carry_out::{Target, carry_out};
use crate::directories::DetachEffects;
use crate::jobs::{begin_sweep, present};
use crate::{BegunJob, Provision, ProvisionError};

/// Accounts, groups or users of the source in one transaction.
const PIECE: i64 = 100;

/// What letting go of a connector's accounts touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseEffects {
    /// Users in its source.
    pub users: i64,
    /// Groups in its source.
    pub groups: i64,
    /// Accounts that it feeds.
    pub accounts: AccountCounts,
    /// Of a move: accounts whose name is taken in the other directory.
    pub taken_names: i64,
}

/// What a job of these kinds has to remember.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Wish {
    fate: Fate,
    /// The directory to feed from then on.
    to: Option<i64>,
    /// The state to be in from then on.
    resume: Option<ConnectorState>,
}

/// What there is to do after one piece.
enum Next {
    More,
    End,
    /// The connector is free to feed another directory.
    Move(Box<Connector>, DirectoryId, ConnectorState),
}

impl Provision {
    /// What letting go of a connector's accounts would touch; `to` is where it is to move.
    pub async fn preview_release(
        &self,
        id: ConnectorId,
        to: Option<DirectoryId>,
    ) -> Result<ReleaseEffects, ProvisionError> {
        self.store()
            .read(move |tx| {
                let source = tx.source_counts(id)?;
                let taken_names = match to {
                    Some(to) => tx.count_taken_names(id, to)?,
                    None => 0,
                };
                Ok(ReleaseEffects {
                    users: source.users,
                    groups: source.groups,
                    accounts: tx.count_accounts(id)?,
                    taken_names,
                })
            })
            .await
    }

    /// Makes everything in a directory local: nobody is disabled, nobody leaves a group. Its connectors are paused: what
    /// identity providers write is stored, and has no effect (AG-13).
    pub async fn detach_directory(
        &self,
        directory: DirectoryId,
        actor: &str,
    ) -> Result<BegunJob, ProvisionError> {
        let actor = actor.to_owned();
        self.begin_release(directory, move |tx| {
            require_idle(tx, None, directory)?;
            let effects = DetachEffects::of(tx, directory)?;
            for id in tx.connectors_into(directory)? {
                let connector = required(tx, id)?;
                if connector.state == ConnectorState::Active {
                    stop(tx, connector, ConnectorState::Paused, &actor)?;
                }
            }
            let total = effects.accounts.active + effects.accounts.disabled + effects.groups;
            begin(
                tx,
                JobKind::Detach,
                None,
                directory,
                &Wish::default(),
                (total, &actor),
            )
        })
        .await
    }

    /// Deletes a connector with its source and tokens. The fate says what becomes of its accounts.
    pub async fn delete_connector(
        &self,
        id: ConnectorId,
        fate: Fate,
        actor: &str,
    ) -> Result<BegunJob, ProvisionError> {
        let actor = actor.to_owned();
        let directory = self.directory_of(id).await?;
        self.begin_release(directory, move |tx| begin_deletion(tx, id, fate, &actor))
            .await
    }

    /// Lets a connector feed another directory. The fate says what becomes of its accounts in the present one; in the
    /// other one they are made anew.
    pub async fn move_connector(
        &self,
        id: ConnectorId,
        to: DirectoryId,
        fate: Fate,
        actor: &str,
    ) -> Result<BegunJob, ProvisionError> {
        let actor = actor.to_owned();
        let directory = self.directory_of(id).await?;
        if directory == to {
            let message = "is the one that the connector feeds already";
            return Err(ProvisionError::invalid("directory", message));
        }
        self.begin_release(directory, move |tx| {
            require_idle(tx, Some(id), directory)?;
            require_idle(tx, None, to)?;
            let connector = required(tx, id)?;
            let accounts = tx.count_accounts(id)?;
            let wish = Wish {
                fate,
                to: Some(to.0),
                resume: Some(connector.state),
            };
            if connector.state == ConnectorState::Active {
                stop(tx, connector, ConnectorState::Paused, &actor)?;
            }
            let total = accounts.active + accounts.disabled;
            begin(
                tx,
                JobKind::MoveConnector,
                Some(id),
                directory,
                &wish,
                (total, &actor),
            )
        })
        .await
    }

    pub(crate) async fn begin_release(
        &self,
        directory: DirectoryId,
        begin: impl Fn(&WriteTx<'_>) -> Result<Job, ProvisionError> + Send + Sync + 'static,
    ) -> Result<BegunJob, ProvisionError> {
        let settings = self.store().changing_settings();
        let job = self
            .store()
            .write(Scope::Directory(directory), move |tx| begin(tx))
            .await?;
        drop(settings);
        self.wake_worker();
        Ok(BegunJob {
            job,
            coalesced: false,
        })
    }

    /// Does one piece of a job that lets go. Gives false if there was nothing to do.
    pub(crate) async fn work_on_release(&self, job: &Job) -> Result<bool, ProvisionError> {
        let settings = self.store().changing_settings();
        let (id, this) = (job.id, self.clone());
        let next = self
            .store()
            .write(Scope::Directory(job.directory), move |tx| {
                let job = present(tx, id)?;
                if job.state.is_over() {
                    return Ok(None);
                }
                let before = tx.journal_position(job.directory)?;
                let (worked, next) = this.release_piece(tx, &job)?;
                let work = JobWork {
                    worked,
                    ..JobWork::default()
                };
                tx.note_job_work(id, before, &work)?;
                if matches!(next, Next::End) {
                    tx.finish_job(id, JobState::Done, None)?;
                }
                Ok::<_, ProvisionError>(Some(next))
            })
            .await?;
        let moved = match next {
            Some(Next::Move(connector, to, state)) => self.arrive(id, *connector, to, state).await,
            Some(Next::More | Next::End) => Ok(true),
            None => Ok(false),
        };
        drop(settings);
        moved
    }

    /// Everything of the connector is let go: from now on it feeds the other directory.
    async fn arrive(
        &self,
        job: directory::JobId,
        connector: Connector,
        to: DirectoryId,
        state: ConnectorState,
    ) -> Result<bool, ProvisionError> {
        let this = self.clone();
        self.store()
            .write(Scope::Directory(to), move |tx| {
                let job = present(tx, job)?;
                if job.state.is_over() {
                    return Ok(false);
                }
                tx.unbind_connector(connector.id)?;
                tx.set_connector_directory(connector.id, to)?;
                if state != connector.state {
                    stop(tx, connector.clone(), state, &job.cause.actor)?;
                }
                this.rebind_all(tx, connector.id, &job.cause)?;
                let arrived = required(tx, connector.id)?;
                begin_sweep(tx, &arrived, JobKind::Rules, &job.cause.actor)?;
                tx.finish_job(job.id, JobState::Done, None)?;
                Ok(true)
            })
            .await
    }
}

/// Begins the deletion of a connector, inside a transaction that has its directory for itself.
pub(crate) fn begin_deletion(
    tx: &WriteTx<'_>,
    id: ConnectorId,
    fate: Fate,
    actor: &str,
) -> Result<Job, ProvisionError> {
    let connector = required(tx, id)?;
    let directory = connector.directory;
    require_idle(tx, Some(id), directory)?;
    let (source, accounts) = (tx.source_counts(id)?, tx.count_accounts(id)?);
    let total = source.users + source.groups + accounts.active + accounts.disabled;
    if connector.state != ConnectorState::Disabled {
        stop(tx, connector, ConnectorState::Disabled, actor)?;
    }
    let wish = Wish {
        fate,
        ..Wish::default()
    };
    let kind = JobKind::DeleteConnector;
    begin(tx, kind, Some(id), directory, &wish, (total, actor))
}

impl Provision {
    /// One piece of a job, inside its transaction. Gives how many were worked off.
    fn release_piece(&self, tx: &WriteTx<'_>, job: &Job) -> Result<(i64, Next), ProvisionError> {
        let wish = wish_of::<Wish>(job)?;
        let connectors = match job.connector {
            Some(connector) => vec![connector],
            None if job.kind == JobKind::Detach => tx.connectors_into(job.directory)?,
            None => Vec::new(),
        };
        for id in &connectors {
            let accounts = tx.accounts_of(*id, UserPk(0), PIECE)?;
            if !accounts.is_empty() {
                let connector = required(tx, *id)?;
                for user in &accounts {
                    let passed = job.kind != JobKind::Detach
                        && self.pass_on_released(tx, *id, *user, &job.cause)?;
                    if !passed {
                        let_go(tx, &connector, *user, wish.fate, &job.cause)?;
                    }
                }
                return Ok((count(accounts.len()), Next::More));
            }
        }
        if let Some(id) = job.connector {
            let speaking = tx.contributors_of(id, PIECE)?;
            for (source, _account) in &speaking {
                self.speak_no_more(tx, *source, &job.cause)?;
            }
            if !speaking.is_empty() {
                return Ok((0, Next::More));
            }
        }
        match (job.kind, job.connector) {
            (JobKind::Detach, _) => {
                let groups = tx.groups_not_local(job.directory, PIECE)?;
                for group in &groups {
                    localize(tx, *group)?;
                }
                if !groups.is_empty() {
                    return Ok((count(groups.len()), Next::More));
                }
                for id in connectors {
                    tx.unbind_connector(id)?;
                }
                Ok((0, Next::End))
            }
            (JobKind::DeleteConnector, Some(id)) => match tx.delete_source_piece(id, PIECE)? {
                0 => {
                    tx.delete_connector(id)?;
                    Ok((0, Next::End))
                }
                deleted => Ok((deleted, Next::More)),
            },
            (JobKind::MoveConnector, Some(id)) => {
                let connector = required(tx, id)?;
                let state = wish.resume.unwrap_or(connector.state);
                match wish.to {
                    Some(to) => Ok((0, Next::Move(connector.into(), DirectoryId(to), state))),
                    None => Ok((0, Next::End)),
                }
            }
            (JobKind::DeleteDirectory, _) => {
                match tx.delete_directory_piece(job.directory, PIECE)? {
                    (0, 0, 0) => {
                        tx.delete_directory(job.directory)?;
                        Ok((0, Next::End))
                    }
                    (users, groups, _entries) => Ok((users + groups, Next::More)),
                }
            }
            _ => Ok((0, Next::End)),
        }
    }

    /// Gives an account to another connector that has the person too, if there is one.
    fn pass_on_released(
        &self,
        tx: &WriteTx<'_>,
        connector: ConnectorId,
        user: UserPk,
        cause: &Cause,
    ) -> Result<bool, ProvisionError> {
        let connector = self.require_connector(tx, connector)?;
        match tx.account(user)? {
            Some(account) => self.pass_on(tx, &connector, &account, cause),
            None => Ok(false),
        }
    }
}

/// Lets one account go.
pub(crate) fn let_go(
    tx: &WriteTx<'_>,
    connector: &Connector,
    user: UserPk,
    fate: Fate,
    cause: &Cause,
) -> Result<(), ProvisionError> {
    if let Some(existing) = tx.account(user)? {
        let target = Target {
            directory: connector.directory,
            connector: Some(connector.id),
            source: None,
            external_id: None,
            existing: Some(&existing),
        };
        let plan = directory::release(&existing.account, fate, &tx.overrides_of(user)?);
        carry_out(tx, &target, &plan, cause)?;
    }
    Ok(tx.release_account(user)?)
}

/// Lets a group, and what is nested in it, count as made here. Products see no difference.
fn localize(tx: &WriteTx<'_>, group: directory::GroupPk) -> Result<(), ProvisionError> {
    let local = std::collections::BTreeSet::from([directory::Origin::Local]);
    for (child, origins) in tx.nestings_in(group, None)? {
        if origins.iter().any(directory::Origin::is_ours) {
            tx.put_nesting(group, child, &local)?;
        }
    }
    Ok(tx.release_group(group)?)
}

/// Makes a job that lets go.
fn begin(
    tx: &WriteTx<'_>,
    kind: JobKind,
    connector: Option<ConnectorId>,
    directory: DirectoryId,
    wish: &impl Serialize,
    (total, actor): (i64, &str),
) -> Result<Job, ProvisionError> {
    let job = tx.insert_job(&NewJob {
        kind,
        connector,
        directory,
        subject: String::new(),
        wish: serde_json::to_value(wish)
            .map_err(|error| ProvisionError::invalid("job", error.to_string()))?,
        cause: Cause {
            trigger: Trigger::Reconcile,
            connector,
            actor: actor.to_owned(),
            request: String::new(),
        },
    })?;
    tx.set_job_total(job.id, total)?;
    present(tx, job.id)
}

/// [`begin`] for a job about a directory alone.
pub(crate) fn begin_on_directory(
    tx: &WriteTx<'_>,
    kind: JobKind,
    directory: DirectoryId,
    total: i64,
    actor: &str,
) -> Result<Job, ProvisionError> {
    begin(tx, kind, None, directory, &Wish::default(), (total, actor))
}

/// [`begin`] for a job about a connector, with what it has to remember.
pub(crate) fn begin_on_connector(
    tx: &WriteTx<'_>,
    kind: JobKind,
    connector: &Connector,
    wish: &impl Serialize,
    total: i64,
    actor: &str,
) -> Result<Job, ProvisionError> {
    let (id, directory) = (Some(connector.id), connector.directory);
    begin(tx, kind, id, directory, wish, (total, actor))
}

/// What a job was asked for.
pub(crate) fn wish_of<T: serde::de::DeserializeOwned>(job: &Job) -> Result<T, ProvisionError> {
    serde_json::from_value(job.wish.clone())
        .map_err(|error| ProvisionError::invalid("job", error.to_string()))
}

/// Refuses while a job changes what belongs to whom in this directory or of this connector.
pub(crate) fn require_idle(
    tx: &ReadTx<'_>,
    connector: Option<ConnectorId>,
    directory: DirectoryId,
) -> Result<(), ProvisionError> {
    let unfinished = tx.unfinished_jobs()?;
    let busy = unfinished.iter().find(|job| {
        !job.kind.evaluates()
            && (job.directory == directory || connector.is_some_and(|id| job.connector == Some(id)))
    });
    match busy {
        None => Ok(()),
        Some(job) => Err(ProvisionError::invalid(
            "job",
            format!(
                "{} of kind {} is going on in the directory {}; wait until it is over",
                job.public_id,
                job.kind.as_str(),
                job.directory_name
            ),
        )),
    }
}

fn stop(
    tx: &WriteTx<'_>,
    mut connector: Connector,
    state: ConnectorState,
    actor: &str,
) -> Result<(), ProvisionError> {
    connector.state = state;
    tx.update_connector(&connector)?;
    Ok(tx.note_state(connector.id, actor)?)
}

pub(crate) fn required(tx: &ReadTx<'_>, id: ConnectorId) -> Result<Connector, ProvisionError> {
    let found = tx.connector(id)?;
    found
        .map(|stored| stored.connector)
        .ok_or_else(|| ProvisionError::not_found("connector", &id.to_string()))
}

fn count(many: usize) -> i64 {
    i64::try_from(many).unwrap_or(i64::MAX)
}
