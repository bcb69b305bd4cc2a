//! What the embedded engine does alone: writers that wait for durable commits, with nothing of ours around them.
//!
//! The measure for `cargo xtask bench`. Arguments: a folder, how many writers, for how many seconds, and what each
//! writes: `row`, one row, or `user`, the rows in which the store keeps one new user. Prints one line of JSON.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use store::{Database, Environment, Store};

/// Rows in one commit, as in the store.
const BATCH: usize = 64;
/// How long a commit waits for writers that took part in the one before, as in the store.
const LINGER: Duration = Duration::from_micros(200);
/// About the size of a user.
const DOCUMENT_BYTES: usize = 900;

/// A row to write, and where to say that it is durable.
struct Wish {
    number: u64,
    done: SyncSender<()>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, writers, seconds, what] = words.as_slice() else {
        return Err("usage: bare FOLDER WRITERS SECONDS row|user".into());
    };
    let limit = Duration::from_secs(seconds.parse()?);
    let path = Path::new(folder).join(format!("{what}.db"));
    let (connection, insert): (_, Insert) = match what.as_str() {
        "row" => (with_one_table(&path)?, insert_row),
        "user" => (with_the_stores_tables(&path)?, insert_user),
        other => return Err(format!("neither row nor user: {other}").into()),
    };
    let (queue, wishes) = sync_channel::<Wish>(1_000);
    let writer = thread::spawn(move || {
        write_all(connection, insert, &wishes).map_err(|error| error.to_string())
    });
    let (begun, cpu) = (Instant::now(), cpu()?);
    let written = load(writers.parse()?, limit, &queue);
    let took = begun.elapsed().as_secs_f64();
    drop(queue);
    writer.join().map_err(|_panic| "the writer failed")??;
    let cpu = self::cpu()? - cpu;
    println!(
        "{{\"writes_per_second\":{:.0},\"cpu_ms_per_write\":{:.5}}}",
        written as f64 / took,
        cpu.as_secs_f64() * 1_000.0 / written as f64
    );
    Ok(())
}

/// Processor time of this process so far.
fn cpu() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no process name")?;
    let ticks: u64 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Ok(Duration::from_millis(10 * ticks))
}

/// Inserts what one wish is about: its number and a document.
type Insert = fn(&Transaction<'_>, u64, &str) -> rusqlite::Result<()>;

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_prepared_statement_cache_capacity(16);
    Ok(connection)
}

/// The store's own schema, with one connector and one directory.
fn with_the_stores_tables(path: &Path) -> Result<Connection, Box<dyn Error>> {
    let database = Database::parse(&format!("sqlite:{}", path.display()))?;
    drop(Store::open(&database, Environment::system())?);
    let connection = open(path)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.execute_batch(
        "INSERT INTO directory (pk, public_id, name, name_fold, journal_floor, created) VALUES (1, 'd', 'd', 'd', 0, 0);
         INSERT INTO connector (pk, public_id, name, name_fold, preset, state, directory_pk, rules, settings, version,
           user_count, group_count, created, updated)
           VALUES (1, 'c', 'c', 'c', 'generic', 'active', 1, '{}', '{}', 1, 0, 0, 0, 0);",
    )?;
    Ok(connection)
}

fn with_one_table(path: &Path) -> Result<Connection, Box<dyn Error>> {
    let connection = open(path)?;
    connection.execute_batch(
        "CREATE TABLE person (pk INTEGER PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL);
         CREATE UNIQUE INDEX person_id ON person (id);
         CREATE UNIQUE INDEX person_name ON person (name);",
    )?;
    Ok(connection)
}

/// Ids are random in real life, so their index is not filled in order.
fn random_id(number: u64) -> String {
    format!("{:016x}", number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn insert_row(tx: &Transaction<'_>, number: u64, document: &str) -> rusqlite::Result<()> {
    let name = format!("person.{number}");
    tx.prepare_cached("INSERT INTO person (id, name, document) VALUES (?1, ?2, ?3)")?
        .execute((random_id(number), name, document))?;
    Ok(())
}

/// A user of the source, its address, its account and the journal's entry about it.
fn insert_user(tx: &Transaction<'_>, number: u64, document: &str) -> rusqlite::Result<()> {
    let (id, name, at) = (
        random_id(number),
        format!("person.{number}@example.org"),
        number as i64,
    );
    tx.prepare_cached(
        "INSERT INTO source_user (connector_pk, id, user_name_fold, external_id, display_name_fold, active, version,
           created, modified, document) VALUES (1, ?1, ?2, ?3, ?2, 1, 1, ?4, ?4, ?5)",
    )?
    .execute((&id, &name, format!("ext-{number}"), at, document))?;
    let source = tx.last_insert_rowid();
    tx.prepare_cached(
        "INSERT INTO source_email (connector_pk, value_fold, user_pk) VALUES (1, ?1, ?2)",
    )?
    .execute((&name, source))?;
    tx.prepare_cached("UPDATE connector SET user_count = user_count + 1 WHERE pk = 1")?
        .execute(())?;
    tx.prepare_cached(
        "INSERT INTO directory_user (directory_pk, key, connector_pk, source_user_pk, external_id, name, name_fold,
           first_name, last_name, display_name, email, email_fold, status, reason, restore, created, updated)
         VALUES (1, ?1, 1, ?2, ?3, ?4, ?4, 'Person', ?5, ?4, ?4, ?4, 'active', 'PROVISIONED', '[]', ?6, ?6)",
    )?
    .execute((&id, source, format!("ext-{number}"), &name, number.to_string(), at))?;
    let account = tx.last_insert_rowid();
    tx.prepare_cached("UPDATE directory SET active_users = active_users + 1 WHERE pk = 1")?
        .execute(())?;
    tx.prepare_cached(
        "INSERT INTO journal (directory_pk, at, subject, user_pk, change, visible, trigger_name, connector_pk, actor, request)
         VALUES (1, ?1, 'user', ?2, ?3, 1, 'scim', 1, 'token', ?4)",
    )?
    .execute((at, account, &document[..document.len() / 3], &id))?;
    Ok(())
}

/// Lets so many writers write for so long; gives the number of rows that were durable in time.
fn load(writers: usize, limit: Duration, queue: &SyncSender<Wish>) -> u64 {
    let (numbers, written, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..writers {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let (done, is_done) = sync_channel(1);
                    let number = numbers.fetch_add(1, Ordering::Relaxed);
                    if queue.send(Wish { number, done }).is_err() || is_done.recv().is_err() {
                        return;
                    }
                    written.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(limit);
        stop.store(true, Ordering::Relaxed);
    });
    written.into_inner()
}

/// Takes all rows that wait, commits them together, and says so to each.
fn write_all(
    mut connection: Connection,
    insert: Insert,
    wishes: &Receiver<Wish>,
) -> rusqlite::Result<()> {
    let document = "x".repeat(DOCUMENT_BYTES);
    let mut last = 0;
    while let Ok(first) = wishes.recv() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (mut batch, mut next) = (Vec::new(), Some(first));
        while let Some(wish) = next.take() {
            insert(&transaction, wish.number, &document)?;
            batch.push(wish);
            if batch.len() < BATCH {
                next = next_of_batch(wishes, batch.len() < last);
            }
        }
        transaction.commit()?;
        last = batch.len();
        for wish in batch {
            // The one who asked may be gone at the end.
            let _heard = wish.done.send(());
        }
    }
    Ok(())
}

/// The next wish, if one waits, or is there after a moment when more are expected.
fn next_of_batch(wishes: &Receiver<Wish>, are_expected: bool) -> Option<Wish> {
    let waiting = wishes.try_recv().ok();
    if waiting.is_some() || !are_expected {
        return waiting;
    }
    thread::sleep(LINGER);
    wishes.try_recv().ok()
}
