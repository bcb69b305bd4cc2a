//! Keeps the write-ahead log short.
//!
//! The engine empties its log by itself, but begins it anew only at a moment when nobody reads from it. Where readers
//! overlap all the time that moment never comes, the log grows without end, and reading it grows slow. So from a certain length on
//! the writer waits for that moment: a little, and not too often.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// The length from which on the log is too long.
pub(super) const LOG_BYTES: u64 = 64 * 1024 * 1024;
/// How long the writer waits for readers of the log.
const WAIT: Duration = Duration::from_millis(100);
/// How long it lets them be after it has waited in vain.
const LET_BE: Duration = Duration::from_secs(2);

/// The log of a database.
pub(super) struct Log {
    path: PathBuf,
    tried: Option<Instant>,
}

impl Log {
    pub(super) fn of(database: &Path) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push("-wal");
        Self {
            path: PathBuf::from(name),
            tried: None,
        }
    }

    /// Empties the log if it is too long. `usual_wait` is what the connection waits for locks otherwise.
    pub(super) fn keep_short(&mut self, connection: &Connection, usual_wait: Duration) {
        let is_long = std::fs::metadata(&self.path).is_ok_and(|log| log.len() > LOG_BYTES);
        if !is_long || self.tried.is_some_and(|tried| tried.elapsed() < LET_BE) {
            return;
        }
        self.tried = Some(Instant::now());
        let emptied = || -> rusqlite::Result<bool> {
            connection.busy_timeout(WAIT)?;
            let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
            let was_busy: i64 = connection.query_row(checkpoint, [], |row| row.get(0))?;
            Ok(was_busy == 0)
        };
        match emptied() {
            Ok(true) => tracing::debug!("the write-ahead log was emptied"),
            Ok(false) => tracing::debug!("the write-ahead log is long, and readers hold it"),
            Err(error) => tracing::warn!(%error, "the write-ahead log cannot be emptied"),
        }
        if let Err(error) = connection.busy_timeout(usual_wait) {
            tracing::warn!(%error, "the wait for locks cannot be set");
        }
    }
}
