//! The one thread that writes: many closures, one durable commit.
//!
//! While a commit is being forced to disk, closures queue up; the next batch takes them all, and all are answered after
//! the commit. One that fails takes back only its own work: most fail before they write anything, and where one did
//! write, its batch is run again with a savepoint around each closure.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::log::Log;
use super::reader::Readers;
use super::session::{Rules, Session};
use crate::conn::Conn;
use crate::counts::Counts;
use crate::{Environment, StoreError, WriteTx, guard};

/// Closures that may wait; one more is told that the store is busy.
const QUEUE: usize = 1_000;
/// Closures in one commit.
const BATCH: usize = 64;
/// After this time a batch takes no further closure: those who are in it wait for its commit.
const BATCH_TIME: Duration = Duration::from_millis(10);
/// After this many changed rows a batch takes no further closure.
const BATCH_ROWS: u64 = 10_000;

/// How long the writer waits for closures that are likely to come. Those who were answered together ask again together, and
/// a commit costs the less for each the more share it.
const LINGER: Duration = Duration::from_micros(200);

/// The queue to the thread, and the thread.
pub(super) struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        connection: Connection,
        readers: Arc<Readers>,
        rules: Arc<Rules>,
        environment: Environment,
        counts: Arc<Counts>,
        log: Log,
        wait: Duration,
    ) -> Result<Self, StoreError> {
        let (queue, jobs) = sync_channel(QUEUE);
        let mut batches = Batches {
            connection,
            readers,
            rules,
            environment,
            jobs,
            counts,
            log,
            wait,
            last: 0,
        };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || batches.run_all())
            .map_err(|error| StoreError::open(format!("no thread to write: {error}")))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    pub(super) fn submit<T, E, F>(
        &self,
        closure: F,
    ) -> Result<oneshot::Receiver<Result<T, E>>, StoreError>
    where
        F: Fn(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (asker, answer) = oneshot::channel();
        let job = Box::new(Work {
            closure,
            outcome: None,
            asker,
        });
        let queue = self
            .queue
            .as_ref()
            .ok_or_else(|| StoreError::unavailable("it is closed"))?;
        match queue.try_send(job) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => Err(StoreError::Busy),
            Err(TrySendError::Disconnected(_)) => {
                Err(StoreError::unavailable("its writing thread has ended"))
            }
        }
    }
}

impl Drop for Writer {
    /// Waits until everything that was queued is durable.
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            // A closure may own the last handle of its store.
            && thread.thread().id() != thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the writing thread of the store has failed");
        }
    }
}

/// A closure whose types are forgotten, so that closures of all types can wait in one queue.
trait Job: Send {
    /// Runs the closure and keeps its outcome for the asker.
    fn run(&mut self, tx: WriteTx<'_>) -> Ran;
    /// Answers the asker.
    fn answer(self: Box<Self>, committed: &Result<(), StoreError>);
}

/// What the batch has to know of a closure that has run.
struct Ran {
    /// What it wrote is to stay.
    keep: bool,
    /// The error of a statement of it.
    failure: Option<StoreError>,
}

struct Work<T, E, F> {
    closure: F,
    outcome: Option<Result<T, E>>,
    asker: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Work<T, E, F>
where
    F: Fn(&mut WriteTx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, mut tx: WriteTx<'_>) -> Ran {
        let outcome = guard::caught(|| (self.closure)(&mut tx));
        let failure = tx.failure();
        let outcome = guard::settle(outcome, failure.clone());
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        Ran { keep, failure }
    }

    fn answer(self: Box<Self>, committed: &Result<(), StoreError>) {
        let outcome = match (committed, self.outcome) {
            // Even a refusal may rest on rows of the same batch that are not there after all.
            (Err(error), _) => Err(error.clone().into()),
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(StoreError::unavailable("a write was not run").into()),
        };
        // An asker who has gone away does not need the answer; the write stands.
        let _unheard = self.asker.send(outcome);
    }
}

/// What became of a batch before its commit.
#[derive(PartialEq, Eq)]
enum Batch {
    Whole,
    /// It holds work of a closure that failed.
    Spoilt,
}

/// The writing thread's side.
struct Batches {
    connection: Connection,
    readers: Arc<Readers>,
    rules: Arc<Rules>,
    environment: Environment,
    jobs: Receiver<Box<dyn Job>>,
    counts: Arc<Counts>,
    log: Log,
    /// How long the connection waits for locks.
    wait: Duration,
    /// How many closures the batch before had.
    last: usize,
}

impl Batches {
    /// Runs batches until the store is closed and the queue is empty.
    fn run_all(&mut self) {
        while let Ok(first) = self.jobs.recv() {
            let mut next = Some(first);
            let mut batch = Vec::new();
            let committed = self.run_and_commit(&mut next, &mut batch);
            self.readers.committed(&self.rules);
            self.last = batch.len();
            match &committed {
                Ok(()) => self.counts.add(batch.len() as u64, 1),
                Err(error) => self.give_up(error, batch.len()),
            }
            for job in batch.into_iter().chain(next) {
                job.answer(&committed);
            }
            self.log
                .keep_short(&self.connection, &self.readers, self.wait);
        }
        self.log.close(&self.connection, &self.readers);
    }

    fn run_and_commit(
        &self,
        next: &mut Option<Box<dyn Job>>,
        batch: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        self.session().run("BEGIN IMMEDIATE")?;
        if self.run_batch(next, batch)? == Batch::Spoilt {
            self.session().run("ROLLBACK")?;
            self.session().run("BEGIN IMMEDIATE")?;
            for job in batch {
                self.run_apart(&mut **job)?;
            }
        }
        self.session().run("COMMIT")
    }

    /// Runs closures into the open transaction until the batch is full, nobody waits, or one fails that has written.
    fn run_batch(
        &self,
        next: &mut Option<Box<dyn Job>>,
        batch: &mut Vec<Box<dyn Job>>,
    ) -> Result<Batch, StoreError> {
        let begun = Instant::now();
        let rows = self.connection.total_changes();
        while let Some(mut job) = next.take() {
            let before = self.connection.total_changes();
            let ran = self.run(&mut *job);
            batch.push(job);
            let after = self.connection.total_changes();
            if !ran?.keep && after != before {
                return Ok(Batch::Spoilt);
            }
            let is_full =
                batch.len() >= BATCH || begun.elapsed() >= BATCH_TIME || after - rows >= BATCH_ROWS;
            if !is_full {
                *next = self.next_of_batch(batch.len());
            }
        }
        Ok(Batch::Whole)
    }

    /// The next closure, if one waits, or is there after a moment when the batch before had more.
    fn next_of_batch(&self, so_far: usize) -> Option<Box<dyn Job>> {
        let waiting = self.jobs.try_recv().ok();
        if waiting.is_some() || so_far >= self.last {
            return waiting;
        }
        thread::sleep(LINGER);
        self.jobs.try_recv().ok()
    }

    /// Runs one closure in a savepoint. An error is one of the whole batch.
    fn run_apart(&self, job: &mut dyn Job) -> Result<(), StoreError> {
        self.session().run("SAVEPOINT job")?;
        if !self.run(job)?.keep {
            self.session().run("ROLLBACK TO job")?;
        }
        self.session().run("RELEASE job")
    }

    /// Runs one closure. An error is one of the whole batch.
    fn run(&self, job: &mut dyn Job) -> Result<Ran, StoreError> {
        let ran = job.run(WriteTx::new(
            Conn::Sqlite(self.session()),
            &self.environment,
            &self.counts,
        ));
        if self.connection.is_autocommit() {
            // On some failures, such as a full disk, the engine takes back the whole transaction by itself.
            let lost = || StoreError::unavailable("the engine gave up the transaction");
            return Err(ran.failure.unwrap_or_else(lost));
        }
        Ok(ran)
    }

    fn give_up(&self, error: &StoreError, writes: usize) {
        tracing::error!(%error, writes, "a commit failed");
        if !self.connection.is_autocommit()
            && let Err(error) = self.session().run("ROLLBACK")
        {
            tracing::error!(%error, "a rollback failed");
        }
    }

    fn session(&self) -> Session<'_> {
        Session::new(&self.connection, &self.rules)
    }
}
