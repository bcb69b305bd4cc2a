//! The embedded engine: one thread that writes, a pool of connections that read.

mod log;
mod place;
mod reader;
mod session;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::oneshot;

use crate::conn::Conn;
use crate::counts::Counts;
use crate::migrate::{self, Migration, Words};
use crate::pool::{Permit, wait};
use crate::{Environment, OpenMode, ReadTx, StoreError, WriteTx};

use log::{LOG_BYTES, Log};
use reader::Readers;
pub(crate) use session::Session;
use session::{Rules, error_of};
use writer::Writer;

/// Page cache of one reader, in KiB: the inner pages of the indexes, so that a look-up reads only leaves.
const READER_CACHE_KIB: i64 = 4 * 1024;
/// Page cache of the writer, in KiB: what a batch changes, and the indexes it goes through.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 256;
/// How long the server waits for another process that writes.
const SERVE_WAIT: Duration = Duration::from_secs(5);
/// How long a command line tool waits for the server's writes.
const TOOL_WAIT: Duration = Duration::from_secs(30);
/// Pages of the write-ahead log after which it is emptied into the file.
const WAL_PAGES: i64 = 4096;

pub(crate) const WORDS: Words = Words {
    id: "INTEGER PRIMARY KEY AUTOINCREMENT",
    text: "TEXT",
    blob: "BLOB",
    without_rowid: "WITHOUT ROWID",
    char: "char",
};

/// An open file.
pub(crate) struct Sqlite {
    rules: Arc<Rules>,
    environment: Environment,
    writer: Writer,
    readers: Arc<Readers>,
    pub(crate) counts: Arc<Counts>,
    /// Held while this process serves the file.
    _lock: Option<std::fs::File>,
}

impl Sqlite {
    pub(crate) fn open(
        path: &Path,
        environment: Environment,
        mode: OpenMode,
    ) -> Result<Self, StoreError> {
        place::refuse_network(path)?;
        let lock = match mode {
            OpenMode::Serve => Some(place::lock(path)?),
            OpenMode::Tool => None,
        };
        let wait = match mode {
            OpenMode::Serve => SERVE_WAIT,
            OpenMode::Tool => TOOL_WAIT,
        };
        place::keep_private(path)?;
        let mut connection = connect_to_write(path, wait)?;
        bring_up_to_date(path, &mut connection, &environment, mode)?;
        let rules = Arc::new(Rules::read(&connection)?);
        let counts = Arc::new(Counts::default());
        let readers = Arc::new(Readers::new(path.to_owned()));
        let writer = Writer::start(
            connection,
            Arc::clone(&readers),
            Arc::clone(&rules),
            environment.clone(),
            Arc::clone(&counts),
            Log::of(path, mode),
            wait,
        )?;
        Ok(Self {
            rules,
            environment,
            writer,
            readers,
            counts,
            _lock: lock,
        })
    }

    /// Hands a closure to the writing thread; its answer comes after the commit is durable.
    pub(crate) fn submit<T, E, F>(
        &self,
        closure: F,
    ) -> Result<oneshot::Receiver<Result<T, E>>, StoreError>
    where
        F: Fn(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.submit(closure)
    }

    /// Waits for the right to read for a moment.
    pub(crate) async fn permit(&self) -> Option<Permit> {
        self.readers.short.permit().await
    }

    /// Waits for the right to read for as long as it takes.
    pub(crate) async fn permit_at_length(&self) -> Option<Permit> {
        self.readers.pool.permit().await
    }

    /// [`Sqlite::permit_at_length`] for a plain thread.
    pub(crate) fn permit_blocking(&self) -> Option<Permit> {
        wait(self.readers.pool.permit())
    }

    /// Runs a closure on a snapshot, by a right to do so.
    pub(crate) fn read_by<T, E: From<StoreError>>(
        &self,
        _permit: Permit,
        closure: &impl Fn(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _reading = self.readers.reading();
        self.read(closure)
    }

    /// Runs a closure on a snapshot. Without a permit this is for the threads that answer requests, which are few.
    pub(crate) fn read<T, E: From<StoreError>>(
        &self,
        closure: &impl Fn(&mut ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let reader = self.readers.open(&self.rules)?;
        let session = Session::new(&reader.connection, &self.rules);
        let mut tx = ReadTx::new(Conn::Sqlite(session), &self.environment, &self.counts);
        let outcome = crate::guard::caught(|| closure(&mut tx));
        let failure = tx.failure();
        drop(tx);
        if failure.is_none() && !reader.connection.is_autocommit() {
            self.readers.give_back(reader, &self.rules);
        }
        crate::guard::settle(outcome, failure)
    }
}

/// Opens the connection that writes, creating the file if there is none.
fn connect_to_write(path: &Path, wait: Duration) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open_file(path, flags, wait)?;
    let configured = || -> rusqlite::Result<()> {
        // A log ahead of the file lets readers go on while the writer writes; FULL syncs it at every commit.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES as i64)?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)
    };
    configured().map_err(|error| error_of(&error, None))?;
    Ok(connection)
}

/// Opens a connection that can only read.
fn connect_to_read(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open_file(path, flags, SERVE_WAIT)?;
    let configured = || -> rusqlite::Result<()> {
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)
    };
    configured().map_err(|error| error_of(&error, None))?;
    Ok(connection)
}

fn open_file(path: &Path, flags: OpenFlags, wait: Duration) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| StoreError::open(format!("{}: {error}", path.display())))?;
    let configured = || -> rusqlite::Result<()> {
        connection.busy_timeout(wait)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // A prepared statement stays prepared: without this the engine plans some anew whenever a value changes.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "mmap_size", 0)
    };
    configured().map_err(|error| error_of(&error, None))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Applies the migrations that are missing. A tool may do so only while nobody serves the file.
fn bring_up_to_date(
    path: &Path,
    connection: &mut Connection,
    environment: &Environment,
    mode: OpenMode,
) -> Result<(), StoreError> {
    if missing(connection, environment)?.is_empty() {
        return Ok(());
    }
    let _lock = match mode {
        OpenMode::Serve => None,
        OpenMode::Tool => Some(place::lock(path)?),
    };
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| error_of(&error, None))?;
    let rules = Rules::default();
    let session = || Conn::Sqlite(Session::new(&transaction, &rules));
    let counts = Counts::default();
    let tx = WriteTx::new(session(), environment, &counts);
    migrate::bring_up_to_date(&tx)?;
    drop(tx);
    transaction.commit().map_err(|error| error_of(&error, None))
}

/// What [`migrate::pending`] says, without writing anything.
fn missing(
    connection: &Connection,
    environment: &Environment,
) -> Result<&'static [Migration], StoreError> {
    let exists = connection
        .table_exists(None, "migration")
        .map_err(|error| error_of(&error, None))?;
    if !exists {
        return Ok(migrate::MIGRATIONS);
    }
    let rules = Rules::default();
    let counts = Counts::default();
    let conn = Conn::Sqlite(Session::new(connection, &rules));
    let tx = WriteTx::new(conn, environment, &counts);
    migrate::pending(&tx, migrate::MIGRATIONS)
}
