//! Connections that read. One keeps its snapshot from one look-up to the next for as long as nothing was committed:
//! to begin and to end a snapshot costs as much as to look something up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::session::{Rules, Session};
use crate::StoreError;
use crate::pool::{Pool, Turns};

/// Readers at once that may go on for as long as a slow client takes an answer.
const LONG_READERS: usize = 8;
/// Other readers at once, where there are no more processors than that. More would not be faster, and each has a
/// cache and what it has read in memory.
const SHORT_READERS_MIN: usize = 4;
/// How long a snapshot is used again. Commits of this process end it at once; those of a command line tool beside
/// a running server are seen after this time.
const SNAPSHOT_AGE: Duration = Duration::from_millis(20);

/// The readers of one file.
pub(super) struct Readers {
    pub(super) path: PathBuf,
    /// Connections, and the right to read for long.
    pub(super) pool: Pool<Reader>,
    /// The right to read for a moment.
    pub(super) short: Turns,
    /// Grows with every commit of this process.
    commits: AtomicU64,
    /// When the reads began that go on, by the order of their beginning.
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    begun: BTreeMap<u64, Instant>,
    last: u64,
}

/// A read that goes on until this is dropped.
pub(super) struct Reading<'r> {
    readers: &'r Readers,
    number: u64,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.readers.running().begun.remove(&self.number);
    }
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
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let short = processors.max(SHORT_READERS_MIN);
        Self {
            path,
            // Each of the short ones and each look-up finds a connection that is open already.
            pool: Pool::new(LONG_READERS, short + processors),
            short: Turns::new(short),
            commits: AtomicU64::new(0),
            running: Mutex::default(),
        }
    }

    /// Notes a read that may take its time.
    pub(super) fn reading(&self) -> Reading<'_> {
        let mut running = self.running();
        running.last += 1;
        let number = running.last;
        running.begun.insert(number, Instant::now());
        drop(running);
        Reading {
            readers: self,
            number,
        }
    }

    /// For how long the oldest of these reads has gone on.
    pub(super) fn longest(&self) -> Option<Duration> {
        let running = self.running();
        let (_, begun) = running.begun.first_key_value()?;
        Some(begun.elapsed())
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
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
