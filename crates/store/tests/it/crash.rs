//! A process that is killed at any moment loses nothing that it has acknowledged.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use emulate::databases::on_each_database;
use store::args;
use store::probe::RawRead;
use store::{Scope, StoreError};

use crate::support::{insert_note, notes, open, open_with_notes, try_open};

/// Tells this program that it is the one to be killed, and where to write.
const VICTIM: &str = "VESTIBULE_TEST_CRASH";
/// How often a process is killed.
const KILLS: i64 = 15;

#[test]
fn nothing_acknowledged_is_lost() {
    on_each_database(|database| {
        drop(open_with_notes(database));
        let mut acknowledged: Vec<i64> = Vec::new();
        for kill in 0..KILLS {
            // Each a little later than the one before, so that they hit different moments.
            acknowledged.extend(acknowledged_until_killed(
                &database.url,
                kill,
                20 + 17 * kill as usize,
            ));
            let store = open(database);
            let kept = notes(&store);
            for pk in &acknowledged {
                assert!(
                    kept.binary_search(pk).is_ok(),
                    "note {pk} was acknowledged and is lost"
                );
            }
            // Both halves of a closure, or neither.
            assert!(kept.iter().all(|pk| kept.binary_search(&-pk).is_ok()));
            if database.engine == "SQLite" {
                let found: Vec<String> = store
                    .read_blocking(|tx| {
                        tx.raw_query("PRAGMA integrity_check", args![], |row| row.text(0))
                    })
                    .map_err(|error: StoreError| error)
                    .unwrap();
                assert_eq!(found, ["ok"]);
            }
        }
        assert!(acknowledged.len() > 1_000);
    });
}

/// Starts a process that writes, and kills it after so many acknowledgements. Gives all that it had acknowledged.
fn acknowledged_until_killed(url: &str, run: i64, count: usize) -> Vec<i64> {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::victim",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(VICTIM, format!("{run} {url}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    while acknowledged.len() < count {
        acknowledged.extend(acknowledgement(&lines.next().unwrap().unwrap()));
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
    // What it had said before it died counts as well; the last line may be cut short.
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    acknowledged.extend(rest.iter().filter_map(|line| acknowledgement(line)));
    acknowledged
}

fn acknowledgement(line: &str) -> Option<i64> {
    line.strip_prefix("acknowledged ")?
        .strip_suffix('.')?
        .parse()
        .ok()
}

/// Not a story of its own: the process that is killed in the other.
#[test]
fn victim() {
    let Ok(order) = std::env::var(VICTIM) else {
        return;
    };
    let (run, url) = order.split_once(' ').unwrap();
    let run: i64 = run.parse().unwrap();
    let store = try_open(url).unwrap();
    thread::scope(|scope| {
        for worker in 1..=8_i64 {
            let store = &store;
            scope.spawn(move || {
                for turn in 0..100_000 {
                    let pk = run * 10_000_000 + worker * 1_000_000 + turn;
                    let written: Result<_, StoreError> =
                        store.write_blocking(Scope::Settings, move |tx| {
                            insert_note(tx, pk)?;
                            insert_note(tx, -pk)
                        });
                    written.unwrap();
                    let line = format!("acknowledged {pk}.\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}
