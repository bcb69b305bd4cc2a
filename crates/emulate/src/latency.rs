//! How long answers took, in fixed memory however many there are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

/// Buckets per power of two: quantiles are right to about 6 %.
const STEPS: u32 = 8;
const BUCKETS: usize = 64 * STEPS as usize;

/// A histogram of durations with logarithmic buckets.
pub(crate) struct Histogram {
    buckets: Vec<AtomicU64>,
}

/// Quantiles of the answer times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the answers were at least this fast.
    pub p50_ms: f64,
    /// Nineteen in twenty.
    pub p95_ms: f64,
    /// Ninety-nine in a hundred.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Histogram {
    pub(crate) fn new() -> Histogram {
        Histogram {
            buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(crate) fn add(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_of(micros)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn latency(&self) -> Latency {
        let counts: Vec<u64> = self
            .buckets
            .iter()
            .map(|bucket| bucket.load(Ordering::Relaxed))
            .collect();
        let total: u64 = counts.iter().sum();
        let at = |per_mille: u64| {
            let wanted = (total * per_mille).div_ceil(1000).max(1);
            let mut seen = 0;
            let found = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            found.map_or(0.0, top_of_ms)
        };
        Latency {
            p50_ms: at(500),
            p95_ms: at(950),
            p99_ms: at(990),
            max_ms: at(1000),
        }
    }
}

fn bucket_of(micros: u64) -> usize {
    let value = micros.max(u64::from(STEPS));
    let power = value.ilog2();
    let step = (value >> (power - STEPS.ilog2())) - u64::from(STEPS);
    (power * STEPS) as usize + usize::try_from(step).unwrap_or(0)
}

/// The upper edge of a bucket, in milliseconds.
fn top_of_ms(bucket: usize) -> f64 {
    let (power, step) = (bucket / STEPS as usize, bucket % STEPS as usize);
    let width = 2f64.powi(i32::try_from(power).unwrap_or(0)) / f64::from(STEPS);
    let steps = f64::from(u32::try_from(step).unwrap_or(0) + STEPS + 1);
    width * steps / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Histogram;

    #[test]
    fn quantiles_are_near_the_truth() {
        let histogram = Histogram::new();
        for micros in 1..=10_000 {
            histogram.add(Duration::from_micros(micros));
        }
        let latency = histogram.latency();
        for (found, truth) in [
            (latency.p50_ms, 5.0),
            (latency.p95_ms, 9.5),
            (latency.p99_ms, 9.9),
            (latency.max_ms, 10.0),
        ] {
            assert!(
                found >= truth * 0.99 && found <= truth * 1.13,
                "{found} for {truth}"
            );
        }
    }

    #[test]
    fn nothing_measured_is_zero() {
        assert_eq!(Histogram::new().latency().max_ms, 0.0);
    }
}
