//! What is being served now: the generation with its rules behind an atomic swap, and who renews
//! them.
//!
//! Invariant: a request takes one [`Serving`] and keeps it, so that rules always are of the
//! catalogue that they are applied to. Nobody waits for a renewal; if one fails, what was before
//! goes on serving and the log says why.

mod book_changes;
mod current;
mod rule_changes;
mod rules;
mod serving;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use storage::{ModelFolder, ModelFolderError, ModelVersion, Store, StoreError};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};

use crate::blocking::blocking;
use crate::books::{BookChanges, Books};
use crate::generation::{Generation, OpenModelError, VersionedModel};
use crate::repeat::{Poll, WITHIN_A_SECOND};
use crate::rules::StoredRules;

pub use book_changes::{OfferChange, PutOffers};
pub use serving::Serving;

use current::Current;

/// How long a renewal may take: all books of a large shop are read, and a model.
const PATIENCE: Duration = Duration::from_secs(600);

/// Why a generation could not be renewed.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// It cannot be told which model is active.
    #[error(transparent)]
    Models(#[from] ModelFolderError),
    /// The active model cannot be used.
    #[error(transparent)]
    Model(#[from] OpenModelError),
    /// The active model was found to be of no use before, for this reason, and is not read again.
    #[error("{0}")]
    Refused(String),
    /// The books cannot be read.
    #[error("cannot read the books: {0}")]
    Store(#[from] StoreError),
    /// The rules cannot be read.
    #[error("cannot read the rules: {0}")]
    Rules(#[source] StoreError),
}

/// What is being served.
#[derive(Debug)]
pub struct Live {
    current: Arc<Current>,
    /// Held by whoever opens a model.
    opening: Mutex<()>,
    /// Held by whoever reads what became of the books, until it is served.
    renewing: Arc<Mutex<()>>,
    /// The last model that was refused as damaged, and why.
    refused: StdMutex<Option<(ModelVersion, String)>>,
    /// How many renewals failed.
    failed: AtomicU64,
    /// How many times somebody began to read the rules.
    rule_reads: AtomicU64,
    store: Store,
    models: ModelFolder,
    /// Whether it keeps its model, whatever is active.
    is_pinned: bool,
    /// Wakes who keeps it current.
    hint: Notify,
}

impl Live {
    /// Loads the active model, the books and the rules. A model that cannot be used is replaced
    /// by the newest older one that can, and the log says so.
    ///
    /// # Errors
    ///
    /// If the books or the rules cannot be read.
    pub async fn load(store: Store, models: ModelFolder) -> Result<Self, RenewError> {
        let model = newest_usable(&models).await;
        Self::of(model, store, models).await
    }

    async fn of(
        model: Option<VersionedModel>,
        store: Store,
        models: ModelFolder,
    ) -> Result<Self, RenewError> {
        let books = Books::read(&store).await?;
        let rules = StoredRules::read(&store, 0).await.map_err(RenewError::Rules)?;
        let serving = blocking(move || {
            Serving::new(Arc::new(Generation::new(model, &books)), Arc::new(rules))
        });
        Ok(Self {
            current: Arc::new(Current::new(serving.await)),
            opening: Mutex::default(),
            renewing: Arc::default(),
            refused: StdMutex::default(),
            failed: AtomicU64::new(0),
            rule_reads: AtomicU64::new(0),
            store,
            models,
            is_pinned: false,
            hint: Notify::new(),
        })
    }

    /// The same books and rules with one version of the model, whatever is active. To be kept
    /// current like any other.
    ///
    /// # Errors
    ///
    /// [`RenewError`] if there is no such version, or it cannot be used.
    pub async fn with_model(&self, version: ModelVersion) -> Result<Self, RenewError> {
        let (store, models) = (self.store.clone(), self.models.clone());
        let folder = models.clone();
        let model = blocking(move || VersionedModel::open(&folder, version)).await?;
        Ok(Self { is_pinned: true, ..Self::of(Some(model), store, models).await? })
    }

    /// What to answer a request from.
    #[must_use]
    pub fn serving(&self) -> Arc<Serving> {
        self.current.load()
    }

    /// The generation being served.
    #[must_use]
    pub fn generation(&self) -> Arc<Generation> {
        Arc::clone(self.serving().generation())
    }

    /// The store that it reads.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The folder that it takes models from.
    pub(crate) fn models(&self) -> &ModelFolder {
        &self.models
    }

    /// The version of the model being served.
    #[must_use]
    pub fn model_version(&self) -> Option<u64> {
        self.generation().model().map(|model| model.version.0)
    }

    /// When the model being served was written, as its file said when it was opened.
    #[must_use]
    pub fn model_written(&self) -> Option<SystemTime> {
        self.generation().model()?.written
    }

    /// How many renewals failed since the start.
    #[must_use]
    pub fn renewals_failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Brings in the active model and the books as far as they changed; tells whether they did.
    /// Waits for whoever does so already.
    ///
    /// A damaged model is read once, and is an error as long as it is active; the books are brought
    /// in all the same.
    ///
    /// # Errors
    ///
    /// [`RenewError`]; what could not be renewed stays as it was.
    pub async fn renew(&self) -> Result<bool, RenewError> {
        let model = self.renew_model().await;
        let turn = Arc::clone(&self.renewing).lock_owned().await;
        let books = self.renew_books(turn, self.generation()).await?;
        Ok(model? || books)
    }

    /// Brings in the books unless what is served has them already, as of a revision of the
    /// catalogue. Those who wait for each other are served by one renewal; nobody waits for a model.
    ///
    /// # Errors
    ///
    /// As every method of [`Store`] that reads.
    pub async fn serve_books(&self, revision: i64) -> Result<(), StoreError> {
        let turn = Arc::clone(&self.renewing).lock_owned().await;
        let current = self.generation();
        if current.books_revision() < revision {
            self.renew_books(turn, current).await?;
        }
        Ok(())
    }

    /// Brings in the active model if it is another one, and tells whether it is. The model is read,
    /// and joined to the books, before it is this one's turn: until then books go on changing.
    async fn renew_model(&self) -> Result<bool, RenewError> {
        let _opening = self.opening.lock().await;
        let current = self.generation();
        let Some(change) = self.changed_model(&current).await? else { return Ok(false) };
        let join = move || Arc::new(Generation::new(change.model, &current.to_books()));
        let joined = blocking(join).await;
        let turn = Arc::clone(&self.renewing).lock_owned().await;
        self.renew_books(turn, joined).await?;
        let books = self.generation().book_count();
        tracing::info!(model = self.model_version(), books, "serving a new model");
        Ok(true)
    }

    /// Serves a generation with what became of its books since it was made; tells whether that is
    /// something else than what is served. The turn goes with the work: who asked may be gone before
    /// it is done.
    async fn renew_books(
        &self,
        turn: OwnedMutexGuard<()>,
        generation: Arc<Generation>,
    ) -> Result<bool, StoreError> {
        let revision = self.store.catalogue_revision().await?;
        let is_served = Arc::ptr_eq(&generation, self.serving().generation());
        if is_served && revision == generation.books_revision() {
            return Ok(false);
        }
        let changes = self.read_changes(revision, &generation).await?;
        let current = Arc::clone(&self.current);
        let renew = move || {
            let renewed = match changes {
                Changes::Some(changes) => generation.with_changes(changes),
                Changes::All(books) => Generation::new(generation.model().cloned(), &books),
            };
            drop(generation);
            let renewed = Arc::new(renewed);
            let before = current.swap(|serving| Some(serving.with_generation(renewed)));
            drop(turn);
            before.map(|before| Arc::clone(before.generation()))
        };
        let before = blocking(renew).await;
        if let Some(before) = before {
            let books = self.generation().book_count();
            if books == before.book_count() {
                tracing::debug!(books, "books changed");
            } else {
                tracing::info!(books, "books came or went");
            }
            tokio::spawn(free(before));
        }
        Ok(true)
    }

    /// What became of the books since those of a generation; all of them, if the store went back, as
    /// a copy that was put in its place has it.
    async fn read_changes(
        &self,
        revision: i64,
        generation: &Generation,
    ) -> Result<Changes, StoreError> {
        let known = generation.books_revision();
        if revision < known {
            return Ok(Changes::All(Books::read(&self.store).await?));
        }
        Ok(Changes::Some(BookChanges::read(&self.store, known).await?))
    }

    /// The active model, if it is another one than that of a generation.
    async fn changed_model(&self, current: &Generation) -> Result<Option<ModelChange>, RenewError> {
        if self.is_pinned {
            return Ok(None);
        }
        let models = self.models.clone();
        let active = blocking(move || models.active()).await?;
        if active == current.model().map(|model| model.version) {
            return Ok(None);
        }
        let Some(active) = active else { return Ok(Some(ModelChange { model: None })) };
        if let Some((version, reason)) = &*self.refused()
            && *version == active
        {
            return Err(RenewError::Refused(reason.clone()));
        }
        let models = self.models.clone();
        let read = blocking(move || VersionedModel::open(&models, active)).await;
        if let Err(
            error @ (OpenModelError::Model { .. }
            | OpenModelError::Folder(ModelFolderError::Damaged { .. })),
        ) = &read
        {
            // Versions are immutable: it will not get better by reading it again.
            *self.refused() = Some((active, error.to_string()));
        }
        Ok(Some(ModelChange { model: Some(read?) }))
    }

    fn refused(&self) -> MutexGuard<'_, Option<(ModelVersion, String)>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has whoever keeps it current look now, since a model was activated.
    pub(crate) fn hint(&self) {
        self.hint.notify_one();
    }

    /// Renews model and books at every `interval`, or sooner after a hint, until `stop` ends.
    pub async fn keep_current(&self, interval: Duration, stop: impl Future<Output = ()>) {
        let poll = Poll {
            interval,
            wait_max: WITHIN_A_SECOND,
            patience: PATIENCE,
            failing: "cannot renew; the generation before goes on serving",
            recovered: "the renewal goes on",
            failures: Some(&self.failed),
        };
        poll.repeat_on(|| self.hint.notified(), || self.renew(), stop).await;
    }

    fn count_failure(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Another model, or none, became active.
struct ModelChange {
    model: Option<VersionedModel>,
}

/// What became of the books.
enum Changes {
    /// These changed.
    Some(BookChanges),
    /// These are all there are.
    All(Books),
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
        active.into_iter().chain(others).find_map(|version| {
            match VersionedModel::open(&models, version) {
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
            }
        })
    };
    blocking(find).await
}

/// Frees a generation off the async threads, once the last request has let go of it: for a
/// large shop that takes a while.
async fn free(old: Arc<Generation>) {
    while Arc::strong_count(&old) > 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    blocking(move || drop(old)).await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use recommender::ItemNumber;
    use recommender::offer::Offer;
    use storage::{Book, StockOutcome};
    use tokio::time::timeout;

    use super::*;
    use crate::data_folder::DataFolder;
    use crate::settings::Settings;

    fn book(stock: u32) -> Book {
        Book {
            number: ItemNumber(0),
            id: "1".to_owned(),
            title: "Book".to_owned(),
            authors: Vec::new(),
            published_year: None,
            language: None,
            categories: Vec::new(),
            series: None,
            volume: None,
            work: None,
            isbn13: None,
            cover_url: None,
            publisher: None,
            offer: Offer { stock: Some(stock), ..Offer::default() },
        }
    }

    #[tokio::test]
    async fn a_sale_is_served_while_a_model_is_being_opened_and_keeps_rules_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::new(folder.path());
        let store = data.store(&Settings::read(None).unwrap()).await.unwrap();
        let live = Live::load(store.clone(), data.models().unwrap()).await.unwrap();
        live.store_books(vec![book(5)]).await.unwrap();
        live.serve_stored_books().await;
        let before = live.serving();
        let opening = live.opening.lock().await;
        let renewing = timeout(Duration::from_millis(50), live.renew());
        let (renewed, sold) = tokio::join!(renewing, live.adjust_stock("order", "1", -1));
        assert!(renewed.is_err(), "it waits for the model");
        assert_eq!(sold.unwrap(), StockOutcome::Changed(4));
        let after = live.serving();
        let stock = |serving: &Serving| serving.generation().shop().catalogue.offer(0).stock;
        assert_eq!((stock(&before), stock(&after)), (Some(5), Some(4)));
        assert!(after.generation().is_described_as(before.generation()));
        assert!(std::ptr::eq(after.rules(), before.rules()));
        drop(opening);
        assert!(!live.renew().await.unwrap(), "all is served already");
        store.close().await;
    }
}
