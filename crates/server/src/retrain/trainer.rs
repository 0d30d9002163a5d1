//! The trainer: one training at a time, on a thread of its own, of idle priority.
//!
//! Everything that a training needs is made on that thread, so that all of it inherits the priority,
//! and is gone when it ends: a pool of one thread, a runtime, and a store with one reader; or else a
//! process, which makes all that for itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::outcome::RetrainError;
use super::program::{Leash, TrainingProgram};
use crate::data_folder::DataFolder;
use crate::idle::{self, Priority};
use crate::progress::{Progress, Silent};
use crate::settings::Settings;
use crate::telemetry::metrics::TrainingFigures;
use crate::train::{Trained, train};

/// How long a process that was killed may take to be gone.
const KILLED_PATIENCE: Duration = Duration::from_secs(1);

/// Where a training is done.
#[derive(Clone, Debug)]
enum Place {
    /// Within this process.
    Here,
    /// In a process of this program.
    Program(TrainingProgram),
}

/// Trains beside everything else.
#[derive(Debug)]
pub(crate) struct Trainer {
    data: DataFolder,
    place: Place,
    /// Ends trainings here,
    cancelled: Arc<AtomicBool>,
    /// and those of a process.
    leash: Arc<Leash>,
    /// One permit, which a training holds until its thread ends.
    turn: Arc<Semaphore>,
    /// Whether it was said that trainings have another priority than they should.
    said: Arc<AtomicBool>,
}

impl Trainer {
    /// One for a data folder, which trains within this process.
    pub(crate) fn new(data: DataFolder) -> Self {
        let (cancelled, leash, said) = Default::default();
        let turn = Arc::new(Semaphore::new(1));
        Self { data, place: Place::Here, cancelled, leash, turn, said }
    }

    /// The same in a process of its own.
    pub(crate) fn by_program(data: DataFolder, program: TrainingProgram) -> Self {
        Self { place: Place::Program(program), ..Self::new(data) }
    }

    /// Trains, and waits for the end. A training that is not waited for goes on.
    pub(super) async fn train(
        &self,
        settings: &Settings,
        figures: &TrainingFigures,
    ) -> Result<Trained, RetrainError> {
        let turn = Arc::clone(&self.turn).try_acquire_owned().map_err(|_| RetrainError::AtWork)?;
        let (data, settings) = (self.data.clone(), settings.clone());
        let said = Arc::clone(&self.said);
        let tell = move |priority| {
            if priority != Priority::Idle && !said.swap(true, Ordering::Relaxed) {
                tracing::warn!(%priority, "this system has no idle priority to give: trainings take CPU time from calls");
            }
        };
        // The turn is given back when the thread ends, however that is.
        let trained = match self.place.clone() {
            Place::Here => {
                let cancelled = Arc::clone(&self.cancelled);
                idle::spawn("training", move |priority| {
                    let _turn = turn;
                    tell(priority);
                    train_here(&data, &settings, &cancelled)
                })?
            }
            Place::Program(program) => {
                let leash = Arc::clone(&self.leash);
                idle::spawn_usual("training", move || {
                    let _turn = turn;
                    program.train(&settings, &leash, tell)
                })?
            }
        };
        figures.begun();
        let trained = trained.await;
        figures.ended();
        trained.unwrap_or(Err(RetrainError::Panicked))
    }

    /// Has a training that is under way, and any later one, end soon.
    pub(crate) fn stop(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.leash.pull();
    }

    /// Waits until no training is under way, for so long at most; tells whether none was by then. A
    /// process that does not end by itself is killed.
    pub(crate) async fn finish(&self, patience: Duration) -> bool {
        if timeout(patience, self.turn.acquire()).await.is_ok() {
            return true;
        }
        self.leash.kill();
        // What is not gone by now goes by itself: killed, or with this process.
        let _ = timeout(KILLED_PATIENCE, self.turn.acquire()).await;
        false
    }
}

/// Trains on this thread, with a store that is opened from it, and with settings for who is not alone.
pub(super) fn train_here(
    data: &DataFolder,
    settings: &Settings,
    cancelled: &Arc<AtomicBool>,
) -> Result<Trained, RetrainError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let silent: Arc<dyn Progress> = Arc::new(Silent);
    let settings = &settings.beside_others();
    let trained = runtime.block_on(async {
        let models = data.models()?;
        let store = data.store(settings).await?;
        let trained = train(&store, &models, settings, &silent, cancelled).await;
        store.close().await;
        trained
    });
    Ok(trained?)
}
