//! So many a second and no more, where strangers decide how often something happens.
//!
//! The seconds are those since the start, so that twice as many may come around the turn of one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Admits so many in each second, and counts the others. Takes no lock.
#[derive(Debug)]
pub(crate) struct PerSecond {
    most: u32,
    started: Instant,
    /// The second that was last asked in, above 32 bits of how many were admitted in it.
    window: AtomicU64,
    refused: AtomicU64,
    told: AtomicU64,
}

impl PerSecond {
    pub(crate) fn new(most: u32) -> Self {
        let zero = || AtomicU64::new(0);
        Self { most, started: Instant::now(), window: zero(), refused: zero(), told: zero() }
    }

    /// Whether one more may be now.
    pub(crate) fn admits(&self) -> bool {
        self.admits_at(self.started.elapsed())
    }

    fn admits_at(&self, now: Duration) -> bool {
        let second = now.as_secs().min(u64::from(u32::MAX));
        let admitted = self.window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |window| {
            let (begun, count) = (window >> 32, window & u64::from(u32::MAX));
            // Who looked at the clock a moment before another counts in the other's second.
            let (begun, count) = if second > begun { (second, 0) } else { (begun, count) };
            (count < u64::from(self.most)).then_some(begun << 32 | (count + 1))
        });
        if admitted.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        admitted.is_ok()
    }

    /// How many were not admitted, ever.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// How many were not admitted since this was last asked. Above 0 once a second at most, if it
    /// is asked by those who are admitted.
    pub(crate) fn newly_refused(&self) -> u64 {
        let refused = self.refused();
        refused.saturating_sub(self.told.swap(refused, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_admits_so_many_and_the_others_are_counted() {
        let two = PerSecond::new(2);
        let check = |millis: u64, expected: bool| {
            assert_eq!(two.admits_at(Duration::from_millis(millis)), expected, "{millis}");
        };
        check(0, true);
        check(900, true);
        check(999, false);
        check(1000, true);
        assert_eq!((two.newly_refused(), two.newly_refused()), (1, 0));
        // A clock that was read before the turn.
        check(999, true);
        check(1001, false);
        check(5000, true);
        check(5001, true);
        check(5002, false);
        assert_eq!((two.refused(), two.newly_refused()), (3, 2));
    }
}
