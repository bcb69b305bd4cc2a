//! The schema grows once, in order, and never under a program that does not know it.

use std::thread;

use emulate::databases::on_each_database;
use store::StoreError;
use store::args;
use store::probe::RawRead;

use crate::support::{open, run, try_open};

#[test]
fn opening_again_changes_nothing() {
    on_each_database(|database| {
        let applied = || {
            let store = open(database);
            store
                .read_blocking(|tx| {
                    tx.raw_query(
                        "SELECT number, checksum, applied FROM migration ORDER BY number",
                        args![],
                        |row| Ok((row.int(0)?, row.text(1)?, row.time(2)?)),
                    )
                })
                .map_err(|error: StoreError| error)
                .unwrap()
        };
        let first = applied();
        assert!(!first.is_empty());
        assert_eq!(applied(), first);
    });
}

#[test]
fn a_changed_migration_is_noticed() {
    on_each_database(|database| {
        let store = open(database);
        run(
            &store,
            "UPDATE migration SET checksum = 'other' WHERE number = 1",
        );
        drop(store);
        let refused = try_open(&database.url).err();
        assert!(
            matches!(refused, Some(StoreError::Corrupt { .. })),
            "{refused:?}"
        );
    });
}

#[test]
fn a_newer_database_is_left_alone() {
    on_each_database(|database| {
        let store = open(database);
        run(
            &store,
            "INSERT INTO migration (number, name, checksum, applied) VALUES (9999, 'future', 'x', 0)",
        );
        drop(store);
        let refused = try_open(&database.url).err();
        assert!(
            matches!(refused, Some(StoreError::NewerSchema { found: 9999, .. })),
            "{refused:?}"
        );
        assert!(refused.is_some_and(|refused| refused.to_string().contains("9999")));
    });
}

#[test]
fn many_nodes_may_start_at_once() {
    let database = emulate::databases::TestDatabase::postgres().unwrap();
    thread::scope(|scope| {
        let nodes: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| try_open(&database.url).map(drop)))
            .collect();
        for node in nodes {
            node.join().unwrap().unwrap();
        }
    });
}
