//! A backup that lies ready to be restored, and the wish to begin anew with it. A restore makes every table anew below
//! whatever reads, writes or works: so this server ends, and whoever runs it restores the file and starts it again.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use provision::{CheckedBackup, RestoredBy};
use tokio::sync::Notify;

/// What the file is called in its folder.
const FILE: &str = "restore.backup";

/// A backup to begin anew with.
#[derive(Debug, Clone)]
pub struct RestoreOrder {
    /// The file. It is whole, and can be restored by this program.
    pub file: PathBuf,
    /// Who wants it.
    pub by: RestoredBy,
}

/// A restore that came to nothing: everything is as it was.
#[derive(Debug, Clone)]
pub struct FailedRestore {
    /// When it was tried.
    pub at: Timestamp,
    /// Why it failed.
    pub why: String,
}

/// A backup that lies ready.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    pub(crate) checked: CheckedBackup,
    /// Since when.
    pub(crate) since: Timestamp,
}

/// Where at most one backup lies ready.
#[derive(Default)]
pub(crate) struct Staging {
    /// None where nobody would start this server again.
    file: Option<PathBuf>,
    state: Mutex<State>,
    ordered: Notify,
    failed: Option<FailedRestore>,
}

#[derive(Default)]
struct State {
    staged: Option<Staged>,
    order: Option<RestoreOrder>,
}

impl Staging {
    /// In this folder. What another run left there is removed: nobody would know whether it was looked at.
    pub(crate) fn new(folder: Option<&Path>, failed: Option<FailedRestore>) -> Self {
        let staging = Self {
            file: folder.map(|folder| folder.join(FILE)),
            failed,
            ..Self::default()
        };
        staging.clear();
        staging
    }

    /// The last restore of this program, if it failed.
    pub(crate) fn failed(&self) -> Option<&FailedRestore> {
        self.failed.as_ref()
    }

    /// A new file in the place of what lies ready, for its owner alone; none where there is no such place.
    pub(crate) fn begin(&self) -> Option<io::Result<File>> {
        let file = self.file.as_deref()?;
        self.clear();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        Some(options.open(file))
    }

    /// What was written lies ready now.
    pub(crate) fn keep(&self, staged: Staged) {
        self.state().staged = Some(staged);
    }

    /// What lies ready.
    pub(crate) fn staged(&self) -> Option<Staged> {
        self.state().staged.clone()
    }

    /// Removes what lies ready.
    pub(crate) fn clear(&self) {
        self.state().staged = None;
        let Some(file) = &self.file else { return };
        match fs::remove_file(file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(%error, file = %file.display(), "a backup that nobody needs cannot be removed");
            }
        }
    }

    /// Orders that what lies ready is restored. Whether that is what has this checksum.
    pub(crate) fn order(&self, sha256: &str, by: RestoredBy) -> bool {
        let mut state = self.state();
        let staged = state.staged.as_ref();
        let is_it = staged.is_some_and(|it| it.checked.content.sha256 == sha256);
        let Some(file) = self.file.clone().filter(|_| is_it) else {
            return false;
        };
        state.order = Some(RestoreOrder { file, by });
        self.ordered.notify_one();
        true
    }

    /// Waits for an order.
    pub(crate) async fn ordered(&self) -> RestoreOrder {
        loop {
            if let Some(order) = self.state().order.clone() {
                return order;
            }
            self.ordered.notified().await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
