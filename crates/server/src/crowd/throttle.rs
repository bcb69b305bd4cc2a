//! Wrong passwords, counted for each user, address and application, so that guessing takes for ever.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use directory::ApplicationId;
use jiff::{SignedDuration, Timestamp};

/// Failures are forgotten after so long without a further one.
const MEMORY: SignedDuration = SignedDuration::from_secs(5 * 60);
/// The longest that a login is kept waiting; who would have to wait longer is refused at once.
const WAIT_MAX: SignedDuration = SignedDuration::from_secs(5);
/// Entries remembered at once. What an application lets through in [`MEMORY`] is far below.
const REMEMBERED_MAX: usize = 100_000;

/// What failures of one kind cost.
struct Price {
    /// Failures that cost nothing.
    free: u32,
    /// What the first one that costs something costs.
    pause: SignedDuration,
    /// How often that doubles with each further one.
    doublings: u32,
}

/// Somebody mistypes a password now and then; a program that guesses one goes on.
const USER: Price = Price {
    free: 10,
    pause: SignedDuration::from_secs(1),
    doublings: 8,
};
/// Behind one address there may be a whole office: five failures a second.
const ADDRESS: Price = Price {
    free: 200,
    pause: SignedDuration::from_millis(200),
    doublings: 0,
};
/// Many names with one password each come to nothing either: ten failures a second.
const APPLICATION: Price = Price {
    free: 1_000,
    pause: SignedDuration::from_millis(100),
    doublings: 0,
};

/// Whose failures are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// A user name, whether there is such a user or not, by a keyed hash of its fold.
    User(ApplicationId, u64),
    Address(ApplicationId, IpAddr),
    Application(ApplicationId),
}

impl Key {
    const fn price(&self) -> &'static Price {
        match self {
            Key::User(..) => &USER,
            Key::Address(..) => &ADDRESS,
            Key::Application(_) => &APPLICATION,
        }
    }

    const fn whose(&self) -> Whose {
        match self {
            Key::User(..) => Whose::User,
            Key::Address(..) => Whose::Address,
            Key::Application(_) => Whose::Application,
        }
    }
}

/// Counts failures. An attempt counts as a failure until it succeeds, so that many at once gain nothing.
#[derive(Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<Key, Failures>>,
    hashing: RandomState,
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

    fn wait(&self, now: Timestamp) -> SignedDuration {
        match self.are_forgotten(now) {
            true => SignedDuration::ZERO,
            false => self.until.duration_since(now).max(SignedDuration::ZERO),
        }
    }

    fn add(&mut self, price: &Price, now: Timestamp) {
        if self.are_forgotten(now) {
            *self = Failures::none(now);
        }
        let wait = self.wait(now);
        self.count += 1;
        self.last = now;
        if self.count >= price.free {
            let doublings = (self.count - price.free).min(price.doublings);
            let pause = (price.pause * (1 << doublings)).min(MEMORY);
            self.until = now.checked_add(wait + pause).unwrap_or(now);
        }
    }

    fn take_back(&mut self, price: &Price) {
        if self.count >= price.free {
            self.until = self.until.checked_sub(price.pause).unwrap_or(self.until);
        }
        self.count = self.count.saturating_sub(1);
    }
}

/// What to do with an attempt.
pub(super) enum Verdict {
    /// Look at the password, after a while.
    Try(Attempt),
    /// Refuse without looking: whose failures are too many, and for how long.
    TooMany { whose: Whose, wait: Duration },
}

/// Who fails too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    User,
    Address,
    Application,
}

/// An attempt that may go on.
pub(super) struct Attempt {
    /// How long to wait first.
    pub(super) wait: Duration,
    keys: Vec<Key>,
}

impl Throttle {
    /// Counts an attempt at `now` with a user name, from an address if it is known.
    pub(super) fn begin(
        &self,
        application: ApplicationId,
        name: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Verdict {
        let mut keys = vec![
            Key::User(application, self.hashing.hash_one(scim::fold(name))),
            Key::Application(application),
        ];
        keys.extend(address.map(|address| Key::Address(application, address)));
        let mut failures = self.lock();
        if failures.len() >= REMEMBERED_MAX {
            failures.retain(|_, known| !known.are_forgotten(now));
            if failures.len() >= REMEMBERED_MAX {
                failures.retain(|key, _| !matches!(key, Key::User(..)));
            }
        }
        let waits = keys
            .iter()
            .filter_map(|key| Some((key.whose(), failures.get(key)?.wait(now))));
        let longest = waits.max_by_key(|(_, wait)| *wait);
        let (whose, wait) = longest.unwrap_or((Whose::User, SignedDuration::ZERO));
        if wait > WAIT_MAX {
            let wait = wait.unsigned_abs();
            return Verdict::TooMany { whose, wait };
        }
        for key in &keys {
            let known = failures.entry(*key).or_insert_with(|| Failures::none(now));
            known.add(key.price(), now);
        }
        Verdict::Try(Attempt {
            wait: wait.unsigned_abs(),
            keys,
        })
    }

    /// Forgets the failures of a user who knew the password, and does not count the attempt elsewhere.
    pub(super) fn succeeded(&self, attempt: &Attempt) {
        let mut failures = self.lock();
        for key in &attempt.keys {
            match key {
                Key::User(..) => drop(failures.remove(key)),
                _ => {
                    if let Some(known) = failures.get_mut(key) {
                        known.take_back(key.price());
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JIRA: ApplicationId = ApplicationId(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + seconds).unwrap()
    }

    fn attempt(throttle: &Throttle, name: &str, address: &str, seconds: i64) -> Option<Attempt> {
        let address = address.parse().ok();
        match throttle.begin(JIRA, name, address, at(seconds)) {
            Verdict::Try(attempt) => Some(attempt),
            Verdict::TooMany { .. } => None,
        }
    }

    fn tried(throttle: &Throttle, seconds: i64) -> Option<Duration> {
        attempt(throttle, "mira", "", seconds).map(|attempt| attempt.wait)
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
    fn who_is_refused_hears_whose_failures_they_are_and_when_to_come_again() {
        let throttle = Throttle::default();
        fail(&throttle, 0, 12);
        let refused = |name: &str, seconds| match throttle.begin(
            JIRA,
            name,
            "192.0.2.9".parse().ok(),
            at(seconds),
        ) {
            Verdict::Try(_) => None,
            Verdict::TooMany { whose, wait } => Some((whose, wait)),
        };
        assert_eq!(
            refused("mira", 1),
            Some((Whose::User, Duration::from_secs(6)))
        );
        let told = (0..400).find_map(|number| refused(&format!("user{number}"), 1));
        assert_eq!(told.unwrap().0, Whose::Address);
    }

    #[test]
    fn success_and_time_forgive() {
        let throttle = Throttle::default();
        fail(&throttle, 0, 12);
        assert_eq!(tried(&throttle, 1), None);
        let right = attempt(&throttle, "MIRA", "", 7).unwrap();
        throttle.succeeded(&right);
        assert_eq!(tried(&throttle, 7), Some(Duration::ZERO));
        fail(&throttle, 7, 20);
        assert_eq!(tried(&throttle, 8), None);
        assert_eq!(tried(&throttle, 8 + MEMORY.as_secs()), Some(Duration::ZERO));
    }

    #[test]
    fn others_do_not_pay_for_it() {
        let throttle = Throttle::default();
        fail(&throttle, 0, 20);
        assert!(matches!(
            throttle.begin(ApplicationId(2), "mira", None, at(0)),
            Verdict::Try(_)
        ));
        assert!(attempt(&throttle, "jon", "", 0).is_some());
    }

    #[test]
    fn one_password_for_many_names_is_guessing_too() {
        let throttle = Throttle::default();
        let mut let_through = 0;
        for number in 0..2_000 {
            let name = format!("user{number}");
            let_through += u32::from(attempt(&throttle, &name, "192.0.2.1", 0).is_some());
        }
        // The address has 200 for nothing, and then as many as fit into the longest wait.
        assert_eq!(let_through, 200 + 25);
        assert!(attempt(&throttle, "mira", "192.0.2.2", 0).is_some());
        for number in 0..4_000 {
            let (name, address) = (format!("user{number}"), format!("10.0.{}.1", number % 200));
            let_through += u32::from(attempt(&throttle, &name, &address, 0).is_some());
        }
        assert!(let_through <= 1_000 + 50, "{let_through}");
        assert!(attempt(&throttle, "mira", "192.0.2.3", 0).is_none());
        assert!(attempt(&throttle, "mira", "192.0.2.3", 10).is_some());
    }

    #[test]
    fn successes_are_not_counted_against_the_office() {
        let throttle = Throttle::default();
        for number in 0..3_000 {
            let name = format!("user{number}");
            let right = attempt(&throttle, &name, "192.0.2.1", 0).unwrap();
            assert_eq!(right.wait, Duration::ZERO);
            throttle.succeeded(&right);
        }
    }
}
