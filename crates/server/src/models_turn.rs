//! The turn to change the models: the lock of the folder, and the one of the database that replicas
//! share. Who has it, training or choosing, is the only one that changes which model is active.

use std::sync::Arc;
use std::time::Duration;

use storage::{ModelFolder, ModelFolderError, Store, StoreError, TrainingLock, TrainingTurn};
use tokio::time::{Instant, sleep};

use crate::blocking::blocking;

/// How long to wait for it. A training takes longer; a model that is being fetched, or a
/// connection that is about to end, mostly does not.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long to wait before trying again.
const PAUSE: Duration = Duration::from_millis(50);

/// Why there is no turn to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnError {
    /// The folder cannot be locked, or is.
    #[error(transparent)]
    Folder(#[from] ModelFolderError),
    /// Another process trains on the same database.
    #[error("another training on the same database is running")]
    Elsewhere,
    /// The database cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    /// Of the folder.
    pub(crate) lock: Arc<TrainingLock>,
    /// Of the database.
    pub(crate) shared: TrainingTurn,
}

/// Takes the turn, once nobody else has it or not at all.
///
/// # Errors
///
/// [`TurnError`]; [`ModelFolderError::Locked`] or [`TurnError::Elsewhere`] if somebody else has it.
pub(crate) async fn take_turn(store: &Store, models: &ModelFolder) -> Result<Turn, TurnError> {
    let until = Instant::now() + PATIENCE;
    let lock = loop {
        let folder = models.clone();
        match blocking(move || folder.lock()).await {
            Err(ModelFolderError::Locked { .. }) if Instant::now() < until => sleep(PAUSE).await,
            lock => break Arc::new(lock?),
        }
    };
    let shared = loop {
        match store.lock_training().await? {
            Some(turn) => break turn,
            None if Instant::now() < until => sleep(PAUSE).await,
            None => return Err(TurnError::Elsewhere),
        }
    };
    Ok(Turn { lock, shared })
}
