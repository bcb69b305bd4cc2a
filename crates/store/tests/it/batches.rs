//! Group commit: many writers, few commits. Only the embedded engine has it.

use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use emulate::databases::TestDatabase;
use store::probe::RawWrite;
use store::{Scope, Store, StoreError, args};

use crate::support::{block_on, count_notes, insert_note, open_with_notes, write_note};

/// Holds the writing thread inside a closure until the sender is dropped.
fn hold_writer(
    store: &Store,
) -> (
    std::sync::mpsc::Sender<()>,
    thread::JoinHandle<Result<(), StoreError>>,
) {
    let (release, held) = channel::<()>();
    let (inside, wait_inside) = channel::<()>();
    let held = Mutex::new(held);
    let holder = thread::spawn({
        let store = store.clone();
        move || {
            store.write_blocking(Scope::Settings, move |_| {
                inside.send(()).unwrap();
                let _released = held.lock().unwrap().recv();
                Ok(())
            })
        }
    });
    wait_inside.recv().unwrap();
    (release, holder)
}

#[test]
fn writers_that_wait_share_a_commit() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open_with_notes(&database);
    let before = store.counts();
    let (release, holder) = hold_writer(&store);
    block_on(async {
        let mut writers = tokio::task::JoinSet::new();
        let queued = Arc::new(tokio::sync::Barrier::new(301));
        for pk in 0..300 {
            let (store, queued) = (store.clone(), Arc::clone(&queued));
            writers.spawn(async move {
                let mut writing =
                    Box::pin(store.write(Scope::Settings, move |tx| insert_note(tx, pk)));
                // The first poll puts the closure into the queue.
                tokio::select! {
                    biased;
                    _ = &mut writing => panic!("nobody could have answered"),
                    () = std::future::ready(()) => {}
                }
                queued.wait().await;
                writing.await
            });
        }
        queued.wait().await;
        drop(release);
        while let Some(written) = writers.join_next().await {
            written.unwrap().unwrap();
        }
    });
    holder.join().unwrap().unwrap();
    let after = store.counts();
    assert_eq!(after.writes - before.writes, 301);
    // The held one took the batch's time, so it is alone; the others go by up to 64.
    assert!(after.commits - before.commits <= 20, "{before:?} {after:?}");
    assert_eq!(count_notes(&store), 300);
}

#[test]
fn a_full_queue_says_busy_and_loses_nothing() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open_with_notes(&database);
    let (release, holder) = hold_writer(&store);
    let (mut accepted, mut refused) = (0, 0);
    block_on(async {
        let mut waiting = Vec::new();
        for pk in 0..1_100 {
            let mut writing = Box::pin(store.write(Scope::Settings, move |tx| insert_note(tx, pk)));
            tokio::select! {
                biased;
                outcome = &mut writing => {
                    assert!(matches!(outcome, Err(StoreError::Busy)), "{outcome:?}");
                    refused += 1;
                }
                () = std::future::ready(()) => {
                    accepted += 1;
                    waiting.push(writing);
                }
            }
        }
        drop(release);
        for writing in waiting {
            writing.await.unwrap();
        }
    });
    holder.join().unwrap().unwrap();
    assert_eq!((accepted, refused), (1_000, 100));
    assert_eq!(count_notes(&store), 1_000);
}

#[test]
fn failures_inside_a_batch_leave_the_others_alone() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open_with_notes(&database);
    write_note(&store, 0).unwrap();
    let barrier = Barrier::new(16);
    thread::scope(|scope| {
        for worker in 0..16_i64 {
            let (store, barrier) = (&store, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for turn in 1..=20 {
                    let pk = worker * 100 + turn;
                    let outcome: Result<u64, StoreError> =
                        store.write_blocking(Scope::Settings, move |tx| {
                            insert_note(tx, pk)?;
                            match turn % 4 {
                                0 => insert_note(tx, 0),
                                1 => {
                                    tx.raw_execute("INSERT INTO nowhere VALUES ($1)", args![1_i64])
                                }
                                2 => panic!("a slip"),
                                _ => Ok(1),
                            }
                        });
                    match (turn % 4, &outcome) {
                        (0, Err(StoreError::Conflict { .. }))
                        | (1, Err(StoreError::Sql { .. }))
                        | (2, Err(StoreError::Panicked { .. }))
                        | (3, Ok(1)) => {}
                        (turn, outcome) => panic!("{turn}: {outcome:?}"),
                    }
                }
            });
        }
    });
    assert_eq!(count_notes(&store), 1 + 16 * 5);
}
