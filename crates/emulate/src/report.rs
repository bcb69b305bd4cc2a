//! What an emulated client tells about its work: progress while it goes on, counts and failures at the end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

use crate::http::{Exchange, Trouble};

/// Called as the work goes on: how many tasks are done, of how many, and what is being done now.
pub type Progress<'a> = dyn Fn(u64, u64, &str) + Send + Sync + 'a;

/// A [`Progress`] for those who don't watch.
pub fn quietly(_done: u64, _total: u64, _label: &str) {}

/// Failures beyond so many are counted but not kept.
const KEPT_FAILURES: usize = 100;

/// A task that the real client would show to its administrator as failed.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// What was to be done, and to whom.
    pub task: String,
    /// Why it counts as failed.
    pub why: String,
    /// The request and the answer it failed on, if it was one.
    pub exchange: Option<Exchange>,
}

/// What came of one run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// How often each kind of task went well, as in `users created`.
    pub counts: BTreeMap<String, u64>,
    /// How many tasks failed.
    pub failed: u64,
    /// The first hundred failures.
    pub failures: Vec<Failure>,
    /// How long it all took.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub duration: Duration,
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

impl Report {
    /// Whether everything went well.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failed == 0
    }

    /// How often a kind of task went well.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    /// Counts a failure, and keeps it if there is room.
    pub(crate) fn add_failure(&mut self, failure: Failure) {
        self.failed += 1;
        if self.failures.len() < KEPT_FAILURES {
            self.failures.push(failure);
        }
    }

    /// Adds what a later run did.
    pub fn absorb(&mut self, later: Report) {
        for (what, count) in later.counts {
            *self.counts.entry(what).or_default() += count;
        }
        self.failed += later.failed;
        self.failures.extend(later.failures);
        self.failures.truncate(KEPT_FAILURES);
        self.duration += later.duration;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<String> = self
            .counts
            .iter()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        write!(
            f,
            "{}",
            if counts.is_empty() {
                "nothing to do".to_owned()
            } else {
                counts.join(", ")
            }
        )?;
        if self.failed > 0 {
            write!(f, ", {} failed", self.failed)?;
        }
        Ok(())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.task, self.why)?;
        match &self.exchange {
            Some(exchange) => write!(f, " ({exchange})"),
            None => Ok(()),
        }
    }
}

/// A report in the making, shared by the tasks that go on at the same time.
pub(crate) struct Run<'a> {
    report: Mutex<Report>,
    done: Mutex<(u64, u64)>,
    progress: &'a Progress<'a>,
    started: Instant,
}

impl<'a> Run<'a> {
    pub(crate) fn begin(progress: &'a Progress<'a>) -> Run<'a> {
        Run {
            report: Mutex::default(),
            done: Mutex::default(),
            progress,
            started: Instant::now(),
        }
    }

    /// Announces so many more tasks.
    pub(crate) fn expect(&self, tasks: usize) {
        lock(&self.done).1 += tasks as u64;
    }

    /// Tells that one announced task is over, well or not.
    pub(crate) fn step(&self, label: &str) {
        let (done, total) = {
            let mut done = lock(&self.done);
            done.0 += 1;
            *done
        };
        (self.progress)(done, total.max(done), label);
    }

    /// Counts something that went well.
    pub(crate) fn count(&self, what: &str) {
        self.count_many(what, 1);
    }

    pub(crate) fn count_many(&self, what: &str, many: usize) {
        if many > 0 {
            *lock(&self.report)
                .counts
                .entry(what.to_owned())
                .or_default() += many as u64;
        }
    }

    /// Notes something that went wrong.
    pub(crate) fn fail(&self, task: String, trouble: Trouble) {
        let Trouble { why, exchange } = trouble;
        let exchange = Some(*exchange);
        lock(&self.report).add_failure(Failure {
            task,
            why,
            exchange,
        });
    }

    /// The value of what went well; what did not is noted and yields nothing.
    pub(crate) fn noted<T>(
        &self,
        task: impl FnOnce() -> String,
        result: Result<T, Trouble>,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(trouble) => {
                self.fail(task(), trouble);
                None
            }
        }
    }

    pub(crate) fn end(self) -> Report {
        let mut report = self
            .report
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        report.duration = self.started.elapsed();
        report
    }
}

/// A counter stays right even if a callback panicked while it was held.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
