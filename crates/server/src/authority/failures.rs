//! Failed authentications, counted by where they come from. A credential that nobody can guess is always served if it
//! is right: whoever shares an address with somebody who guesses, or with a client whose token has ended, notices
//! nothing, and only what fails is told to come later. Passwords of the console are counted before they are looked at.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Failures are counted by this time.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// The first wait; each one after it is twice as long.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);
/// The longest wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// Without a failure for so long, everything is forgiven.
const MEMORY: SignedDuration = SignedDuration::from_mins(10);
/// Sources that are remembered.
const SOURCES_MAX: usize = 10_000;

struct Source {
    window: Timestamp,
    failures: u32,
    waits: u32,
    until: Timestamp,
    last: Timestamp,
}

/// The failures of late, by source.
pub(crate) struct Failures {
    per_minute: u32,
    sources: Mutex<HashMap<IpAddr, Source>>,
}

impl Failures {
    /// Allows so many in a minute; 0 for any number.
    pub(crate) fn new(per_minute: u32) -> Self {
        Self {
            per_minute,
            sources: Mutex::default(),
        }
    }

    /// Counts a failure. Gives how long the source is to wait if it had too many; further failures
    /// do not make that longer.
    pub(crate) fn note(&self, address: Option<IpAddr>, now: Timestamp) -> Option<Duration> {
        let address = network(address?);
        if self.per_minute == 0 {
            return None;
        }
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= SOURCES_MAX && !sources.contains_key(&address) {
            sources.retain(|_, source| now.duration_since(source.last) < MEMORY);
            // Whoever has that many addresses is not stopped by counting them.
            if sources.len() >= SOURCES_MAX {
                return None;
            }
        }
        let source = sources.entry(address).or_insert_with(|| Source::new(now));
        source.fail(self.per_minute, now)
    }
}

impl Failures {
    /// Takes a failure back that was counted before it was known not to be one.
    pub(crate) fn take_back(&self, address: Option<IpAddr>) {
        let Some(address) = address else { return };
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = sources.get_mut(&network(address)) {
            source.failures = source.failures.saturating_sub(1);
        }
    }
}

impl Source {
    fn new(now: Timestamp) -> Self {
        Self {
            window: now,
            failures: 0,
            waits: 0,
            until: now,
            last: now,
        }
    }

    fn fail(&mut self, per_minute: u32, now: Timestamp) -> Option<Duration> {
        // The clock may have been set back: no wait is longer than the longest.
        let left = self.until.duration_since(now).min(LONGEST_WAIT);
        if left.is_positive() {
            return Some(left.unsigned_abs());
        }
        if now.duration_since(self.last) >= MEMORY {
            self.waits = 0;
        }
        if now.duration_since(self.window).abs() >= WINDOW {
            (self.window, self.failures) = (now, 0);
        }
        self.last = now;
        self.failures += 1;
        if self.failures <= per_minute {
            return None;
        }
        let wait = (FIRST_WAIT * (1 << self.waits.min(4))).min(LONGEST_WAIT);
        self.waits += 1;
        self.failures = 0;
        self.until = now + wait;
        Some(wait.unsigned_abs())
    }
}

/// One host of IPv6 has a whole network of addresses to fail from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + seconds).unwrap()
    }

    fn from(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn fail(failures: &Failures, address: &str, seconds: i64) -> Option<u64> {
        let wait = failures.note(from(address), at(seconds));
        wait.map(|wait| wait.as_secs())
    }

    #[test]
    fn a_few_are_forgiven_then_each_wait_is_twice_as_long() {
        let failures = Failures::new(3);
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..6 {
            for _ in 0..3 {
                assert_eq!(fail(&failures, "192.0.2.1", now), None);
            }
            let wait = fail(&failures, "192.0.2.1", now).unwrap();
            assert_eq!(fail(&failures, "192.0.2.1", now + 1), Some(wait - 1));
            waits.push(wait);
            now += i64::try_from(wait).unwrap();
        }
        assert_eq!(waits, [30, 60, 120, 240, 300, 300]);
        assert_eq!(fail(&failures, "192.0.2.1", now + 600), None);
    }

    #[test]
    fn what_was_counted_before_it_was_right_is_taken_back() {
        let failures = Failures::new(3);
        for _ in 0..50 {
            assert_eq!(fail(&failures, "192.0.2.1", 0), None);
            failures.take_back(from("192.0.2.1"));
        }
        failures.take_back(from("192.0.2.2"));
    }

    #[test]
    fn slow_failures_and_other_sources_are_let_be() {
        let failures = Failures::new(3);
        for minute in 0..50 {
            assert_eq!(fail(&failures, "192.0.2.1", minute * 30), None);
        }
        for _ in 0..4 {
            fail(&failures, "192.0.2.2", 0);
        }
        assert_eq!(fail(&failures, "192.0.2.3", 0), None);
        assert!(fail(&failures, "::ffff:192.0.2.2", 0).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_source() {
        let failures = Failures::new(3);
        let outcomes: Vec<_> = (1..=4)
            .map(|host| fail(&failures, &format!("2001:db8::{host}"), 0))
            .collect();
        assert_eq!(outcomes, [None, None, None, Some(30)]);
        assert_eq!(fail(&failures, "2001:db8:0:1::1", 0), None);
    }

    #[test]
    fn its_memory_is_bounded_and_a_flood_of_sources_locks_nobody_out() {
        let failures = Failures::new(1);
        for source in 0..SOURCES_MAX + 100 {
            let address = IpAddr::V4(u32::try_from(source).unwrap().into());
            failures.note(Some(address), at(0));
        }
        assert_eq!(failures.sources.lock().unwrap().len(), SOURCES_MAX);
        assert_eq!(fail(&failures, "203.0.113.1", 1), None);
        assert_eq!(fail(&failures, "203.0.113.1", 700), None);
        assert!(failures.sources.lock().unwrap().len() < 10);
    }
}
