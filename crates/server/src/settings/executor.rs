//! `[executor]`: what the handlers run on.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde::Deserialize;

use super::Check;

/// The most workers that can be asked for.
const WORKERS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not zero");

/// The renewal holds a job for good, and so does each open stream while it lasts: with fewer
/// than these the service would start and answer nobody.
const JOBS_MAX_AT_LEAST: usize = 16;

/// The executor of the handlers; see [`unstall::Settings`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecutorSection {
    /// Workers that always stay; 0 takes one more than there are cores.
    workers: usize,
    /// Workers at most; 0 goes by the machine.
    workers_max: usize,
    queue_len_max: NonZeroUsize,
    jobs_max: NonZeroUsize,
    slow_after_ms: NonZeroU32,
    report_after_ms: NonZeroU32,
}

impl ExecutorSection {
    /// The settings as the executor takes them.
    #[must_use]
    pub fn settings(&self) -> unstall::Settings {
        let machine = unstall::Settings::for_this_machine();
        let workers_max = machine.workers_max.min(WORKERS_MAX);
        unstall::Settings {
            workers: NonZeroUsize::new(self.workers).unwrap_or(machine.workers),
            workers_max: NonZeroUsize::new(self.workers_max).unwrap_or(workers_max),
            queue_len_max: self.queue_len_max,
            jobs_max: self.jobs_max,
            slow_after: Duration::from_millis(self.slow_after_ms.get().into()),
            report_after: Duration::from_millis(self.report_after_ms.get().into()),
            ..machine
        }
    }

    pub(super) fn check(&self, check: &mut Check) {
        let unstall::Settings { workers, workers_max, .. } = self.settings();
        let expected = format!(
            "more than executor.workers, which is {workers} here, and at most {WORKERS_MAX}"
        );
        let enough = workers_max > workers && workers_max <= WORKERS_MAX;
        check.expect("executor.workers_max", workers_max, enough, expected);
        let enough = self.jobs_max.get() >= JOBS_MAX_AT_LEAST;
        let expected = format!("at least {JOBS_MAX_AT_LEAST}");
        check.expect("executor.jobs_max", self.jobs_max, enough, expected);
    }
}
