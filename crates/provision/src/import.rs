//! Imports: people and groups of another server or a file, copied into a directory piece by piece (US-26).

mod copy;
mod read;
mod trial;

use directory::DirectoryId;
use directory::census::{Census, CopyOptions, Piece};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Import, ImportState, Scope, StoreError, WriteTx};

use crate::{Provision, ProvisionError};
use copy::Copier;

pub use read::{CrowdAddress, CrowdReader, ReadCrowd, Told};

/// Pieces copied in one transaction.
const CHUNK: i64 = 200;
/// Pieces staged in one transaction.
const STAGED_AT_ONCE: usize = 2_000;
/// An import whose staging is not over by then was broken off.
const STAGING_MAX: SignedDuration = SignedDuration::from_mins(10);
/// Names of accounts that were left alone, told as examples.
const EXAMPLES_MAX: usize = 100;

/// What is to be copied, and where to.
#[derive(Debug, Clone)]
pub struct ImportWish {
    /// The directory.
    pub directory: DirectoryId,
    /// Where it comes from, for people.
    pub source: String,
    /// Who wants it.
    pub actor: String,
    /// What was found there.
    pub census: Census,
    /// What of it is wanted.
    pub options: CopyOptions,
}

/// What came of an import, or would come of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportCounts {
    /// Accounts that were made.
    pub users_created: i64,
    /// Accounts of an earlier import that were changed.
    pub users_updated: i64,
    /// Accounts of an earlier import that are as they should be.
    pub users_unchanged: i64,
    /// Accounts that an identity provider feeds or that are kept here.
    pub users_left_alone: i64,
    /// Groups that were made.
    pub groups_created: i64,
    /// Groups that were there.
    pub groups_unchanged: i64,
    /// Memberships that were made.
    pub memberships_added: i64,
    /// Groups that were put into groups.
    pub child_groups_added: i64,
    /// Names of some accounts that were left alone.
    pub left_alone: Vec<String>,
}

impl ImportCounts {
    fn leave_alone(&mut self, name: &str) {
        self.users_left_alone += 1;
        if self.left_alone.len() < EXAMPLES_MAX {
            self.left_alone.push(name.to_owned());
        }
    }

    /// As it is noted.
    fn as_text(&self) -> Result<String, ProvisionError> {
        serde_json::to_string(self)
            .map_err(|error| ProvisionError::invalid("counts", error.to_string()))
    }

    /// What was noted of an import.
    pub fn of(import: &Import) -> Result<Self, StoreError> {
        serde_json::from_str(&import.counts)
            .map_err(|error| StoreError::corrupt(format!("directory_import.counts: {error}")))
    }
}

impl Provision {
    /// Begins to copy. The work goes on after the answer, and after a restart.
    pub async fn begin_import(&self, wish: ImportWish) -> Result<Import, ProvisionError> {
        let ImportWish {
            directory,
            source,
            actor,
            census,
            options,
        } = wish;
        let documents = documents(census, &options)?;
        let total = i64::try_from(documents.len()).unwrap_or(i64::MAX);
        let begins = (ImportState::Staging, total);
        let import = self.note_import_begun(directory, source, actor, begins);
        let import = import.await?;
        self.stage(&import, &documents).await?;
        self.set_running(import).await
    }

    /// Notes an import into a directory that has no other, with its state and how many pieces it has.
    async fn note_import_begun(
        &self,
        directory: DirectoryId,
        source: String,
        actor: String,
        (state, total): (ImportState, i64),
    ) -> Result<Import, ProvisionError> {
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                require_alone(tx, directory)?;
                tx.forget_tried_pieces(directory, Timestamp::MAX)?;
                let made = (source.as_str(), actor.as_str());
                Ok::<_, ProvisionError>(tx.insert_import(directory, made, state, total)?)
            })
            .await
    }

    /// Stores what is to be copied.
    async fn stage(&self, import: &Import, documents: &[String]) -> Result<(), ProvisionError> {
        let (scope, pk) = (Scope::Directory(import.directory), import.pk);
        let mut staged = 0;
        for chunk in documents.chunks(STAGED_AT_ONCE) {
            let chunk = chunk.to_vec();
            let count = i64::try_from(chunk.len()).unwrap_or(i64::MAX);
            let from = staged;
            self.store()
                .write(scope, move |tx| tx.insert_import_pieces(pk, from, &chunk))
                .await?;
            staged += count;
        }
        Ok(())
    }

    /// Lets what is stored be copied.
    async fn set_running(&self, mut import: Import) -> Result<Import, ProvisionError> {
        import.state = ImportState::Running;
        let running = import.clone();
        self.store()
            .write(Scope::Directory(import.directory), move |tx| {
                tx.update_import(&running)
            })
            .await?;
        self.wake_worker();
        Ok(import)
    }

    /// Goes on with imports until none is left. Returns how many pieces that were.
    pub(crate) async fn work_off_imports(&self) -> Result<u64, ProvisionError> {
        let mut copied = 0;
        loop {
            let running = self
                .store()
                .read(|tx| Ok::<_, ProvisionError>(tx.running_imports()?))
                .await?;
            let Some(import) = running.into_iter().next() else {
                return Ok(copied);
            };
            copied += self.copy_chunk(import.directory, import.public_id).await?;
        }
    }

    async fn copy_chunk(
        &self,
        directory: DirectoryId,
        public_id: String,
    ) -> Result<u64, ProvisionError> {
        self.store()
            .write(Scope::Directory(directory), move |tx| {
                // Another node may have gone on meanwhile.
                let Some(mut import) = tx.import(directory, &public_id)? else {
                    return Ok(0);
                };
                if import.state != ImportState::Running {
                    return Ok(0);
                }
                let pieces = tx.import_pieces(import.pk, import.done, CHUNK)?;
                let counts = ImportCounts::of(&import)?;
                let mut copier = Copier::new(directory, &import.actor, counts);
                for piece in &pieces {
                    copier.carry_out(tx, &stored_piece(piece)?)?;
                }
                let count = i64::try_from(pieces.len()).unwrap_or(i64::MAX);
                import.done += count;
                import.counts = copier.counts.as_text()?;
                if count < CHUNK {
                    import.state = ImportState::Done;
                }
                tx.update_import(&import)?;
                Ok(pieces.len() as u64)
            })
            .await
    }
}

fn documents(census: Census, options: &CopyOptions) -> Result<Vec<String>, ProvisionError> {
    let pieces = census.pieces(options).map_err(ProvisionError::Census)?;
    documents_of(&pieces)
}

fn documents_of(pieces: &[Piece]) -> Result<Vec<String>, ProvisionError> {
    let written = pieces.iter().map(serde_json::to_string);
    written
        .collect::<Result<_, _>>()
        .map_err(|error| ProvisionError::invalid("pieces", error.to_string()))
}

fn stored_piece(text: &str) -> Result<Piece, StoreError> {
    serde_json::from_str(text)
        .map_err(|error| StoreError::corrupt(format!("directory_import_piece: {error}")))
}

/// Two imports into one directory at once would count each other's work.
fn require_alone(tx: &WriteTx<'_>, directory: DirectoryId) -> Result<(), ProvisionError> {
    let now: Timestamp = tx.now();
    for import in tx.imports(directory, 100)? {
        match import.state {
            ImportState::Done | ImportState::Tried | ImportState::Failed => {}
            ImportState::Reading | ImportState::Staging
                if now.duration_since(import.updated) > STAGING_MAX =>
            {
                tx.delete_import(import.pk)?;
            }
            ImportState::Reading | ImportState::Staging | ImportState::Running => {
                return Err(ProvisionError::Busy {
                    what: "an import into this directory",
                    name: import.public_id,
                });
            }
        }
    }
    Ok(())
}
