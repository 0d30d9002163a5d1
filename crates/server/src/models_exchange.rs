//! Models that replicas share through their database: whoever trains publishes there, and all others
//! fetch what is active into their folder of models, which they serve from.
//!
//! The database assigns the versions, above all that a folder may hold from before. The folder holds the
//! active one, and no more than the latest `models.keep` others. A store in a folder has no such models: nothing here is done then.

use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use storage::{
    DatabaseModels, DatabaseModelsError, ModelFolder, ModelFolderError, ModelVersion, Store,
    TrainingLock, TrainingTurn,
};

use tokio::time::timeout;

use crate::blocking::blocking;
use crate::live::Live;
use crate::repeat::{Poll, UNHURRIED};

/// How long a start waits for the model that others serve.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// How long a look may take, and the model that it finds be on its way.
const PATIENCE: Duration = Duration::from_secs(600);

/// Makes the folder's active model the one of the database before anything is served: a replica that
/// is new would otherwise answer with popular books until the first look. Where that fails or takes
/// too long it is told, and the start goes on without.
pub(crate) async fn catch_up(store: &Store, models: &ModelFolder, keep: NonZeroUsize) {
    let Some(shared) = store.models_in_database() else { return };
    let bringing = async {
        if missing(&shared, models).await? != Missing::Active {
            return Ok(());
        }
        let folder = models.clone();
        match blocking(move || folder.lock()).await {
            // Another process brings it in.
            Err(ModelFolderError::Locked { .. }) => {}
            lock => drop(bring_in(&shared, models, &Arc::new(lock?), keep).await?),
        }
        Ok::<_, DatabaseModelsError>(())
    };
    let going_on = "the start goes on with what is in the folder, and looks again";
    match timeout(START_PATIENCE, bringing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "cannot fetch the active model; {going_on}"),
        Err(_) => {
            tracing::warn!(after = ?START_PATIENCE, "fetching the model takes long; {going_on}");
        }
    }
}

/// Keeps the folder's active model the one of the database, and the latest beside it, until `stop` ends.
pub(crate) async fn keep_exchanged(
    live: &Live,
    keep: NonZeroUsize,
    interval: Duration,
    stop: impl Future<Output = ()>,
) {
    let Some(shared) = live.store().models_in_database() else { return };
    let (shared, models) = (&shared, live.models());
    let fetch = || async move {
        let missing = missing(shared, models).await?;
        if missing == Missing::Nothing {
            return Ok(());
        }
        let folder = models.clone();
        let lock = match blocking(move || folder.lock()).await {
            // Whoever trains into this folder brings it in, or lets go of it.
            Err(ModelFolderError::Locked { .. }) => return Ok(()),
            lock => Arc::new(lock?),
        };
        match missing {
            Missing::Newest(version) => drop(shared.fetch(version, models).await?),
            _ if bring_in(shared, models, &lock, keep).await? => live.hint(),
            _ => {}
        }
        Ok::<_, DatabaseModelsError>(())
    };
    let poll = Poll {
        interval,
        wait_max: UNHURRIED,
        patience: PATIENCE,
        failing: "cannot fetch the model; the one before goes on serving",
        recovered: "the database's models can be fetched again",
        failures: None,
    };
    poll.repeat(fetch, stop).await;
}

/// What the folder lacks of the models of the database, what matters most first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Missing {
    /// The active one is not its own.
    Active,
    /// It has no file of the latest, which is not active: that says what is news.
    Newest(ModelVersion),
    /// It has both, or there is none.
    Nothing,
}

async fn missing(
    shared: &DatabaseModels,
    models: &ModelFolder,
) -> Result<Missing, DatabaseModelsError> {
    let stored = shared.versions().await?;
    let Some(active) = stored.iter().find(|model| model.is_active) else {
        return Ok(Missing::Nothing);
    };
    let (active, newest) = (active.version, stored[0].version);
    let models = models.clone();
    let look = move || {
        Ok(if models.active()? != Some(active) {
            Missing::Active
        } else if newest != active && !models.versions()?.contains(&newest) {
            Missing::Newest(newest)
        } else {
            Missing::Nothing
        })
    };
    blocking(look).await
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

/// Makes a version that the folder has its active one, and removes others than are to be kept.
pub(crate) fn activate(
    models: &ModelFolder,
    lock: &TrainingLock,
    version: ModelVersion,
    keep: NonZeroUsize,
) -> Result<(), ModelFolderError> {
    models.activate(lock, version)?;
    models.prune(version, keep)
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::path::Path;
    use std::sync::atomic::AtomicBool;

    use storage::DatabaseUrl;
    use testbed::postgres::{Database, database_or_skip};

    use super::*;
    use crate::demo;
    use crate::models;
    use crate::progress::{Progress, Silent};
    use crate::settings::Settings;
    use crate::train::{TrainError, Trained, train};

    async fn connect(database: &Database) -> Store {
        let url = DatabaseUrl::parse(database.url()).unwrap();
        let limits = Settings::read(None).unwrap().store.limits();
        Store::connect(&url, &limits).await.unwrap()
    }

    async fn store_in(folder: &Path) -> Store {
        Store::open(folder, &Settings::read(None).unwrap().store.limits()).await.unwrap()
    }

    async fn train_into(models: &ModelFolder, store: &Store) -> Result<Trained, TrainError> {
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        let settings = Settings::read(None).unwrap();
        train(store, models, &settings, &silent, &Arc::new(AtomicBool::new(false))).await
    }

    /// The version that a training made.
    fn version(trained: &Trained) -> ModelVersion {
        ModelVersion(trained.model_version.parse().unwrap())
    }

    /// Exchanges until this version is active.
    async fn exchange_until(live: &Live, version: ModelVersion) {
        let is_active = || live.models().active().unwrap() == Some(version);
        exchange_while(live, || !is_active()).await;
    }

    async fn exchange_while(live: &Live, goes_on: impl Fn() -> bool) {
        let exchanging =
            keep_exchanged(live, NonZeroUsize::MIN, Duration::from_millis(10), pending::<()>());
        let there = async {
            while goes_on() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let either = async {
            tokio::select! {
                () = exchanging => {}
                () = there => {}
            }
        };
        tokio::time::timeout(Duration::from_secs(60), either).await.unwrap();
    }

    #[tokio::test]
    async fn what_one_replica_trains_all_serve_and_one_trains_at_a_time() {
        let Some(database) = database_or_skip("replicas share models") else { return };
        let (one, other) = (connect(&database).await, connect(&database).await);
        demo::fill(&one, 0, &Silent).await.unwrap();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [first, second] =
            folders.each_ref().map(|folder| ModelFolder::open(folder.path()).unwrap());
        // Its model is from before there was a database.
        let alone = store_in(folders[1].path()).await;
        demo::fill(&alone, 0, &Silent).await.unwrap();
        assert_eq!(version(&train_into(&second, &alone).await.unwrap()), ModelVersion(1));
        let live = Live::load(other.clone(), second.clone()).await.unwrap();

        let once = version(&train_into(&first, &one).await.unwrap());
        assert_eq!(first.active().unwrap(), Some(once));
        exchange_until(&live, once).await;
        assert!(live.renew().await.unwrap());
        assert_eq!(live.model_version(), Some(once.0));

        let turn = one.lock_training().await.unwrap().unwrap();
        let refused = train_into(&second, &other).await;
        assert!(matches!(refused, Err(TrainError::Elsewhere)), "{refused:?}");
        drop(turn);
        let twice = version(&train_into(&second, &other).await.unwrap());
        assert!(twice > once);
        exchange_until(&Live::load(one.clone(), first.clone()).await.unwrap(), twice).await;
        // One is kept, as it was asked for; the other goes after the new one is active.
        let pruned = async {
            while first.versions().unwrap() != [twice] {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), pruned).await.unwrap();
        one.close().await;
        other.close().await;
    }

    #[tokio::test]
    async fn a_new_replica_has_the_model_before_it_serves() {
        let Some(database) = database_or_skip("a new replica has the model") else { return };
        let (one, other) = (connect(&database).await, connect(&database).await);
        demo::fill(&one, 0, &Silent).await.unwrap();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [trained, new] =
            folders.each_ref().map(|folder| ModelFolder::open(folder.path()).unwrap());
        catch_up(&other, &new, NonZeroUsize::MIN).await;
        assert_eq!(new.active().unwrap(), None);
        let only = version(&train_into(&trained, &one).await.unwrap());
        let lock = new.lock().unwrap();
        catch_up(&other, &new, NonZeroUsize::MIN).await;
        assert_eq!(new.active().unwrap(), None, "somebody else has the folder");
        drop(lock);
        catch_up(&other, &new, NonZeroUsize::MIN).await;
        let live = Live::load(other.clone(), new).await.unwrap();
        assert_eq!(live.model_version(), Some(only.0));
        one.close().await;
        other.close().await;
    }

    #[tokio::test]
    async fn the_latest_model_is_fetched_by_the_poll_and_not_by_a_choice() {
        let Some(database) = database_or_skip("the latest model is fetched") else { return };
        let (one, other) = (connect(&database).await, connect(&database).await);
        demo::fill(&one, 0, &Silent).await.unwrap();
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [here, elsewhere] =
            folders.each_ref().map(|folder| ModelFolder::open(folder.path()).unwrap());
        let first = version(&train_into(&here, &one).await.unwrap());
        let second = version(&train_into(&here, &one).await.unwrap());

        let live = Live::load(other.clone(), elsewhere.clone()).await.unwrap();
        models::activate(&live, first, NonZeroUsize::MIN).await.unwrap();
        assert_eq!(live.model_version(), Some(first.0));
        assert_eq!(elsewhere.versions().unwrap(), [first]);
        // Also with the active one there from the start, as after a fetch that failed.
        exchange_while(&live, || elsewhere.versions().unwrap() != [second, first]).await;
        assert_eq!(elsewhere.active().unwrap(), Some(first));
        one.close().await;
        other.close().await;
    }
}
