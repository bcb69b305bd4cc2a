//! A broken rule has the same name on both engines.

use emulate::databases::on_each_database;
use store::StoreError;

use crate::support::{open, run, try_run};

#[test]
fn rules_are_called_by_their_names() {
    on_each_database(|database| {
        let store = open(database);
        run(
            &store,
            "CREATE TABLE item (pk BIGINT PRIMARY KEY, code TEXT UNIQUE, a BIGINT, b BIGINT, state TEXT, UNIQUE (a, b))",
        );
        run(
            &store,
            "CREATE UNIQUE INDEX item_state ON item (state, b) WHERE state <> 'removed'",
        );
        run(
            &store,
            "CREATE UNIQUE INDEX item_folded ON item (lower(state), a)",
        );
        run(
            &store,
            "CREATE TABLE part (item BIGINT NOT NULL REFERENCES item (pk), number BIGINT NOT NULL, PRIMARY KEY (item, number))",
        );
        // Rules are read from the schema when a store is opened.
        drop(store);
        let store = open(database);
        run(
            &store,
            "INSERT INTO item (pk, code, a, b, state) VALUES (1, 'x', 1, 1, 'S')",
        );
        run(&store, "INSERT INTO part (item, number) VALUES (1, 1)");
        let broken = |sql: &'static str| match try_run(&store, sql) {
            Err(StoreError::Conflict { constraint }) => constraint,
            other => panic!("{sql}: {other:?}"),
        };
        assert_eq!(broken("INSERT INTO item (pk) VALUES (1)"), "item_pkey");
        assert_eq!(
            broken("INSERT INTO item (pk, code) VALUES (2, 'x')"),
            "item_code_key"
        );
        assert_eq!(
            broken("INSERT INTO item (pk, a, b) VALUES (2, 1, 1)"),
            "item_a_b_key"
        );
        assert_eq!(
            broken("INSERT INTO item (pk, a, state) VALUES (2, 1, 's')"),
            "item_folded"
        );
        assert_eq!(
            broken("INSERT INTO part (item, number) VALUES (1, 1)"),
            "part_pkey"
        );
        assert_eq!(
            broken("INSERT INTO part (item, number) VALUES (9, 1)"),
            "foreign_key"
        );
        assert_eq!(broken("DELETE FROM item"), "foreign_key");
        // The index with a condition lets removed items share what others may not.
        run(
            &store,
            "INSERT INTO item (pk, b, state) VALUES (3, 5, 'T'), (4, 5, 'removed'), (5, 5, 'removed')",
        );
        assert_eq!(
            broken("INSERT INTO item (pk, b, state) VALUES (6, 5, 'T')"),
            "item_state"
        );
    });
}

#[test]
fn the_schemas_own_rules_have_names() {
    on_each_database(|database| {
        let store = open(database);
        let insert = "INSERT INTO directory (public_id, name, name_fold, journal_floor, created) VALUES ('d1', 'N', 'n', 0, 0)";
        run(&store, insert);
        let twice = try_run(&store, insert);
        let named =
            |constraint: &str| ["directory_public_id", "directory_name"].contains(&constraint);
        assert!(
            matches!(&twice, Err(StoreError::Conflict { constraint }) if named(constraint)),
            "{twice:?}"
        );
    });
}
