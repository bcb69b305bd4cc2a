//! Restoring a backup: all of it in one transaction, or nothing.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::catalogue::{self, Table, newest, quoted, tables};
use super::read::{BackupFile, Found};
use super::{BackupContent, BackupError};
use crate::conn::Conn;
use crate::{
    Arg, Database, Environment, OpenMode, Scope, Store, StoreError, WriteTx, args, migrate,
};

/// Values of one statement, and rows of one.
const VALUES_AT_ONCE: usize = 1_000;
const ROWS_AT_ONCE: usize = 100;
/// How often, and with what pauses, it is looked whether others have gone: a connection that was closed is there for a
/// moment longer.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(200);
/// The table that names the store; it has a row as soon as a server has looked at it.
const NAMED: &str = "instance";

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What was in the backup.
    pub content: BackupContent,
    /// Migrations that were applied behind it, because the backup is of an older program.
    pub migrated: u64,
    /// Whether there was something before that is gone now.
    pub replaced: bool,
}

/// Restores a backup into a database that nobody serves. What is there stays as it is unless `replace` says so, and it stays too
/// if anything fails. `finish` is the last part of the transaction. Blocks.
///
/// The store has another name afterwards, so that products fetch everything anew.
pub fn restore(
    path: &Path,
    database: &Database,
    environment: Environment,
    replace: bool,
    finish: impl Fn(&WriteTx<'_>, &BackupContent) -> Result<(), StoreError> + Send + Sync + 'static,
) -> Result<Restored, BackupError> {
    let file = Arc::new(BackupFile::open(path)?);
    let content = file.verify()?;
    let store = Store::open_for(OpenMode::Serve, database, environment)?;
    refuse_others(&store)?;
    let said = content.clone();
    let migrated = content.behind();
    let replaced = store
        .write_blocking(Scope::Settings, move |tx| {
            let filled = first_filled(tx)?;
            if let Some(what) = filled.clone().filter(|_| !replace) {
                return Err(BackupError::NotEmpty { what });
            }
            fill(tx, &file)?;
            begin_anew(tx)?;
            finish(tx, &said)?;
            Ok(filled.is_some())
        })
        .map_err(|error| match error {
            BackupError::Store(StoreError::Conflict { constraint }) => {
                BackupError::contradiction(format!("it breaks the rule {constraint}"))
            }
            error => error,
        })?;
    Ok(Restored {
        content,
        migrated,
        replaced,
    })
}

/// On SQLite a lock of the file says whether somebody serves it. On PostgreSQL whoever serves is connected.
fn refuse_others(store: &Store) -> Result<(), BackupError> {
    let count = || {
        store.read_blocking(|tx| match tx.conn() {
            Conn::Sqlite(_) => Ok(0),
            Conn::Postgres(_) => tx
                .query_one(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                     AND usename = current_user AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
                    args![],
                    |row| row.int(0),
                )
                .map(Option::unwrap_or_default),
        })
    };
    let mut others: i64 = count()?;
    for _ in 0..LOOKS {
        if others == 0 {
            return Ok(());
        }
        thread::sleep(PAUSE);
        others = count()?;
    }
    match others {
        0 => Ok(()),
        others => Err(BackupError::InUse { others }),
    }
}

/// The first table that has something in it.
fn first_filled(tx: &WriteTx<'_>) -> Result<Option<String>, StoreError> {
    for table in tables(newest())? {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", quoted(&table.name));
        if table.name != NAMED && tx.query_one(&sql, args![], |row| row.int(0))?.is_some() {
            return Ok(Some(table.name));
        }
    }
    Ok(None)
}

/// Makes the schema of the backup in the place of what is there, fills it, and brings it up to date.
fn fill(tx: &WriteTx<'_>, file: &BackupFile) -> Result<(), BackupError> {
    migrate::alone(tx)?;
    for table in tables(newest())?.iter().rev() {
        tx.script(&format!("DROP TABLE {}", quoted(&table.name)))?;
    }
    tx.script("DROP TABLE migration")?;
    migrate::up_to(tx, file.head.schema)?;
    // What migrations put into new tables is in the backup as well, as it was then.
    for table in tables(file.head.schema)?.iter().rev() {
        tx.execute(&format!("DELETE FROM {}", quoted(&table.name)), args![])?;
    }
    let mut batch = Batch::default();
    file.read(|found| {
        match found {
            Found::Row(table, row) => batch.add(tx, table, row)?,
            Found::End(table, next) => {
                batch.insert(tx, table)?;
                if let Some(next) = next {
                    count_from(tx, &table.name, next)?;
                }
            }
        }
        Ok(())
    })?;
    migrate::up_to(tx, newest())?;
    Ok(())
}

/// Rows that wait to be inserted together.
#[derive(Default)]
struct Batch {
    values: Vec<Arg<'static>>,
    rows: usize,
}

impl Batch {
    fn add(
        &mut self,
        tx: &WriteTx<'_>,
        table: &Table,
        row: Vec<Arg<'static>>,
    ) -> Result<(), StoreError> {
        self.values.extend(row);
        self.rows += 1;
        let is_full = self.rows >= ROWS_AT_ONCE || self.values.len() >= VALUES_AT_ONCE;
        if is_full {
            self.insert(tx, table)
        } else {
            Ok(())
        }
    }

    fn insert(&mut self, tx: &WriteTx<'_>, table: &Table) -> Result<(), StoreError> {
        if self.rows == 0 {
            return Ok(());
        }
        let width = table.columns.len();
        let rows = (0..self.rows).map(|row| {
            let places = (1..=width).map(|column| format!("${}", row * width + column));
            format!("({})", places.collect::<Vec<_>>().join(", "))
        });
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {}",
            catalogue::quoted(&table.name),
            table.list(),
            rows.collect::<Vec<_>>().join(", ")
        );
        tx.execute(&sql, &self.values)?;
        self.values.clear();
        self.rows = 0;
        Ok(())
    }
}

/// Lets a table go on with this number, so that none is given twice that was ever given.
fn count_from(tx: &WriteTx<'_>, table: &str, next: i64) -> Result<(), StoreError> {
    match tx.conn() {
        Conn::Sqlite(_) => {
            tx.execute("DELETE FROM sqlite_sequence WHERE name = $1", args![table])?;
            tx.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)",
                args![table, next - 1],
            )?;
        }
        Conn::Postgres(_) => {
            tx.query_one(
                "SELECT setval(pg_get_serial_sequence($1, 'pk')::regclass, $2, FALSE)",
                args![table, next],
                |row| row.int(0),
            )?;
        }
    }
    Ok(())
}

/// Gives the store another name: what others remember of it is of another time. Webhooks are called once more, so that
/// applications come and see.
fn begin_anew(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    tx.execute("DELETE FROM instance", args![])?;
    tx.ensure_instance()?;
    tx.execute("UPDATE webhook SET told = '[]'", args![])?;
    Ok(())
}
