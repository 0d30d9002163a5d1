//! An observer that keeps all reports, with the time at which they came.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use unstall::{Observer, Stage, StallReport};

/// Reports that came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<Seen>>>);

/// A report and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) report: StallReport,
}

impl Recorder {
    /// All reports so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reports of stalls of a method that had begun.
    pub(crate) fn begun(&self, method: &str) -> Vec<Seen> {
        let of_method =
            |seen: &Seen| seen.report.stage == Stage::Begun && seen.report.method.ends_with(method);
        self.seen().into_iter().filter(of_method).collect()
    }
}

impl Observer for Recorder {
    fn report(&self, report: &StallReport) {
        let seen = Seen { at: Instant::now(), report: report.clone() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }
}
