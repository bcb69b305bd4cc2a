//! Wrong passwords, counted per application and user, so that guessing takes for ever.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use directory::{ApplicationId, UserPk};
use jiff::{SignedDuration, Timestamp};

/// Failures that cost nothing.
const FREE_FAILURES: u32 = 10;
/// Failures are forgotten after so long without a further one.
const MEMORY: SignedDuration = SignedDuration::from_secs(5 * 60);
/// The longest that a login is kept waiting; who would have to wait longer is refused at once.
const WAIT_MAX: SignedDuration = SignedDuration::from_secs(5);
/// Users remembered at once.
const REMEMBERED_MAX: usize = 100_000;

/// Counts failures. An attempt counts as a failure until it succeeds, so that many at once gain nothing.
#[derive(Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<(ApplicationId, UserPk), Failures>>,
}

struct Failures {
    count: u32,
    last: Timestamp,
    /// The next attempt may be looked at from then on.
    until: Timestamp,
}

impl Failures {
    fn none(now: Timestamp) -> Failures {
        Failures {
            count: 0,
            last: now,
            until: now,
        }
    }

    fn are_forgotten(&self, now: Timestamp) -> bool {
        now.duration_since(self.last) >= MEMORY
    }
}

/// What to do with an attempt.
pub(super) enum Verdict {
    /// Look at the password, after a while.
    Try(Attempt),
    /// Refuse without looking.
    TooMany,
}

/// An attempt that may go on.
pub(super) struct Attempt {
    /// How long to wait first.
    pub(super) wait: Duration,
}

impl Throttle {
    /// Counts an attempt at `now`.
    pub(super) fn begin(
        &self,
        application: ApplicationId,
        user: UserPk,
        now: Timestamp,
    ) -> Verdict {
        let mut failures = self.lock();
        if failures.len() >= REMEMBERED_MAX {
            failures.retain(|_, known| !known.are_forgotten(now));
            if failures.len() >= REMEMBERED_MAX {
                failures.clear();
            }
        }
        let known = failures
            .entry((application, user))
            .or_insert_with(|| Failures::none(now));
        if known.are_forgotten(now) {
            *known = Failures::none(now);
        }
        let wait = known.until.duration_since(now).max(SignedDuration::ZERO);
        if wait > WAIT_MAX {
            return Verdict::TooMany;
        }
        known.count += 1;
        known.last = now;
        if known.count >= FREE_FAILURES {
            let doublings = (known.count - FREE_FAILURES).min(8);
            let pause = SignedDuration::from_secs(1 << doublings).min(MEMORY);
            known.until = now.checked_add(wait + pause).unwrap_or(now);
        }
        Verdict::Try(Attempt {
            wait: wait.unsigned_abs(),
        })
    }

    /// Forgets the failures of a user who knew the password.
    pub(super) fn succeeded(&self, application: ApplicationId, user: UserPk) {
        self.lock().remove(&(application, user));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(ApplicationId, UserPk), Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JIRA: ApplicationId = ApplicationId(1);
    const MIRA: UserPk = UserPk(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + seconds).unwrap()
    }

    fn tried(throttle: &Throttle, seconds: i64) -> Option<Duration> {
        match throttle.begin(JIRA, MIRA, at(seconds)) {
            Verdict::Try(attempt) => Some(attempt.wait),
            Verdict::TooMany => None,
        }
    }

    fn fail(throttle: &Throttle, seconds: i64, times: u32) {
        for _ in 0..times {
            let _either_way = tried(throttle, seconds);
        }
    }

    #[test]
    fn ten_failures_are_free_then_each_costs_twice_as_much() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            assert_eq!(tried(&throttle, 0), Some(Duration::ZERO));
        }
        assert_eq!(tried(&throttle, 0), Some(Duration::from_secs(1)));
        assert_eq!(tried(&throttle, 0), Some(Duration::from_secs(3)));
        assert_eq!(tried(&throttle, 0), None);
        assert_eq!(tried(&throttle, 7), Some(Duration::ZERO));
        assert_eq!(tried(&throttle, 8), None);
    }

    #[test]
    fn a_refused_attempt_does_not_prolong_the_wait() {
        let throttle = Throttle::default();
        fail(&throttle, 0, 12);
        (0..1_000).for_each(|_| assert_eq!(tried(&throttle, 1), None));
        assert_eq!(tried(&throttle, 7), Some(Duration::ZERO));
    }

    #[test]
    fn success_and_time_forgive() {
        let throttle = Throttle::default();
        fail(&throttle, 0, 20);
        assert_eq!(tried(&throttle, 1), None);
        throttle.succeeded(JIRA, MIRA);
        assert_eq!(tried(&throttle, 1), Some(Duration::ZERO));
        fail(&throttle, 1, 20);
        assert_eq!(tried(&throttle, 2), None);
        assert_eq!(tried(&throttle, 2 + MEMORY.as_secs()), Some(Duration::ZERO));
    }

    #[test]
    fn others_do_not_pay_for_it() {
        let throttle = Throttle::default();
        fail(&throttle, 0, 20);
        assert!(matches!(
            throttle.begin(ApplicationId(2), MIRA, at(0)),
            Verdict::Try(_)
        ));
        assert!(matches!(
            throttle.begin(JIRA, UserPk(2), at(0)),
            Verdict::Try(_)
        ));
    }
}
