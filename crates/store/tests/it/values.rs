//! Values come back as they went in, on both engines.

use emulate::databases::on_each_database;
use store::probe::{RawRead, RawWrite};
use store::{Arg, Scope, StoreError, args};

use crate::support::{open, run};

const TEXTS: [&str; 8] = [
    "",
    " ",
    "O'Brien; DROP TABLE x --",
    "Zoë 王小明 עברית 🙂",
    "e\u{301} \u{212A} \u{200B} \u{202E}",
    "$1 ? {text} \\ % _",
    "\u{1}\n\r\t\u{7f}\u{FFFD}",
    "\u{10FFFF}",
];

#[test]
fn texts_numbers_and_bytes() {
    on_each_database(|database| {
        let store = open(database);
        let bytes = if database.engine == "SQLite" {
            "CREATE TABLE v (t TEXT, n BIGINT, b BLOB)"
        } else {
            "CREATE TABLE v (t TEXT, n BIGINT, b BYTEA)"
        };
        run(&store, bytes);
        let long = "ä".repeat(300_000);
        let texts: Vec<String> = TEXTS
            .iter()
            .map(|text| (*text).to_owned())
            .chain([long])
            .collect();
        for text in texts {
            for number in [0, 1, -1, i64::MAX, i64::MIN] {
                let (given, raw) = (text.clone(), vec![0_u8, 255, 128]);
                let back = store
                    .write_blocking(Scope::Settings, move |tx| {
                        tx.raw_execute("DELETE FROM v", args![])?;
                        tx.raw_execute(
                            "INSERT INTO v (t, n, b) VALUES ($1, $2, $3)",
                            args![&given, number, raw.clone()],
                        )?;
                        tx.raw_query(
                            "SELECT t, n, b FROM v WHERE t = $1 AND n = $2",
                            args![&given, number],
                            |row| Ok((row.text(0)?, row.int(1)?, row.bytes(2)?)),
                        )
                    })
                    .map_err(|error: StoreError| error)
                    .unwrap();
                assert_eq!(back, [(text.clone(), number, vec![0, 255, 128])]);
            }
        }
    });
}

#[test]
fn nothing_is_not_empty() {
    on_each_database(|database| {
        let store = open(database);
        let row = store
            .read_blocking(|tx| {
                tx.raw_query(
                    "SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), 1 < 2, 1 = 2",
                    args![Arg::Null, None::<i64>, ""],
                    |row| {
                        Ok((
                            row.opt_text(0)?,
                            row.opt_int(1)?,
                            row.opt_text(2)?,
                            row.flag(3)?,
                            row.flag(4)?,
                        ))
                    },
                )
            })
            .map_err(|error: StoreError| error)
            .unwrap();
        assert_eq!(row, [(None, None, Some(String::new()), true, false)]);
        let missing: Result<_, StoreError> = store.read_blocking(|tx| {
            tx.raw_query("SELECT CAST(NULL AS TEXT)", args![], |row| row.text(0))
        });
        assert!(
            matches!(missing, Err(StoreError::Corrupt { .. })),
            "{missing:?}"
        );
        let mistyped: Result<_, StoreError> = store.read_blocking(|tx| {
            tx.raw_query("SELECT CAST('x' AS TEXT)", args![], |row| row.int(0))
        });
        assert!(
            matches!(mistyped, Err(StoreError::Corrupt { .. })),
            "{mistyped:?}"
        );
    });
}

#[test]
fn a_nul_is_refused() {
    on_each_database(|database| {
        let store = open(database);
        let refused: Result<_, StoreError> = store.read_blocking(|tx| {
            tx.raw_query("SELECT CAST($1 AS TEXT)", args!["a\0b"], |row| row.text(0))
        });
        assert!(
            matches!(refused, Err(StoreError::Sql { .. })),
            "{refused:?}"
        );
    });
}

#[test]
fn places_may_come_in_any_order_and_more_than_once() {
    on_each_database(|database| {
        let store = open(database);
        let row = store
            .read_blocking(|tx| {
                tx.raw_query(
                    "SELECT CAST($3 AS TEXT), CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($1 AS BIGINT) + 1",
                    args![41_i64, "two", "three"],
                    |row| Ok((row.text(0)?, row.int(1)?, row.text(2)?, row.int(3)?)),
                )
            })
            .map_err(|error: StoreError| error)
            .unwrap();
        assert_eq!(row, [("three".to_owned(), 41, "two".to_owned(), 42)]);
        for arguments in [args![], args![1_i64, 2_i64]] {
            let wrong: Result<_, StoreError> = store.read_blocking(|tx| {
                tx.raw_query("SELECT CAST($1 AS BIGINT)", arguments.clone(), |row| {
                    row.int(0)
                })
            });
            assert!(matches!(wrong, Err(StoreError::Sql { .. })), "{wrong:?}");
        }
    });
}

#[test]
fn texts_are_ordered_by_their_bytes() {
    on_each_database(|database| {
        let store = open(database);
        let insert = |name: &'static str| {
            store
                .write_blocking(Scope::Settings, move |tx| {
                    tx.raw_execute(
                        "INSERT INTO directory (public_id, name, name_fold, journal_floor, created) VALUES ($1, $1, $1, 0, 0)",
                        args![name],
                    )
                })
                .map_err(|error: StoreError| error)
                .unwrap();
        };
        for name in ["b", "a", "Z", "é", "a b", "a-b", "ab", "_"] {
            insert(name);
        }
        let sorted: Vec<String> = store
            .read_blocking(|tx| {
                tx.raw_query(
                    "SELECT name FROM directory ORDER BY name_fold",
                    args![],
                    |row| row.text(0),
                )
            })
            .map_err(|error: StoreError| error)
            .unwrap();
        assert_eq!(sorted, ["Z", "_", "a", "a b", "a-b", "ab", "b", "é"]);
    });
}
