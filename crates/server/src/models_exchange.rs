//! Models that replicas share through their database: whoever trains publishes there, and all others
//! fetch what is active into their folder of models, which they serve from.
//!
//! The database assigns the versions. The folder holds the active one, and no more than
//! `models.keep`. A store in a folder has no such models: nothing here is done then.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use storage::{
    DatabaseModels, DatabaseModelsError, ModelFolder, ModelFolderError, ModelVersion, TrainingLock,
    TrainingTurn,
};

use crate::blocking::blocking;
use crate::live::Live;
use crate::repeat::repeat;

/// Keeps the folder's active model the one of the database, until `stop` ends.
pub(crate) async fn keep_exchanged(
    live: &Live,
    keep: NonZeroUsize,
    interval: Duration,
    stop: impl Future<Output = ()>,
) {
    let Some(shared) = live.store().models_in_database() else { return };
    let (shared, models) = (&shared, live.models());
    let fetch = || async move {
        if is_current(shared, models).await? {
            return Ok(());
        }
        let folder = models.clone();
        let lock = match blocking(move || folder.lock()).await {
            // Whoever trains into this folder brings it in, or lets go of it.
            Err(ModelFolderError::Locked { .. }) => return Ok(()),
            lock => Arc::new(lock?),
        };
        if bring_in(shared, models, &lock, keep).await? {
            live.hint();
        }
        Ok::<_, DatabaseModelsError>(())
    };
    repeat(interval, fetch, "cannot fetch the model; the one before goes on serving", stop).await;
}

/// Whether the folder has the active model of the database as its own, or there is none.
async fn is_current(
    shared: &DatabaseModels,
    models: &ModelFolder,
) -> Result<bool, DatabaseModelsError> {
    let Some(model) = shared.active().await? else { return Ok(true) };
    let models = models.clone();
    Ok(blocking(move || models.active()).await? == Some(model.version))
}

/// Makes the active model of the database the folder's; tells whether it was another.
///
/// # Errors
///
/// [`DatabaseModelsError`]; the folder's active model is then the one before.
pub(crate) async fn bring_in(
    shared: &DatabaseModels,
    models: &ModelFolder,
    lock: &Arc<TrainingLock>,
    keep: NonZeroUsize,
) -> Result<bool, DatabaseModelsError> {
    let Some(model) = shared.active().await? else { return Ok(false) };
    let version = model.version;
    let folder = models.clone();
    if blocking(move || folder.active()).await? == Some(version) {
        return Ok(false);
    }
    drop(shared.fetch(version, models).await?);
    let (folder, lock) = (models.clone(), Arc::clone(lock));
    blocking(move || activate(&folder, &lock, version, keep)).await?;
    Ok(true)
}

/// Publishes the folder's [draft](ModelFolder::draft) and makes it active, there and here; returns
/// its version.
///
/// # Errors
///
/// [`DatabaseModelsError`]; the draft is then of no use any more.
pub(crate) async fn hand_out(
    shared: &DatabaseModels,
    turn: &mut TrainingTurn,
    models: &ModelFolder,
    lock: &Arc<TrainingLock>,
    (now_ms, keep): (i64, NonZeroUsize),
) -> Result<ModelVersion, DatabaseModelsError> {
    let version = shared.publish(turn, &models.draft(lock), now_ms, keep).await?;
    let (folder, lock) = (models.clone(), Arc::clone(lock));
    let take = move || {
        folder.adopt(&lock, version)?;
        activate(&folder, &lock, version, keep)
    };
    blocking(take).await?;
    Ok(version)
}

/// Makes a version that the folder has its active one.
fn activate(
    models: &ModelFolder,
    lock: &TrainingLock,
    version: ModelVersion,
    keep: NonZeroUsize,
) -> Result<(), ModelFolderError> {
    models.activate(lock, version)?;
    models.prune(version, keep)
}
