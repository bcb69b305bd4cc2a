//! What can be wrong with a backup, and with what it is restored into.

use std::io;
use std::sync::Arc;

use crate::StoreError;

/// Why a backup was not taken or not restored. Nothing was changed then.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BackupError {
    /// It could not be read or written.
    #[error("the backup cannot be read or written: {0}")]
    Io(Arc<io::Error>),
    /// It is something else.
    #[error("this is not a backup: it does not begin as backups do")]
    Foreign,
    /// Its end is missing.
    #[error("the backup is not whole: its end is missing. Take another one, or copy it again")]
    Cut,
    /// It is not what was written.
    #[error("the backup is damaged: {what}. Take another one, or copy it again")]
    Damaged {
        /// What was found.
        what: String,
    },
    /// It is whole, and says what cannot be.
    #[error("the backup contradicts itself: {what}")]
    Contradiction {
        /// What was found.
        what: String,
    },
    /// A newer program wrote it.
    #[error(
        "the backup has {what} {found}, and this program knows them up to {known}: restore it with the newer program"
    )]
    Newer {
        /// `format` or `schema`.
        what: &'static str,
        /// What the file has.
        found: i64,
        /// What this program knows.
        known: i64,
    },
    /// A program with other migrations wrote it.
    #[error(
        "the backup has schema {schema} as another program made it: restore it with the program that took it, version {product}"
    )]
    OtherSchema {
        /// Its number.
        schema: i64,
        /// The version that wrote it.
        product: String,
    },
    /// There is something in the place that it is to be restored into.
    #[error("there are data already: {what} is not empty")]
    NotEmpty {
        /// A table that has rows.
        what: String,
    },
    /// Others have the database open.
    #[error("the database is in use by {others} other connections: stop every server on it first")]
    InUse {
        /// How many connections.
        others: i64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BackupError {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    pub(super) fn contradiction(what: impl Into<String>) -> Self {
        Self::Contradiction { what: what.into() }
    }
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}
