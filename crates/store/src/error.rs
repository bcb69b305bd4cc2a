//! What can go wrong with a store. The engine's own words are kept for the log and never for a client.

use std::error::Error;
use std::sync::Arc;

/// Why a transaction or an open failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A unique rule of the schema was broken. The name is that of the unique index, or, of rules written
    /// inside a table, `<table>_pkey` and `<table>_<columns>_key`; the same on both engines. A broken
    /// reference between tables is called `foreign_key`.
    #[error("the rule {constraint} of the database does not allow this")]
    Conflict {
        /// The name of the rule.
        constraint: String,
    },
    /// Too much is waiting, or others held what was needed for too long. Nothing happened; try again later.
    #[error("the database is busy")]
    Busy,
    /// The database cannot be reached, or went away. Nothing happened, unless the text says that the outcome is unknown.
    #[error("the database is unavailable: {what}")]
    Unavailable {
        /// What was seen.
        what: String,
    },
    /// There is no room left for the write. Nothing happened.
    #[error("the disk of the database is full")]
    DiskFull,
    /// What is stored is not what was written.
    #[error("the database is damaged: {what}")]
    Corrupt {
        /// What was found.
        what: String,
    },
    /// A newer version of this program has been at work here.
    #[error(
        "the database has schema {found}, and this program knows schemas up to {known}: use the newer program"
    )]
    NewerSchema {
        /// The highest migration in the database.
        found: i64,
        /// The highest migration of this program.
        known: i64,
    },
    /// Another process serves these data.
    #[error("the database is in use: {what}")]
    InUse {
        /// By whom, as far as known.
        what: String,
    },
    /// The database cannot be opened as it is named or where it lies.
    #[error("the database cannot be opened: {what}")]
    Open {
        /// Why, and what to do.
        what: String,
    },
    /// The transaction's own code failed by a panic; the transaction was rolled back.
    #[error("a transaction failed by a programming error: {what}")]
    Panicked {
        /// The text of the panic.
        what: String,
    },
    /// The engine refused a statement for any other reason: a programming error.
    #[error("a statement failed: {what}")]
    Sql {
        /// The engine's words.
        what: String,
        /// The engine's error.
        #[source]
        source: Option<Arc<dyn Error + Send + Sync>>,
    },
}

impl StoreError {
    pub(crate) fn open(what: impl Into<String>) -> Self {
        Self::Open { what: what.into() }
    }

    pub(crate) fn unavailable(what: impl Into<String>) -> Self {
        Self::Unavailable { what: what.into() }
    }

    /// What is stored cannot be understood; `what` names the column.
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }

    pub(crate) fn sql(what: impl Into<String>) -> Self {
        Self::Sql {
            what: what.into(),
            source: None,
        }
    }

    /// The error for a panic's payload.
    pub(crate) fn panicked(payload: &(dyn std::any::Any + Send)) -> Self {
        let what = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no text".to_owned());
        Self::Panicked { what }
    }
}
