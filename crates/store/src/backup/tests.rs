//! Backups of older programs: their schema is made, filled, and brought up to date.

use std::fs::File;

use emulate::databases::on_each_database;

use super::catalogue::tables;
use super::restore::restore;
use super::{BackupError, verify};
use crate::{Database, Environment, Scope, Store, StoreError, args, migrate};

/// Writes a backup as a program with this schema would have taken it.
fn of_schema(database: &Database, schema: i64, path: &std::path::Path) {
    let store = Store::open(database, Environment::system()).unwrap();
    let path = path.to_owned();
    let taken_back = store.write_blocking(Scope::Settings, move |tx| {
        for table in tables(super::catalogue::newest())?.iter().rev() {
            tx.script(&format!("DROP TABLE {}", table.name))?;
        }
        tx.script("DROP TABLE migration")?;
        migrate::up_to(tx, schema)?;
        tx.script(
            "INSERT INTO instance (pk, store_id, created) VALUES (1, 'old', 0);
             INSERT INTO directory (pk, public_id, name, name_fold, journal_floor, created)
               VALUES (7, 'd', 'Ökta', 'ökta', 0, 0);
             INSERT INTO application (pk, public_id, name, name_fold, password_hash, access, addresses, directory_pk,
               created, updated, last_position) VALUES (3, 'a', 'jira', 'jira', 'x', 'read-only', '[]', 7, 0, 0, 41);",
        )?;
        tx.back_up_schema(schema, "", &mut File::create(&path).unwrap())?;
        Err::<(), BackupError>(StoreError::Busy.into())
    });
    assert!(matches!(
        taken_back,
        Err(BackupError::Store(StoreError::Busy))
    ));
}

#[test]
fn a_backup_of_an_older_program_is_brought_up_to_date() {
    on_each_database(|database| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.backup");
        let database = Database::parse(&database.url).unwrap();
        of_schema(&database, 1, &path);
        assert_eq!(verify(&path).unwrap().head.schema, 1);
        let restored = restore(
            &path,
            &database,
            Environment::system(),
            false,
            |_, _| Ok(()),
        )
        .unwrap();
        assert_eq!(
            restored.migrated,
            super::catalogue::newest().unsigned_abs() - 1
        );
        let store = Store::open(&database, Environment::system()).unwrap();
        let seen = store.read_blocking(|tx| {
            tx.query(
                "SELECT d.name, a.last_position FROM directory d JOIN application_directory a ON a.directory_pk = d.pk",
                args![],
                |row| Ok((row.text(0)?, row.int(1)?)),
            )
        });
        assert_eq!(
            seen.map_err(|error: StoreError| error).unwrap(),
            [("Ökta".to_owned(), 41)]
        );
        // Numbers go on behind those that were ever given.
        let next = store.write_blocking(Scope::Settings, |tx| tx.insert_directory("another"));
        assert_eq!(next.map_err(|error: StoreError| error).unwrap().id.0, 8);
    });
}
