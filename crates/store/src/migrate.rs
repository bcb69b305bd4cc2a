//! The schema and how it grows: numbered files, one text for both engines.
//!
//! A file under `migrations/` is written once. Where the engines have no common word, a placeholder
//! stands: `{id}`, `{text}`, `{blob}` and `{without_rowid}`. Each file is applied once, in order, and its
//! checksum is kept, so that a file changed afterwards is noticed.

use sha2::{Digest, Sha256};

use crate::{StoreError, WriteTx, args};

/// Every migration in its order: number, name, text.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "spine",
        text: include_str!("../migrations/0001_spine.sql"),
    },
    Migration {
        number: 2,
        name: "views",
        text: include_str!("../migrations/0002_views.sql"),
    },
    Migration {
        number: 3,
        name: "credentials",
        text: include_str!("../migrations/0003_credentials.sql"),
    },
    Migration {
        number: 4,
        name: "queries",
        text: include_str!("../migrations/0004_queries.sql"),
    },
    Migration {
        number: 5,
        name: "nesting",
        text: include_str!("../migrations/0005_nesting.sql"),
    },
    Migration {
        number: 6,
        name: "sign_in",
        text: include_str!("../migrations/0006_sign_in.sql"),
    },
    Migration {
        number: 7,
        name: "schemas_and_requests",
        text: include_str!("../migrations/0007_schemas_and_requests.sql"),
    },
    Migration {
        number: 8,
        name: "request_codes",
        text: include_str!("../migrations/0008_request_codes.sql"),
    },
];

/// One step of the schema.
pub(crate) struct Migration {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

/// The words of one engine for the placeholders.
pub(crate) struct Words {
    pub(crate) id: &'static str,
    pub(crate) text: &'static str,
    pub(crate) blob: &'static str,
    pub(crate) without_rowid: &'static str,
}

/// The table that remembers which migrations were applied.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (\
     number BIGINT PRIMARY KEY, name {text} NOT NULL, checksum {text} NOT NULL, applied BIGINT NOT NULL)";

/// The query that tells whether that table exists is the engine's; this one reads it.
const APPLIED: &str = "SELECT number, name, checksum FROM migration ORDER BY number";

/// Puts an engine's words in the place of the placeholders.
pub(crate) fn in_words(text: &str, words: &Words) -> String {
    text.replace("{id}", words.id)
        .replace("{text}", words.text)
        .replace("{blob}", words.blob)
        .replace("{without_rowid}", words.without_rowid)
}

/// The migrations that this database still lacks. Fails if it has one that this program does not
/// know, or knows otherwise.
pub(crate) fn pending<'m>(
    tx: &WriteTx<'_>,
    known: &'m [Migration],
) -> Result<&'m [Migration], StoreError> {
    let applied = tx.query(APPLIED, args![], |row| {
        Ok((row.int(0)?, row.text(1)?, row.text(2)?))
    })?;
    if let Some((found, _, _)) = applied.get(known.len()) {
        let known = known.last().map_or(0, |last| last.number);
        return Err(StoreError::NewerSchema {
            found: (*found).max(known + 1),
            known,
        });
    }
    for ((number, name, checksum), migration) in applied.iter().zip(known) {
        if *number != migration.number || *checksum != checksum_of(migration.text) {
            return Err(StoreError::corrupt(format!(
                "migration {number} ({name}) was applied with another text than this program has"
            )));
        }
    }
    Ok(known.get(applied.len()..).unwrap_or_default())
}

/// Remembers that a migration was applied.
pub(crate) fn record(tx: &WriteTx<'_>, migration: &Migration) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO migration (number, name, checksum, applied) VALUES ($1, $2, $3, $4)",
        args![
            migration.number,
            migration.name,
            checksum_of(migration.text),
            tx.now()
        ],
    )?;
    tracing::info!(
        number = migration.number,
        name = migration.name,
        "migration applied"
    );
    Ok(())
}

fn checksum_of(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_grow_by_one() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number, index as i64 + 1, "{}", migration.name);
        }
    }

    #[test]
    fn no_placeholder_is_left_over() {
        let words = Words {
            id: "A",
            text: "B",
            blob: "C",
            without_rowid: "",
        };
        for migration in MIGRATIONS {
            let sql = in_words(migration.text, &words);
            let left = sql.lines().find(|line| {
                let code = line.split("--").next().unwrap_or_default();
                code.contains('{') && !code.contains("'{")
            });
            assert_eq!(left, None, "{}", migration.name);
        }
    }

    #[test]
    fn an_application_of_one_directory_keeps_its_directory() {
        let words = Words {
            id: "INTEGER PRIMARY KEY",
            text: "TEXT",
            blob: "BLOB",
            without_rowid: "WITHOUT ROWID",
        };
        let database = rusqlite::Connection::open_in_memory().unwrap();
        let migrate = |number: usize| {
            let text = in_words(MIGRATIONS[number - 1].text, &words);
            database.execute_batch(&text).unwrap();
        };
        migrate(1);
        database
            .execute_batch(
                "INSERT INTO directory VALUES (7, 'd', 'Okta', 'okta', 0, 0);
                 INSERT INTO application VALUES (3, 'a', 'jira', 'jira', 'x', 'read-only', '[]', 7, 0, 0, NULL, 41);",
            )
            .unwrap();
        migrate(2);
        let found = database.query_row(
            "SELECT d.directory_pk, d.position, d.last_position, a.aggregate_memberships + a.only_with_access \
             FROM application a JOIN application_directory d ON d.application_pk = a.pk WHERE d.login_groups IS NULL",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        );
        assert_eq!(found.unwrap(), (7, 0, 41, 0));
    }
}
