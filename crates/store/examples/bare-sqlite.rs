//! What the embedded engine does alone: writers that wait for durable commits, with nothing of ours around them.
//!
//! The measure for `cargo xtask bench`. Arguments: a folder, how many writers, for how many seconds.
//! Prints one line of JSON.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

/// Rows in one commit, as in the store.
const BATCH: usize = 64;
/// About the size of a user.
const DOCUMENT_BYTES: usize = 900;

/// A row to write, and where to say that it is durable.
struct Wish {
    number: u64,
    done: SyncSender<()>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, writers, seconds] = words.as_slice() else {
        return Err("usage: bare FOLDER WRITERS SECONDS".into());
    };
    let limit = Duration::from_secs(seconds.parse()?);
    let connection = open(&Path::new(folder).join("bare.db"))?;
    let (queue, wishes) = sync_channel::<Wish>(1_000);
    let writer =
        thread::spawn(move || write_all(connection, &wishes).map_err(|error| error.to_string()));
    let begun = Instant::now();
    let written = load(writers.parse()?, limit, &queue);
    let took = begun.elapsed().as_secs_f64();
    drop(queue);
    writer.join().map_err(|_panic| "the writer failed")??;
    println!("{{\"writes_per_second\":{:.0}}}", written as f64 / took);
    Ok(())
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch(
        "CREATE TABLE person (pk INTEGER PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, document TEXT NOT NULL);
         CREATE UNIQUE INDEX person_id ON person (id);
         CREATE UNIQUE INDEX person_name ON person (name);",
    )?;
    Ok(connection)
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
fn write_all(mut connection: Connection, wishes: &Receiver<Wish>) -> rusqlite::Result<()> {
    let document = "x".repeat(DOCUMENT_BYTES);
    while let Ok(first) = wishes.recv() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut batch = vec![first];
        batch.extend(wishes.try_iter().take(BATCH - 1));
        for wish in &batch {
            // Ids are random in real life, so their index is not filled in order.
            let id = format!("{:016x}", wish.number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let name = format!("person.{}", wish.number);
            transaction
                .prepare_cached("INSERT INTO person (id, name, document) VALUES (?1, ?2, ?3)")?
                .execute((id, name, &document))?;
        }
        transaction.commit()?;
        for wish in batch {
            // The one who asked may be gone at the end.
            let _heard = wish.done.send(());
        }
    }
    Ok(())
}
