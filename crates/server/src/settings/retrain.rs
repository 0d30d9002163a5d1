//! `[retrain]`: when the service trains by itself.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

use super::{Check, Settings};
use crate::retrain::Pace;

/// Training while the service runs.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RetrainSection {
    /// Whether the service trains by itself.
    pub on: bool,
    quiet_ms: NonZeroU32,
    soon_ms: NonZeroU32,
    latest_ms: NonZeroU32,
    events_share: f64,
    pause_ms: NonZeroU32,
    pause_ratio: f64,
    retry_ms: NonZeroU32,
    retry_max_ms: NonZeroU32,
}

impl RetrainSection {
    /// As the schedule takes it.
    pub(crate) fn pace(&self) -> Pace {
        let time = |ms: NonZeroU32| Duration::from_millis(ms.get().into());
        Pace {
            quiet: time(self.quiet_ms),
            soon: time(self.soon_ms),
            latest: time(self.latest_ms),
            events_share: self.events_share,
            pause: time(self.pause_ms),
            pause_ratio: self.pause_ratio,
            retry: time(self.retry_ms),
            retry_max: time(self.retry_max_ms),
        }
    }

    pub(super) fn check(&self, check: &mut Check) {
        let mut at_most = |key, low: NonZeroU32, high: NonZeroU32, expected| {
            check.expect(key, low, low <= high, expected);
        };
        at_most("retrain.quiet_ms", self.quiet_ms, self.soon_ms, "at most retrain.soon_ms");
        at_most("retrain.soon_ms", self.soon_ms, self.latest_ms, "at most retrain.latest_ms");
        at_most(
            "retrain.retry_ms",
            self.retry_ms,
            self.retry_max_ms,
            "at most retrain.retry_max_ms",
        );
        let (share, ratio) = (self.events_share, self.pause_ratio);
        check.expect("retrain.events_share", share, (0.0..=1.0).contains(&share), "0 to 1");
        check.expect("retrain.pause_ratio", ratio, (0.0..=1000.0).contains(&ratio), "0 to 1000");
    }
}

impl Settings {
    /// These settings for a training beside others' work: one thread, and one connection to read.
    pub(crate) fn beside_others(&self) -> Self {
        let mut settings = self.clone();
        settings.train.threads = 1;
        settings.store.readers = NonZeroU32::MIN;
        settings
    }
}
