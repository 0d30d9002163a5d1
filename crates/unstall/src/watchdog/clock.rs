//! The watchdog's time, which stands still while the watchdog does.
//!
//! On a starved host, under a CPU quota or after `SIGSTOP` the watchdog wakes late, and the
//! time that passed says nothing about the workers: they had no CPU either. So thresholds are
//! held against *observed* time, to which a look adds at most twice the planned interval.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Clock {
    last: Instant,
    observed: Duration,
    step: Duration,
    late: Duration,
}

impl Clock {
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now, observed: Duration::ZERO, step: Duration::ZERO, late: Duration::ZERO }
    }

    /// The moment of this look.
    pub(super) fn now(&self) -> Instant {
        self.last
    }

    /// Observed time up to this look.
    pub(super) fn observed(&self) -> Duration {
        self.observed
    }

    /// Observed time since the look before.
    pub(super) fn step(&self) -> Duration {
        self.step
    }

    /// How late all looks together have been. A thread that had a CPU no sooner than the
    /// watchdog may have lost as much.
    pub(super) fn late(&self) -> Duration {
        self.late
    }

    /// When the next look is due.
    pub(super) fn due(&self, interval: Duration) -> Instant {
        self.last + interval
    }

    /// Goes on after a sleep that was meant.
    pub(super) fn restart(&mut self, now: Instant) {
        self.last = now;
        self.step = Duration::ZERO;
    }

    /// Goes on after a wait for `interval`; returns how much longer it was.
    pub(super) fn tick(&mut self, now: Instant, interval: Duration) -> Duration {
        let passed = now.saturating_duration_since(self.last);
        self.last = now;
        self.step = passed.min(interval * 2);
        self.observed += self.step;
        let lag = passed.saturating_sub(interval);
        self.late += lag;
        lag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn observed_time_leaves_out_what_the_watchdog_slept_through() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        assert_eq!(clock.tick(start + MS * 5, MS * 5), Duration::ZERO);
        assert_eq!(clock.tick(start + MS * 10_011, MS * 5), MS * 10_001);
        assert_eq!(clock.observed(), MS * 15);
        assert_eq!(clock.late(), MS * 10_001);
    }

    #[test]
    fn a_meant_sleep_counts_for_nothing() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        clock.restart(start + MS * 60_000);
        assert_eq!(clock.tick(start + MS * 60_005, MS * 5), Duration::ZERO);
        assert_eq!(clock.observed(), MS * 5);
    }
}
