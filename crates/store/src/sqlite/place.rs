//! Where the file lies: one server at a time, and never on a network file system.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::StoreError;

/// File systems whose locks do not hold between machines, or at all.
const NETWORK: [&str; 13] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ncpfs",
    "ceph",
    "lustre",
    "glusterfs",
    "fuse.glusterfs",
    "fuse.sshfs",
];

/// Takes the right to serve the file, until the returned handle is dropped or this process ends in any way.
pub(super) fn lock(database: &Path) -> Result<File, StoreError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let failed = |error: std::io::Error| StoreError::open(format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(in_use(database, &mut file)),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    // For people only: the lock is what counts.
    file.set_len(0).map_err(failed)?;
    write!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

fn in_use(database: &Path, file: &mut File) -> StoreError {
    let mut holder = String::new();
    let known = file.rewind().is_ok()
        && file.read_to_string(&mut holder).is_ok()
        && !holder.trim().is_empty();
    let by = if known {
        format!("process {}", holder.trim())
    } else {
        "another process".to_owned()
    };
    StoreError::InUse {
        what: format!("{by} serves {}", database.display()),
    }
}

/// Makes the file, if it is not there, for its owner alone, as are then the files that the engine keeps beside it.
pub(super) fn keep_private(database: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let failed =
        |error: std::io::Error| StoreError::open(format!("{}: {error}", database.display()));
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(database)
        .map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o044 != 0 {
        tracing::warn!(
            file = %database.display(),
            "other accounts of this machine can read the database, with everybody's data and the hashes of passwords; \
             stop the server and take that away with: chmod go= vestibule.db*"
        );
    }
    Ok(())
}

/// Refuses a path on a network file system, where the system tells.
pub(super) fn refuse_network(database: &Path) -> Result<(), StoreError> {
    let Ok(mounts) = std::fs::read_to_string("/proc/mounts") else {
        return Ok(());
    };
    let folder = database
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let Ok(folder) = folder.canonicalize() else {
        return Err(StoreError::open(format!(
            "there is no folder {}",
            folder.display()
        )));
    };
    match file_system(&mounts, &folder) {
        Some(kind) if NETWORK.contains(&kind) => Err(StoreError::open(format!(
            "{} lies on a network file system ({kind}), where locks cannot be relied on; \
             use a local disk, or PostgreSQL",
            folder.display()
        ))),
        _ => Ok(()),
    }
}

/// The kind of the file system that holds a folder, from the table of mounts.
fn file_system<'m>(mounts: &'m str, folder: &Path) -> Option<&'m str> {
    mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let point = fields.next()?.replace("\\040", " ");
            Some((point, fields.next()?))
        })
        .filter(|(point, _)| folder.starts_with(point))
        // Of two mounts on one point the later covers the earlier.
        .max_by_key(|(point, _)| point.len())
        .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "/dev/vda / ext4 rw 0 0\nserver:/x /srv/my\\040data nfs4 rw 0 0\n\
                          tmpfs /srv/my\\040data/local tmpfs rw 0 0\n";

    #[test]
    fn the_deepest_mount_counts() {
        let kind = |path: &str| file_system(MOUNTS, Path::new(path));
        assert_eq!(kind("/var/lib"), Some("ext4"));
        assert_eq!(kind("/srv/my data"), Some("nfs4"));
        assert_eq!(kind("/srv/my data/v"), Some("nfs4"));
        assert_eq!(kind("/srv/my data/local/v"), Some("tmpfs"));
        assert_eq!(kind("/srv/my database"), Some("ext4"));
    }
}
