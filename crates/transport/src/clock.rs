//! A coarse clock for limits of time: as fine as the sweep that looks at them.
//!
//! Requests note several moments each, and reading the real clock for each of them was measured
//! to be a few percent of a small call. Only a sweep ever compares these moments with a limit, so
//! the sweep sets the clock, and everybody else reads one word.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When the first server of this process began to count.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Milliseconds since then at the last tick, from 1 on, so that 0 can stand for "not".
static NOW: AtomicU64 = AtomicU64::new(1);

/// Sets the clock. Called before each sweep.
pub(crate) fn tick() -> u64 {
    let now = millis(START.elapsed()) + 1;
    NOW.fetch_max(now, Ordering::Relaxed).max(now)
}

/// The time of the last tick.
pub(crate) fn now() -> u64 {
    NOW.load(Ordering::Relaxed)
}

/// A duration as the clock counts it, rounded up: no limit becomes zero.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Since when something is so; or that it is not.
#[derive(Debug, Default)]
pub(crate) struct Since(AtomicU64);

impl Since {
    /// It is so from now on, unless it was already.
    pub(crate) fn begin(&self) {
        if self.0.load(Ordering::Relaxed) == 0 {
            self.0.store(now(), Ordering::Relaxed);
        }
    }

    /// It begins anew.
    pub(crate) fn begin_again(&self) {
        self.0.store(now(), Ordering::Relaxed);
    }

    /// It is not so.
    pub(crate) fn end(&self) {
        // Most of the time there is nothing to end, and a load is cheaper than a store.
        if self.0.load(Ordering::Relaxed) != 0 {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    /// Whether it is so.
    pub(crate) fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Whether it is so, and for how many milliseconds.
    pub(crate) fn lasts(&self, now: u64) -> Option<u64> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            since => Some(now.saturating_sub(since)),
        }
    }
}
