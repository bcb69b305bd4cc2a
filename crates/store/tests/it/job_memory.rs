//! What a job tells of the memory of its process, and by which index its work is found again.

use std::sync::atomic::{AtomicI64, Ordering};

use directory::{Cause, JobKind, JobState, Trigger};
use emulate::databases::{TestDatabase, on_each_database};
use serde_json::json;
use store::probe::RawRead;
use store::{Database, Environment, JobWork, MemoryUse, NewJob, Scope, Store, StoreError, args};

use crate::support::open;

static RESIDENT: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

fn memory(resident: i64, peak: i64) {
    RESIDENT.store(resident, Ordering::SeqCst);
    PEAK.store(peak, Ordering::SeqCst);
}

#[test]
fn a_job_tells_the_most_memory_since_it_was_asked_for() {
    on_each_database(|database| {
        let environment = Environment {
            memory: || {
                Some(MemoryUse {
                    resident: RESIDENT.load(Ordering::SeqCst),
                    peak: PEAK.load(Ordering::SeqCst),
                })
            },
            ..Environment::system()
        };
        let store = Store::open(&Database::parse(&database.url).unwrap(), environment).unwrap();
        let directory = store
            .write_blocking(Scope::Settings, |tx| tx.insert_directory("D"))
            .unwrap()
            .id;
        let work = |pieces: &[(i64, i64)]| {
            memory(100, 500);
            let job = store
                .write_blocking(Scope::Directory(directory), move |tx| {
                    let new = NewJob {
                        kind: JobKind::Detach,
                        connector: None,
                        directory,
                        subject: String::new(),
                        wish: json!({}),
                        cause: Cause {
                            trigger: Trigger::Reconcile,
                            connector: None,
                            actor: "a".into(),
                            request: String::new(),
                        },
                    };
                    tx.insert_job(&new)
                })
                .unwrap()
                .id;
            for (resident, peak) in pieces {
                memory(*resident, *peak);
                store
                    .write_blocking(Scope::Directory(directory), move |tx| {
                        let before = tx.journal_position(directory)?;
                        tx.note_job_work(job, before, &JobWork::default())
                    })
                    .unwrap();
            }
            memory(120, PEAK.load(Ordering::SeqCst));
            let told = store.write_blocking(Scope::Directory(directory), move |tx| {
                tx.finish_job(job, JobState::Done, None)?;
                Ok::<_, StoreError>(tx.job(job)?.unwrap().memory)
            });
            let told = told.unwrap();
            (told.start, told.peak, told.end)
        };
        // As it is seen at the end of each piece, while the process had more before the job.
        let seen = work(&[(150, 500), (300, 500), (200, 500)]);
        assert_eq!(seen, (Some(100), Some(300), Some(120)));
        // To the byte, where the process never had as much before.
        let exact = work(&[(150, 500), (300, 900), (200, 900)]);
        assert_eq!(exact, (Some(100), Some(900), Some(120)));
    });
}

#[test]
fn the_system_tells_of_memory() {
    let memory = (Environment::system().memory)();
    match cfg!(target_os = "linux") {
        true => {
            let memory = memory.unwrap();
            assert!(memory.resident > 1_000_000 && memory.peak >= memory.resident);
        }
        false => assert_eq!(memory, None),
    }
}

#[test]
fn work_is_found_by_request_and_actor_without_reading_the_journal_through() {
    let database = TestDatabase::sqlite().unwrap();
    let store = open(&database);
    for (column, index) in [("request", "journal_request"), ("actor", "journal_actor")] {
        for what in ["DISTINCT user_pk", "count(*)", "pk"] {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT {what} FROM journal WHERE directory_pk = $1 AND pk > $2 AND pk <= $3 \
                 AND {column} = $4"
            );
            let plan = store
                .read_blocking(move |tx| {
                    tx.raw_query(&sql, args![1_i64, 0_i64, 9_i64, "x"], |row| row.text(3))
                })
                .unwrap()
                .join("\n");
            assert!(plan.contains(index), "{plan}");
        }
    }
    let groups = "EXPLAIN QUERY PLAN SELECT pk FROM journal WHERE directory_pk = $1 AND pk > $2 AND subject = 'group' \
                  ORDER BY pk DESC";
    let users = "EXPLAIN QUERY PLAN SELECT pk FROM journal WHERE +directory_pk = $1 AND pk > $2 AND user_pk IN (7, 8)";
    for (sql, index) in [(groups, "journal_groups"), (users, "journal_user")] {
        let plan = store
            .read_blocking(move |tx| tx.raw_query(sql, args![1_i64, 0_i64], |row| row.text(3)));
        let plan = plan.unwrap().join("\n");
        assert!(plan.contains(index), "{plan}");
    }
}
