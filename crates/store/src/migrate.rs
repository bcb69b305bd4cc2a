//! The schema and how it grows: numbered files, one text for both engines.
//!
//! A file under `migrations/` is written once. Where the engines have no common word, a placeholder
//! stands: `{id}`, `{text}`, `{blob}`, `{without_rowid}` and `{char}`. Each file is applied once, in order, and its
//! checksum is kept, so that a file changed afterwards is noticed.

use sha2::{Digest, Sha256};

use crate::conn::Conn;
use crate::{StoreError, WriteTx, args, postgres};

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
    Migration {
        number: 9,
        name: "rule_changes",
        text: include_str!("../migrations/0009_rule_changes.sql"),
    },
    Migration {
        number: 10,
        name: "overrides",
        text: include_str!("../migrations/0010_overrides.sql"),
    },
    Migration {
        number: 11,
        name: "request_ids",
        text: include_str!("../migrations/0011_request_ids.sql"),
    },
    Migration {
        number: 12,
        name: "groups_with_access",
        text: include_str!("../migrations/0012_groups_with_access.sql"),
    },
    Migration {
        number: 13,
        name: "group_standing",
        text: include_str!("../migrations/0013_group_standing.sql"),
    },
    Migration {
        number: 14,
        name: "lifecycle",
        text: include_str!("../migrations/0014_lifecycle.sql"),
    },
    Migration {
        number: 15,
        name: "existing_accounts",
        text: include_str!("../migrations/0015_existing_accounts.sql"),
    },
    Migration {
        number: 16,
        name: "jobs",
        text: include_str!("../migrations/0016_jobs.sql"),
    },
    Migration {
        number: 17,
        name: "holds",
        text: include_str!("../migrations/0017_holds.sql"),
    },
    Migration {
        number: 18,
        name: "administrators",
        text: include_str!("../migrations/0018_administrators.sql"),
    },
    Migration {
        number: 19,
        name: "undo_jobs",
        text: include_str!("../migrations/0019_undo_jobs.sql"),
    },
    Migration {
        number: 20,
        name: "journal_indexes",
        text: include_str!("../migrations/0020_journal_indexes.sql"),
    },
    Migration {
        number: 21,
        name: "memberships_by_user",
        text: include_str!("../migrations/0021_memberships_by_user.sql"),
    },
    Migration {
        number: 22,
        name: "former_names",
        text: include_str!("../migrations/0022_former_names.sql"),
    },
    Migration {
        number: 23,
        name: "precedence",
        text: include_str!("../migrations/0023_precedence.sql"),
    },
    Migration {
        number: 24,
        name: "child_holds",
        text: include_str!("../migrations/0024_child_holds.sql"),
    },
    Migration {
        number: 25,
        name: "imports_by_address",
        text: include_str!("../migrations/0025_imports_by_address.sql"),
    },
    Migration {
        number: 26,
        name: "rights",
        text: include_str!("../migrations/0026_rights.sql"),
    },
    Migration {
        number: 27,
        name: "second_factor",
        text: include_str!("../migrations/0027_second_factor.sql"),
    },
    Migration {
        number: 28,
        name: "audit",
        text: include_str!("../migrations/0028_audit.sql"),
    },
    Migration {
        number: 29,
        name: "open_id",
        text: include_str!("../migrations/0029_open_id.sql"),
    },
    Migration {
        number: 30,
        name: "setup_links",
        text: include_str!("../migrations/0030_setup_links.sql"),
    },
    Migration {
        number: 31,
        name: "notifications",
        text: include_str!("../migrations/0031_notifications.sql"),
    },
    Migration {
        number: 32,
        name: "audit_changes",
        text: include_str!("../migrations/0032_audit_changes.sql"),
    },
    Migration {
        number: 33,
        name: "people_search",
        text: include_str!("../migrations/0033_people_search.sql"),
    },
    Migration {
        number: 34,
        name: "preview_items",
        text: include_str!("../migrations/0034_preview_items.sql"),
    },
    Migration {
        number: 35,
        name: "directory_counts",
        text: include_str!("../migrations/0035_directory_counts.sql"),
    },
    Migration {
        number: 36,
        name: "departed_users",
        text: include_str!("../migrations/0036_departed_users.sql"),
    },
    Migration {
        number: 37,
        name: "console_sessions",
        text: include_str!("../migrations/0037_console_sessions.sql"),
    },
    Migration {
        number: 38,
        name: "value_errors",
        text: include_str!("../migrations/0038_value_errors.sql"),
    },
    Migration {
        number: 39,
        name: "one_index_of_groups",
        text: include_str!("../migrations/0039_one_index_of_groups.sql"),
    },
    Migration {
        number: 40,
        name: "accounts_counted",
        text: include_str!("../migrations/0040_accounts_counted.sql"),
    },
    Migration {
        number: 41,
        name: "sign_in_attempts",
        text: include_str!("../migrations/0041_sign_in_attempts.sql"),
    },
    Migration {
        number: 42,
        name: "former_feeds",
        text: include_str!("../migrations/0042_former_feeds.sql"),
    },
    Migration {
        number: 43,
        name: "names_given_up",
        text: include_str!("../migrations/0043_names_given_up.sql"),
    },
    Migration {
        number: 44,
        name: "suppressed",
        text: include_str!("../migrations/0044_suppressed.sql"),
    },
    Migration {
        number: 45,
        name: "polls",
        text: include_str!("../migrations/0045_polls.sql"),
    },
    Migration {
        number: 46,
        name: "subscriptions",
        text: include_str!("../migrations/0046_subscriptions.sql"),
    },
    Migration {
        number: 47,
        name: "people_lists",
        text: include_str!("../migrations/0047_people_lists.sql"),
    },
    Migration {
        number: 48,
        name: "folds_without_joiners",
        text: include_str!("../migrations/0048_folds_without_joiners.sql"),
    },
    Migration {
        number: 49,
        name: "audit_begun",
        text: include_str!("../migrations/0049_audit_begun.sql"),
    },
    Migration {
        number: 50,
        name: "due_deletions",
        text: include_str!("../migrations/0050_due_deletions.sql"),
    },
    Migration {
        number: 51,
        name: "users_without_connector",
        text: include_str!("../migrations/0051_users_without_connector.sql"),
    },
    Migration {
        number: 52,
        name: "contribution_scope",
        text: include_str!("../migrations/0052_contribution_scope.sql"),
    },
    Migration {
        number: 53,
        name: "job_position",
        text: include_str!("../migrations/0053_job_position.sql"),
    },
    Migration {
        number: 54,
        name: "people_text",
        text: include_str!("../migrations/0054_people_text.sql"),
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
    /// The function that makes a character of its number.
    pub(crate) char: &'static str,
}

/// The table that remembers which migrations were applied.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (\
     number BIGINT PRIMARY KEY, name {text} NOT NULL, checksum {text} NOT NULL, applied BIGINT NOT NULL)";

/// The query that tells whether that table exists is the engine's; this one reads it.
const APPLIED: &str = "SELECT number, name, checksum FROM migration ORDER BY number";

/// Puts an engine's words in the place of the placeholders.
pub(crate) fn in_words(text: &str, words: &Words) -> String {
    text.replace("{id}", words.id)
        .replace("{text}", words.text)
        .replace("{blob}", words.blob)
        .replace("{without_rowid}", words.without_rowid)
        .replace("{char}", words.char)
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

/// Keeps others from changing the schema until the transaction ends.
pub(crate) fn alone(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    match tx.conn() {
        // There one thread writes, and nobody else.
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(_) => postgres::lock_schema(tx),
    }
}

/// Applies the migrations that are missing.
pub(crate) fn bring_up_to_date(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    up_to(tx, i64::MAX)
}

/// Applies the migrations that are missing, up to one.
pub(crate) fn up_to(tx: &WriteTx<'_>, last: i64) -> Result<(), StoreError> {
    let words = tx.conn().words();
    tx.script(&in_words(TABLE, words))?;
    let missing = pending(tx, MIGRATIONS)?.iter();
    for migration in missing.take_while(|migration| migration.number <= last) {
        tx.script(&in_words(migration.text, words))?;
        record(tx, migration)?;
    }
    Ok(())
}

/// A mark of the texts of all migrations up to one.
pub(crate) fn mark_of(last: i64) -> String {
    let known = MIGRATIONS.iter().filter(|one| one.number <= last);
    let texts: Vec<String> = known.map(|one| checksum_of(one.text)).collect();
    checksum_of(&texts.concat())
}

/// Remembers that a migration was applied.
fn record(tx: &WriteTx<'_>, migration: &Migration) -> Result<(), StoreError> {
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
            char: "char",
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

    fn apply(database: &rusqlite::Connection, migration: &Migration) {
        let text = in_words(migration.text, &crate::sqlite::WORDS);
        database.execute_batch(&text).unwrap();
    }

    #[test]
    fn folds_lose_their_joiners_unless_two_would_be_the_same() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        let (last, before) = MIGRATIONS
            .iter()
            .position(|one| one.name == "folds_without_joiners")
            .map(|at| (&MIGRATIONS[at], &MIGRATIONS[..at]))
            .unwrap();
        before.iter().for_each(|one| apply(&database, one));
        // Only the columns that matter; what they refer to is not looked at.
        database
            .execute_batch(
                "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
                 INSERT INTO source_group (pk, connector_pk, id, display_name, display_name_fold, version, created, modified, member_count, document) VALUES
                   (1, 1, 'a', 'x', 'a' || char(8204) || 'b', 1, 0, 0, 0, '{}'),
                   (2, 1, 'b', 'x', 'c' || char(8205) || 'd', 1, 0, 0, 0, '{}'),
                   (3, 1, 'c', 'x', 'cd', 1, 0, 0, 0, '{}'),
                   (4, 2, 'd', 'x', 'ab', 1, 0, 0, 0, '{}');
                 INSERT INTO source_email (connector_pk, value_fold, user_pk) VALUES
                   (1, 'e' || char(65039), 7), (1, 'e', 7), (1, 'e' || char(65039), 8);",
            )
            .unwrap();
        apply(&database, last);
        let all = |sql: &str| {
            let mut statement = database.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get::<_, String>(0));
            rows.unwrap().map(Result::unwrap).collect::<Vec<_>>()
        };
        assert_eq!(
            all("SELECT display_name_fold FROM source_group WHERE pk < 9 ORDER BY pk"),
            ["ab", "c\u{200D}d", "cd", "ab"]
        );
        assert_eq!(
            all(
                "SELECT value_fold || user_pk FROM source_email WHERE connector_pk = 1 ORDER BY user_pk"
            ),
            ["e7", "e8"]
        );
    }

    #[test]
    fn an_application_of_one_directory_keeps_its_directory() {
        let database = rusqlite::Connection::open_in_memory().unwrap();
        let migrate = |number: usize| apply(&database, &MIGRATIONS[number - 1]);
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
