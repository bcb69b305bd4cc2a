//! The job that makes a preview: one snapshot is read to its end, and what is found is kept in pieces meanwhile.

use std::mem;
use std::sync::Arc;

use directory::{ConnectorId, Rules};
use jiff::SignedDuration;
use store::{DataState, PreviewItem, ReadTx, Scope, StoreError};
use tokio::sync::mpsc;

use super::corrupt;
use super::foresight::{Fits, Foresight};
use super::simulation::{Audience, Range, Simulation};
use super::summary::PreviewSummary;
use super::user::PreviewedUser;
use crate::loaded::LoadedConnector;
use crate::{Provision, ProvisionError};

/// Previews of one connector that are kept.
const KEPT_MAX: i64 = 5;
/// For how long one is kept.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Users written in one transaction: enough that forcing it to disk costs little, few enough that others who write
/// do not wait for long.
const PIECE_USERS: usize = 1_024;
/// Users looked at before progress is written, if there is nothing else to write.
const PROGRESS_USERS: u64 = 8_192;
/// Pieces that may wait to be written.
const PIECES_AHEAD: usize = 1;
/// Users of an old preview forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

/// A preview to be made.
pub(super) struct Job {
    pub(super) pk: i64,
    pub(super) connector: ConnectorId,
    pub(super) rules: Rules,
    pub(super) range: Range,
}

/// What the reader gives to the writer.
enum Piece {
    /// The reading begins, perhaps once more.
    Begin,
    /// Users, and how many were looked at.
    Users(Vec<PreviewedUser>, u64),
}

impl Provision {
    pub(super) async fn make_preview(self, job: Job) {
        let pk = job.pk;
        // One at a time: each reads everything.
        let _turn = self.inner.previewing.lock().await;
        let made = self.compute_preview(job).await;
        let noted = match made {
            Ok((summary, state)) => self.finish_preview(pk, &summary, &state).await,
            Err(error) => {
                tracing::warn!(%error, "a preview failed");
                let told = error.to_string();
                self.store()
                    .write(Scope::Record, move |tx| {
                        Ok::<_, ProvisionError>(tx.fail_preview(pk, &told)?)
                    })
                    .await
            }
        };
        if let Err(error) = noted {
            tracing::warn!(%error, "the end of a preview could not be noted");
        }
    }

    async fn finish_preview(
        &self,
        pk: i64,
        summary: &PreviewSummary,
        state: &DataState,
    ) -> Result<(), ProvisionError> {
        let text = serde_json::to_string(summary).map_err(corrupt)?;
        // While users are due, what will become of them is not only these rules' doing.
        let fingerprint = match state.due {
            0 => state.fingerprint.clone(),
            _ => String::new(),
        };
        self.store()
            .write(Scope::Record, move |tx| {
                Ok::<_, ProvisionError>(tx.finish_preview(pk, &fingerprint, &text)?)
            })
            .await
    }

    async fn compute_preview(
        &self,
        job: Job,
    ) -> Result<(PreviewSummary, DataState), ProvisionError> {
        self.forget_old_previews(job.connector).await?;
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        let this = self.clone();
        let Job {
            pk,
            connector,
            rules,
            range,
        } = job;
        let reading = self
            .store()
            .read_at_length(move |tx| this.read_preview(tx, connector, &rules, range, &sender));
        let (read, written) = tokio::join!(reading, self.keep_pieces(pk, receiver));
        written?;
        read
    }

    fn read_preview(
        &self,
        tx: &ReadTx<'_>,
        connector: ConnectorId,
        rules: &Rules,
        range: Range,
        sender: &mpsc::Sender<Piece>,
    ) -> Result<(PreviewSummary, DataState), ProvisionError> {
        let present = self.require_connector(tx, connector)?;
        let tried = Arc::new(present.with_rules(tx, rules.clone())?);
        let state = tx.data_state(&present.connector)?;
        let mut pieces = Pieces {
            sender,
            users: Vec::with_capacity(PIECE_USERS),
            looked_at: 0,
            told: 0,
        };
        let fits = match self.may_hold_all(tx, &tried)? {
            false => Fits::new(),
            true => {
                let silent = &mut Nobody;
                let look = Simulation::new(self, tx, &present, &tried, silent);
                look.within_limits(Fits::new()).fits(range)?
            }
        };
        pieces.send(Piece::Begin)?;
        let simulation = Simulation::new(self, tx, &present, &tried, &mut pieces);
        let mut summary = simulation.within_limits(fits).run(range)?;
        summary.due = state.due;
        pieces.flush()?;
        Ok((summary, state))
    }

    /// Whether a run by these rules may have to be held as a whole: then only a look at everybody tells.
    fn may_hold_all(
        &self,
        tx: &ReadTx<'_>,
        tried: &LoadedConnector,
    ) -> Result<bool, ProvisionError> {
        if Foresight::is_all_or_nothing(tried) {
            return Ok(true);
        }
        if tried.precedence.is_none() {
            return Ok(false);
        }
        for other in tx.connectors_into(tried.connector.directory)? {
            if Foresight::is_all_or_nothing(&*self.require_connector(tx, other)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn keep_pieces(
        &self,
        pk: i64,
        mut pieces: mpsc::Receiver<Piece>,
    ) -> Result<(), ProvisionError> {
        let mut number = 0;
        while let Some(piece) = pieces.recv().await {
            match piece {
                Piece::Begin => {
                    self.forget_users_of(pk).await?;
                    number = 0;
                }
                Piece::Users(users, looked_at) => {
                    let items = to_items(users, number).await?;
                    number += i64::try_from(items.len()).unwrap_or_default();
                    let looked_at = i64::try_from(looked_at).unwrap_or(i64::MAX);
                    self.store()
                        .write(Scope::Record, move |tx| {
                            tx.add_preview_items(pk, &items, looked_at)
                        })
                        .await?;
                }
            }
        }
        Ok(())
    }

    async fn forget_old_previews(&self, connector: ConnectorId) -> Result<(), ProvisionError> {
        let old = self
            .store()
            .read(move |tx| tx.old_previews(connector, KEPT_MAX, tx.now() - KEPT_FOR))
            .await?;
        for pk in old {
            self.forget_users_of(pk).await?;
            self.store()
                .write(Scope::Record, move |tx| tx.delete_preview(pk))
                .await?;
        }
        Ok(())
    }

    async fn forget_users_of(&self, pk: i64) -> Result<(), ProvisionError> {
        loop {
            let forgotten = self
                .store()
                .write(Scope::Record, move |tx| {
                    tx.delete_preview_items(pk, FORGOTTEN_AT_ONCE)
                })
                .await?;
            if forgotten == 0 {
                return Ok(());
            }
        }
    }
}

/// Users as they are kept, behind this number. The thread that reads has enough to do without it.
async fn to_items(
    users: Vec<PreviewedUser>,
    behind: i64,
) -> Result<Vec<PreviewItem>, ProvisionError> {
    let written = tokio::task::spawn_blocking(move || {
        let numbered = (behind + 1..).zip(&users);
        numbered
            .map(|(number, user)| user.to_item(number))
            .collect()
    });
    written.await.map_err(|error| StoreError::Panicked {
        what: error.to_string(),
    })?
}

/// Nobody is told: only what comes of it counts.
struct Nobody;

impl Audience for Nobody {
    fn user(&mut self, _user: PreviewedUser) -> Result<(), ProvisionError> {
        Ok(())
    }

    fn progress(&mut self, _looked_at: u64) -> Result<(), ProvisionError> {
        Ok(())
    }
}

/// What was found and is not yet handed over.
struct Pieces<'s> {
    sender: &'s mpsc::Sender<Piece>,
    users: Vec<PreviewedUser>,
    looked_at: u64,
    /// How many had been looked at when that was last told.
    told: u64,
}

impl Pieces<'_> {
    fn send(&self, piece: Piece) -> Result<(), ProvisionError> {
        self.sender.blocking_send(piece).map_err(|_gone| {
            ProvisionError::invalid("preview", "was given up, since it could not be stored")
        })
    }

    fn flush(&mut self) -> Result<(), ProvisionError> {
        let users = mem::replace(&mut self.users, Vec::with_capacity(PIECE_USERS));
        self.told = self.looked_at;
        self.send(Piece::Users(users, self.looked_at))
    }
}

impl Audience for Pieces<'_> {
    fn user(&mut self, user: PreviewedUser) -> Result<(), ProvisionError> {
        self.users.push(user);
        match self.users.len() >= PIECE_USERS {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn progress(&mut self, looked_at: u64) -> Result<(), ProvisionError> {
        self.looked_at = looked_at;
        match looked_at - self.told >= PROGRESS_USERS {
            true => self.flush(),
            false => Ok(()),
        }
    }
}
