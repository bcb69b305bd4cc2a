//! Imports: what is being copied into a directory, and how far that is.

use directory::DirectoryId;
use jiff::Timestamp;

use crate::{ReadTx, Row, StoreError, WriteTx, args};

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// What is to be copied is being read from another server.
    Reading,
    /// What is to be copied is being stored.
    Staging,
    /// It is being copied.
    Running,
    /// All of it is copied.
    Done,
    /// It was read and compared, and nothing is copied. What was read is kept for a day, or until another import begins.
    Tried,
    /// It cannot go on.
    Failed,
}

impl ImportState {
    /// The word used in storage and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            ImportState::Reading => "reading",
            ImportState::Staging => "staging",
            ImportState::Running => "running",
            ImportState::Done => "done",
            ImportState::Tried => "tried",
            ImportState::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Option<ImportState> {
        [
            ImportState::Reading,
            ImportState::Staging,
            ImportState::Running,
            ImportState::Done,
            ImportState::Tried,
            ImportState::Failed,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// An import as it is stored.
#[derive(Clone, Debug)]
pub struct Import {
    /// The store's number.
    pub pk: i64,
    /// UUID for URLs.
    pub public_id: String,
    /// Where to.
    pub directory: DirectoryId,
    /// Where from, for people.
    pub source: String,
    /// Who wanted it.
    pub actor: String,
    /// How far it is.
    pub state: ImportState,
    /// Pieces there are.
    pub total: i64,
    /// Pieces that are done.
    pub done: i64,
    /// What came of them, as JSON.
    pub counts: String,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// When it last went on.
    pub updated: Timestamp,
}

const COLUMNS: &str = "pk, public_id, directory_pk, source, actor, state, total, done, counts, started, updated, failure";

fn read_import(row: &Row<'_>) -> Result<Import, StoreError> {
    Ok(Import {
        pk: row.int(0)?,
        public_id: row.text(1)?,
        directory: DirectoryId(row.int(2)?),
        source: row.text(3)?,
        actor: row.text(4)?,
        state: ImportState::parse(row.str(5)?)
            .ok_or_else(|| StoreError::corrupt("directory_import.state"))?,
        total: row.int(6)?,
        done: row.int(7)?,
        counts: row.text(8)?,
        started: row.time(9)?,
        updated: row.time(10)?,
        failure: row.opt_text(11)?,
    })
}

impl ReadTx<'_> {
    /// The import of a directory with this public id.
    pub fn import(
        &self,
        directory: DirectoryId,
        public_id: &str,
    ) -> Result<Option<Import>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_import WHERE public_id = $1 AND directory_pk = $2"
        );
        self.query_one(&sql, args![public_id, directory.0], read_import)
    }

    /// The newest imports of a directory, the newest first.
    pub fn imports(&self, directory: DirectoryId, limit: i64) -> Result<Vec<Import>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_import WHERE directory_pk = $1 ORDER BY pk DESC LIMIT $2"
        );
        self.query(&sql, args![directory.0, limit], read_import)
    }

    /// Imports that are being copied, the oldest first.
    pub fn running_imports(&self) -> Result<Vec<Import>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM directory_import WHERE state = 'running' ORDER BY pk");
        self.query(&sql, args![], read_import)
    }

    /// Pieces of an import from a position on, as they were staged.
    pub fn import_pieces(
        &self,
        import: i64,
        from: i64,
        limit: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.query(
            "SELECT document FROM directory_import_piece WHERE import_pk = $1 AND position >= $2 \
             ORDER BY position LIMIT $3",
            args![import, from, limit],
            |row| row.text(0),
        )
    }

    /// Directories for which something is kept of imports that were only tried, and that before a moment.
    pub fn directories_with_tried_pieces(
        &self,
        before: Timestamp,
    ) -> Result<Vec<DirectoryId>, StoreError> {
        self.query(
            "SELECT DISTINCT i.directory_pk FROM directory_import i WHERE i.state = 'tried' AND i.updated < $1 \
             AND EXISTS (SELECT 1 FROM directory_import_piece p WHERE p.import_pk = i.pk)",
            args![before],
            |row| Ok(DirectoryId(row.int(0)?)),
        )
    }
}

impl WriteTx<'_> {
    /// Begins an import, of which everything is still to be read or its pieces are to be staged.
    pub fn insert_import(
        &self,
        directory: DirectoryId,
        (source, actor): (&str, &str),
        state: ImportState,
        total: i64,
    ) -> Result<Import, StoreError> {
        let public_id = self.new_id().to_string();
        let now = self.now();
        let pk = self.insert(
            "INSERT INTO directory_import (public_id, directory_pk, source, actor, state, total, done, counts, started, \
             updated) VALUES ($1, $2, $3, $4, $5, $6, 0, '{}', $7, $8) RETURNING pk",
            args![
                public_id.as_str(),
                directory.0,
                source,
                actor,
                state.as_str(),
                total,
                now,
                now
            ],
        )?;
        Ok(Import {
            pk,
            public_id,
            directory,
            source: source.to_owned(),
            actor: actor.to_owned(),
            state,
            total,
            done: 0,
            counts: "{}".to_owned(),
            failure: None,
            started: now,
            updated: now,
        })
    }

    /// Stages pieces, the first of them at a position.
    pub fn insert_import_pieces(
        &self,
        import: i64,
        from: i64,
        documents: &[String],
    ) -> Result<(), StoreError> {
        for (position, document) in (from..).zip(documents) {
            self.execute(
                "INSERT INTO directory_import_piece (import_pk, position, document) VALUES ($1, $2, $3)",
                args![import, position, document.as_str()],
            )?;
        }
        Ok(())
    }

    /// Forgets what was kept of imports into a directory that were only tried, and that before a moment.
    pub fn forget_tried_pieces(
        &self,
        directory: DirectoryId,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM directory_import_piece WHERE import_pk IN \
             (SELECT pk FROM directory_import WHERE directory_pk = $1 AND state = 'tried' AND updated < $2)",
            args![directory.0, before],
        )?;
        Ok(())
    }

    /// Notes how far an import is, and whose it is; once it is done, its pieces are forgotten.
    pub fn update_import(&self, import: &Import) -> Result<(), StoreError> {
        let now = self.now();
        self.execute(
            "UPDATE directory_import SET state = $1, total = $2, done = $3, counts = $4, failure = $5, updated = $6, \
             actor = $7 WHERE pk = $8",
            args![
                import.state.as_str(),
                import.total,
                import.done,
                import.counts.as_str(),
                import.failure.as_deref(),
                now,
                import.actor.as_str(),
                import.pk
            ],
        )?;
        if import.state == ImportState::Done {
            self.execute(
                "DELETE FROM directory_import_piece WHERE import_pk = $1",
                args![import.pk],
            )?;
        }
        Ok(())
    }

    /// Forgets an import.
    pub fn delete_import(&self, import: i64) -> Result<(), StoreError> {
        self.execute(
            "DELETE FROM directory_import_piece WHERE import_pk = $1",
            args![import],
        )?;
        self.execute("DELETE FROM directory_import WHERE pk = $1", args![import])?;
        Ok(())
    }
}
