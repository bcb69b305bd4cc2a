//! How much one connector may ask: requests in a second, and requests at once. One connector's
//! runaway must not be another's outage.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use directory::{ConnectorId, CredentialSettings};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{IN_FLIGHT_WAIT, Limits};

/// Requests in a second and at once before the average counts; none for no limit.
type Rate = Option<(NonZeroU32, NonZeroU32)>;

struct Lane {
    rate: Rate,
    limiter: Option<DefaultDirectRateLimiter>,
    turns: Arc<Semaphore>,
}

/// The right to be worked on; given back when it is dropped.
pub(crate) struct Turn(#[allow(dead_code, reason = "it is held, not read")] OwnedSemaphorePermit);

/// Why a request has to come later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Later {
    /// Too many in too short a time; may come again after this many seconds.
    TooMany(u64),
    /// Too many at once, and none of them ended in time.
    TooManyAtOnce,
}

/// The lanes of all connectors that asked anything since the start.
pub(crate) struct Traffic {
    rate: u32,
    burst: u32,
    in_flight: usize,
    patience: Duration,
    lanes: Mutex<HashMap<ConnectorId, Arc<Lane>>>,
    clock: DefaultClock,
}

impl Traffic {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            rate: limits.scim_rate,
            burst: limits.scim_burst,
            in_flight: limits.scim_in_flight,
            patience: IN_FLIGHT_WAIT,
            lanes: Mutex::default(),
            clock: DefaultClock::default(),
        }
    }

    /// Lets a request of a connector in, at once or after a short wait.
    pub(crate) async fn enter(
        &self,
        connector: ConnectorId,
        settings: &CredentialSettings,
    ) -> Result<Turn, Later> {
        let lane = self.lane(connector, settings);
        self.count(&lane)?;
        let turns = Arc::clone(&lane.turns);
        if let Ok(turn) = Arc::clone(&turns).try_acquire_owned() {
            return Ok(Turn(turn));
        }
        match tokio::time::timeout(self.patience, turns.acquire_owned()).await {
            Ok(Ok(turn)) => Ok(Turn(turn)),
            _ => Err(Later::TooManyAtOnce),
        }
    }

    /// Counts a request of a connector that is over at once.
    pub(crate) fn pass(
        &self,
        connector: ConnectorId,
        settings: &CredentialSettings,
    ) -> Result<(), Later> {
        self.count(&self.lane(connector, settings))
    }

    fn count(&self, lane: &Lane) -> Result<(), Later> {
        let Some(limiter) = &lane.limiter else {
            return Ok(());
        };
        limiter.check().map_err(|later| {
            let wait = later.wait_time_from(self.clock.now());
            Later::TooMany(whole_seconds(wait))
        })
    }

    fn lane(&self, connector: ConnectorId, settings: &CredentialSettings) -> Arc<Lane> {
        let rate = self.rate_of(settings);
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(&connector)
            && lane.rate == rate
        {
            return Arc::clone(lane);
        }
        let turns = match lanes.get(&connector) {
            Some(before) => Arc::clone(&before.turns),
            None => Arc::new(Semaphore::new(self.in_flight)),
        };
        let lane = Arc::new(Lane {
            rate,
            limiter: rate.map(|(rate, burst)| {
                RateLimiter::direct(Quota::per_second(rate).allow_burst(burst))
            }),
            turns,
        });
        lanes.insert(connector, Arc::clone(&lane));
        lane
    }

    fn rate_of(&self, settings: &CredentialSettings) -> Rate {
        let rate = NonZeroU32::new(settings.rate.unwrap_or(self.rate))?;
        let burst = NonZeroU32::new(settings.burst.unwrap_or(self.burst))?;
        Some((rate, burst.max(rate)))
    }
}

/// `Retry-After` knows no fractions: rounded up, and never "at once".
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ConnectorId = ConnectorId(1);
    const OTHER: ConnectorId = ConnectorId(2);

    fn traffic(rate: u32, burst: u32, in_flight: usize) -> Traffic {
        Traffic::new(&Limits {
            scim_rate: rate,
            scim_burst: burst,
            scim_in_flight: in_flight,
            ..Limits::default()
        })
    }

    fn settings() -> CredentialSettings {
        CredentialSettings::default()
    }

    #[tokio::test]
    async fn a_burst_passes_then_the_rate_counts_for_each_connector_alone() {
        let traffic = traffic(25, 30, 100);
        for _ in 0..30 {
            assert_eq!(traffic.pass(ONE, &settings()), Ok(()));
        }
        let refused = (0..5).find_map(|_| traffic.pass(ONE, &settings()).err());
        assert_eq!(refused, Some(Later::TooMany(1)));
        assert_eq!(traffic.pass(OTHER, &settings()), Ok(()));
    }

    #[tokio::test]
    async fn a_connector_can_have_its_own_rate_and_zero_is_no_limit() {
        let unlimited = traffic(0, 0, 100);
        for _ in 0..10_000 {
            assert_eq!(unlimited.pass(ONE, &settings()), Ok(()));
        }
        let own = CredentialSettings {
            rate: Some(25),
            burst: Some(25),
            ..settings()
        };
        let limited = traffic(1_000, 1_000, 100);
        let passed = (0..500).filter(|_| limited.pass(ONE, &own).is_ok()).count();
        assert!((25..200).contains(&passed), "{passed}");
    }

    #[tokio::test]
    async fn whoever_finds_no_turn_waits_a_while() {
        let impatient = Traffic {
            patience: Duration::from_millis(20),
            ..traffic(0, 0, 2)
        };
        let first = impatient.enter(ONE, &settings()).await.unwrap();
        let _second = impatient.enter(ONE, &settings()).await.unwrap();
        let _others = impatient.enter(OTHER, &settings()).await.unwrap();
        let refused = impatient.enter(ONE, &settings()).await;
        assert_eq!(refused.err(), Some(Later::TooManyAtOnce));
        drop(first);
        assert!(impatient.enter(ONE, &settings()).await.is_ok());

        let patient = Arc::new(traffic(0, 0, 1));
        let first = patient.enter(ONE, &settings()).await.unwrap();
        let waiting = Arc::clone(&patient);
        let waiter = tokio::spawn(async move { waiting.enter(ONE, &settings()).await.is_ok() });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!waiter.is_finished());
        drop(first);
        assert!(waiter.await.unwrap());
    }

    #[test]
    fn seconds_are_whole_and_never_none() {
        for (millis, seconds) in [(0, 1), (1, 1), (999, 1), (1_000, 1), (1_001, 2)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
    }
}
