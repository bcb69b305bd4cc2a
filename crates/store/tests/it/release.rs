//! Nothing that refers to a connector, a directory or one of its users is forgotten when that is deleted.

use emulate::databases::TestDatabase;
use store::StoreError;
use store::args;
use store::probe::RawRead;

use crate::support::open;

/// Tables that refer to each, whose rows the deletions in `release.rs` remove or let go of. A new one belongs there first.
const REFERRING: &[(&str, &[&str])] = &[
    (
        "connector",
        &[
            "client",
            "connector_schema",
            "contribution",
            "directory_user",
            "due_nesting",
            "preview",
            "rule_tests",
            "rules_version",
            "setup_link",
            "source_group",
            "source_user",
            "token",
        ],
    ),
    (
        "directory",
        &[
            "application_directory",
            "connector",
            "directory_group",
            "directory_import",
            "directory_user",
            "journal",
            "user_override",
        ],
    ),
    (
        "directory_user",
        &[
            "contribution",
            "departed_user",
            "membership",
            "suppressed_account",
            "user_attribute",
            "user_override",
        ],
    ),
    (
        "directory_group",
        &[
            "due_nesting",
            "group_attribute",
            "group_binding",
            "group_nesting",
            "membership",
        ],
    ),
];

#[test]
fn every_table_that_refers_to_what_can_be_deleted_is_known() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open(&database);
    for (table, known) in REFERRING {
        let sql = format!(
            "SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
             WHERE m.type = 'table' AND f.\"table\" = '{table}' ORDER BY m.name"
        );
        let found: Vec<String> = store
            .read_blocking(|tx| tx.raw_query(&sql, args![], |row| row.text(0)))
            .map_err(|error: StoreError| error)
            .unwrap();
        assert_eq!(found, *known, "tables that refer to {table}");
    }
}
