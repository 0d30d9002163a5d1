//! `[limits]`: how many calls are taken on, and for how long.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde::Deserialize;

use super::Check;

/// How many calls are taken on.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct LimitsSection {
    calls_per_second: u32,
    calls_burst: NonZeroU32,
    /// Calls that are open at one time.
    pub open_calls_max: NonZeroUsize,
    /// Calls that are open at one time, of one identity.
    pub open_calls_per_identity_max: NonZeroUsize,
    deadline_default_ms: NonZeroU32,
    deadline_max_ms: NonZeroU32,
}

/// How many calls one identity may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In the long run.
    pub calls_per_second: NonZeroU32,
    /// At once.
    pub burst: NonZeroU32,
}

impl LimitsSection {
    /// How many calls one identity may make; none is no limit.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        let calls_per_second = NonZeroU32::new(self.calls_per_second)?;
        Some(Rate { calls_per_second, burst: self.calls_burst })
    }

    /// The time limit of a unary call that comes without one.
    #[must_use]
    pub fn deadline_default(&self) -> Duration {
        Duration::from_millis(self.deadline_default_ms.get().into())
    }

    /// The longest time limit of a unary call.
    #[must_use]
    pub fn deadline_max(&self) -> Duration {
        Duration::from_millis(self.deadline_max_ms.get().into())
    }

    pub(super) fn check(&self, check: &mut Check) {
        let (default, max) = (self.deadline_default_ms, self.deadline_max_ms);
        let expected = "at most limits.deadline_max_ms";
        check.expect("limits.deadline_default_ms", default, default <= max, expected);
        let (one, all) = (self.open_calls_per_identity_max, self.open_calls_max);
        let expected = "at most limits.open_calls_max";
        check.expect("limits.open_calls_per_identity_max", one, one <= all, expected);
    }
}
