//! Whether the store can be reached, as whoever follows it finds.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What is known of other replicas' commits may be this old.
const BEHIND_AT_MOST: Duration = Duration::from_secs(1);

/// When the store was last looked at, and whether it can be.
#[derive(Debug)]
pub(crate) struct Reach {
    origin: Instant,
    /// Milliseconds from the origin to the beginning of the last look that succeeded.
    looked_ms: AtomicU64,
    is_followed: AtomicBool,
    is_away: AtomicBool,
}

/// Whether a look changed what is known of the store's reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReachChange {
    /// It is as it was.
    No,
    /// The store could be reached before and cannot any more, or the other way round.
    Yes,
}

impl Reach {
    pub(super) fn new() -> Self {
        Self {
            origin: Instant::now(),
            looked_ms: AtomicU64::new(0),
            is_followed: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
        }
    }

    /// A look that began then has succeeded.
    pub(super) fn found(&self, began: Instant) -> ReachChange {
        let looked = began.saturating_duration_since(self.origin).as_millis();
        self.looked_ms.store(u64::try_from(looked).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.is_followed.store(true, Ordering::Relaxed);
        self.note(false)
    }

    /// A look has failed.
    pub(super) fn missed(&self) -> ReachChange {
        self.note(true)
    }

    fn note(&self, is_away: bool) -> ReachChange {
        match self.is_away.swap(is_away, Ordering::Relaxed) == is_away {
            true => ReachChange::No,
            false => ReachChange::Yes,
        }
    }

    /// Whether the last look at the store failed.
    pub(crate) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// How long ago the last look that succeeded began; zero if nobody looks.
    pub(crate) fn lag(&self) -> Duration {
        if !self.is_followed.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let looked = Duration::from_millis(self.looked_ms.load(Ordering::Relaxed));
        self.origin.elapsed().saturating_sub(looked)
    }

    /// Whether what is in memory may be behind what others acknowledged a second ago.
    pub(super) fn is_stale(&self) -> bool {
        self.is_away() || self.lag() > BEHIND_AT_MOST
    }
}
