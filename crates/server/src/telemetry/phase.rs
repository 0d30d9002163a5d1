//! Where a service is in its life: what its probes answer by.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where a service is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It loads what it serves.
    Starting = 0,
    /// It takes calls.
    Serving = 1,
    /// It lets open calls finish and takes no new ones.
    Stopping = 2,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Starting => "starting: books and model are being loaded",
            Self::Serving => "serving",
            Self::Stopping => "stopping: open calls may finish, new ones are for other servers",
        })
    }
}

/// Knows the phase; a clone is the same one. It only goes forward.
#[derive(Clone, Debug, Default)]
pub struct Phases(Arc<AtomicU8>);

impl Phases {
    /// The phase now.
    #[must_use]
    pub fn now(&self) -> Phase {
        match self.0.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Serving,
            _ => Phase::Stopping,
        }
    }

    /// Enters a phase, unless a later one was entered.
    pub fn enter(&self, phase: Phase) {
        self.0.fetch_max(phase as u8, Ordering::AcqRel);
    }
}
