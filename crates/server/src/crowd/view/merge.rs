//! Several sorted lists as one: of equal names only the one of the first directory.

use std::collections::VecDeque;
use std::ops::Bound;

use directory::{DirectoryId, Group, User};
use scim::fold;
use store::{ReadTx, StoreError};

/// Entries of one directory that are held in memory.
const PIECE: usize = 500;

/// What is listed by name.
pub(super) trait Named: Sized {
    fn name(&self) -> &str;

    fn piece(
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        from: Bound<&str>,
        limit: i64,
    ) -> Result<Vec<Self>, StoreError>;
}

impl Named for User {
    fn name(&self) -> &str {
        &self.name
    }

    fn piece(
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        from: Bound<&str>,
        limit: i64,
    ) -> Result<Vec<User>, StoreError> {
        tx.directory_users_from(directory, from, limit)
    }
}

impl Named for Group {
    fn name(&self) -> &str {
        &self.name
    }

    fn piece(
        tx: &ReadTx<'_>,
        directory: DirectoryId,
        from: Bound<&str>,
        limit: i64,
    ) -> Result<Vec<Group>, StoreError> {
        tx.directory_groups_from(directory, from, limit)
    }
}

/// The merged list, read piece by piece.
pub(super) struct Merge<T> {
    runs: Vec<Run<T>>,
    prefix: String,
}

/// The list of one directory.
struct Run<T> {
    directory: DirectoryId,
    /// Entries read and not yet taken, with the fold of their names.
    ahead: VecDeque<(String, T)>,
    /// The name behind which to read on; none before the first piece.
    last: Option<String>,
    ended: bool,
}

impl<T: Named> Merge<T> {
    /// The entries whose names begin with a prefix, of directories in their order.
    pub(super) fn new(directories: impl Iterator<Item = DirectoryId>, prefix: &str) -> Merge<T> {
        let runs = directories.map(|directory| Run {
            directory,
            ahead: VecDeque::new(),
            last: None,
            ended: false,
        });
        Merge {
            runs: runs.collect(),
            prefix: fold(prefix),
        }
    }

    /// The next entry, with the place of its directory.
    pub(super) fn next(&mut self, tx: &ReadTx<'_>) -> Result<Option<(usize, T)>, StoreError> {
        self.next_of(tx, |_, _| true)
    }

    /// The next entry whose name is wanted in one of the directories.
    pub(super) fn next_of(
        &mut self,
        tx: &ReadTx<'_>,
        is_wanted: impl Fn(usize, &T) -> bool,
    ) -> Result<Option<(usize, T)>, StoreError> {
        loop {
            for run in &mut self.runs {
                run.fill(tx, &self.prefix)?;
            }
            let heads = self.runs.iter().filter_map(|run| run.ahead.front());
            let Some(name) = heads.map(|(name, _)| name).min().cloned() else {
                return Ok(None);
            };
            let (mut first, mut wanted) = (None, false);
            for (place, run) in self.runs.iter_mut().enumerate() {
                if run.ahead.front().is_none_or(|(head, _)| *head != name) {
                    continue;
                }
                if let Some((_, entry)) = run.ahead.pop_front() {
                    wanted |= is_wanted(place, &entry);
                    first = first.or(Some((place, entry)));
                }
            }
            if wanted {
                return Ok(first);
            }
        }
    }
}

impl<T: Named> Run<T> {
    /// Reads the next piece when nothing is ahead.
    fn fill(&mut self, tx: &ReadTx<'_>, prefix: &str) -> Result<(), StoreError> {
        if self.ended || !self.ahead.is_empty() {
            return Ok(());
        }
        let from = match &self.last {
            None => Bound::Included(prefix),
            Some(last) => Bound::Excluded(last.as_str()),
        };
        let piece = T::piece(tx, self.directory, from, PIECE as i64)?;
        self.ended = piece.len() < PIECE;
        for entry in piece {
            let name = fold(entry.name());
            if !name.starts_with(prefix) {
                self.ended = true;
                break;
            }
            self.ahead.push_back((name, entry));
        }
        self.last = self.ahead.back().map(|(name, _)| name.clone());
        Ok(())
    }
}
