//! The shop's models, for whoever chooses among them: which there are, and which is active.
//!
//! Where replicas share models through their database, it says which there are; the files of those
//! that this one has are in its folder.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use storage::{
    DatabaseModelsError, ModelFolder, ModelFolderError, ModelVersion, Snapshot, StoreError,
};

use crate::blocking::blocking;
use crate::generation::{OpenModelError, VersionedModel};
use crate::live::Live;
use crate::models_exchange;
use crate::models_turn::{Turn, TurnError, take_turn};
use crate::train::settings_of;

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
    /// The model.
    pub(crate) model: VersionedModel,
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
    /// Its file is not what it was, or not one that this program can serve.
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

impl From<TurnError> for ModelsError {
    fn from(error: TurnError) -> Self {
        match error {
            TurnError::Folder(error) => error.into(),
            TurnError::Elsewhere => Self::Training,
            TurnError::Store(error) => Self::Store(error),
        }
    }
}

impl From<OpenModelError> for ModelsError {
    fn from(error: OpenModelError) -> Self {
        match error {
            OpenModelError::Folder(error) => error.into(),
            OpenModelError::Model { source, .. } => Self::Damaged(source.to_string()),
        }
    }
}

impl From<DatabaseModelsError> for ModelsError {
    fn from(error: DatabaseModelsError) -> Self {
        match error {
            DatabaseModelsError::Folder(error) => error.into(),
            DatabaseModelsError::Store(error) => Self::Store(error),
            DatabaseModelsError::TurnLost => Self::Training,
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
    let turn = take_turn(live.store(), live.models()).await?;
    activate_in_turn(live, turn, version, keep).await
}

/// Makes the latest version that is older than the active one active. If another than `left` is
/// active by now, nothing is done.
pub(crate) async fn roll_back(
    live: &Live,
    left: Option<ModelVersion>,
    keep: NonZeroUsize,
) -> Result<(), ModelsError> {
    // First, so that no training activates another one in between.
    let turn = take_turn(live.store(), live.models()).await?;
    let known = known(live).await?;
    let active = known.iter().position(|known| known.is_active).ok_or(ModelsError::NoOlder)?;
    if left.is_some_and(|left| left != known[active].version) {
        return Ok(());
    }
    let older = known.get(active + 1).ok_or(ModelsError::NoOlder)?;
    activate_in_turn(live, turn, older.version, keep).await
}

/// Looks at a version, makes it the active one, and serves it here. One that cannot be served is
/// not activated, neither here nor in the database.
async fn activate_in_turn(
    live: &Live,
    mut turn: Turn,
    version: ModelVersion,
    keep: NonZeroUsize,
) -> Result<(), ModelsError> {
    let (shared, models) = (live.store().models_in_database(), live.models());
    if let Some(shared) = &shared {
        drop(shared.fetch(version, models).await?);
    }
    let folder = models.clone();
    // A sound file can hold what this program cannot serve.
    blocking(move || VersionedModel::open(&folder, version).map(drop)).await?;
    if let Some(shared) = &shared {
        shared.activate(&mut turn.shared, version).await?;
    }
    let (folder, lock) = (models.clone(), Arc::clone(&turn.lock));
    blocking(move || match shared {
        Some(_) => models_exchange::activate(&folder, &lock, version, keep),
        None => folder.activate(&lock, version),
    })
    .await?;
    if let Err(error) = live.renew().await {
        // It is active, and the answer says that it is not served yet.
        tracing::warn!(%error, model = version.0, "activated, and not served yet");
        live.hint();
    }
    Ok(())
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
    let model = model.map_err(|error| error.to_string())?;
    let trained_on = model.notes.trained_on;
    Ok(Contents {
        model,
        changes_since: trained_on.map(|trained_on| changes - trained_on.event_changes),
        settings: settings_of(&snapshot).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::AtomicBool;

    use recommender::ShopId;
    use storage::{DatabaseUrl, SnapshotHeader, Store, write_snapshot};
    use testbed::postgres::{Database, database_or_skip};

    use super::*;
    use crate::demo;
    use crate::progress::{Progress, Silent};
    use crate::settings::Settings;
    use crate::train::train;

    const KEEP: NonZeroUsize = NonZeroUsize::new(3).unwrap();

    async fn replica(database: &Database, folder: &Path) -> Live {
        let url = DatabaseUrl::parse(database.url()).unwrap();
        let limits = Settings::read(None).unwrap().store.limits();
        let store = Store::connect(&url, &limits).await.unwrap();
        Live::load(store, ModelFolder::open(folder).unwrap()).await.unwrap()
    }

    /// Trains, and returns the new version.
    async fn trained(live: &Live) -> ModelVersion {
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        let (settings, never) = (Settings::read(None).unwrap(), Arc::new(AtomicBool::new(false)));
        let trained = train(live.store(), live.models(), &settings, &silent, &never).await;
        ModelVersion(trained.unwrap().model_version.parse().unwrap())
    }

    /// The versions in the database, and the one that is active.
    async fn shared(live: &Live) -> (Vec<ModelVersion>, ModelVersion) {
        let stored = live.store().models_in_database().unwrap().versions().await.unwrap();
        let active = stored.iter().find(|model| model.is_active).unwrap().version;
        (stored.iter().map(|model| model.version).collect(), active)
    }

    #[tokio::test]
    async fn one_replica_chooses_for_all_while_none_trains_and_only_what_can_be_served() {
        let Some(database) = database_or_skip("replicas choose models") else { return };
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let one = replica(&database, folders[0].path()).await;
        let other = replica(&database, folders[1].path()).await;
        demo::fill(one.store(), 0, &Silent).await.unwrap();
        let (first, second) = (trained(&one).await, trained(&one).await);
        assert_eq!(shared(&other).await, (vec![second, first], second));

        // Another replica trains, or is about to.
        let turn = one.store().lock_training().await.unwrap().unwrap();
        for refused in [activate(&other, first, KEEP).await, roll_back(&other, None, KEEP).await] {
            assert!(matches!(refused, Err(ModelsError::Training)), "{refused:?}");
        }
        assert_eq!(shared(&other).await.1, second);
        drop(turn);

        roll_back(&other, Some(second), KEEP).await.unwrap();
        assert_eq!((shared(&one).await.1, other.model_version()), (first, Some(first.0)));
        // The request again, by the other replica.
        roll_back(&one, Some(second), KEEP).await.unwrap();
        assert_eq!(shared(&one).await.1, first);

        // A version that is sound, and no model; it is active for a moment.
        let draft = {
            let turn = take_turn(one.store(), one.models()).await.unwrap();
            let draft = one.models().draft(&turn.lock);
            let header = SnapshotHeader { shop: ShopId::ONLY, simulated: false };
            write_snapshot(&draft, header, &[]).unwrap();
            let Turn { shared: mut turn, .. } = turn;
            let models = one.store().models_in_database().unwrap();
            let draft = models.publish(&mut turn, &draft, 0, KEEP).await.unwrap();
            models.activate(&mut turn, first).await.unwrap();
            draft
        };
        let refused = activate(&other, draft, KEEP).await;
        assert!(matches!(refused, Err(ModelsError::Damaged(_))), "{refused:?}");
        assert_eq!((shared(&one).await.1, other.model_version()), (first, Some(first.0)));
        one.store().close().await;
        other.store().close().await;
    }
}
