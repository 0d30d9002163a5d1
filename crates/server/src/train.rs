//! Training: from the store's events to an active model.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use recommender::history::collapse;
use recommender::popularity::trend;
use recommender::ridge;
use recommender::watch::{Cancelled, Stage, Watch};
use recommender::{Event, EventWeights, Interactions, ItemNumber, Model, ShopId};
use serde::Serialize;
use storage::{
    EventOrigin, ModelFolder, ModelFolderError, ModelVersion, Section, SnapshotHeader, Store,
    StoreError, TrainingEvent,
};

use crate::generation::Books;
use crate::progress::{Progress, Unit};
use crate::settings::Settings;

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
        "nothing to learn from: the store has {books} books and {interactions} interactions that say something for one; import both first"
    )]
    NoInteractions {
        /// Books in the store.
        books: usize,
        /// Pairs of a user and a known book with a positive weight.
        interactions: usize,
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
    pub version: u64,
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
    let began = Instant::now();
    let lessons = read_lessons(store, settings, &**progress, cancelled).await?;
    let read_seconds = began.elapsed().as_secs_f64();
    let interactions = lessons.interactions.len();
    if interactions == 0 {
        return Err(TrainError::NoInteractions { books: lessons.items.len(), interactions });
    }
    let (settings, progress, cancelled) =
        (settings.clone(), Arc::clone(progress), Arc::clone(cancelled));
    let work = move || {
        let (model, fit) = fit(&lessons, &settings, &*progress, &cancelled)?;
        let summary = model.summary().to_bytes();
        let sections: Vec<Section<'_>> = model
            .sections(&summary)
            .iter()
            .map(|section| Section {
                tag: section.tag,
                element_bytes: section.element_bytes,
                bytes: section.bytes,
            })
            .collect();
        let header = SnapshotHeader { shop: ShopId::ONLY, simulated: model.is_simulated() };
        let version = models.publish(&lock, header, &sections, settings.models.keep)?;
        let file_bytes = models.path(version).metadata().map_or(0, |file| file.len());
        Ok(report(&lessons, &model, version, read_seconds, fit, file_bytes))
    };
    // The runtime only drops a blocking task when the process is ending.
    tokio::task::spawn_blocking(work).await.map_err(|_| TrainError::Cancelled)?
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
        version: version.0,
        users: lessons.interactions.user_count(),
        books: model.item_count(),
        interactions: lessons.interactions.len(),
        simulated_interactions: lessons.simulated_interactions,
        unknown_book_events: lessons.unknown_book_events,
        weights: model.weight_count(),
        read_seconds,
        fit_seconds: fit.as_secs_f64(),
        file_bytes,
    }
}

/// What a model is learnt from.
pub struct Lessons {
    /// The items, ascending; columns of `interactions` are places in here.
    pub items: Vec<ItemNumber>,
    /// Who likes what.
    pub interactions: Interactions,
    /// How many of them come from simulated readers.
    pub simulated_interactions: u64,
    /// Item, weight and time of everything that was liked at a known time.
    dated: Vec<(u32, f32, Option<i64>)>,
    /// Events of books that the shop does not have.
    unknown_book_events: u64,
}

/// Reads the books and all events of a store.
///
/// # Errors
///
/// [`TrainError::Store`], or [`TrainError::Cancelled`] soon after `cancelled` becomes true.
pub async fn read_lessons(
    store: &Store,
    settings: &Settings,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<Lessons, TrainError> {
    let books = Books::read(store).await?.books;
    let items: Vec<ItemNumber> = books.iter().map(|book| book.number).collect();
    drop(books);
    let users = store.user_count().await?;
    progress.begin("reading events", Some(users), Unit::Count);
    let mut lessons = Lessons {
        interactions: Interactions::new(items.len()),
        items,
        simulated_interactions: 0,
        dated: Vec::new(),
        unknown_book_events: 0,
    };
    let weights = settings.weights.engine();
    let history_max = settings.train.history_items_max.get();
    let mut users_read = 0_u64;
    let scanned = store
        .scan_events(|_, events| {
            lessons.add_user(events, &weights, history_max);
            users_read += 1;
            if users_read.is_multiple_of(1024) {
                progress.at(users_read);
            }
            match cancelled.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
        .await;
    progress.end();
    scanned?;
    if cancelled.load(Ordering::Relaxed) { Err(TrainError::Cancelled) } else { Ok(lessons) }
}

impl Lessons {
    fn add_user(&mut self, events: &[TrainingEvent], weights: &EventWeights, history_max: usize) {
        let simulated = events.iter().any(|event| event.origin == EventOrigin::Simulated);
        let known: Vec<Event> = events
            .iter()
            .filter(|event| self.items.binary_search(&event.item).is_ok())
            .map(|event| Event {
                item: event.item,
                kind: event.kind,
                rating: event.rating,
                time_ms: event.time_ms,
            })
            .collect();
        self.unknown_book_events += (events.len() - known.len()) as u64;
        let mut liked = collapse(&known, weights);
        liked.retain(|evidence| evidence.weight > 0.0);
        if liked.len() > history_max {
            liked.sort_by(|left, right| {
                right.weight.total_cmp(&left.weight).then(right.time_ms.cmp(&left.time_ms))
            });
            liked.truncate(history_max);
            liked.sort_unstable_by_key(|evidence| evidence.item);
        }
        if liked.is_empty() {
            return;
        }
        let column = |item| self.items.binary_search(&item).ok().map(|place| place as u32);
        let row: Vec<(u32, f32, Option<i64>)> = liked
            .iter()
            .filter_map(|evidence| {
                Some((column(evidence.item)?, evidence.weight, evidence.time_ms))
            })
            .collect();
        self.interactions.push_user(row.iter().map(|(item, weight, _)| (*item, *weight)));
        self.dated.extend(row.iter().filter(|(_, _, time_ms)| time_ms.is_some()));
        if simulated {
            self.simulated_interactions += row.len() as u64;
        }
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
    let shown = AtomicU64::new(u64::MAX);
    let show = |stage: Stage, done: usize, total: usize| {
        let number = stage as u64;
        if shown.swap(number, Ordering::Relaxed) != number {
            if number > 0 {
                progress.end();
            }
            let task = match stage {
                Stage::Gram => "counting which books go together",
                Stage::Solve => "solving for the weights",
            };
            progress.begin(task, Some(total as u64), Unit::Count);
        }
        progress.at(done as u64);
    };
    let watch = Watch { cancelled, progress: &show };
    let weights =
        pool.install(|| ridge::fit(&lessons.interactions, &settings.train.engine(), &watch));
    progress.end();
    let half_life_ms = settings.train.trend_half_life_days * 86_400_000.0;
    let trend = trend(lessons.items.len(), lessons.dated.iter().copied(), half_life_ms);
    let model = Model::new(
        &lessons.items,
        &lessons.interactions,
        weights?,
        trend,
        lessons.simulated_interactions,
    );
    Ok((model, began.elapsed()))
}
