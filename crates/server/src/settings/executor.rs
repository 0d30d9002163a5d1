//! `[executor]`: what the handlers run on.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde::Deserialize;

/// The executor of the handlers; see [`unstall::Settings`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutorSection {
    /// Workers that always stay; 0 takes one more than there are cores.
    workers: usize,
    pub(super) workers_max: NonZeroUsize,
    queue_len_max: NonZeroUsize,
    jobs_max: NonZeroUsize,
    slow_after_ms: NonZeroU32,
    report_after_ms: NonZeroU32,
}

impl ExecutorSection {
    /// The settings as the executor takes them.
    #[must_use]
    pub fn limits(&self) -> unstall::Settings {
        let machine = unstall::Settings::for_this_machine();
        unstall::Settings {
            workers: NonZeroUsize::new(self.workers).unwrap_or(machine.workers),
            workers_max: self.workers_max,
            queue_len_max: self.queue_len_max,
            jobs_max: self.jobs_max,
            slow_after: Duration::from_millis(self.slow_after_ms.get().into()),
            report_after: Duration::from_millis(self.report_after_ms.get().into()),
            ..machine
        }
    }
}
