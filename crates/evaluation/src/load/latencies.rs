//! Latencies in an `HdrHistogram`: three digits of each, up to ten minutes.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::load::plan::DEADLINE_MAX;

/// Significant digits: an error of at most 0.1 %.
const DIGITS: u8 = 3;

/// Many durations, each with three significant digits. About 250 kB.
///
/// ```
/// use std::time::Duration;
/// use evaluation::load::Latencies;
///
/// let mut latencies = Latencies::new();
/// for ms in 1..=100 {
///     latencies.record(Duration::from_millis(ms));
/// }
/// assert_eq!(latencies.percentile(50.0).as_millis(), 50);
/// assert_eq!(latencies.count_over(Duration::from_millis(95)), 5);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl Latencies {
    /// None yet.
    #[expect(clippy::missing_panics_doc, reason = "constants are in bounds or they are not")]
    #[must_use]
    pub fn new() -> Self {
        let nanoseconds_max = u64::try_from(DEADLINE_MAX.as_nanos()).unwrap_or(u64::MAX);
        let histogram = Histogram::new_with_max(nanoseconds_max, DIGITS);
        Self(histogram.expect("ten minutes and three digits are in bounds"))
    }

    /// Adds one; what is longer than ten minutes counts as ten minutes.
    pub fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Self) {
        // Fails only for a histogram with other bounds, and all have the same.
        let _ = self.0.add(&other.0);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// How many are longer than this, to three digits.
    #[must_use]
    pub fn count_over(&self, latency: Duration) -> u64 {
        let from = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.0.count_between(self.0.next_non_equivalent(from), u64::MAX)
    }

    /// The latency that this share of them, in percent, does not exceed; 0 if there are none.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(percent / 100.0))
    }

    /// The figures of a report.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let us = |percent: f64| self.percentile(percent).as_nanos() as f64 / 1e3;
        Summary {
            p50_us: us(50.0),
            p90_us: us(90.0),
            p99_us: us(99.0),
            p999_us: us(99.9),
            max_us: us(100.0),
            mean_us: self.0.mean() / 1e3,
        }
    }
}

/// Figures of many latencies, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Median.
    pub p50_us: f64,
    /// 90 % are at most this.
    pub p90_us: f64,
    /// 99 % are at most this.
    pub p99_us: f64,
    /// 99.9 % are at most this.
    pub p999_us: f64,
    /// The longest.
    pub max_us: f64,
    /// Mean.
    pub mean_us: f64,
}

impl Summary {
    /// This, less another's same figures; never below 0.
    #[must_use]
    pub fn less(&self, other: &Self) -> Self {
        self.with(other, |a, b| (a - b).max(0.0))
    }

    /// Each figure of this and of the other, joined.
    fn with(&self, other: &Self, join: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            p50_us: join(self.p50_us, other.p50_us),
            p90_us: join(self.p90_us, other.p90_us),
            p99_us: join(self.p99_us, other.p99_us),
            p999_us: join(self.p999_us, other.p999_us),
            max_us: join(self.max_us, other.max_us),
            mean_us: join(self.mean_us, other.mean_us),
        }
    }
}
