//! What is being served now: the generation behind an atomic swap, and who renews it.
//!
//! Invariant: a request takes one generation and keeps it. Nobody waits for a renewal;
//! if one fails, the generation before goes on serving and the log says why.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use recommender::model::ModelError;
use storage::{ModelFolder, ModelFolderError, ModelVersion, Store, StoreError};

use crate::generation::{Books, Generation, VersionedModel};

/// Why a generation could not be renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The active model cannot be read.
    #[error("cannot read the active model: {0}")]
    Models(#[from] ModelFolderError),
    /// The active model's file is sound but holds something else.
    #[error("model {version} cannot be used: {source}")]
    Model {
        /// Its version.
        version: ModelVersion,
        /// What is wrong with it.
        source: ModelError,
    },
    /// The books cannot be read.
    #[error("cannot read the books: {0}")]
    Store(#[from] StoreError),
    /// A renewal ended early because the process is stopping.
    #[error("renewal was interrupted")]
    Interrupted,
}

/// The generation being served.
#[derive(Debug)]
pub struct Live {
    current: ArcSwap<Generation>,
    store: Store,
    models: ModelFolder,
}

impl Live {
    /// Loads the active model and the books. A model that cannot be used is replaced by the
    /// newest older one that can, and the log says so.
    ///
    /// # Errors
    ///
    /// If the books cannot be read.
    pub async fn load(store: Store, models: ModelFolder) -> Result<Self, RenewError> {
        let model = newest_usable(&models).await;
        let books = Books::read(&store).await?;
        let current = join(model, books).await?;
        Ok(Self { current: ArcSwap::from_pointee(current), store, models })
    }

    /// The generation to answer a request from.
    #[must_use]
    pub fn current(&self) -> Arc<Generation> {
        self.current.load_full()
    }

    /// The version of the model being served.
    #[must_use]
    pub fn model_version(&self) -> Option<u64> {
        self.current().model().map(|model| model.version.0)
    }

    /// Brings in the active model and the books if they changed; tells whether they did.
    ///
    /// # Errors
    ///
    /// [`RenewError`]; the current generation stays.
    pub async fn renew(&self) -> Result<bool, RenewError> {
        let current = self.current();
        let models = self.models.clone();
        let active = blocking(move || models.active()).await??;
        let same_model = active == current.model().map(|model| model.version);
        let revision = self.store.catalogue_revision().await?;
        if same_model && revision == current.books_revision() {
            return Ok(false);
        }
        let model = match active {
            Some(version) if !same_model => Some(self.read_model(version).await?),
            Some(_) => current.model().cloned(),
            None => None,
        };
        let renewed = join(model, Books::read(&self.store).await?).await?;
        let books = renewed.book_count();
        let old = self.current.swap(Arc::new(renewed));
        tracing::info!(model = self.model_version(), books, "serving a new generation");
        drop(current);
        // The last holder frees it, and that takes a while for a large shop.
        blocking(move || drop(old)).await?;
        Ok(true)
    }

    async fn read_model(&self, version: ModelVersion) -> Result<VersionedModel, RenewError> {
        let models = self.models.clone();
        blocking(move || read(&models, version)).await?
    }

    /// Renews at every `interval`, until `stop` ends.
    pub async fn keep_current(&self, interval: Duration, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut failure: Option<String> = None;
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(interval) => {}
            }
            match self.renew().await {
                Ok(_) => failure = None,
                Err(error) => {
                    // Say the same thing once, not twice a second.
                    let text = error.to_string();
                    if failure.as_ref() != Some(&text) {
                        tracing::error!(error = %text, "cannot renew; the generation before goes on serving");
                        failure = Some(text);
                    }
                }
            }
        }
    }
}

fn read(models: &ModelFolder, version: ModelVersion) -> Result<VersionedModel, RenewError> {
    let snapshot = models.open_version(version)?;
    VersionedModel::from_snapshot(version, &snapshot)
        .map_err(|source| RenewError::Model { version, source })
}

/// The active model, or the newest other one that can be used, or none.
async fn newest_usable(models: &ModelFolder) -> Option<VersionedModel> {
    let models = models.clone();
    let find = move || {
        let active = match models.active() {
            Ok(None) => return None,
            Ok(active) => active,
            Err(error) => {
                tracing::error!(%error, "cannot tell which model is active");
                None
            }
        };
        let others = models.versions().unwrap_or_default();
        let others = others.into_iter().filter(|version| Some(*version) != active);
        active.into_iter().chain(others).find_map(|version| match read(&models, version) {
            Ok(model) => {
                if active != Some(version) {
                    tracing::warn!(model = version.0, "falling back to an older model");
                }
                Some(model)
            }
            Err(error) => {
                tracing::error!(model = version.0, %error, "model refused");
                None
            }
        })
    };
    blocking(find).await.ok().flatten()
}

async fn join(model: Option<VersionedModel>, books: Books) -> Result<Generation, RenewError> {
    blocking(move || Generation::new(model, books)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RenewError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| RenewError::Interrupted)
}
