//! How far a training is, told now and then to whoever asked for it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::progress::{Progress, Unit};

/// How often a stage is told that goes on.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// How far a training is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Stage {
    /// What is being done, in a few words; empty before anything is.
    pub(crate) name: String,
    /// How much of it is done.
    pub(crate) done: u64,
    /// How much there is to do, if that is known.
    pub(crate) total: Option<u64>,
}

/// Progress as stages: each is told when it begins, and then ten times a second at most.
pub(super) struct Stages<F> {
    tell: F,
    at: Mutex<At>,
}

#[derive(Default)]
struct At {
    stage: Stage,
    told: Option<Instant>,
}

impl<F: Fn(&Stage) + Send + Sync> Stages<F> {
    /// None yet; `tell` is called by one thread at a time.
    pub(super) fn new(tell: F) -> Self {
        Self { tell, at: Mutex::default() }
    }

    fn tell(&self, change: impl FnOnce(&mut At)) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut at);
        let now = Instant::now();
        if at.told.is_none_or(|told| now.duration_since(told) >= TELL_EVERY) {
            at.told = Some(now);
            (self.tell)(&at.stage);
        }
    }
}

impl<F: Fn(&Stage) + Send + Sync> Progress for Stages<F> {
    fn begin(&self, task: &str, total: Option<u64>, _unit: Unit) {
        let stage = Stage { name: task.to_owned(), done: 0, total };
        self.tell(|at| *at = At { stage, told: None });
    }

    fn at(&self, done: u64) {
        self.tell(|at| at.stage.done = done);
    }

    fn end(&self) {}
}
