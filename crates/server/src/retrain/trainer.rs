//! The trainer: one training at a time, on a thread of its own, of idle priority.
//!
//! Everything that a training needs is made on that thread, so that all threads of it inherit the
//! priority, and is gone when it ends: a pool of one thread, a runtime, and a store with one reader.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use storage::ModelFolderError;
use tokio::runtime;
use tokio::sync::Semaphore;

use super::schedule::Ended;
use crate::data_folder::DataFolder;
use crate::idle::{self, Priority};
use crate::progress::{Progress, Silent};
use crate::settings::Settings;
use crate::telemetry::metrics::TrainingFigures;
use crate::train::{TrainError, Trained, train};

/// Why there is no new model.
#[derive(Debug, thiserror::Error)]
pub(super) enum RetrainError {
    /// The training says why.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// There is no thread, or no runtime, to be had.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
    /// It panicked, and the log has the panic.
    #[error("the training panicked")]
    Panicked,
    /// The one before has not ended yet.
    #[error("a training is being stopped")]
    AtWork,
}

impl RetrainError {
    /// What it is to the schedule.
    pub(super) fn ended(&self) -> Ended {
        match self {
            Self::Train(TrainError::NoInteractions { .. }) => Ended::NothingToLearn,
            // One that was told to stop is of a service that stops.
            Self::Train(
                TrainError::Elsewhere
                | TrainError::Cancelled
                | TrainError::Models(ModelFolderError::Locked { .. }),
            )
            | Self::AtWork => Ended::Busy,
            Self::Train(_) | Self::Thread(_) | Self::Panicked => Ended::Failed,
        }
    }
}

/// Trains beside everything else.
#[derive(Debug)]
pub(crate) struct Trainer {
    data: DataFolder,
    cancelled: Arc<AtomicBool>,
    /// One permit, which a training holds until its thread ends.
    turn: Arc<Semaphore>,
    /// Whether it was said that trainings have another priority than they should.
    said: Arc<AtomicBool>,
}

impl Trainer {
    /// One for a data folder.
    pub(crate) fn new(data: DataFolder) -> Self {
        let turn = Arc::new(Semaphore::new(1));
        Self { data, cancelled: Arc::default(), turn, said: Arc::default() }
    }

    /// Trains, and waits for the end. A training that is not waited for goes on.
    pub(super) async fn train(
        &self,
        settings: &Settings,
        figures: &TrainingFigures,
    ) -> Result<Trained, RetrainError> {
        let turn = Arc::clone(&self.turn).try_acquire_owned().map_err(|_| RetrainError::AtWork)?;
        let (data, settings) = (self.data.clone(), settings.beside_others());
        let (cancelled, said) = (Arc::clone(&self.cancelled), Arc::clone(&self.said));
        let trained = idle::spawn("training", move |priority| {
            // It is given back when the thread ends, however that is.
            let _turn = turn;
            if priority != Priority::Idle && !said.swap(true, Ordering::Relaxed) {
                tracing::warn!(%priority, "this system has no idle priority to give: trainings take CPU time from calls");
            }
            train_here(&data, &settings, &cancelled)
        })?;
        figures.begun();
        let trained = trained.await;
        figures.ended();
        trained.unwrap_or(Err(RetrainError::Panicked))
    }

    /// Has a training that is under way, and any later one, end soon.
    pub(crate) fn stop(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Waits until no training is under way, for so long at most; tells whether none is.
    pub(crate) async fn finish(&self, patience: Duration) -> bool {
        tokio::time::timeout(patience, self.turn.acquire()).await.is_ok()
    }
}

/// Trains on this thread, with a store that is opened from it.
fn train_here(
    data: &DataFolder,
    settings: &Settings,
    cancelled: &Arc<AtomicBool>,
) -> Result<Trained, RetrainError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let silent: Arc<dyn Progress> = Arc::new(Silent);
    let trained = runtime.block_on(async {
        let models = data.models()?;
        let store = data.store(settings).await?;
        let trained = train(&store, &models, settings, &silent, cancelled).await;
        store.close().await;
        trained
    });
    Ok(trained?)
}
