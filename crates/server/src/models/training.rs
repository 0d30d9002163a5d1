//! A training that somebody asked for: beside everything else, and no longer than they wait.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use storage::{ModelFolder, Store};
use tokio::runtime;
use tokio::sync::oneshot;

use crate::idle;
use crate::progress::{Progress, Unit};
use crate::settings::Settings;
use crate::train::{TrainError, Trained, train};

/// A training under way; dropping it stops it.
#[derive(Debug)]
pub(crate) struct Training {
    /// What comes of it; an error if it panicked.
    pub(crate) ended: oneshot::Receiver<Result<Trained, TrainError>>,
    stages: Arc<Stages>,
    cancelled: Arc<AtomicBool>,
}

/// How far a training is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stage {
    /// What is being done, in a few words.
    pub(crate) name: String,
    /// How much of it is done.
    pub(crate) done: u64,
    /// How much there is to do, if that is known.
    pub(crate) total: Option<u64>,
}

/// The stage that a training is at.
#[derive(Debug, Default)]
struct Stages(Mutex<Stage>);

impl Stages {
    fn change(&self, change: impl FnOnce(&mut Stage)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Progress for Stages {
    fn begin(&self, task: &str, total: Option<u64>, _unit: Unit) {
        self.change(|stage| *stage = Stage { name: task.to_owned(), done: 0, total });
    }

    fn at(&self, done: u64) {
        self.change(|stage| stage.done = done);
    }

    fn end(&self) {}
}

impl Training {
    /// Begins to train on all events, on a thread that takes what nobody else wants of the CPU.
    ///
    /// # Errors
    ///
    /// If there is no thread, or no runtime, to be had.
    pub(crate) fn begin(
        store: Store,
        models: ModelFolder,
        settings: &Settings,
    ) -> io::Result<Self> {
        let (stages, cancelled) = (Arc::<Stages>::default(), Arc::<AtomicBool>::default());
        let progress: Arc<dyn Progress> = Arc::clone(&stages) as _;
        let (settings, stop) = (settings.beside_others(), Arc::clone(&cancelled));
        // So that its threads inherit the priority.
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let ended = idle::spawn("training", move |_priority| {
            runtime.block_on(train(&store, &models, &settings, &progress, &stop))
        })?;
        Ok(Self { ended, stages, cancelled })
    }

    /// How far it is.
    pub(crate) fn stage(&self) -> Stage {
        self.stages.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}
