//! What went wrong on a connection, and whether another try may help.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use super::address::with_cause;
use crate::StoreError;

/// A failure of one exchange with the server.
#[derive(Debug)]
pub(super) enum Fault {
    /// The driver's or the server's error.
    Driver(Error),
    /// The server said nothing for this long.
    Silence(Duration),
    /// No host could be reached; one line for each.
    Hosts(Vec<String>),
    /// This process could not do its part.
    Local(String),
}

/// Whether a closure is run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// After a short pause: it met another writer.
    Soon,
    /// On another connection: this one is lost, or its server no longer accepts writes.
    Reconnect,
    /// Not at all, and the connection is not used again either.
    Never,
}

impl Fault {
    /// Whether another try may help.
    pub(super) fn again(&self) -> Option<Again> {
        let error = match self {
            Self::Silence(_) | Self::Hosts(_) => return Some(Again::Reconnect),
            Self::Local(_) => return None,
            Self::Driver(error) => error,
        };
        match error.code() {
            Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => {
                Some(Again::Soon)
            }
            Some(state) => is_lost(state).then_some(Again::Reconnect),
            // Everything that has no code and is not the driver's own complaint about a value.
            None => is_connection(error).then_some(Again::Reconnect),
        }
    }

    /// The error that the caller of the store sees.
    pub(super) fn into_error(self) -> StoreError {
        let error = match self {
            Self::Silence(_) | Self::Hosts(_) => return StoreError::unavailable(self.to_string()),
            Self::Local(what) => return StoreError::unavailable(what),
            Self::Driver(error) => error,
        };
        let Some(server) = error.as_db_error() else {
            if is_connection(&error) {
                return StoreError::unavailable(with_cause(&error));
            }
            return StoreError::Sql {
                what: with_cause(&error),
                source: Some(Arc::new(error)),
            };
        };
        match server.code() {
            &SqlState::UNIQUE_VIOLATION => StoreError::Conflict {
                constraint: server.constraint().unwrap_or_default().to_owned(),
            },
            &SqlState::FOREIGN_KEY_VIOLATION => StoreError::Conflict {
                constraint: "foreign_key".to_owned(),
            },
            &SqlState::DISK_FULL => StoreError::DiskFull,
            &SqlState::T_R_SERIALIZATION_FAILURE
            | &SqlState::T_R_DEADLOCK_DETECTED
            | &SqlState::LOCK_NOT_AVAILABLE
            | &SqlState::QUERY_CANCELED => StoreError::Busy,
            &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => {
                StoreError::corrupt(server.message())
            }
            state if is_lost(state) => StoreError::unavailable(server.message()),
            state => {
                let what = format!("{} ({})", server.message(), state.code());
                StoreError::Sql {
                    what,
                    source: Some(Arc::new(error)),
                }
            }
        }
    }
}

/// The server goes away, is not there yet, has no room for us, or accepts no writes.
fn is_lost(state: &SqlState) -> bool {
    let code = state.code();
    code.starts_with("08")
        || code.starts_with("57P")
        || matches!(
            state,
            &SqlState::READ_ONLY_SQL_TRANSACTION
                | &SqlState::TOO_MANY_CONNECTIONS
                | &SqlState::OUT_OF_MEMORY
                | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
                | &SqlState::IO_ERROR
        )
}

/// The socket failed, or the connection was closed before.
fn is_connection(error: &Error) -> bool {
    let from_socket =
        std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>());
    error.is_closed() || from_socket
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver(error) => out.write_str(&with_cause(error)),
            Self::Silence(limit) => write!(out, "no answer within {} s", limit.as_secs()),
            Self::Hosts(each) => out.write_str(&each.join("; ")),
            Self::Local(what) => out.write_str(what),
        }
    }
}
