//! The last reports of stalls, for whoever looks after the log has gone by.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use unstall::StallReport;

/// How many are kept.
pub const KEPT: usize = 64;

/// The last reports of stalls. Only the reporting thread writes, and rarely.
#[derive(Debug, Default)]
pub struct RecentStalls(Mutex<VecDeque<Reported>>);

/// A report, and when it was made.
#[derive(Clone, Debug)]
pub struct Reported {
    /// When.
    pub at: SystemTime,
    /// What.
    pub report: StallReport,
}

impl RecentStalls {
    /// Keeps a report; the oldest may go for it.
    pub fn keep(&self, report: &StallReport) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
