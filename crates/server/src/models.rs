//! The shop's models, for whoever chooses among them: which there are, and which is active.
//!
//! Where replicas share models through their database, it says which there are; the files of those
//! that this one has are in its folder.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use recommender::model::Summary;
use storage::{
    DatabaseModelsError, ModelFolder, ModelFolderError, ModelVersion, Snapshot, StoreError,
};

use crate::blocking::blocking;
use crate::generation::VersionedModel;
use crate::live::{Live, RenewError};
use crate::models_exchange::bring_in;
use crate::train::{TrainedOn, settings_of};

/// A version of the model.
#[derive(Debug)]
pub(crate) struct ModelInfo {
    /// The version.
    pub(crate) version: ModelVersion,
    /// Whether it is the one to serve.
    pub(crate) is_active: bool,
    /// Whether it is served here.
    pub(crate) is_served: bool,
    /// When it was written.
    pub(crate) written: Option<SystemTime>,
    /// The bytes of its file.
    pub(crate) file_bytes: u64,
    /// What its file says; `None` if the file is not here.
    pub(crate) file: Option<Result<Contents, String>>,
}

/// What the file of a model says.
#[derive(Debug)]
pub(crate) struct Contents {
    /// What it was learnt from.
    pub(crate) summary: Summary,
    /// The books that it knows.
    pub(crate) books: usize,
    /// Its weights.
    pub(crate) weights: usize,
    /// Events that changed since, if the file tells.
    pub(crate) changes_since: Option<i64>,
    /// The settings that it was trained with, as TOML.
    pub(crate) settings: String,
}

/// Why models cannot be told of, or chosen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelsError {
    /// There is no such version.
    #[error("no such model")]
    Unknown,
    /// None is older than the active one.
    #[error("no model is older than the active one")]
    NoOlder,
    /// Its file is not what it was.
    #[error("the model is damaged: {0}")]
    Damaged(String),
    /// A training is running, which chooses one itself.
    #[error("a training is running")]
    Training,
    /// The folder or the database cannot be used.
    #[error("{0}")]
    Folder(#[source] ModelFolderError),
    /// The database cannot be used.
    #[error("{0}")]
    Shared(#[source] DatabaseModelsError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be served.
    #[error(transparent)]
    Renew(#[from] RenewError),
}

impl From<ModelFolderError> for ModelsError {
    fn from(error: ModelFolderError) -> Self {
        match error {
            ModelFolderError::UnknownVersion { .. } => Self::Unknown,
            ModelFolderError::Locked { .. } => Self::Training,
            ModelFolderError::Damaged { source, .. } => Self::Damaged(source.to_string()),
            error => Self::Folder(error),
        }
    }
}

impl From<DatabaseModelsError> for ModelsError {
    fn from(error: DatabaseModelsError) -> Self {
        match error {
            DatabaseModelsError::Folder(error) => error.into(),
            DatabaseModelsError::Store(error) => Self::Store(error),
            error @ DatabaseModelsError::Differs { .. } => Self::Damaged(error.to_string()),
            error => Self::Shared(error),
        }
    }
}

/// The models that are kept, the latest first. Their files are opened, and not read as a whole.
pub(crate) async fn list(live: &Live) -> Result<Vec<ModelInfo>, ModelsError> {
    let known = known(live).await?;
    let changes = live.store().revisions().await?.event_changes;
    let (models, served) = (live.models().clone(), live.model_version());
    let infos = move || {
        let info = |known: Known| info(&models, known, served, changes);
        known.into_iter().map(info).collect()
    };
    Ok(blocking(infos).await)
}

/// One model that is kept; the active one if none is named.
pub(crate) async fn find(
    live: &Live,
    version: Option<ModelVersion>,
) -> Result<ModelInfo, ModelsError> {
    let is_wanted = |info: &ModelInfo| match version {
        Some(version) => info.version == version,
        None => info.is_active,
    };
    list(live).await?.into_iter().find(is_wanted).ok_or(ModelsError::Unknown)
}

/// Makes a version the active one, and serves it here.
pub(crate) async fn activate(
    live: &Live,
    version: ModelVersion,
    keep: NonZeroUsize,
) -> Result<(), ModelsError> {
    let models = live.models().clone();
    let folder = models.clone();
    let lock = Arc::new(blocking(move || folder.lock()).await?);
    match live.store().models_in_database() {
        Some(shared) => {
            shared.activate(version).await?;
            bring_in(&shared, &models, &lock, keep).await?;
        }
        None => blocking(move || models.activate(&lock, version)).await?,
    }
    live.renew().await?;
    Ok(())
}

/// Makes the latest version that is older than the active one active. If another than `left` is
/// active by now, nothing is done.
pub(crate) async fn roll_back(
    live: &Live,
    left: Option<ModelVersion>,
    keep: NonZeroUsize,
) -> Result<(), ModelsError> {
    let known = known(live).await?;
    let active = known.iter().position(|known| known.is_active).ok_or(ModelsError::Unknown)?;
    if left.is_some_and(|left| left != known[active].version) {
        return Ok(());
    }
    let older = known.get(active + 1).ok_or(ModelsError::NoOlder)?;
    activate(live, older.version, keep).await
}

/// A version that there is.
#[derive(Clone, Copy)]
struct Known {
    version: ModelVersion,
    is_active: bool,
    /// What the database says of it: bytes, and when it was published.
    shared: Option<(u64, i64)>,
}

/// The versions that there are, the latest first.
async fn known(live: &Live) -> Result<Vec<Known>, ModelsError> {
    if let Some(shared) = live.store().models_in_database() {
        let stored = shared.versions().await?;
        let known = stored.into_iter().map(|stored| Known {
            version: stored.version,
            is_active: stored.is_active,
            shared: Some((stored.bytes, stored.created_ms)),
        });
        return Ok(known.collect());
    }
    let models = live.models().clone();
    let read = move || {
        let active = models.active()?;
        let known = models.versions()?.into_iter().map(|version| Known {
            version,
            is_active: active == Some(version),
            shared: None,
        });
        Ok(known.collect())
    };
    blocking(read).await
}

fn info(models: &ModelFolder, known: Known, served: Option<u64>, changes: i64) -> ModelInfo {
    let Known { version, is_active, shared } = known;
    let path = models.path(version);
    let metadata = path.metadata().ok();
    let published = shared.and_then(|(_, created_ms)| {
        UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(created_ms).ok()?))
    });
    ModelInfo {
        version,
        is_active,
        is_served: served == Some(version.0),
        written: published.or_else(|| metadata.as_ref()?.modified().ok()),
        file_bytes: shared
            .map(|(bytes, _)| bytes)
            .or_else(|| metadata.as_ref().map(std::fs::Metadata::len))
            .unwrap_or_default(),
        file: metadata.map(|_| contents(models, version, changes)),
    }
}

fn contents(models: &ModelFolder, version: ModelVersion, changes: i64) -> Result<Contents, String> {
    let snapshot = Snapshot::open(&models.path(version)).map_err(|error| error.to_string())?;
    let model = VersionedModel::from_snapshot(version, &snapshot);
    let model = model.map_err(|error| error.to_string())?.model;
    let settings = settings_of(&snapshot).unwrap_or_default();
    let trained_on = TrainedOn::from_toml(&settings);
    Ok(Contents {
        summary: *model.summary(),
        books: model.item_count(),
        weights: model.weight_count(),
        changes_since: trained_on.map(|trained_on| changes - trained_on.event_changes),
        settings,
    })
}
