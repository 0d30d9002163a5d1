//! Recommending: from a question about a reader to ranked books, without protobuf.
//!
//! Whatever is missing, there is an answer: without a model, a history or a database
//! it falls back on popular books and says why.

mod explain;
mod fallback;
pub(crate) mod favourites;
mod known;
mod page;
mod placed;
mod seeds;
mod shelf_kind;
mod shelves;
mod shown;
mod tokens;

use std::sync::{Arc, Mutex, PoisonError};

use recommender::shelf::{Ranked, ShelfSettings, Workspace};
use recommender::{Event, EventWeights, Evidence, Filter, UserNumber};
use storage::{Book, ModelFolderError, ModelVersion, Store, StoreError};
use transport::Deadline;

use crate::data_folder::DataFolder;
use crate::generation::Generation;
use crate::histories::{Histories, HistoryLimits, Impressions};
use crate::live::{Live, RenewError, Serving};
use crate::models_exchange::catch_up;
use crate::settings::Settings;

use self::known::KnownReader;
use self::placed::PlacedReader;
use self::seeds::seed_of_day;
use self::shelves::Found;
use self::tokens::Tokens;

pub use crate::histories::Fresh;
pub(crate) use explain::{Candidate, Explained, Explanation, Weighed};
pub use fallback::{Fallback, Fallbacks};
pub use page::{About, Page, PageShelf, Subject, WantedShelf};
pub(crate) use placed::excluded;
pub use shelf_kind::ShelfKind;
pub use shown::{BadToken, Shown};

/// Who asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Reader {
    /// A user of the shop.
    User {
        /// The shop's id.
        id: String,
        /// How new what is known of them has to be.
        fresh: Fresh,
    },
    /// Somebody without an account, with what is known of them.
    Anonymous(Vec<(String, Event)>),
}

/// Which books may be returned. Ids that the shop does not have are ignored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BookFilter {
    /// By category and language; languages in lower case.
    pub filter: Filter,
    /// None of these, nor another edition of them.
    pub excluded: Vec<String>,
    /// None of what was shown before, nor another edition of it.
    pub shown: Shown,
}

/// Ranked books, with what they were ranked from.
#[derive(Debug)]
pub struct Answer {
    /// The generation that answered; indexes are of its catalogue.
    pub generation: Arc<Generation>,
    /// The books, best first.
    pub shelf: Vec<Ranked>,
    /// What the places in the reasons stand for, and what else is known of the reader.
    pub evidence: Arc<[Evidence]>,
    /// Why this is less than what was asked for.
    pub fallback: Option<Fallback>,
    /// The revision of the user that it reflects; 0 without a user who is known.
    pub user_revision: i64,
    /// Whether it may be behind what others acknowledged, since the store cannot be reached.
    pub is_stale: bool,
    /// Names this answer.
    pub attribution_token: String,
    /// What has been shown, with this answer.
    pub shown: Shown,
}

/// Answers questions from the live generation and the store.
#[derive(Debug)]
pub struct Recommender {
    live: Arc<Live>,
    store: Store,
    histories: Arc<Histories>,
    weights: EventWeights,
    steps: ShelfSettings,
    workspaces: Mutex<Vec<Workspace>>,
    tokens: Tokens,
    fallbacks: Arc<Fallbacks>,
}

/// The book that was asked about is not in the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such book")]
pub struct UnknownBook;

/// Why there is nothing to recommend from.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of models cannot be opened.
    #[error(transparent)]
    Models(#[from] ModelFolderError),
    /// The books cannot be read.
    #[error(transparent)]
    Load(#[from] RenewError),
}

impl Recommender {
    /// Opens a data folder and loads what there is.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the store cannot be read.
    pub async fn open(data: &DataFolder, settings: &Settings) -> Result<Self, OpenError> {
        let store = data.store(settings).await?;
        let models = data.models()?;
        catch_up(&store, &models, settings.models.keep).await;
        let live = Arc::new(Live::load(store.clone(), models).await?);
        let steps = settings.shelf.engine();
        let histories = Arc::new(Histories::new(store.clone(), history_limits(settings, &steps)));
        Ok(Self {
            live,
            store,
            histories,
            weights: settings.weights.engine(),
            steps,
            workspaces: Mutex::default(),
            tokens: Tokens::new(),
            fallbacks: Arc::default(),
        })
    }

    /// One that answers from a version of the model, whatever is active; it shares the store.
    ///
    /// # Errors
    ///
    /// [`RenewError`] if there is no such version, or it cannot be used.
    pub async fn with_model(&self, version: ModelVersion) -> Result<Self, RenewError> {
        Ok(Self {
            live: Arc::new(self.live.with_model(version).await?),
            store: self.store.clone(),
            histories: Arc::clone(&self.histories),
            weights: self.weights.clone(),
            steps: self.steps.clone(),
            workspaces: Mutex::default(),
            tokens: Tokens::new(),
            fallbacks: Arc::clone(&self.fallbacks),
        })
    }

    /// What it answers from.
    #[must_use]
    pub fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// How often it fell back on popular books.
    #[must_use]
    pub fn fallbacks(&self) -> &Fallbacks {
        &self.fallbacks
    }

    /// What it reads histories from.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What each kind of event says.
    pub(crate) fn weights(&self) -> &EventWeights {
        &self.weights
    }

    /// What is known of users.
    pub(crate) fn histories(&self) -> &Arc<Histories> {
        &self.histories
    }

    /// Closes the store, waiting for what is being read.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// Books for one reader.
    pub async fn recommend(&self, reader: &Reader, filter: &BookFilter, results: usize) -> Answer {
        let serving = self.live.serving();
        let known = self.known_reader(serving.generation(), reader).await;
        self.personal(&serving, &known, filter, results)
    }

    /// Books for a user by number, as the tutorial's contract asks.
    pub async fn recommend_by_number(
        &self,
        user: UserNumber,
        deadline: Option<Deadline>,
        filter: &BookFilter,
        results: usize,
    ) -> Answer {
        let mut known = self.known(user, Fresh { revision: 0, deadline }).await;
        // 0 stands for nobody.
        known.seed = (user.0 > 0).then(|| seed_of_day(user.0.into()));
        self.personal(&self.live.serving(), &known, filter, results)
    }

    /// Books that go with one book.
    ///
    /// # Errors
    ///
    /// [`UnknownBook`] if the shop does not have it.
    pub fn similar(
        &self,
        book: &str,
        filter: &BookFilter,
        results: usize,
    ) -> Result<Answer, UnknownBook> {
        let serving = self.live.serving();
        let index = serving.generation().index_of_id(book).ok_or(UnknownBook)?;
        let nobody = PlacedReader::default();
        let found =
            self.with_shelves(&serving, &nobody, filter, |shelves| shelves.similar(index, results));
        Ok(self.answer(serving.generation(), found, &nobody, &filter.shown, ShelfKind::SimilarTo))
    }

    /// Books that are read more lately than they used to be.
    #[must_use]
    pub fn trending(&self, filter: &BookFilter, results: usize) -> Answer {
        let serving = self.live.serving();
        let nobody = PlacedReader::default();
        let found =
            self.with_shelves(&serving, &nobody, filter, |shelves| shelves.trending(results));
        self.answer(serving.generation(), found, &nobody, &filter.shown, ShelfKind::Trending)
    }

    async fn known_reader(&self, generation: &Generation, reader: &Reader) -> KnownReader {
        match reader {
            Reader::User { id, fresh } => self.known_user(id, *fresh).await,
            Reader::Anonymous(history) => self.known_inline(generation, history),
        }
    }

    fn personal(
        &self,
        serving: &Serving,
        known: &KnownReader,
        filter: &BookFilter,
        results: usize,
    ) -> Answer {
        let reader = PlacedReader::new(known, serving.generation(), &self.steps);
        let found =
            self.with_shelves(serving, &reader, filter, |shelves| shelves.personal(results));
        self.answer(serving.generation(), found, &reader, &filter.shown, ShelfKind::PickedForYou)
    }

    /// Counts and names what is answered, and adds it to what was shown before.
    fn answer(
        &self,
        generation: &Arc<Generation>,
        found: Found,
        reader: &PlacedReader,
        before: &Shown,
        kind: ShelfKind,
    ) -> Answer {
        if let Some(fallback) = found.fallback {
            self.fallbacks.count(fallback);
        }
        self.uncounted_answer(generation, found, reader, before, kind)
    }

    /// The same for what nobody is shown.
    fn uncounted_answer(
        &self,
        generation: &Arc<Generation>,
        found: Found,
        reader: &PlacedReader,
        before: &Shown,
        kind: ShelfKind,
    ) -> Answer {
        let Found { shelf, fallback } = found;
        let attribution_token = self.tokens.next(generation, kind);
        let mut shown = before.clone();
        shown.add(shelf.iter().filter_map(|ranked| Some(generation.book(ranked.item)?.number)));
        Answer {
            generation: Arc::clone(generation),
            shelf,
            evidence: Arc::clone(&reader.evidence),
            fallback,
            user_revision: reader.revision,
            is_stale: reader.is_stale,
            attribution_token,
            shown,
        }
    }

    /// Lends working memory. There are never more than requests at one time.
    fn with_workspace<T>(&self, work: impl FnOnce(&mut Workspace) -> T) -> T {
        let lock = || self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let mut workspace = lock().pop().unwrap_or_default();
        let result = work(&mut workspace);
        lock().push(workspace);
        result
    }
}

fn history_limits(settings: &Settings, steps: &ShelfSettings) -> HistoryLimits {
    HistoryLimits {
        bytes_max: settings.store.history_cache_bytes(),
        events_max: settings.serve.history_events_max.get(),
        impressions: match steps.impressions {
            Some(_) => Impressions::Read,
            None => Impressions::Ignored,
        },
    }
}

impl Answer {
    /// A book of the shelf. It is there: only books of the shop are eligible.
    #[must_use]
    pub fn book(&self, ranked: &Ranked) -> Option<&Book> {
        self.generation.book(ranked.item)
    }

    /// Whether what it was ranked from includes simulated readers.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.generation.model().is_some_and(|model| model.model.is_simulated())
    }
}
