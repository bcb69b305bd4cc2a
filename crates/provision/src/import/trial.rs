//! Imports that are tried first: what would come of them, and the step from there to doing it.

use directory::DirectoryId;
use directory::census::Piece;
use jiff::SignedDuration;
use store::{Import, ImportState, Scope};

use super::{Copier, ImportCounts, ImportWish, documents_of, require_alone};
use crate::{Provision, ProvisionError};

/// For how long what was found is kept to be copied.
const TRIED_KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

impl Provision {
    /// How many pieces an import has and what it would do, without doing it.
    pub async fn try_import(
        &self,
        wish: ImportWish,
    ) -> Result<(i64, ImportCounts), ProvisionError> {
        let pieces = wish.census.pieces(&wish.options);
        let pieces = pieces.map_err(ProvisionError::Census)?;
        let total = i64::try_from(pieces.len()).unwrap_or(i64::MAX);
        Ok((total, self.compared(wish.directory, pieces).await?))
    }

    /// Begins to store what an import has, and to compare it with what is there. Both go on after the answer; nothing is copied
    /// until [`Provision::run_import`].
    pub async fn begin_trial(&self, wish: ImportWish) -> Result<Import, ProvisionError> {
        let pieces = wish.census.pieces(&wish.options);
        let pieces = pieces.map_err(ProvisionError::Census)?;
        let total = i64::try_from(pieces.len()).unwrap_or(i64::MAX);
        let begins = (ImportState::Staging, total);
        let import = self.note_import_begun(wish.directory, wish.source, wish.actor, begins);
        let import = import.await?;
        let (this, begun) = (self.clone(), import.clone());
        tokio::spawn(async move {
            if let Err(error) = this.try_pieces(begun.clone(), pieces).await {
                this.note_import_failed(begun, error.to_string()).await;
            }
        });
        Ok(import)
    }

    /// Stores the pieces of an import, and notes what would come of them.
    pub(super) async fn try_pieces(
        &self,
        mut import: Import,
        pieces: Vec<Piece>,
    ) -> Result<(), ProvisionError> {
        self.stage(&import, &documents_of(&pieces)?).await?;
        let counts = self.compared(import.directory, pieces).await?;
        import.counts = counts.as_text()?;
        import.state = ImportState::Tried;
        self.note_import(import).await
    }

    async fn compared(
        &self,
        directory: DirectoryId,
        pieces: Vec<Piece>,
    ) -> Result<ImportCounts, ProvisionError> {
        self.store()
            .read(move |tx| {
                let mut copier = Copier::new(directory, "", ImportCounts::default());
                for piece in &pieces {
                    copier.compare(tx, piece)?;
                }
                Ok(copier.counts)
            })
            .await
    }

    /// Copies what an import found that was tried. The work goes on after the answer, and after a restart.
    pub async fn run_import(
        &self,
        directory: DirectoryId,
        public_id: &str,
        actor: &str,
    ) -> Result<Import, ProvisionError> {
        let (id, actor) = (public_id.to_owned(), actor.to_owned());
        let import = self.store().write(Scope::Directory(directory), move |tx| {
            let found = tx.import(directory, &id)?;
            let mut import = found.ok_or_else(|| ProvisionError::not_found("import", &id))?;
            require_alone(tx, directory)?;
            let is_kept = !tx.import_pieces(import.pk, 0, 1)?.is_empty();
            if import.state != ImportState::Tried || !is_kept {
                return Err(ProvisionError::Conflict(
                    "only an import that was tried last can be copied, and what it found is kept for a day, or \
                     until another begins: try it again"
                        .to_owned(),
                ));
            }
            import.actor.clone_from(&actor);
            import.state = ImportState::Running;
            import.done = 0;
            import.counts = ImportCounts::default().as_text()?;
            tx.update_import(&import)?;
            Ok(import)
        });
        let import = import.await?;
        self.wake_worker();
        Ok(import)
    }

    /// Forgets what was found by imports that were tried a day ago and not copied since.
    pub async fn prune_imports(&self) -> Result<(), ProvisionError> {
        let old = self.store().read(|tx| {
            let before = tx.now() - TRIED_KEPT_FOR;
            Ok::<_, ProvisionError>((before, tx.directories_with_tried_pieces(before)?))
        });
        let (before, directories) = old.await?;
        for directory in directories {
            self.store()
                .write(Scope::Directory(directory), move |tx| {
                    Ok::<_, ProvisionError>(tx.forget_tried_pieces(directory, before)?)
                })
                .await?;
        }
        Ok(())
    }
}
