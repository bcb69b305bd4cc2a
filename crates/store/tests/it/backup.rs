//! Everything as one file: the same on both engines, whole or refused, restored or nothing changed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use emulate::databases::{TestDatabase, on_each_database};
use flate2::read::MultiGzDecoder;
use store::probe::{RawRead, RawWrite};
use store::{BackupError, Database, Environment, Restored, Scope, Store, StoreError, args};

use crate::support::{open, run};

const SUM_BYTES: usize = 72;

fn back_up(store: &Store, path: &Path) {
    let taken = store.read_blocking(|tx| {
        let mut file = fs::File::create(path).map_err(BackupError::from)?;
        tx.back_up("mark", &mut file)
    });
    taken.unwrap();
}

fn restore(path: &Path, url: &str, replace: bool) -> Result<Restored, BackupError> {
    let database = Database::parse(url).unwrap();
    store::restore_backup(path, &database, Environment::system(), replace, |_, _| {
        Ok(())
    })
}

/// The lines of the compressed part.
fn lines(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).unwrap();
    let packed = bytes.splitn(3, |byte| *byte == b'\n').nth(2).unwrap();
    let packed = &packed[..packed.len() - SUM_BYTES];
    let mut text = String::new();
    MultiGzDecoder::new(packed)
        .read_to_string(&mut text)
        .unwrap();
    text.lines().map(str::to_owned).collect()
}

/// People in a store, with texts that try the encoding.
fn fill(store: &Store, people: i64) {
    let filled = store.write_blocking(Scope::Settings, move |tx| {
        tx.ensure_instance()?;
        let directory = tx.insert_directory("Ökta \"1\" \\ \u{1F980}\u{2028}")?;
        tx.raw_execute(
            "INSERT INTO connector (pk, public_id, name, name_fold, preset, state, directory_pk, rules, settings, version, \
             user_count, group_count, created, updated) VALUES (5, 'c', 'c', 'c', 'okta', 'active', $1, '{}', '{}', 1, 0, 0, $2, $3)",
            args![directory.id, i64::MIN, i64::MAX],
        )?;
        for pk in 1..=people {
            tx.raw_execute(
                "INSERT INTO source_user (connector_pk, id, user_name_fold, external_id, active, version, created, modified, document) \
                 VALUES (5, $1, $2, $3, 1, 1, 0, 0, $4)",
                args![format!("id{pk}"), format!("user{pk}\t\u{7f}"), None::<&str>, format!("{{\"a\":\"{}\n\"}}", "x".repeat(pk as usize % 50))],
            )?;
            tx.raw_execute(
                "INSERT INTO source_email (connector_pk, value_fold, user_pk) VALUES (5, $1, $2)",
                args![format!("{pk}@x"), pk],
            )?;
        }
        // The last number was given, and is gone.
        tx.raw_execute("DELETE FROM source_email WHERE user_pk = $1", args![people])?;
        tx.raw_execute("DELETE FROM source_user WHERE pk = $1", args![people])?;
        tx.raw_execute(
            "INSERT INTO sso_session (hash, salt, directory_pk, user_pk, factors, application, created, idle, expires, ends) \
             VALUES ('h', 's', 1, 1, '[]', 'jira', 0, 0, 0, 0)",
            args![],
        )?;
        Ok::<_, StoreError>(())
    });
    filled.unwrap();
}

fn number(store: &Store, sql: &'static str) -> i64 {
    store
        .read_blocking(|tx| tx.raw_number(sql, args![]))
        .unwrap()
}

fn name(store: &Store) -> String {
    store.read_blocking(|tx| tx.store_id()).unwrap()
}

/// A backup of a filled store of its own.
fn sample(folder: &Path) -> PathBuf {
    let path = folder.join("sample.backup");
    let database = TestDatabase::sqlite().unwrap();
    let store = open(&database);
    fill(&store, 20);
    back_up(&store, &path);
    path
}

#[test]
fn what_was_backed_up_is_there_on_either_engine() {
    let folder = tempfile::tempdir().unwrap();
    on_each_database(|from| {
        let store = open(from);
        fill(&store, 1_203);
        let path = folder.path().join(from.engine);
        back_up(&store, &path);
        let (before, was_called) = (lines(&path), name(&store));
        assert!(!before.iter().any(|line| line.contains("sso_session")));
        drop(store);
        on_each_database(|into| {
            let restored = restore(&path, &into.url, false).unwrap();
            assert_eq!(restored.content.rows, 1_202 * 2 + 3);
            assert_eq!((restored.replaced, restored.migrated), (false, 0));
            let store = open(into);
            assert_ne!(name(&store), was_called);
            let again = folder.path().join("again");
            back_up(&store, &again);
            let mut is_name = false;
            let apart = |line: &String| {
                let is_after_name = std::mem::replace(&mut is_name, line.contains("\"instance\""));
                !is_after_name
            };
            let after: Vec<String> = lines(&again).into_iter().filter(apart).collect();
            is_name = false;
            let apart = |line: &&String| {
                let is_after_name = std::mem::replace(&mut is_name, line.contains("\"instance\""));
                !is_after_name
            };
            let before: Vec<String> = before.iter().filter(apart).cloned().collect();
            assert_eq!(before, after);
            // The number of who is gone is not given again.
            let next = store.write_blocking(Scope::Settings, |tx| {
                tx.raw_execute(
                    "INSERT INTO source_user (connector_pk, id, user_name_fold, active, version, created, modified, document) \
                     VALUES (5, 'new', 'new', 1, 1, 0, 0, '{}')",
                    args![],
                )?;
                tx.raw_number("SELECT max(pk) FROM source_user", args![])
            });
            assert_eq!(next.map_err(|error: StoreError| error).unwrap(), 1_204);
        });
    });
}

#[test]
fn a_file_that_was_cut_or_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(folder.path());
    let whole = fs::read(&path).unwrap();
    store::verify_backup(&path).unwrap();
    let other = folder.path().join("other.backup");
    let target = TestDatabase::sqlite().unwrap();
    for length in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        fs::write(&other, &whole[..length]).unwrap();
        let refused = restore(&other, &target.url, true);
        assert!(refused.is_err(), "{length} bytes");
    }
    // Every byte of the lines that can be read, and some of the others.
    for place in (0..whole.len()).filter(|place| *place < 60 || place % 5 == 0) {
        let mut changed = whole.clone();
        changed[place] ^= 0x10;
        fs::write(&other, &changed).unwrap();
        assert!(store::verify_backup(&other).is_err(), "byte {place}");
    }
    fs::write(&other, [&whole[..], b"\n"].concat()).unwrap();
    assert!(store::verify_backup(&other).is_err());
    fs::write(&other, "PK\u{3}\u{4}").unwrap();
    assert!(matches!(
        store::verify_backup(&other),
        Err(BackupError::Foreign)
    ));
    // None of this made a database.
    let path = target.url.strip_prefix("sqlite:").unwrap();
    assert!(!Path::new(path).exists());
}

#[test]
fn a_file_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(folder.path());
    let whole = fs::read(&path).unwrap();
    let text = |from: &str, to: &str| {
        let end = whole.windows(2).position(|two| two == b"}\n").unwrap();
        let head = String::from_utf8(whole[..end].to_vec()).unwrap();
        assert!(head.contains(from), "{head}");
        let other = folder.path().join("newer.backup");
        fs::write(
            &other,
            [head.replace(from, to).as_bytes(), &whole[end..]].concat(),
        )
        .unwrap();
        store::verify_backup(&other).unwrap_err()
    };
    let newer = text("vestibule-backup 1", "vestibule-backup 2");
    assert!(matches!(
        newer,
        BackupError::Newer {
            what: "format",
            found: 2,
            known: 1
        }
    ));
    let newer = text("\"schema\":", "\"schema\":9");
    assert!(
        matches!(newer, BackupError::Newer { what: "schema", .. }),
        "{newer}"
    );
    let other = text("\"schema_mark\":\"", "\"schema_mark\":\"0");
    assert!(matches!(other, BackupError::OtherSchema { .. }), "{other}");
}

#[test]
fn what_is_there_is_replaced_only_on_demand_and_stays_if_anything_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = sample(folder.path());
    on_each_database(|target| {
        let store = open(target);
        fill(&store, 3);
        run(&store, "UPDATE directory SET name = 'mine'");
        let was_called = name(&store);
        let as_it_was = folder.path().join("before");
        back_up(&store, &as_it_was);
        let stays = |store: &Store| {
            let now = folder.path().join("now");
            back_up(store, &now);
            assert_eq!(lines(&as_it_was), lines(&now));
        };
        // While somebody serves it.
        let refused = restore(&path, &target.url, true).unwrap_err();
        match target.engine {
            "SQLite" => assert!(matches!(
                refused,
                BackupError::Store(StoreError::InUse { .. })
            )),
            _ => assert!(matches!(refused, BackupError::InUse { .. })),
        }
        stays(&store);
        drop(store);

        let refused = restore(&path, &target.url, false).unwrap_err();
        assert!(matches!(refused, BackupError::NotEmpty { .. }), "{refused}");
        let database = Database::parse(&target.url).unwrap();
        let failed = store::restore_backup(
            &path,
            &database,
            Environment::system(),
            true,
            |tx, _| {
                tx.raw_execute("INSERT INTO source_email (connector_pk, value_fold, user_pk) VALUES (5, 'x', 4711)", args![]).map(drop)
            },
        );
        let failed = failed.unwrap_err();
        assert!(
            matches!(failed, BackupError::Contradiction { .. }),
            "{failed}"
        );
        let store = open(target);
        stays(&store);
        drop(store);

        let restored = restore(&path, &target.url, true).unwrap();
        assert!(restored.replaced);
        let store = open(target);
        assert_ne!(name(&store), was_called);
        assert_eq!(number(&store, "SELECT count(*) FROM source_user"), 19);
        assert_eq!(number(&store, "SELECT count(*) FROM sso_session"), 0);
    });
}

#[test]
fn a_backup_beside_writes_is_of_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    on_each_database(|database| {
        let store = open(database);
        fill(&store, 2);
        let done = AtomicBool::new(false);
        let path = folder.path().join(database.engine);
        thread::scope(|scope| {
            // Each write leaves as many addresses as users.
            let writer = scope.spawn(|| {
                let mut pk = 10;
                while !done.load(Ordering::Relaxed) {
                    pk += 1;
                    let written = store.write_blocking(Scope::Settings, move |tx| {
                        tx.raw_execute(
                            "INSERT INTO source_user (pk, connector_pk, id, user_name_fold, active, version, created, modified, document) \
                             VALUES ($1, 5, $2, $2, 1, 1, 0, 0, '{}')",
                            args![pk, format!("n{pk}")],
                        )?;
                        tx.raw_execute(
                            "INSERT INTO source_email (connector_pk, value_fold, user_pk) VALUES (5, $2, $1)",
                            args![pk, format!("n{pk}")],
                        )
                    });
                    written.map_err(|error: StoreError| error).unwrap();
                }
                pk
            });
            for _ in 0..6 {
                back_up(&store, &path);
                store::verify_backup(&path).unwrap();
                let lines = lines(&path);
                let rows = |table: &str| {
                    let begins = lines
                        .iter()
                        .position(|line| line.contains(&format!("\"name\":\"{table}\"")))
                        .unwrap();
                    lines[begins + 1..]
                        .iter()
                        .take_while(|line| line.starts_with('['))
                        .count()
                };
                assert_eq!(rows("source_user"), rows("source_email"));
            }
            done.store(true, Ordering::Relaxed);
            assert!(writer.join().unwrap() > 10);
        });
    });
}
