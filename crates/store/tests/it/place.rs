//! Who may have the embedded database open, and where.

use std::thread;

use emulate::databases::TestDatabase;
use store::probe::{RawRead, RawWrite};
use store::{Database, Environment, OpenMode, Scope, Store, StoreError, args};

use crate::support::{open, open_with_notes, run, try_open, write_note};

fn open_tool(database: &TestDatabase) -> Result<Store, StoreError> {
    Store::open_for(
        OpenMode::Tool,
        &Database::parse(&database.url)?,
        Environment::system(),
    )
}

#[test]
fn one_server_at_a_time() {
    let database = TestDatabase::sqlite().unwrap();
    let first = open(&database);
    let second = try_open(&database.url).err();
    let own = std::process::id().to_string();
    assert!(
        matches!(&second, Some(StoreError::InUse { what }) if what.contains(&own)),
        "{second:?}"
    );
    drop(first);
    open(&database);
}

#[test]
fn the_file_is_for_its_owner_alone_whatever_folder_it_lies_in() {
    use std::os::unix::fs::PermissionsExt;
    let database = TestDatabase::sqlite().unwrap();
    let path = database.url.strip_prefix("sqlite:").unwrap();
    let folder = std::path::Path::new(path).parent().unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let _store = open_with_notes(&database);
    for name in ["", "-wal", "-shm"] {
        let file = format!("{path}{name}");
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} has {mode:o}");
    }
}

#[test]
fn a_tool_works_beside_the_server() {
    let database = TestDatabase::sqlite().unwrap();
    let server = open_with_notes(&database);
    run(&server, "CREATE TABLE counter (value BIGINT NOT NULL)");
    run(&server, "INSERT INTO counter (value) VALUES (0)");
    let tool = open_tool(&database).unwrap();
    assert_eq!(
        (server.mode(), tool.mode()),
        (OpenMode::Serve, OpenMode::Tool)
    );
    thread::scope(|scope| {
        for store in [&server, &tool, &server, &tool] {
            scope.spawn(move || {
                for _ in 0..50 {
                    let added: Result<_, StoreError> =
                        store.write_blocking(Scope::Settings, |tx| {
                            let value = tx.raw_number("SELECT value FROM counter", args![])?;
                            tx.raw_execute("UPDATE counter SET value = $1", args![value + 1])
                        });
                    added.unwrap();
                }
            });
        }
    });
    drop(tool);
    let value = server
        .read_blocking(|tx| tx.raw_number("SELECT value FROM counter", args![]))
        .unwrap();
    assert_eq!(value, 200);
    write_note(&server, 1).unwrap();
}

#[test]
fn a_tool_does_not_migrate_under_a_server() {
    let database = TestDatabase::sqlite().unwrap();
    let server = open(&database);
    // As if the tool were of a newer version than the server.
    run(&server, "DELETE FROM migration");
    let refused = open_tool(&database).err();
    assert!(
        matches!(refused, Some(StoreError::InUse { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_tool_makes_a_new_database() {
    let database = TestDatabase::sqlite().unwrap();
    drop(open_tool(&database).unwrap());
    open(&database);
}

#[test]
fn places_where_nothing_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("sqlite:{}/no/such/folder.db", folder.path().display());
    assert!(matches!(
        try_open(&missing).err(),
        Some(StoreError::Open { .. })
    ));
    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "this is a text and not a database, however long it may be; ".repeat(100),
    )
    .unwrap();
    let refused = try_open(&format!("sqlite:{}", text.display())).err();
    assert!(
        matches!(refused, Some(StoreError::Corrupt { .. })),
        "{refused:?}"
    );
    assert!(
        std::fs::read_to_string(&text)
            .unwrap()
            .starts_with("this is a text")
    );
}

#[test]
fn a_full_disk_stops_writes_and_nothing_else() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open_with_notes(&database);
    let limit_pages = |limit: &'static str| {
        let set = move |tx: &mut store::WriteTx<'_>| tx.raw_query(limit, args![], |_| Ok(()));
        store
            .write_blocking(Scope::Settings, set)
            .map(drop)
            .map_err(|error: StoreError| error)
            .unwrap();
    };
    limit_pages("PRAGMA max_page_count = 500");
    let big = |pk: i64| {
        store.write_blocking(Scope::Settings, move |tx| {
            tx.raw_execute(
                "INSERT INTO note (pk, body) VALUES ($1, $2)",
                args![pk, "x".repeat(20_000)],
            )
        })
    };
    let mut written = 0;
    let refused = loop {
        match big(written) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::DiskFull), "{refused:?}");
    assert!(written > 0);
    assert!(matches!(big(written), Err(StoreError::DiskFull)));
    let kept = || store.read_blocking(|tx| tx.raw_number("SELECT count(*) FROM note", args![]));
    assert_eq!(kept().map_err(|error: StoreError| error).unwrap(), written);
    // Small things still fit, and so does everything once there is room.
    run(&store, "DELETE FROM note WHERE pk = 0");
    limit_pages("PRAGMA max_page_count = 100000");
    big(written).unwrap();
    assert_eq!(kept().map_err(|error: StoreError| error).unwrap(), written);
}

#[test]
fn the_log_stays_short_while_readers_never_rest() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open_with_notes(&database);
    let log = format!("{}-wal", database.url.trim_start_matches("sqlite:"));
    let megabytes = || std::fs::metadata(&log).unwrap().len() / 1_000_000;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let longest = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let read = |tx: &mut store::ReadTx<'_>| {
                        tx.raw_number("SELECT count(*) FROM note WHERE body > 'y'", args![])
                    };
                    store
                        .read_blocking(read)
                        .map_err(|error: StoreError| error)
                        .unwrap();
                }
            });
        }
        let mut longest = 0;
        for round in 0..1_500_i64 {
            let body = "x".repeat(200_000);
            let replace = move |tx: &mut store::WriteTx<'_>| {
                tx.raw_execute("DELETE FROM note WHERE pk < $1", args![round - 20])?;
                tx.raw_execute(
                    "INSERT INTO note (pk, body) VALUES ($1, $2)",
                    args![round, &body],
                )
            };
            store
                .write_blocking(Scope::Settings, replace)
                .map_err(|error: StoreError| error)
                .unwrap();
            longest = longest.max(megabytes());
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        longest
    });
    // More than 300 MB went through it.
    assert!(longest < 200, "{longest} MB");
}
