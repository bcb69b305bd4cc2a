//! Everything that is stored as one file, and back.

use std::io::{self, Read, Write};
use std::path::Path;

use store::{
    ActorKind, AuditDraft, BackupContent, BackupError, Database, Environment, Restored,
    restore_backup, verify_backup_as_it_comes,
};

use crate::{Provision, ProvisionError, SecretKey, audit};

/// What marks of the secret key are derived for.
const PURPOSE: &str = "backup";
/// Hexadecimal digits of a mark.
const MARK_LEN: usize = 16;

impl Provision {
    /// Writes a backup of everything as it is at this moment to what `begin` gives. Blocks. `begin` is asked once more where the
    /// database went away meanwhile, and fails if it cannot begin anew.
    pub fn back_up<W: Write>(&self, begin: impl Fn() -> io::Result<W>) -> Result<(), BackupError> {
        let key = self.key().map_err(io::Error::other)?;
        let mark = mark(key).map_err(io::Error::other)?;
        self.store()
            .read_blocking(|tx| tx.back_up(&mark, &mut begin()?))
    }
}

/// A backup that was looked at, and how it stands to this installation.
#[derive(Debug, Clone)]
pub struct CheckedBackup {
    /// What is in it.
    pub content: BackupContent,
    /// Whether it was taken with the secret key that is here.
    pub right_key: bool,
    /// Whether it was taken from this very store.
    pub own: bool,
}

impl Provision {
    /// Looks whether what comes is a backup that is whole and can be restored by this program. Nothing of it is kept. Blocks.
    pub fn check_backup(&self, from: impl Read) -> Result<CheckedBackup, BackupError> {
        let content = verify_backup_as_it_comes(from)?;
        let own = self.store().read_blocking(|tx| tx.store_id())?;
        let key = self.key().map_err(io::Error::other)?;
        Ok(CheckedBackup {
            right_key: is_taken_with(key, &content),
            own: own == content.head.store,
            content,
        })
    }
}

/// Who wanted a restore.
#[derive(Debug, Clone)]
pub struct RestoredBy {
    /// What kind of actor.
    pub kind: ActorKind,
    /// The id of the administrator or token.
    pub id: Option<String>,
    /// The name.
    pub name: String,
    /// From which address.
    pub address: Option<String>,
    /// The id of the request.
    pub request: String,
}

impl RestoredBy {
    /// Somebody at the command line of the machine.
    pub fn command_line() -> Self {
        Self {
            kind: ActorKind::CommandLine,
            id: None,
            name: "command line".to_owned(),
            address: None,
            request: String::new(),
        }
    }

    fn draft(&self, succeeded: bool, detail: String) -> AuditDraft {
        AuditDraft {
            actor_kind: self.kind,
            actor_id: self.id.clone(),
            actor: self.name.clone(),
            address: self.address.clone(),
            request: self.request.clone(),
            action: "restore_backup".to_owned(),
            target: "/backup".to_owned(),
            succeeded,
            detail,
            changes: None,
            object: None,
        }
    }
}

/// Restores a backup into a database that nobody serves, all of it or nothing, and enters that into its audit log. What is there
/// stays as it is unless `replace` says so. Blocks.
pub fn restore(
    path: &Path,
    database: &Database,
    environment: Environment,
    replace: bool,
    by: RestoredBy,
) -> Result<Restored, BackupError> {
    restore_backup(path, database, environment, replace, move |tx, content| {
        let head = &content.head;
        let detail = format!(
            "taken {} from the store {} by version {}",
            head.taken, head.store, head.product
        );
        audit::enter(tx, by.draft(true, detail))
    })
}

impl Provision {
    /// Enters into the audit log that a restore failed, and why. What was there is there still.
    pub async fn note_failed_restore(
        &self,
        by: &RestoredBy,
        why: &str,
    ) -> Result<(), ProvisionError> {
        self.audit(by.draft(false, why.to_owned())).await
    }
}

/// Whether a backup was taken with this key: only then what is sealed in it can be opened.
pub fn is_key_of(key: &SecretKey, restored: &Restored) -> bool {
    is_taken_with(key, &restored.content)
}

fn is_taken_with(key: &SecretKey, content: &BackupContent) -> bool {
    mark(key).is_ok_and(|mark| mark == content.head.key_mark)
}

/// A mark of a key, which tells nothing of it.
fn mark(key: &SecretKey) -> Result<String, ProvisionError> {
    let derived = key.derive(PURPOSE, "mark")?.into_iter();
    let mut mark: String = derived.map(|byte| format!("{byte:02x}")).collect();
    mark.truncate(MARK_LEN);
    Ok(mark)
}
