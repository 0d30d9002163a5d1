//! Training while the service runs: what is news to the latest model, when that is worth a training,
//! and the training itself, which takes what nobody else wants of the CPU.
//!
//! - `News`: what the shop has that no model was trained on;
//! - `Schedule`: when to train, without a clock;
//! - [`Trainer`]: one training at a time, beside everything else, also for whoever asks for one;
//! - [`TrainingProgram`]: a process to train in, so that the service does not grow by what a training
//!   holds; [`train_beside_serve`] is what that process does.
//!
//! Whether a model is old is told by its file and the shop's revisions, so it does not matter who
//! trained it, or on which machine.

mod beside_serve;
mod first_events;
mod known;
mod leash;
mod lines;
mod news;
mod outcome;
mod program;
mod schedule;
mod stage;
mod trainer;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use storage::{DatabaseModelsError, ModelFolderError, StoreError};

use crate::backoff::chance;
use crate::recommend::Recommender;
use crate::settings::LiveSettings;
use crate::telemetry::metrics::Metrics;
use crate::train::{Replaces, Trained};

pub use beside_serve::train_beside_serve;
pub use program::TrainingProgram;
pub use trainer::Trainer;

pub(crate) use outcome::RetrainError;
pub(crate) use schedule::{Ended, Pace};
pub(crate) use stage::Stage;
pub(crate) use trainer::Training;

use first_events::FirstEvents;
use known::Known;
use news::{Mark, News, Reason};
use schedule::Schedule;

/// How often it looks whether anything has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Why it cannot be told what is news.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Models(#[from] ModelFolderError),
    #[error(transparent)]
    Shared(#[from] DatabaseModelsError),
}

/// Keeps the model of a shop trained.
pub(crate) struct Retraining {
    pub(crate) trainer: Arc<Trainer>,
    pub(crate) recommender: Arc<Recommender>,
    pub(crate) settings: LiveSettings,
    pub(crate) metrics: Arc<Metrics>,
}

/// What one run of the schedule knows.
#[derive(Default)]
struct Progress {
    schedule: Schedule,
    first_events: FirstEvents,
    /// The models that there are.
    models: Option<Known>,
    /// The failure that was logged last.
    said: Option<String>,
}

impl Retraining {
    /// Looks for news, and trains when it is time, until `stop` ends. It does not wait for a
    /// training then: [`Trainer::stop`] tells that to stop, too.
    pub(crate) async fn keep_trained(&self, stop: impl Future<Output = ()>) {
        let began = Instant::now();
        let mut progress = Progress::default();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if !self.settings.current().retrain.on {
                continue;
            }
            let news = match self.look(&mut progress).await {
                Ok(news) => news,
                Err(error) => {
                    // The renewal meets the same, and says so.
                    tracing::debug!(%error, "cannot tell what is new to the model");
                    continue;
                }
            };
            self.metrics.trainings.set_news(news.events(), news.new_books as u64);
            let pace = self.settings.current().retrain.pace();
            let Some(reason) = progress.schedule.look(began.elapsed(), &news, &pace) else {
                continue;
            };
            tokio::select! {
                () = &mut stop => return,
                () = self.train(reason, &news, &mut progress, began) => {}
            }
        }
    }

    /// What is news now.
    async fn look(&self, progress: &mut Progress) -> Result<News, LookError> {
        let store = self.recommender.store();
        let live = self.recommender.live();
        // The model first: a training in between makes its news seem older, and never newer.
        progress.models = Known::read(live, progress.models).await?;
        let revisions = store.revisions().await?;
        let generation = live.generation();
        let version = progress.models.map(|known| known.active);
        // Until the active model is served, nothing is known of it.
        let served = generation.model().filter(|model| Some(model.version) == version);
        let trained_on = progress.models.and_then(|known| known.trained_on);
        let first_events = match (trained_on, served) {
            (Some(trained_on), Some(model)) if revisions.events != trained_on.events => {
                let weights = self.settings.current().weights.engine();
                progress.first_events.look(store, model, trained_on.events, &weights).await?
            }
            _ => false,
        };
        Ok(News {
            mark: Mark::of(&revisions),
            has_shop: generation.book_count() > 0 && revisions.event_changes > 0,
            trained_on,
            has_model: version.is_some(),
            is_chosen: progress.models.is_some_and(|known| known.is_chosen()),
            knows_newest: progress.models.is_some_and(|known| known.knows_newest),
            new_books: served.map_or(0, |_| generation.new_books()),
            first_events,
        })
    }

    /// Trains, brings the new model into service, and tells the schedule how it went.
    async fn train(&self, reason: Reason, news: &News, progress: &mut Progress, began: Instant) {
        let settings = self.settings.current();
        tracing::debug!(%reason, events = news.events(), new_books = news.new_books, "training");
        // A choice since then stays, or one that another process trained meanwhile.
        let decided_on = progress.models.map(|known| known.active.0);
        let replaces = Replaces::Only(decided_on);
        let start = Instant::now();
        let trained = self.trainer.train(&settings, replaces).await;
        let took = start.elapsed();
        let how = match &trained {
            Ok(_) => Ended::Trained,
            Err(error) => error.ended(),
        };
        let (now, pace) = (began.elapsed(), settings.retrain.pace());
        let pause = progress.schedule.ended(now, took, how, news, &pace, chance());
        match &trained {
            Ok(trained) => {
                progress.said = None;
                self.recommender.live().hint();
                tell(trained, reason, news, took);
            }
            Err(error) if how == Ended::Failed => {
                self.tell_failure(error, pause, progress);
            }
            Err(error) => {
                tracing::debug!(%error, again_after = ?pause, "no training for now");
            }
        }
    }

    /// Logs a failure, and not again as long as it stays the same.
    fn tell_failure(&self, error: &RetrainError, pause: Duration, progress: &mut Progress) {
        let text = error.to_string();
        if progress.said.as_ref() == Some(&text) {
            tracing::debug!(error = %text, again_after = ?pause, "the training failed again");
            return;
        }
        let model = self.recommender.live().model_version();
        tracing::error!(error = %text, again_after = ?pause, model, "the training failed; the model before stays active");
        progress.said = Some(text);
    }
}

/// Logs a training.
fn tell(trained: &Trained, reason: Reason, news: &News, took: Duration) {
    let rounded = |seconds: f64| (seconds * 100.0).round() / 100.0;
    tracing::info!(
        model = trained.model_version,
        %reason,
        new_events = news.events(),
        new_books = news.new_books,
        seconds = rounded(took.as_secs_f64()),
        read_seconds = rounded(trained.times.read_seconds),
        measure_seconds = rounded(trained.times.measure_seconds),
        fit_seconds = rounded(trained.times.fit_seconds),
        ndcg_at_10 = trained.quality.map(|quality| quality.ndcg_at_10),
        peak_bytes = trained.peak_bytes,
        "trained a new model"
    );
}
