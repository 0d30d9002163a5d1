//! What is known of the models that there are: which is active, whether somebody chose it over a later
//! one, and what news is counted from.

use storage::{ModelFolder, ModelFolderError, ModelVersion};

use super::LookError;
use crate::blocking::blocking;
use crate::live::Live;
use crate::train::{TrainedOn, trained_on};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Known {
    /// The folder's active model.
    pub(super) active: ModelVersion,
    /// The latest there is, here or elsewhere.
    newest: ModelVersion,
    /// What news is counted from; `None` if no file tells.
    pub(super) trained_on: Option<TrainedOn>,
    /// Whether it is known what the latest was trained on.
    pub(super) knows_newest: bool,
}

impl Known {
    /// Reads it, as far as it may differ from before; `None` if no model is active.
    pub(super) async fn read(live: &Live, before: Option<Self>) -> Result<Option<Self>, LookError> {
        // Where replicas share models, the folder may lack the latest.
        let shared = match live.store().models_in_database() {
            Some(shared) => shared.versions().await?.first().map(|model| model.version),
            None => None,
        };
        let models = live.models().clone();
        Ok(blocking(move || Self::of(&models, shared, before)).await?)
    }

    fn of(
        models: &ModelFolder,
        shared: Option<ModelVersion>,
        before: Option<Self>,
    ) -> Result<Option<Self>, ModelFolderError> {
        let Some(active) = models.active()? else { return Ok(None) };
        let newest = match shared {
            Some(newest) => Some(newest),
            None => models.versions()?.first().copied(),
        };
        let newest = newest.map_or(active, |newest| newest.max(active));
        let same = before
            .filter(|known| (known.active, known.newest) == (active, newest) && known.knows_newest);
        Ok(same.or_else(|| {
            let own = trained_on(models, active);
            let later = if newest == active { own } else { trained_on(models, newest) };
            // What was learnt after the active model is no news, or the choice of that would not
            // last; but who was deleted is to be out of the one that is served.
            let counted = match (own, later) {
                (Some(own), Some(later)) => Some(TrainedOn { removals: own.removals, ..later }),
                (own, later) => later.or(own),
            };
            Some(Self { active, newest, trained_on: counted, knows_newest: later.is_some() })
        }))
    }

    /// Whether somebody chose the active model over a later one.
    pub(super) fn is_chosen(&self) -> bool {
        self.newest > self.active
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use storage::Store;

    use super::*;
    use crate::demo;
    use crate::progress::{Progress, Silent};
    use crate::settings::Settings;
    use crate::train::train;

    async fn trained(store: &Store, models: &ModelFolder) -> ModelVersion {
        let silent: Arc<dyn Progress> = Arc::new(Silent);
        let (settings, never) = (Settings::read(None).unwrap(), Arc::new(AtomicBool::new(false)));
        let trained = train(store, models, &settings, &silent, &never).await.unwrap();
        ModelVersion(trained.model_version.parse().unwrap())
    }

    async fn shop(folder: &Path) -> Store {
        let settings = Settings::read(None).unwrap();
        let store = Store::open(folder, &settings.store.limits()).await.unwrap();
        demo::fill(&store, 0, &Silent).await.unwrap();
        store
    }

    #[tokio::test]
    async fn news_is_counted_from_the_latest_and_removals_from_the_active_model() {
        let folder = tempfile::tempdir().unwrap();
        let store = shop(folder.path()).await;
        let models = ModelFolder::open(&folder.path().join("models")).unwrap();
        let first = trained(&store, &models).await;
        let mut writer = store.begin().await.unwrap();
        let user = writer.resolve_users(&[demo::SHOWN_USER]).await.unwrap()[0].number;
        writer.delete_user(user).await.unwrap();
        writer.commit().await.unwrap();
        let second = trained(&store, &models).await;
        let [own, later] = [first, second].map(|version| trained_on(&models, version).unwrap());
        assert!(later.removals > own.removals);
        let latest = Known::of(&models, None, None).unwrap().unwrap();
        assert_eq!((latest.is_chosen(), latest.trained_on), (false, Some(later)));

        let lock = models.lock().unwrap();
        models.activate(&lock, first).unwrap();
        let known = |shared| Known::of(&models, shared, Some(latest)).unwrap().unwrap();
        let chosen = known(None);
        assert!(chosen.is_chosen() && chosen.knows_newest);
        let counted = TrainedOn { removals: own.removals, ..later };
        assert_eq!(chosen.trained_on, Some(counted));
        // The database has a later one, whose file is not here.
        let elsewhere = known(Some(ModelVersion(second.0 + 1)));
        assert!(elsewhere.is_chosen() && !elsewhere.knows_newest);
        assert_eq!(elsewhere.trained_on, Some(own));
        store.close().await;
    }
}
