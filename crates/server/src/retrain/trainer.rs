//! The trainer: one training at a time, whoever wants it, on a thread of its own, of idle priority.
//!
//! Everything that a training needs is made on that thread, so that all of it inherits the priority,
//! and is gone when it ends: a pool of one thread, a runtime, and a store with one reader; or else a
//! process, which makes all that for itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::timeout;

use super::leash::Leash;
use super::outcome::RetrainError;
use super::program::TrainingProgram;
use super::schedule::Ended;
use super::stage::{Stage, Stages};
use crate::data_folder::DataFolder;
use crate::idle::{self, Priority};
use crate::progress::Progress;
use crate::settings::Settings;
use crate::telemetry::metrics::Metrics;
use crate::train::{Replaces, Trained, train_in_place_of};

/// How long a process that was killed may take to be gone.
const KILLED_PATIENCE: Duration = Duration::from_secs(1);

/// Trains beside everything else: when the service finds that it is time, and when somebody asks for it.
#[derive(Debug)]
pub struct Trainer {
    data: DataFolder,
    /// A process to train in; without one, trainings are within this process.
    program: OnceLock<TrainingProgram>,
    metrics: Arc<Metrics>,
    /// One permit, which a training holds until its thread ends.
    turn: Arc<Semaphore>,
    latest: Mutex<Latest>,
    /// Whether it was said that trainings have another priority than they should.
    said: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Latest {
    /// What ends the latest training.
    leash: Arc<Leash>,
    /// Whether the next one is to end as well.
    is_stopped: bool,
}

/// A training under way; dropping it stops it.
#[derive(Debug)]
pub(crate) struct Training {
    ended: oneshot::Receiver<Result<Trained, RetrainError>>,
    stage: watch::Receiver<Stage>,
    leash: Arc<Leash>,
    metrics: Arc<Metrics>,
    began: Instant,
}

/// Held by the thread of a training: when that ends, however that is, the next one may begin.
struct Turn {
    metrics: Arc<Metrics>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.metrics.trainings.ended();
    }
}

impl Trainer {
    /// One for a data folder, which trains within this process.
    pub(crate) fn new(data: DataFolder, metrics: Arc<Metrics>) -> Self {
        let (program, latest, said) = Default::default();
        Self { data, program, metrics, turn: Arc::new(Semaphore::new(1)), latest, said }
    }

    /// Has a process of its own train from now on.
    pub(crate) fn train_by(&self, program: TrainingProgram) {
        // It is said once.
        let _ = self.program.set(program);
    }

    /// Begins a training on all events, for a model in place of the one that `replaces` says.
    ///
    /// # Errors
    ///
    /// [`RetrainError::AtWork`] if one is under way here, and if there is no thread to be had.
    pub(crate) fn begin(
        &self,
        settings: &Settings,
        replaces: Replaces,
    ) -> Result<Training, RetrainError> {
        let permit =
            Arc::clone(&self.turn).try_acquire_owned().map_err(|_| RetrainError::AtWork)?;
        let metrics = Arc::clone(&self.metrics);
        metrics.trainings.begun();
        let turn = Turn { metrics: Arc::clone(&metrics), _permit: permit };
        let leash = self.leash();
        let (tell_stage, stage) = watch::channel(Stage::default());
        let (data, settings) = (self.data.clone(), settings.clone());
        let said = Arc::clone(&self.said);
        let tell = move |priority| {
            if priority != Priority::Idle && !said.swap(true, Ordering::Relaxed) {
                tracing::warn!(%priority, "this system has no idle priority to give: trainings take CPU time from calls");
            }
        };
        let held = Arc::clone(&leash);
        let ended = match self.program.get().cloned() {
            None => idle::spawn("training", move |priority| {
                let _turn = turn;
                tell(priority);
                let stages = Stages::new(move |stage| drop(tell_stage.send_replace(stage.clone())));
                train_here(&data, (&settings, replaces), &(Arc::new(stages) as _), held.flag())
            })?,
            Some(program) => idle::spawn_usual("training", move || {
                let _turn = turn;
                let see = |stage| drop(tell_stage.send_replace(stage));
                program.train((&settings, replaces), &held, tell, see)
            })?,
        };
        Ok(Training { ended, stage, leash, metrics, began: Instant::now() })
    }

    /// Trains, and waits for the end.
    pub(super) async fn train(
        &self,
        settings: &Settings,
        replaces: Replaces,
    ) -> Result<Trained, RetrainError> {
        match self.begin(settings, replaces) {
            Ok(mut training) => training.ended().await,
            Err(error) => {
                count(&self.metrics, Duration::ZERO, Err(&error));
                Err(error)
            }
        }
    }

    /// What ends the next training.
    fn leash(&self) -> Arc<Leash> {
        let mut latest = self.latest();
        latest.leash = Arc::default();
        if latest.is_stopped {
            latest.leash.pull();
        }
        Arc::clone(&latest.leash)
    }

    /// Has a training that is under way, and any later one, end soon.
    pub(crate) fn stop(&self) {
        let mut latest = self.latest();
        latest.is_stopped = true;
        latest.leash.pull();
    }

    /// Waits until no training is under way, for so long at most; tells whether none was by then. A
    /// process that does not end by itself is killed.
    pub(crate) async fn finish(&self, patience: Duration) -> bool {
        if timeout(patience, self.turn.acquire()).await.is_ok() {
            return true;
        }
        self.latest().leash.kill();
        // What is not gone by now goes by itself: killed, or with this process.
        let _ = timeout(KILLED_PATIENCE, self.turn.acquire()).await;
        false
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Training {
    /// Waits for the end; what comes of it is told once.
    pub(crate) async fn ended(&mut self) -> Result<Trained, RetrainError> {
        let trained = (&mut self.ended).await.unwrap_or(Err(RetrainError::Panicked));
        count(&self.metrics, self.began.elapsed(), trained.as_ref());
        trained
    }

    /// How far it is.
    pub(crate) fn stage(&self) -> Stage {
        self.stage.borrow().clone()
    }

    /// Since when it has been under way.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        self.leash.pull();
    }
}

/// Counts how a training ended, or that none could begin.
fn count(metrics: &Metrics, took: Duration, trained: Result<&Trained, &RetrainError>) {
    let figures = &metrics.trainings;
    match trained {
        Ok(trained) => figures.trained(took, trained.peak_bytes),
        Err(error) => match error.ended() {
            Ended::Failed => drop(figures.failed.fetch_add(1, Ordering::Relaxed)),
            Ended::Busy => drop(figures.busy.fetch_add(1, Ordering::Relaxed)),
            Ended::Trained | Ended::NothingToLearn => {}
        },
    }
}

/// Trains on this thread, with a store that is opened from it, and with settings for who is not alone.
pub(super) fn train_here(
    data: &DataFolder,
    (settings, replaces): (&Settings, Replaces),
    progress: &Arc<dyn Progress>,
    cancelled: &Arc<AtomicBool>,
) -> Result<Trained, RetrainError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let settings = &settings.beside_others();
    let trained = runtime.block_on(async {
        let models = data.models()?;
        let store = data.store(settings).await?;
        let trained =
            train_in_place_of(replaces, &store, &models, settings, progress, cancelled).await;
        store.close().await;
        trained
    });
    Ok(trained?)
}
