//! Connections that read. One keeps its snapshot from one look-up to the next for as long as nothing was committed:
//! to begin and to end a snapshot costs as much as to look something up.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::session::{Rules, Session};
use crate::StoreError;
use crate::pool::Pool;

/// Connections that may read at once: long answers on their way to slow clients leave some for everybody else.
const READERS: usize = 12;
/// Connections kept for the next reader, each with its caches.
const IDLE_READERS: usize = 4;
/// How long a snapshot is used again. Commits of this process end it at once; those of a command line tool beside
/// a running server are seen after this time.
const SNAPSHOT_AGE: Duration = Duration::from_millis(20);

/// The readers of one file.
pub(super) struct Readers {
    pub(super) path: PathBuf,
    pub(super) pool: Pool<Reader>,
    /// Grows with every commit of this process.
    commits: AtomicU64,
}

/// A connection, and the snapshot that is open on it.
pub(super) struct Reader {
    pub(super) connection: Connection,
    snapshot: Option<Snapshot>,
}

#[derive(Clone, Copy)]
struct Snapshot {
    commits: u64,
    begun: Instant,
}

impl Readers {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            pool: Pool::new(READERS, IDLE_READERS),
            commits: AtomicU64::new(0),
        }
    }

    /// A connection on a snapshot that has every commit which was answered before.
    pub(super) fn open(&self, rules: &Rules) -> Result<Reader, StoreError> {
        let mut reader = match self.pool.take() {
            Some(reader) => reader,
            None => Reader {
                connection: super::connect_to_read(&self.path)?,
                snapshot: None,
            },
        };
        let commits = self.commits.load(Ordering::Acquire);
        let now = Instant::now();
        let is_good = |snapshot: Snapshot| {
            snapshot.commits == commits && now.duration_since(snapshot.begun) < SNAPSHOT_AGE
        };
        if !reader.snapshot.is_some_and(is_good) {
            reader.end(rules)?;
            Session::new(&reader.connection, rules).run("BEGIN DEFERRED")?;
            reader.snapshot = Some(Snapshot {
                commits,
                begun: now,
            });
        }
        Ok(reader)
    }

    /// Takes a connection back, with its snapshot if that is still what is stored.
    pub(super) fn give_back(&self, reader: Reader, rules: &Rules) {
        self.pool.give_back_after(reader, |reader| {
            let commits = self.commits.load(Ordering::Acquire);
            if reader
                .snapshot
                .is_some_and(|snapshot| snapshot.commits != commits)
            {
                reader.forget(rules);
            }
        });
    }

    /// Something was committed: from now on nobody begins on an older snapshot, and none keeps the log from
    /// being emptied.
    pub(super) fn committed(&self, rules: &Rules) {
        self.commits.fetch_add(1, Ordering::AcqRel);
        self.pool.each_idle(|reader| reader.forget(rules));
    }
}

impl Reader {
    fn end(&mut self, rules: &Rules) -> Result<(), StoreError> {
        match self.snapshot.take() {
            Some(_) => Session::new(&self.connection, rules).run("ROLLBACK"),
            None => Ok(()),
        }
    }

    /// [`Reader::end`] where nobody waits; a connection that cannot end its snapshot says so at its next use.
    fn forget(&mut self, rules: &Rules) {
        if let Err(error) = self.end(rules) {
            tracing::warn!(%error, "a reader could not end its snapshot");
        }
    }
}
