//! Training: from the store's events to an active model.

mod features;
mod lessons;
mod measure;
mod notes;
mod quality;
mod replaces;
mod times;
mod trained_on;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use recommender::learn::content::{Features, add_content};
use recommender::learn::popularity::popularity;
use recommender::learn::rise::rise;
use recommender::learn::{Learnt, learn};
use recommender::watch::{Cancelled, Stage, Watch};
use recommender::{Interactions, Model, ShopId};
use serde::{Deserialize, Serialize};
use storage::{
    DatabaseModelsError, ModelFolder, ModelFolderError, ModelVersion, Section, Snapshot,
    SnapshotHeader, Store, StoreError, TrainingLock, write_snapshot,
};
use toml::{Table, Value};

use crate::blocking::blocking;
use crate::clock::now_ms;
use crate::model_file::sections;
use crate::models_exchange::{bring_in, hand_out};
use crate::models_turn::{Turn, TurnError, take_turn};
use crate::progress::{Progress, Stages};
use crate::settings::{Settings, Train};

use self::measure::measure;

pub use lessons::{Lessons, Span, read_lessons, read_lessons_of};
pub(crate) use notes::Notes;
pub use quality::Quality;
pub(crate) use replaces::Replaces;
pub use times::Times;
pub use trained_on::TrainedOn;

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
    /// The database's models cannot be read, or the new one not be published there.
    #[error(transparent)]
    Shared(#[from] DatabaseModelsError),
    /// Another process trains on the same database.
    #[error("another training on the same database is running; try again when it has ended")]
    Elsewhere,
    /// Somebody chose or trained another model since this training was decided.
    #[error("another model is active than the one that had news to learn; it stays")]
    AnotherActive,
    /// It was told to stop.
    #[error("training was stopped; no model was written")]
    Cancelled,
    /// The threads could not be started.
    #[error("cannot start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl From<TurnError> for TrainError {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Folder(error) => Self::Models(error),
            TurnError::Elsewhere => Self::Elsewhere,
            TurnError::Store(error) => Self::Store(error),
        }
    }
}

impl From<Cancelled> for TrainError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// What a training did.
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    /// How long it took.
    #[serde(flatten)]
    pub times: Times,
    /// How well it ranks; `None` if that is switched off, or nothing can be held back.
    pub quality: Option<Quality>,
    /// Bytes of the model's file.
    pub file_bytes: u64,
    /// The most memory that was resident at once in the process that trained, in bytes; `None` where
    /// the system does not tell.
    pub peak_bytes: Option<u64>,
    /// Whether any of its settings was chosen by tuning.
    pub tuned: bool,
}

/// The section of a snapshot that holds the settings its model was learnt with, as TOML; far from
/// the engine's own.
const SETTINGS_TAG: u32 = 0x100;

/// Settings as a section holds them: `[train]` is what was used, then come the notes; `[tuned]` is what
/// tuning chose, which stays as it was chosen from model to model, used or not.
fn settings_text(settings: &Settings, notes: Notes, tuned: Option<&Table>) -> String {
    let mut text = Train::to_toml(&settings.train.engine());
    text.push_str(&format!("\n{}", notes.to_toml()));
    if let Some(tuned) = tuned {
        let section = Table::from_iter([("tuned".to_owned(), Value::Table(tuned.clone()))]);
        text.push_str(&format!("\n{section}"));
    }
    text
}

/// What tuning chose, of the text of a section.
fn tuned_of(text: &str) -> Option<Table> {
    text.parse::<Table>().ok()?.get("tuned")?.as_table().cloned()
}

/// The settings that a model was trained with, as TOML; `None` if its file does not tell.
pub(crate) fn settings_of(snapshot: &Snapshot) -> Option<String> {
    let text = snapshot.section(SETTINGS_TAG)?;
    Some(String::from_utf8_lossy(text.as_ref()).into_owned())
}

/// What the file of a model tells of its training.
pub(crate) fn notes_of(snapshot: &Snapshot) -> Notes {
    settings_of(snapshot).map_or_else(Notes::default, |text| Notes::from_toml(&text))
}

/// What a version was trained on; `None` if its file does not tell, or cannot be read.
pub(crate) fn trained_on(models: &ModelFolder, version: ModelVersion) -> Option<TrainedOn> {
    notes_of(&Snapshot::open(&models.path(version)).ok()?).trained_on
}

/// What tuning chose last: just now, or for the active model.
fn what_was_tuned(models: &ModelFolder, settings: &Settings) -> Result<Option<Table>, TrainError> {
    if let Some(chosen) = settings.tuned() {
        return Ok(Some(chosen.clone()));
    }
    let Some(version) = models.active()? else { return Ok(None) };
    let Ok(snapshot) = Snapshot::open(&models.path(version)) else { return Ok(None) };
    Ok(settings_of(&snapshot).and_then(|text| tuned_of(&text)))
}

/// The settings with what tuning chose, if they say that it counts.
fn with_what_was_tuned(settings: &Settings, tuned: Option<&Table>) -> Settings {
    let tuned = tuned.filter(|_| settings.train.tuned && settings.tuned().is_none());
    let Some(tuned) = tuned else { return settings.clone() };
    match settings.with_tuned_values(tuned) {
        // Read anew from where they are from, which is not where the threads need be from.
        Ok(mut with_tuned) => {
            with_tuned.train.threads = settings.train.threads;
            with_tuned
        }
        Err(error) => {
            tracing::warn!(%error, "the tuned settings of the active model are left out");
            settings.clone()
        }
    }
}

/// The settings that [`train`] learns with: what tuning chose for the active model counts where
/// nobody has set another value.
///
/// # Errors
///
/// [`TrainError::Models`] if it cannot be told which model is active.
pub fn settings_in_use(models: &ModelFolder, settings: &Settings) -> Result<Settings, TrainError> {
    let tuned = what_was_tuned(models, settings)?;
    Ok(with_what_was_tuned(settings, tuned.as_ref()))
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
    train_in_place_of(Replaces::Any, store, models, settings, progress, cancelled).await
}

/// The same, if the active model is still the one to replace.
pub(crate) async fn train_in_place_of(
    replaces: Replaces,
    store: &Store,
    models: &ModelFolder,
    settings: &Settings,
    progress: &Arc<dyn Progress>,
    cancelled: &Arc<AtomicBool>,
) -> Result<Trained, TrainError> {
    let models = models.clone();
    // Held to the end: of the processes on one database, one trains.
    let Turn { lock, shared: mut turn } = take_turn(store, &models).await?;
    let shared = store.models_in_database();
    if let Some(shared) = &shared {
        // Whose tuned settings go on with this one.
        bring_in(shared, &models, &lock, settings.models.keep).await?;
    }
    replaces.check(&models)?;
    let tuned = what_was_tuned(&models, settings)?;
    let settings = with_what_was_tuned(settings, tuned.as_ref());
    let began = Instant::now();
    let mut quality = still_measured(&models, &settings)?;
    let mut measure_seconds = 0.0;
    if quality.is_none() && settings.train.measure_hours > 0.0 {
        quality = measure(store, &settings, progress, cancelled).await?;
        measure_seconds = began.elapsed().as_secs_f64();
    }
    let began = Instant::now();
    // First, so that what changes meanwhile is seen as news.
    let trained_on = TrainedOn::of(&store.revisions().await?);
    let mut lessons = read_lessons(store, &settings, &**progress, cancelled).await?;
    let read_seconds = began.elapsed().as_secs_f64();
    if lessons.interactions.is_empty() {
        return Err(TrainError::NoInteractions { books: lessons.items.len() });
    }
    let (progress, cancelled) = (Arc::clone(progress), Arc::clone(cancelled));
    let work = move || {
        let fitted = fit(&mut lessons, &settings, &*progress, &cancelled);
        fitted.map(|(model, fit)| (lessons, settings, model, fit))
    };
    let (lessons, settings, model, fit) = blocking(work).await?;
    let times = Times { measure_seconds, read_seconds, fit_seconds: fit.as_secs_f64() };
    let notes = Notes { trained_on: Some(trained_on), times: Some(times), quality };
    let text = settings_text(&settings, notes, tuned.as_ref());
    let (keep, model) = (settings.models.keep, Arc::new(model));
    let (folder, held, fitted) = (models.clone(), Arc::clone(&lock), Arc::clone(&model));
    let version = match &shared {
        None => blocking(move || publish(&folder, &held, &fitted, &text, keep)).await?,
        Some(shared) => {
            blocking(move || write_draft(&folder, &held, &fitted, &text)).await?;
            hand_out(shared, &mut turn, &models, &lock, (now_ms(), keep)).await?
        }
    };
    let file_bytes = models.path(version).metadata().map_or(0, |file| file.len());
    Ok(Trained {
        model_version: version.to_string(),
        users: lessons.interactions.user_count(),
        books: model.item_count(),
        interactions: lessons.interactions.len(),
        simulated_interactions: lessons.simulated_interactions,
        unknown_book_events: lessons.unknown_book_events,
        weights: model.weight_count(),
        times,
        quality,
        file_bytes,
        peak_bytes: peak_bytes(),
        tuned: settings.is_tuned(),
    })
}

/// What was measured for the active model, if that is young enough to hold for the next one: with the
/// same settings.
fn still_measured(
    models: &ModelFolder,
    settings: &Settings,
) -> Result<Option<Quality>, TrainError> {
    let Some(version) = models.active()? else { return Ok(None) };
    let Ok(snapshot) = Snapshot::open(&models.path(version)) else { return Ok(None) };
    let Some(text) = settings_of(&snapshot) else { return Ok(None) };
    let is_alike = text.starts_with(&Train::to_toml(&settings.train.engine()));
    let oldest_ms = now_ms() - (settings.train.measure_hours * 3_600_000.0) as i64;
    let measured = Notes::from_toml(&text).quality;
    Ok(measured.filter(|quality| is_alike && quality.measured_ms > oldest_ms))
}

/// Writes a model with what it was learnt with, and activates it.
fn publish(
    models: &ModelFolder,
    lock: &TrainingLock,
    model: &Model,
    settings: &str,
    keep: NonZeroUsize,
) -> Result<ModelVersion, TrainError> {
    with_sections(model, settings, |header, sections| {
        Ok(models.publish(lock, header, sections, keep)?)
    })
}

/// Writes the same as the folder's draft, which has no version yet.
fn write_draft(
    models: &ModelFolder,
    lock: &TrainingLock,
    model: &Model,
    settings: &str,
) -> Result<(), TrainError> {
    let path = models.draft(lock);
    let written = with_sections(model, settings, |header, sections| {
        write_snapshot(&path, header, sections).map(|_| ())
    });
    written.map_err(|source| DatabaseModelsError::Snapshot { path, source }.into())
}

/// What a model's file holds: the model, and what it was learnt with.
fn with_sections<T>(
    model: &Model,
    settings: &str,
    write: impl FnOnce(SnapshotHeader, &[Section<'_>]) -> T,
) -> T {
    let summary = model.summary().to_bytes();
    let mut sections = sections(model, &summary);
    let bytes = settings.as_bytes();
    sections.push(Section { tag: SETTINGS_TAG, element_bytes: 1, bytes });
    write(SnapshotHeader { shop: ShopId::ONLY, simulated: model.is_simulated() }, &sections)
}

/// The most memory of this process so far, as `proc_pid_status(5)` has it.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// Fits a model on a pool of its own. The lessons lose their times: learning is what takes the most
/// memory, and does without.
fn fit(
    lessons: &mut Lessons,
    settings: &Settings,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<(Model, Duration), TrainError> {
    let began = Instant::now();
    let items = lessons.items.len();
    let half_life_ms = settings.train.trend_half_life_days * 86_400_000.0;
    let trend = rise(items, lessons.dated(), half_life_ms);
    let half_life_ms = settings.train.popularity_half_life_days * 86_400_000.0;
    let popularity = popularity(items, lessons.dated(), half_life_ms);
    lessons.forget_times();
    let Lessons { items, interactions, features, simulated_interactions, .. } = lessons;
    let learnt = pool(settings)?
        .install(|| learn_from(interactions, features, settings, "", progress, cancelled))?;
    let model = Model::new(items, interactions, learnt, trend, *simulated_interactions)
        .with_popularity(popularity);
    Ok((model, began.elapsed()))
}

fn pool(settings: &Settings) -> Result<rayon::ThreadPool, TrainError> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(settings.train.threads).build()?)
}

/// Learns on the current rayon pool; what it shows of it begins with `task`.
fn learn_from(
    interactions: &Interactions,
    features: &Features,
    settings: &Settings,
    task: &str,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<Learnt, Cancelled> {
    let stages = Stages::new(progress);
    let show = |stage: Stage, done: usize, total: usize| {
        stages.at(&format!("{task}{}", stage.name()), done, total);
    };
    let watch = Watch { cancelled, progress: &show };
    let Learnt { weights, low_pass } = learn(interactions, &settings.train.engine(), &watch)?;
    let content = settings.content.engine();
    let weights = add_content(weights, &interactions.item_users(), features, &content, &watch)?;
    Ok(Learnt { weights, low_pass })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTES: Notes = Notes {
        trained_on: Some(TrainedOn { catalogue: 3, events: 7, event_changes: 9_000, removals: 1 }),
        times: Some(Times { read_seconds: 0.5, measure_seconds: 2.25, fit_seconds: 3.0 }),
        quality: Some(Quality {
            ndcg_at_10: 0.25,
            recall_at_10: 0.0,
            popularity_ndcg_at_10: 0.0625,
            readers: 7,
            measured_ms: 1_790_000_000_000,
        }),
    };

    #[test]
    fn notes_are_read_as_they_were_written() {
        let settings = Settings::read(None).unwrap();
        let without = Notes { quality: None, ..NOTES };
        for notes in [NOTES, without, Notes { times: None, ..without }, Notes::default()] {
            let text = settings_text(&settings, notes, None);
            assert_eq!(Notes::from_toml(&text), notes, "{text}");
        }
        // Half a table is none.
        let half = "[quality]\nndcg_at_10 = 0.5\n[trained_on]\ncatalogue = 3\n";
        assert_eq!(Notes::from_toml(half), Notes::default());
        assert_eq!(Notes::from_toml("[quality"), Notes::default());
    }

    #[test]
    fn what_tuning_chose_goes_from_model_to_model_unchanged() {
        let read = |text: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            Settings::read(Some(file.path())).unwrap()
        };
        let chosen = "[train]\nneighbours = 33\nregularisation = 12.5\n";
        let settings = read("").with_tuned(chosen).unwrap();
        let mut text = settings_text(&settings, NOTES, settings.tuned());
        for (once, neighbours, is_tuned) in
            [("neighbours = 44", 44, true), ("tuned = false", 200, false), ("", 33, true)]
        {
            let tuned = tuned_of(&text).unwrap();
            let settings = with_what_was_tuned(&read(&format!("[train]\n{once}")), Some(&tuned));
            assert_eq!(settings.train.engine().ridge.neighbours, neighbours, "{once}");
            assert_eq!(settings.is_tuned(), is_tuned, "{once}");
            text = settings_text(&settings, NOTES, Some(&tuned));
            assert_eq!(tuned_of(&text).unwrap(), tuned, "{once}");
            assert_eq!(Notes::from_toml(&text), NOTES, "{once}");
            let used = format!("neighbours = {neighbours}\n");
            assert!(text.starts_with(&format!("[train]\n{used}")), "{text}");
        }
        assert_eq!(tuned_of(&settings_text(&read(""), NOTES, None)), None);
        assert_eq!(tuned_of("tuned = true\n[train]\nneighbours = 3"), None);
    }
}
