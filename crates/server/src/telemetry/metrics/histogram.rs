//! Times in buckets, without a lock.
//!
//! prometheus-client's own histogram takes a mutex for each observation; this one adds to two
//! relaxed counters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets in microseconds: 100 µs to 10 s, two or three a decade.
const BOUNDS_US: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// How often times were within each bound.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    nanos: AtomicU64,
}

impl Histogram {
    /// Counts a time.
    pub(crate) fn observe(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let place = BOUNDS_US.partition_point(|bound| bound * 1_000 < nanos);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| count.load(Ordering::Relaxed) == 0)
    }

    /// The sum in seconds, the count, and the count within each bound and not within the one
    /// before.
    pub(crate) fn read(&self) -> (f64, u64, Vec<(f64, u64)>) {
        let bounds = BOUNDS_US.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]);
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let seconds = self.nanos.load(Ordering::Relaxed) as f64 / 1e9;
        (seconds, buckets.iter().map(|(_, count)| count).sum(), buckets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(time: Duration, bound: f64) {
        let histogram = Histogram::default();
        assert!(histogram.is_empty());
        histogram.observe(time);
        let (seconds, count, buckets) = histogram.read();
        assert_eq!((seconds, count), (time.as_secs_f64(), 1));
        assert_eq!(buckets.iter().find(|(_, count)| *count == 1).unwrap().0, bound, "{time:?}");
    }

    #[test]
    fn a_time_counts_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        check(Duration::ZERO, 0.0001);
        check(Duration::from_micros(100), 0.0001);
        check(Duration::from_nanos(100_001), 0.00025);
        check(Duration::from_secs(10), 10.0);
        check(Duration::from_secs(11), f64::INFINITY);
    }
}
