//! The last stalls, each as it was reported last, for whoever looks after the log has gone by.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use unstall::{Stage, StallReport};

/// How many are kept.
pub const KEPT: usize = 64;

/// The last stalls. Only the reporting thread writes, and rarely.
#[derive(Debug, Default)]
pub struct RecentStalls(Mutex<VecDeque<Reported>>);

/// The last report of a stall, and when it was made.
#[derive(Clone, Debug)]
pub struct Reported {
    /// When.
    pub at: SystemTime,
    /// What.
    pub report: StallReport,
}

impl RecentStalls {
    /// Keeps a report: in place of the one before of the same stall, if there is one; the oldest may
    /// go for it otherwise.
    pub fn keep(&self, report: &StallReport) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = kept.iter().rposition(|before| goes_on(&before.report, report)) {
            kept.remove(before);
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Reported { at: SystemTime::now(), report: report.clone() });
    }

    /// All that are kept, the newest first.
    #[must_use]
    pub fn newest_first(&self) -> Vec<Reported> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().rev().cloned().collect()
    }
}

/// Whether a report is of the same stall as one before: a thread has one at a time.
fn goes_on(before: &StallReport, report: &StallReport) -> bool {
    report.stage != Stage::Begun
        && before.stage != Stage::Ended
        && (&before.thread, &before.method) == (&report.thread, &report.method)
}
