//! What a store has done since it was opened.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts that only grow.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    writes: AtomicU64,
    commits: AtomicU64,
    statements: AtomicU64,
}

/// [`Counts`] at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreCounts {
    /// Closures that were run for a commit, whether or not their own work stayed.
    pub writes: u64,
    /// Commits that carried them.
    pub commits: u64,
    /// Statements that transactions ran, those of closures that ran again included.
    pub statements: u64,
}

impl Counts {
    pub(crate) fn add(&self, writes: u64, commits: u64) {
        self.writes.fetch_add(writes, Ordering::Relaxed);
        self.commits.fetch_add(commits, Ordering::Relaxed);
    }

    pub(crate) fn statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> StoreCounts {
        StoreCounts {
            writes: self.writes.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            statements: self.statements.load(Ordering::Relaxed),
        }
    }
}
