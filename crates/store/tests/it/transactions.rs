//! What holds for every transaction: all or nothing, one after the other, and nobody waits in vain.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use directory::DirectoryId;
use emulate::databases::on_each_database;
use store::probe::{RawRead, RawWrite};
use store::{Scope, StoreError, args};

use crate::support::{
    block_on, count_notes, insert_note, notes, open, open_with_notes, run, try_open, write_note,
};

#[test]
fn what_is_written_is_there_after_reopening() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        write_note(&store, 1).unwrap();
        block_on(async { store.write(Scope::Settings, |tx| insert_note(tx, 2)).await }).unwrap();
        assert_eq!(notes(&store), [1, 2]);
        drop(store);
        assert_eq!(notes(&open(database)), [1, 2]);
    });
}

#[test]
fn an_error_takes_back_that_closure_alone() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        thread::scope(|scope| {
            for worker in 0..8 {
                let store = &store;
                scope.spawn(move || {
                    for turn in 0..20_i64 {
                        let pk = worker * 100 + turn;
                        let outcome: Result<(), StoreError> =
                            store.write_blocking(Scope::Settings, move |tx| {
                                insert_note(tx, pk)?;
                                insert_note(tx, pk + 10_000)?;
                                if turn % 2 == 0 {
                                    Ok(())
                                } else {
                                    Err(StoreError::Busy)
                                }
                            });
                        assert_eq!(outcome.is_ok(), turn % 2 == 0, "{outcome:?}");
                    }
                });
            }
        });
        let kept = notes(&store);
        assert_eq!(kept.len(), 8 * 20);
        assert!(kept.iter().all(|pk| pk % 2 == 0));
    });
}

#[test]
fn a_part_can_fail_by_itself_unless_a_statement_did() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        let written: Result<(), StoreError> = store.write_blocking(Scope::Settings, |tx| {
            insert_note(tx, 1)?;
            let part = tx.attempt(|tx| insert_note(tx, 2));
            assert!(matches!(part, Ok(Ok(_))));
            let refused = tx.attempt(|tx| {
                insert_note(tx, 3)?;
                let inner = tx.attempt(|tx| insert_note(tx, 4));
                assert!(matches!(inner, Ok(Ok(_))));
                Err::<(), _>(StoreError::Busy)
            });
            assert!(matches!(refused, Ok(Err(StoreError::Busy))));
            insert_note(tx, 5)?;
            Ok(())
        });
        written.unwrap();
        assert_eq!(notes(&store), [1, 2, 5]);
        let doomed: Result<(), StoreError> = store.write_blocking(Scope::Settings, |tx| {
            insert_note(tx, 6)?;
            let part = tx.attempt(|tx| insert_note(tx, 1));
            assert!(matches!(part, Err(StoreError::Conflict { .. })));
            Ok(())
        });
        assert!(matches!(doomed, Err(StoreError::Conflict { .. })));
        assert_eq!(notes(&store), [1, 2, 5]);
    });
}

#[test]
fn a_closure_sees_what_it_wrote_and_others_do_not_yet() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        let (inside, wait_inside) = channel::<()>();
        let (go_on, wait_go_on) = channel::<()>();
        let wait_go_on = Mutex::new(wait_go_on);
        thread::scope(|scope| {
            let writer = scope.spawn({
                let store = store.clone();
                move || {
                    store.write_blocking(Scope::Settings, move |tx| {
                        insert_note(tx, 1)?;
                        let seen = tx.raw_number("SELECT count(*) FROM note", args![])?;
                        inside.send(()).unwrap();
                        wait_go_on.lock().unwrap().recv().unwrap();
                        Ok::<i64, StoreError>(seen)
                    })
                }
            });
            wait_inside.recv().unwrap();
            // Readers do not wait for the writer that stands still in the middle of its work.
            assert_eq!(count_notes(&store), 0);
            assert_eq!(
                block_on(async {
                    store
                        .look_up(|tx| tx.raw_number("SELECT count(*) FROM note", args![]))
                        .await
                })
                .unwrap(),
                0
            );
            go_on.send(()).unwrap();
            assert_eq!(writer.join().unwrap().unwrap(), 1);
        });
        assert_eq!(count_notes(&store), 1);
    });
}

#[test]
fn a_reader_keeps_its_state_while_writers_commit() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        write_note(&store, 1).unwrap();
        let seen = store
            .read_blocking(|tx| {
                let before = tx.raw_number("SELECT count(*) FROM note", args![])?;
                for pk in 2..20 {
                    write_note(&store, pk)?;
                }
                let after = tx.raw_number("SELECT count(*) FROM note", args![])?;
                Ok::<_, StoreError>((before, after))
            })
            .unwrap();
        assert_eq!(seen, (1, 1));
        assert_eq!(count_notes(&store), 19);
    });
}

#[test]
fn a_reader_cannot_write() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        let tried: Result<_, StoreError> = store.read_blocking(|tx| {
            tx.raw_query(
                "INSERT INTO note (pk, body) VALUES (1, 'x') RETURNING pk",
                args![],
                |row| row.int(0),
            )
        });
        assert!(tried.is_err(), "{tried:?}");
        assert_eq!(count_notes(&store), 0);
    });
}

#[test]
fn a_panic_is_an_error_and_the_store_goes_on() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        let outcome: Result<(), StoreError> = store.write_blocking(Scope::Settings, |tx| {
            insert_note(tx, 1)?;
            panic!("a slip in note {}", 1)
        });
        assert!(
            matches!(&outcome, Err(StoreError::Panicked { what }) if what == "a slip in note 1"),
            "{outcome:?}"
        );
        let outcome: Result<(), StoreError> =
            block_on(async { store.look_up(|_| panic!("a slip")).await });
        assert!(
            matches!(outcome, Err(StoreError::Panicked { .. })),
            "{outcome:?}"
        );
        // More often than there are connections.
        for _ in 0..20 {
            let outcome: Result<(), StoreError> = store.read_blocking(|tx| {
                tx.raw_for_each("SELECT 1 UNION ALL SELECT 2", args![], |_| {
                    panic!("a slip in the middle of an answer")
                })
            });
            assert!(
                matches!(outcome, Err(StoreError::Panicked { .. })),
                "{outcome:?}"
            );
        }
        write_note(&store, 2).unwrap();
        assert_eq!(notes(&store), [2]);
    });
}

#[test]
fn a_failed_statement_cannot_be_ignored() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        write_note(&store, 1).unwrap();
        let outcome: Result<_, StoreError> = store.write_blocking(Scope::Settings, |tx| {
            insert_note(tx, 2)?;
            let ignored = insert_note(tx, 1);
            assert!(ignored.is_err());
            let after = insert_note(tx, 3);
            assert!(
                matches!(after, Err(StoreError::Conflict { .. })),
                "{after:?}"
            );
            Ok(())
        });
        assert!(
            matches!(&outcome, Err(StoreError::Conflict { constraint }) if constraint == "note_pkey"),
            "{outcome:?}"
        );
        assert_eq!(notes(&store), [1]);
    });
}

#[test]
fn one_transaction_has_one_moment() {
    on_each_database(|database| {
        let store = open(database);
        let (first, second, a, b) = store
            .write_blocking(Scope::Settings, |tx| {
                let first = tx.now();
                let counted = tx.raw_number("SELECT count(*) FROM migration", args![])?;
                assert!(counted > 0);
                Ok::<_, StoreError>((first, tx.now(), tx.new_id(), tx.new_id()))
            })
            .unwrap();
        assert_eq!(first, second);
        assert_eq!(
            first.as_nanosecond() % 1000,
            0,
            "what the clock says is what is stored"
        );
        assert_ne!(a, b);
    });
}

#[test]
fn writers_of_one_directory_are_serial() {
    on_each_database(|database| {
        let store = open(database);
        run(
            &store,
            "CREATE TABLE counter (pk BIGINT PRIMARY KEY, value BIGINT NOT NULL)",
        );
        run(&store, "INSERT INTO counter (pk, value) VALUES (1, 0)");
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    for _ in 0..25 {
                        let added: Result<_, StoreError> =
                            store.write_blocking(Scope::Directory(DirectoryId(7)), |tx| {
                                let value = tx.raw_number(
                                    "SELECT value FROM counter WHERE pk = 1",
                                    args![],
                                )?;
                                tx.raw_execute(
                                    "UPDATE counter SET value = $1 WHERE pk = 1",
                                    args![value + 1],
                                )
                            });
                        added.unwrap();
                    }
                });
            }
        });
        let value = store
            .read_blocking(|tx| tx.raw_number("SELECT value FROM counter", args![]))
            .unwrap();
        assert_eq!(value, 200);
    });
}

#[test]
fn a_write_outlives_the_caller_that_gave_up() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        let runs = Arc::new(AtomicU32::new(0));
        block_on(async {
            let (begun, has_begun) = tokio::sync::oneshot::channel::<()>();
            let begun = Mutex::new(Some(begun));
            let counted = Arc::clone(&runs);
            let writing = store.write(Scope::Settings, move |tx| {
                counted.fetch_add(1, Ordering::SeqCst);
                if let Some(begun) = begun.lock().unwrap().take() {
                    begun.send(()).unwrap();
                }
                insert_note(tx, 1)
            });
            tokio::select! {
                biased;
                _ = has_begun => {}
                _ = writing => {}
            }
        });
        // The next write comes after the first in any case.
        write_note(&store, 2).unwrap();
        assert_eq!(notes(&store), [1, 2]);
        assert_eq!(runs.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn many_readers_at_once_are_all_served() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        write_note(&store, 1).unwrap();
        block_on(async {
            let mut readers = tokio::task::JoinSet::new();
            for turn in 0..200 {
                let store = store.clone();
                readers.spawn(async move {
                    let count = |tx: &mut store::ReadTx<'_>| {
                        tx.raw_number("SELECT count(*) FROM note", args![])
                    };
                    if turn % 2 == 0 {
                        store.read(count).await
                    } else {
                        store.look_up(count).await
                    }
                });
            }
            while let Some(count) = readers.join_next().await {
                assert_eq!(count.unwrap().unwrap(), 1);
            }
        });
    });
}

#[test]
fn a_store_may_be_dropped_anywhere() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        block_on(async move {
            store
                .write(Scope::Settings, |tx| insert_note(tx, 1))
                .await
                .unwrap();
            let clone = store.clone();
            drop(store);
            // The last handle goes on the writing thread itself.
            let held = Mutex::new(Some(clone.clone()));
            let writing = clone.write(Scope::Settings, move |tx| {
                drop(held.lock().unwrap().take());
                insert_note(tx, 2)
            });
            writing.await.unwrap();
            drop(clone);
        });
        assert_eq!(notes(&try_open(&database.url).unwrap()), [1, 2]);
    });
}
