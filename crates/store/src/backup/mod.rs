//! Everything that is stored as one file that either engine can be filled from.
//!
//! A file begins with two lines that anybody can read: what it is, and where it comes from. Then comes, compressed as gzip
//! does, one line of JSON for each table and each row. Its last line is the SHA-256 of all before it, so that a file that
//! was cut off or changed is noticed before anything is done with it.

mod catalogue;
mod error;
mod read;
mod restore;
mod take;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use error::BackupError;
pub use restore::{Restored, restore};

/// The first line of every backup, but for the number of its format.
const MARK: &str = "vestibule-backup ";
/// The format that this program writes, and the newest that it reads.
const FORMAT: u32 = 1;
/// How the last line begins.
const SUM: &str = "sha256 ";
/// Bytes of the last line: its beginning, 64 digits and the end of the line.
const SUM_BYTES: usize = SUM.len() + 64 + 1;

/// Where a backup comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupHead {
    /// The version of the program that took it.
    pub product: String,
    /// The number of the newest migration of its schema.
    pub schema: i64,
    /// A mark of the texts of its migrations.
    pub schema_mark: String,
    /// The engine that it was taken from: `sqlite` or `postgres`.
    pub engine: String,
    /// The name of the store that it was taken from.
    pub store: String,
    /// A mark of the secret key of the installation; the key itself is not in the file.
    pub key_mark: String,
    /// When it was taken.
    pub taken: Timestamp,
    /// Tables that it leaves out.
    pub left_out: Vec<String>,
}

/// What is in a backup that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupContent {
    /// Where it comes from.
    #[serde(flatten)]
    pub head: BackupHead,
    /// Tables.
    pub tables: u64,
    /// Rows of all tables together.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// The SHA-256 of all before its last line, which says it.
    pub sha256: String,
}

impl BackupContent {
    fn new(head: BackupHead, bytes: u64, sha256: String) -> Self {
        Self {
            head,
            tables: 0,
            rows: 0,
            bytes,
            sha256,
        }
    }

    /// Counts what is found while it is read.
    fn count(
        &mut self,
        read: impl FnOnce(
            &mut dyn FnMut(read::Found<'_>) -> Result<(), BackupError>,
        ) -> Result<u64, BackupError>,
    ) -> Result<(), BackupError> {
        let mut tables = 0;
        self.rows = read(&mut |found| {
            tables += u64::from(matches!(found, read::Found::End(..)));
            Ok(())
        })?;
        self.tables = tables;
        Ok(())
    }

    /// Migrations that bring it up to date.
    pub fn behind(&self) -> u64 {
        (catalogue::newest() - self.head.schema).unsigned_abs()
    }
}

/// Looks whether a file is a backup that is whole and can be restored by this program.
pub fn verify(path: &std::path::Path) -> Result<BackupContent, BackupError> {
    read::BackupFile::open(path)?.verify()
}

/// The same of a backup that comes piece by piece; nothing of it is kept.
pub fn verify_as_it_comes(from: impl std::io::Read) -> Result<BackupContent, BackupError> {
    read::verify_as_it_comes(from)
}

/// A line of the compressed part that is no row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Mark {
    /// A table begins.
    Table { name: String, columns: Vec<String> },
    /// It is at its end.
    End {
        rows: u64,
        /// The number that its next row gets, where the engine gives numbers.
        next: Option<i64>,
    },
    /// All tables are at their end.
    Whole { tables: u64, rows: u64 },
}

/// Bytes as hexadecimal digits.
fn digits(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
