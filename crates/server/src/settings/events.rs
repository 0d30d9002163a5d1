//! `[events]`: how events get into the store.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

use super::Check;

/// The most entries of one request; the contract says so.
pub const REQUEST_ENTRIES_MAX: usize = 1000;

/// The most of each kind of entries that may be set: each takes up to a kilobyte.
const ENTRIES_MAX: u32 = 1_000_000;

/// How events get into the store.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsSection {
    queue_entries_max: NonZeroU32,
    group_entries_max: NonZeroU32,
    stream_entries_max: NonZeroU32,
    waiting_entries_max: NonZeroU32,
    wait_timeout_ms: NonZeroU32,
    write_timeout_ms: NonZeroU32,
    future_seconds_max: u32,
    late_days_max: NonZeroU32,
    impressions_max: u64,
}

impl EventsSection {
    /// How many entries may wait.
    #[must_use]
    pub fn queue_entries_max(&self) -> usize {
        self.queue_entries_max.get() as usize
    }

    /// How many entries are written together, unless one request has more.
    #[must_use]
    pub fn group_entries_max(&self) -> usize {
        self.group_entries_max.get() as usize
    }

    /// How many entries of one stream may be on their way.
    #[must_use]
    pub fn stream_entries_max(&self) -> usize {
        self.stream_entries_max.get() as usize
    }

    /// How many entries of streams may wait for room where those that wait to be written are.
    #[must_use]
    pub fn waiting_entries_max(&self) -> usize {
        self.waiting_entries_max.get() as usize
    }

    /// How long they may.
    #[must_use]
    pub fn wait_timeout(&self) -> Duration {
        Duration::from_millis(self.wait_timeout_ms.get().into())
    }

    /// How long writing may take.
    #[must_use]
    pub fn write_timeout(&self) -> Duration {
        Duration::from_millis(self.write_timeout_ms.get().into())
    }

    /// How far in the future an event may be, in milliseconds.
    #[must_use]
    pub fn future_ms_max(&self) -> i64 {
        i64::from(self.future_seconds_max) * 1000
    }

    /// How far in the past an event may be, in milliseconds.
    #[must_use]
    pub fn late_ms_max(&self) -> i64 {
        i64::from(self.late_days_max.get()) * 86_400_000
    }

    /// How many impressions are kept.
    #[must_use]
    pub fn impressions_max(&self) -> u64 {
        self.impressions_max
    }

    pub(super) fn check(&self, check: &mut Check) {
        // Three quarters of the queue, which streams may have, hold any request of one.
        let least = REQUEST_ENTRIES_MAX as u32;
        for (key, entries, least) in [
            ("events.queue_entries_max", self.queue_entries_max, 2 * least),
            ("events.waiting_entries_max", self.waiting_entries_max, least),
        ] {
            let fits = (least..=ENTRIES_MAX).contains(&entries.get());
            check.expect(key, entries, fits, format!("{least} to {ENTRIES_MAX}"));
        }
        for (key, entries) in [
            ("events.group_entries_max", self.group_entries_max),
            ("events.stream_entries_max", self.stream_entries_max),
        ] {
            check.expect(key, entries, entries.get() <= ENTRIES_MAX, "1 to 1000000");
        }
        let days = self.late_days_max;
        check.expect("events.late_days_max", days, days.get() <= 366_000, "1 to 366000");
        let seconds = self.future_seconds_max;
        check.expect("events.future_seconds_max", seconds, seconds <= 86_400, "0 to 86400");
        let kept = self.impressions_max;
        check.expect("events.impressions_max", kept, kept <= 1_000_000_000, "0 to 1000000000");
    }
}
