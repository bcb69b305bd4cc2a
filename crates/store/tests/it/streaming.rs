//! Long answers are handed over row by row.

use emulate::databases::on_each_database;
use store::StoreError;
use store::args;
use store::probe::RawRead;

use crate::support::{open_with_notes, run};

const NUMBERS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i FROM n";

#[test]
fn a_hundred_thousand_rows_with_statements_between_them() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        run(
            &store,
            "INSERT INTO note (pk, body) \
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) SELECT i, 'x' FROM n",
        );
        let counted = store
            .read_blocking(|tx| {
                let (mut rows, mut sum, mut inner) = (0_i64, 0_i64, 0_i64);
                tx.raw_for_each("SELECT pk FROM note ORDER BY pk", args![], |row| {
                    let pk = row.int(0)?;
                    rows += 1;
                    sum += pk;
                    if pk % 1000 == 0 {
                        inner +=
                            tx.raw_number("SELECT count(*) FROM note WHERE pk = $1", args![pk])?;
                        // The very statement that is being read, once more.
                        tx.raw_for_each("SELECT pk FROM note ORDER BY pk", args![], |_| {
                            Err(StoreError::Busy)
                        })
                        .unwrap_err();
                    }
                    Ok(())
                })?;
                Ok::<_, StoreError>((rows, sum, inner))
            })
            .unwrap();
        assert_eq!(counted, (100_000, 5_000_050_000, 100));
    });
}

#[test]
fn an_error_ends_the_answer_and_nothing_else() {
    on_each_database(|database| {
        let store = open_with_notes(database);
        for _ in 0..30 {
            let outcome: Result<i64, StoreError> = store.read_blocking(|tx| {
                let mut rows = 0;
                let ended = tx.raw_for_each(NUMBERS, args![], |_| {
                    rows += 1;
                    if rows == 5_000 {
                        Err(StoreError::Busy)
                    } else {
                        Ok(())
                    }
                });
                assert!(matches!(ended, Err(StoreError::Busy)));
                // The transaction is still good: it was not a statement that failed.
                tx.raw_number("SELECT count(*) FROM note", args![])?;
                Ok(rows)
            });
            assert_eq!(outcome.unwrap(), 5_000);
        }
    });
}
