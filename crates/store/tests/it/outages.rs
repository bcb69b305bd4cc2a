//! A server that refuses, goes away and comes back. Only PostgreSQL does.

use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use directory::DirectoryId;
use emulate::databases::TestDatabase;
use emulate::postgres::TestPostgres;
use store::probe::{RawRead, RawWrite};
use store::{Scope, StoreError, args};

use crate::support::{
    block_on, count_notes, insert_note, notes, open, open_with_notes, run, try_open, write_note,
};

#[test]
fn a_killed_connection_is_replaced_and_the_closure_runs_again() {
    let database = TestDatabase::postgres().unwrap();
    let store = open_with_notes(&database);
    let server = TestPostgres::shared().unwrap();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let url = database.url.clone();
    let written: Result<u64, StoreError> = store.write_blocking(Scope::Settings, move |tx| {
        insert_note(tx, 1)?;
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            let own = tx.raw_number("SELECT pg_backend_pid()", args![])?;
            server
                .run(&url, &format!("SELECT pg_terminate_backend({own}, 5000)"))
                .unwrap();
        }
        insert_note(tx, 2)
    });
    written.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(notes(&store), [1, 2]);
}

#[test]
fn connections_that_died_in_the_pool_are_not_noticed_by_callers() {
    let database = TestDatabase::postgres().unwrap();
    let store = open_with_notes(&database);
    let server = TestPostgres::shared().unwrap();
    for round in 0..3 {
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for worker in 0..8 {
                let (store, barrier) = (&store, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    write_note(store, round * 100 + worker).unwrap();
                    assert!(count_notes(store) > 0);
                });
            }
        });
        let kill = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
                    WHERE datname = current_database() AND pid <> pg_backend_pid()";
        server.run(&database.url, kill).unwrap();
    }
    assert_eq!(count_notes(&store), 24);
}

#[test]
fn a_deadlock_is_resolved_by_running_again() {
    let database = TestDatabase::postgres().unwrap();
    let store = open_with_notes(&database);
    write_note(&store, 1).unwrap();
    write_note(&store, 2).unwrap();
    let both_inside = Arc::new(Barrier::new(2));
    let runs = Arc::new(AtomicU32::new(0));
    thread::scope(|scope| {
        for (scope_number, order) in [(1, [1_i64, 2]), (2, [2, 1])] {
            let (store, both_inside, runs) = (&store, Arc::clone(&both_inside), Arc::clone(&runs));
            scope.spawn(move || {
                let first = Mutex::new(true);
                let written: Result<_, StoreError> =
                    store.write_blocking(Scope::Directory(DirectoryId(scope_number)), move |tx| {
                        runs.fetch_add(1, Ordering::SeqCst);
                        for (step, pk) in order.into_iter().enumerate() {
                            tx.raw_execute(
                                "UPDATE note SET body = body || 'x' WHERE pk = $1",
                                args![pk],
                            )?;
                            if step == 0 && std::mem::take(&mut *first.lock().unwrap()) {
                                both_inside.wait();
                            }
                        }
                        Ok(())
                    });
                written.unwrap();
            });
        }
    });
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    let bodies: Vec<String> = store
        .read_blocking(|tx| {
            tx.raw_query("SELECT body FROM note ORDER BY pk", args![], |row| {
                row.text(0)
            })
        })
        .map_err(|error: StoreError| error)
        .unwrap();
    assert_eq!(bodies, ["note 1xx", "note 2xx"]);
}

#[test]
fn a_conflict_that_never_ends_is_told() {
    let database = TestDatabase::postgres().unwrap();
    let store = open(&database);
    run(
        &store,
        "CREATE FUNCTION refuse() RETURNS bigint LANGUAGE plpgsql AS \
         'BEGIN RAISE EXCEPTION USING ERRCODE = ''40001'', MESSAGE = ''not now''; END'",
    );
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let refused: Result<_, StoreError> = store.write_blocking(Scope::Settings, move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        // Ignored by the closure, and yet noticed.
        let _ignored = tx.raw_number("SELECT refuse()", args![]);
        Ok(())
    });
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 5);
}

#[test]
fn directories_do_not_wait_for_each_other() {
    let database = TestDatabase::postgres().unwrap();
    let store = open_with_notes(&database);
    let (inside, wait_inside) = channel::<()>();
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    thread::scope(|scope| {
        let holder = scope.spawn({
            let store = store.clone();
            move || {
                store.write_blocking(Scope::Directory(DirectoryId(1)), move |tx| {
                    insert_note(tx, 1)?;
                    inside.send(()).unwrap();
                    let _released = held.lock().unwrap().recv();
                    Ok::<_, StoreError>(())
                })
            }
        });
        wait_inside.recv().unwrap();
        store
            .write_blocking(Scope::Directory(DirectoryId(2)), |tx| insert_note(tx, 2))
            .unwrap();
        store
            .write_blocking(Scope::Settings, |tx| insert_note(tx, 3))
            .unwrap();
        assert_eq!(notes(&store), [2, 3]);
        drop(release);
        holder.join().unwrap().unwrap();
    });
    assert_eq!(notes(&store), [1, 2, 3]);
}

#[test]
fn an_unconfirmed_commit_is_neither_repeated_nor_called_done() {
    let database = TestDatabase::postgres().unwrap();
    let store = open_with_notes(&database);
    run(
        &store,
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END'",
    );
    run(
        &store,
        "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON note DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION die()",
    );
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let outcome: Result<_, StoreError> = store.write_blocking(Scope::Settings, move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        insert_note(tx, 1)
    });
    assert!(
        matches!(&outcome, Err(StoreError::Unavailable { what }) if what.contains("unknown")),
        "{outcome:?}"
    );
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(count_notes(&store), 0);
}

#[test]
fn a_server_that_restarts_costs_time_and_nothing_else() {
    let server = TestPostgres::start().unwrap();
    let url = server.create_database().unwrap();
    let store = try_open(&url).unwrap();
    run(
        &store,
        "CREATE TABLE note (pk BIGINT PRIMARY KEY, body TEXT NOT NULL)",
    );
    let acknowledged = Mutex::new(Vec::new());
    let written = AtomicU32::new(0);
    thread::scope(|scope| {
        for worker in 0..4_i64 {
            let (store, acknowledged, written) = (&store, &acknowledged, &written);
            scope.spawn(move || {
                for turn in 0..50 {
                    let pk = worker * 1_000 + turn;
                    match write_note(store, pk) {
                        Ok(_) => acknowledged.lock().unwrap().push(pk),
                        // Only a commit that was under way when the server died.
                        Err(StoreError::Unavailable { what }) => {
                            assert!(what.contains("unknown"), "{what}")
                        }
                        Err(error) => panic!("{error:?}"),
                    }
                    written.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for share in [40, 100] {
            while written.load(Ordering::SeqCst) < share {
                thread::yield_now();
            }
            server.stop().unwrap();
            server.restart().unwrap();
        }
    });
    let kept = notes(&store);
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= 190, "{}", acknowledged.len());
    assert!(acknowledged.iter().all(|pk| kept.contains(pk)));
}

#[test]
fn a_server_that_is_gone_is_told_in_time() {
    let server = TestPostgres::start().unwrap();
    let url = server.create_database().unwrap();
    let store = try_open(&url).unwrap();
    server.stop().unwrap();
    let begun = Instant::now();
    block_on(async {
        let read = store.read(|tx| tx.raw_number("SELECT count(*) FROM migration", args![]));
        let written = store.write(Scope::Settings, |tx| {
            tx.raw_number("SELECT count(*) FROM migration", args![])
        });
        let (read, written) = tokio::join!(read, written);
        assert!(
            matches!(read, Err(StoreError::Unavailable { .. })),
            "{read:?}"
        );
        assert!(
            matches!(written, Err(StoreError::Unavailable { .. })),
            "{written:?}"
        );
    });
    assert!(begun.elapsed() < Duration::from_secs(25));
    server.restart().unwrap();
    assert!(
        store
            .read_blocking(|tx| tx.raw_number("SELECT count(*) FROM migration", args![]))
            .unwrap()
            > 0
    );
}

#[test]
fn a_server_that_freezes_in_the_middle_is_told_in_time() {
    let database = TestDatabase::postgres().unwrap();
    let store = open_with_notes(&database);
    let frozen = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&frozen);
    let signal = |name: &str, process: i64| {
        let sent = Command::new("kill")
            .args([name, &process.to_string()])
            .status();
        assert!(sent.unwrap().success());
    };
    let begun = Instant::now();
    let outcome: Result<_, StoreError> = store.write_blocking(Scope::Settings, move |tx| {
        insert_note(tx, 1)?;
        let own = tx.raw_number("SELECT pg_backend_pid()", args![])?;
        *noted.lock().unwrap() = Some(own);
        signal("-STOP", own);
        insert_note(tx, 2)
    });
    assert!(
        matches!(outcome, Err(StoreError::Unavailable { .. })),
        "{outcome:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(25));
    let process = frozen.lock().unwrap().unwrap();
    signal("-CONT", process);
    // What it had begun is rolled back, as nobody is there any more to commit it.
    write_note(&store, 3).unwrap();
    assert_eq!(notes(&store), [3]);
}

#[test]
fn a_host_that_only_accepts_does_not_hold_up_the_others() {
    let database = TestDatabase::postgres().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let folder = TestPostgres::shared()
        .unwrap()
        .folder()
        .display()
        .to_string()
        .replace('/', "%2F");
    let name = database
        .url
        .trim_start_matches("postgres:///")
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    let begun = Instant::now();
    let url = format!("postgres://postgres@127.0.0.1:{port},{folder}:5432/{name}");
    let store = try_open(&url).unwrap();
    run(
        &store,
        "CREATE TABLE note (pk BIGINT PRIMARY KEY, body TEXT NOT NULL)",
    );
    write_note(&store, 1).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_wrong_address_is_told_at_once() {
    let server = TestPostgres::shared().unwrap();
    let begun = Instant::now();
    let refused = try_open(&server.url("no_such_database")).err();
    assert!(
        matches!(&refused, Some(StoreError::Unavailable { what }) if what.contains("no_such_database")),
        "{refused:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
    let unknown = try_open("postgres://h/v?no_such_option=1").err();
    assert!(
        matches!(unknown, Some(StoreError::Open { .. })),
        "{unknown:?}"
    );
}
