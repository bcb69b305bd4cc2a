//! What the stories share.

use emulate::databases::TestDatabase;
use store::probe::{RawRead, RawWrite};
use store::{Database, Environment, Scope, Store, StoreError, args};

/// Opens the database of a story.
pub fn open(database: &TestDatabase) -> Store {
    try_open(&database.url).unwrap()
}

/// Opens a database by its address.
pub fn try_open(url: &str) -> Result<Store, StoreError> {
    Store::open(&Database::parse(url)?, Environment::system())
}

/// Opens the database of a story and makes a table `note (pk, body)` in it.
pub fn open_with_notes(database: &TestDatabase) -> Store {
    let store = open(database);
    run(
        &store,
        "CREATE TABLE note (pk BIGINT PRIMARY KEY, body TEXT NOT NULL)",
    );
    store
}

/// Runs one statement for itself.
pub fn run(store: &Store, sql: &'static str) {
    try_run(store, sql).unwrap();
}

/// Runs one statement for itself.
pub fn try_run(store: &Store, sql: &'static str) -> Result<u64, StoreError> {
    store.write_blocking(Scope::Settings, move |tx| tx.raw_execute(sql, args![]))
}

/// Writes a note in a transaction of its own.
pub fn write_note(store: &Store, pk: i64) -> Result<u64, StoreError> {
    store.write_blocking(Scope::Settings, move |tx| insert_note(tx, pk))
}

/// Writes a note.
pub fn insert_note(tx: &store::WriteTx<'_>, pk: i64) -> Result<u64, StoreError> {
    tx.raw_execute(
        "INSERT INTO note (pk, body) VALUES ($1, $2)",
        args![pk, format!("note {pk}")],
    )
}

/// How many notes there are.
pub fn count_notes(store: &Store) -> i64 {
    store
        .read_blocking(|tx| tx.raw_number("SELECT count(*) FROM note", args![]))
        .unwrap()
}

/// The numbers of all notes.
pub fn notes(store: &Store) -> Vec<i64> {
    store
        .read_blocking(|tx| {
            tx.raw_query("SELECT pk FROM note ORDER BY pk", args![], |row| row.int(0))
        })
        .unwrap()
}

/// Waits for a future as a server would.
pub fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
