//! Keeps the write-ahead log short.
//!
//! The engine empties its log by itself, but begins it anew only at a moment when nobody reads from it. Where readers
//! overlap all the time that moment never comes, the log grows without end, and reading it grows slow. So from a certain length on
//! the writer waits for that moment: a little, not too often, and not while somebody reads at length.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::reader::Readers;
use crate::OpenMode;

/// The length from which on the log is too long.
pub(super) const LOG_BYTES: u64 = 64 * 1024 * 1024;
/// How much it may grow after the writer has waited in vain, before it waits again.
const GROWTH_BYTES: u64 = 16 * 1024 * 1024;
/// Who has been reading for so long will not be done in a moment.
const LONG: Duration = Duration::from_millis(500);
/// How long the writer waits for readers of the log.
const WAIT: Duration = Duration::from_millis(250);

/// The log of a database.
pub(super) struct Log {
    path: PathBuf,
    /// The length at which the writer waits next.
    limit: u64,
    /// Whether it is left empty at the end: a tool leaves that to the server beside it.
    empty_at_end: bool,
}

impl Log {
    pub(super) fn of(database: &Path, mode: OpenMode) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push("-wal");
        Self {
            path: PathBuf::from(name),
            limit: LOG_BYTES,
            empty_at_end: matches!(mode, OpenMode::Serve),
        }
    }

    /// Empties the log if it is too long, unless somebody reads at length: then the moment is not near.
    /// `usual_wait` is what the connection waits for locks otherwise.
    pub(super) fn keep_short(
        &mut self,
        connection: &Connection,
        readers: &Readers,
        usual_wait: Duration,
    ) {
        let length = std::fs::metadata(&self.path).map_or(0, |log| log.len());
        if length < self.limit || readers.longest().is_some_and(|age| age >= LONG) {
            return;
        }
        let emptied = empty(connection).unwrap_or_else(|error| {
            tracing::warn!(%error, "the write-ahead log cannot be emptied");
            false
        });
        self.limit = if emptied {
            LOG_BYTES
        } else {
            length + GROWTH_BYTES
        };
        if let Err(error) = connection.busy_timeout(usual_wait) {
            tracing::warn!(%error, "the wait for locks cannot be set");
        }
    }

    /// Empties the log at the end, so that the next start has nothing to recover.
    pub(super) fn close(&self, connection: &Connection, readers: &Readers) {
        if !self.empty_at_end {
            return;
        }
        readers.pool.clear();
        if let Err(error) = empty(connection) {
            tracing::debug!(%error, "the write-ahead log stays for the next start");
        }
    }
}

/// Puts everything into the file and begins the log anew. False if somebody still reads from it.
fn empty(connection: &Connection) -> rusqlite::Result<bool> {
    connection.busy_timeout(WAIT)?;
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    let was_busy: i64 = connection.query_row(checkpoint, [], |row| row.get(0))?;
    Ok(was_busy == 0)
}
