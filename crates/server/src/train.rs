//! Training: from the store's events to an active model.

mod features;
mod lessons;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use recommender::learn::content::add_content;
use recommender::learn::popularity::popularity;
use recommender::learn::rise::rise;
use recommender::learn::{Learnt, learn};
use recommender::watch::{Cancelled, Stage, Watch};
use recommender::{Model, ShopId};
use serde::Serialize;
use storage::{
    ModelFolder, ModelFolderError, ModelVersion, Section, Snapshot, SnapshotHeader, Store,
    StoreError,
};

use crate::blocking::blocking;
use crate::progress::{Progress, Stages};
use crate::settings::{Settings, Train};

pub use lessons::{Lessons, Span, read_lessons, read_lessons_of};

/// Why there is no new model. The model before stays active.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The model cannot be written, or another training is running.
    #[error(transparent)]
    Models(#[from] ModelFolderError),
    /// There is nothing to learn from.
    #[error(
        "nothing to learn from: the store has {books} books and no event that speaks for one of them; import both first"
    )]
    NoInteractions {
        /// Books in the store.
        books: usize,
    },
    /// It was told to stop.
    #[error("training was stopped; no model was written")]
    Cancelled,
    /// The threads could not be started.
    #[error("cannot start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl From<Cancelled> for TrainError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// What a training did.
#[derive(Clone, Debug, Serialize)]
pub struct Trained {
    /// Version of the new, active model.
    pub model_version: String,
    /// Users it was learnt from.
    pub users: usize,
    /// Books in the model.
    pub books: usize,
    /// Pairs of a user and a book they like.
    pub interactions: usize,
    /// Those that come from simulated readers.
    pub simulated_interactions: u64,
    /// Events of books that the shop does not have; they wait for their book.
    pub unknown_book_events: u64,
    /// Weights of the model.
    pub weights: usize,
    /// Seconds to read the events.
    pub read_seconds: f64,
    /// Seconds to fit the model.
    pub fit_seconds: f64,
    /// Bytes of the model's file.
    pub file_bytes: u64,
    /// Whether any of its settings was chosen by tuning.
    pub tuned: bool,
}

/// The section of a snapshot that holds the settings its model was learnt with, as TOML; far from
/// the engine's own.
const SETTINGS_TAG: u32 = 0x100;

/// Settings as a section holds them: whether tuning chose any, and `[train]`.
fn settings_text(settings: &Settings) -> String {
    let tuned = settings.is_tuned();
    format!("tuned = {tuned}\n\n{}", Train::to_toml(&settings.train.engine()))
}

/// The settings with what tuning chose for the active model, if it did and the settings say that
/// it counts.
fn with_what_was_tuned(models: &ModelFolder, settings: &Settings) -> Result<Settings, TrainError> {
    let Some(version) = models.active()?.filter(|_| settings.train.tuned) else {
        return Ok(settings.clone());
    };
    let Ok(snapshot) = Snapshot::open(&models.path(version)) else { return Ok(settings.clone()) };
    let text = snapshot.section(SETTINGS_TAG);
    let text = text.map(|text| String::from_utf8_lossy(text.as_ref()).into_owned());
    match text.filter(|text| text.starts_with("tuned = true")) {
        None => Ok(settings.clone()),
        Some(text) => Ok(settings.with_tuned(&text).unwrap_or_else(|error| {
            tracing::warn!(%error, %version, "the tuned settings of the active model are left out");
            settings.clone()
        })),
    }
}

/// Trains on all events of the store, writes a snapshot and activates it.
///
/// `cancelled` stops it soon after it becomes true. Nothing half-done is left behind.
///
/// # Errors
///
/// [`TrainError`]; the model before stays active.
pub async fn train(
    store: &Store,
    models: &ModelFolder,
    settings: &Settings,
    progress: &Arc<dyn Progress>,
    cancelled: &Arc<AtomicBool>,
) -> Result<Trained, TrainError> {
    let models = models.clone();
    let lock = models.lock()?;
    let settings = with_what_was_tuned(&models, settings)?;
    let began = Instant::now();
    let lessons = read_lessons(store, &settings, &**progress, cancelled).await?;
    let read_seconds = began.elapsed().as_secs_f64();
    if lessons.interactions.is_empty() {
        return Err(TrainError::NoInteractions { books: lessons.items.len() });
    }
    let (progress, cancelled) = (Arc::clone(progress), Arc::clone(cancelled));
    let work = move || {
        let (model, fit) = fit(&lessons, &settings, &*progress, &cancelled)?;
        let summary = model.summary().to_bytes();
        let mut sections: Vec<Section<'_>> = model
            .sections(&summary)
            .iter()
            .map(|section| Section {
                tag: section.tag,
                element_bytes: section.element_bytes,
                bytes: section.bytes,
            })
            .collect();
        let text = settings_text(&settings);
        sections.push(Section { tag: SETTINGS_TAG, element_bytes: 1, bytes: text.as_bytes() });
        let header = SnapshotHeader { shop: ShopId::ONLY, simulated: model.is_simulated() };
        let version = models.publish(&lock, header, &sections, settings.models.keep)?;
        let file_bytes = models.path(version).metadata().map_or(0, |file| file.len());
        let tuned = settings.is_tuned();
        Ok(Trained { tuned, ..report(&lessons, &model, version, read_seconds, fit, file_bytes) })
    };
    blocking(work).await
}

fn report(
    lessons: &Lessons,
    model: &Model,
    version: ModelVersion,
    read_seconds: f64,
    fit: Duration,
    file_bytes: u64,
) -> Trained {
    Trained {
        model_version: version.to_string(),
        users: lessons.interactions.user_count(),
        books: model.item_count(),
        interactions: lessons.interactions.len(),
        simulated_interactions: lessons.simulated_interactions,
        unknown_book_events: lessons.unknown_book_events,
        weights: model.weight_count(),
        read_seconds,
        fit_seconds: fit.as_secs_f64(),
        file_bytes,
        tuned: false,
    }
}

/// Fits a model on a pool of its own.
fn fit(
    lessons: &Lessons,
    settings: &Settings,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<(Model, Duration), TrainError> {
    let began = Instant::now();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(settings.train.threads).build()?;
    let stages = Stages::new(progress);
    let show = |stage: Stage, done: usize, total: usize| {
        stages.at(stage.name(), done, total);
    };
    let watch = Watch { cancelled, progress: &show };
    let learnt = pool.install(|| -> Result<Learnt, Cancelled> {
        let Learnt { weights, low_pass } =
            learn(&lessons.interactions, &settings.train.engine(), &watch)?;
        let users = lessons.interactions.item_users();
        let content = settings.content.engine();
        let weights = add_content(weights, &users, &lessons.features, &content, &watch)?;
        Ok(Learnt { weights, low_pass })
    });
    drop(stages);
    let half_life_ms = settings.train.trend_half_life_days * 86_400_000.0;
    let items = lessons.items.len();
    let trend = rise(items, lessons.dated(), half_life_ms);
    let half_life_ms = settings.train.popularity_half_life_days * 86_400_000.0;
    let popularity = popularity(items, lessons.dated(), half_life_ms);
    let model = Model::new(
        &lessons.items,
        &lessons.interactions,
        learnt?,
        trend,
        lessons.simulated_interactions,
    )
    .with_popularity(popularity);
    Ok((model, began.elapsed()))
}
