//! Watching long work: how far it is, and whether it should stop.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The steps of a fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Counting which items go together.
    Gram,
    /// Solving one small system an item.
    Solve,
    /// Finding what many users' tastes have in common; counted in iterations.
    LowPass,
    /// Describing one cold item after the other by known ones.
    Content,
}

impl Stage {
    /// What it does, in a few words for a progress bar.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gram => "counting which books go together",
            Self::Solve => "solving for the weights",
            Self::LowPass => "finding common tastes",
            Self::Content => "placing new books among known ones",
        }
    }
}

/// The caller's eye on a fit: told of progress, asked whether to go on.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Stops the fit soon after it becomes true.
    pub cancelled: &'a AtomicBool,
    /// Called with the stage, the items done so far and all items; from any thread, about 100 times a stage.
    pub progress: &'a (dyn Fn(Stage, usize, usize) + Sync),
}

/// The fit was told to stop; nothing was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

static NEVER: AtomicBool = AtomicBool::new(false);

impl Watch<'static> {
    /// Never stops, tells nobody.
    pub const IGNORE: Self = Self { cancelled: &NEVER, progress: &|_, _, _| {} };
}

impl<'a> Watch<'a> {
    /// Whether to go on, between steps.
    pub(crate) fn check(&self) -> Result<(), Cancelled> {
        if self.cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }

    pub(crate) fn stage(&self, stage: Stage, total: usize) -> StageProgress<'a> {
        (self.progress)(stage, 0, total);
        StageProgress { watch: *self, stage, total, done: AtomicUsize::new(0) }
    }
}

/// The progress of one stage, shared by its threads.
pub(crate) struct StageProgress<'a> {
    watch: Watch<'a>,
    stage: Stage,
    total: usize,
    done: AtomicUsize,
}

impl StageProgress<'_> {
    /// Notes that one more item is done.
    pub(crate) fn step(&self) -> Result<(), Cancelled> {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let every = (self.total / 100).max(1);
        if done.is_multiple_of(every) || done == self.total {
            (self.watch.progress)(self.stage, done, self.total);
        }
        self.watch.check()
    }
}
