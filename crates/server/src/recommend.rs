//! Recommending: from a question about a reader to ranked books, without protobuf.
//!
//! Whatever is missing, there is an answer: without a model, a history or a database
//! it falls back on popular books and says why.

mod fallback;
mod known;
mod seeds;
mod shown;
mod tokens;

use std::sync::{Arc, Mutex, PoisonError};

use recommender::model::Liked;
use recommender::shelf::{self, Arrangement, Origin, Ranked, ShelfSettings, Workspace};
use recommender::{Event, EventWeights, Evidence, Filter, ItemNumber, UserNumber};
use storage::{Book, ModelFolderError, ModelVersion, Store, StoreError, Surface};
use transport::Deadline;

use crate::data_folder::DataFolder;
use crate::generation::Generation;
use crate::histories::{Histories, HistoryLimits, Impressions};
use crate::live::{Live, RenewError, Serving};
use crate::settings::Settings;

use self::known::{KnownReader, had_and_settled, impressions};
use self::seeds::{seed_of_day, seed_of_hour};
use self::tokens::Tokens;

pub use crate::histories::Fresh;
pub use fallback::{Fallback, Fallbacks};
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
    pub evidence: Vec<Evidence>,
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
        let live = Arc::new(Live::load(store.clone(), data.models()?).await?);
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
        let known = match reader {
            Reader::User { id, fresh } => self.known_user(id, *fresh).await,
            Reader::Anonymous(history) => self.known_inline(serving.generation(), history),
        };
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
        let generation = serving.generation();
        let index = generation.index_of_id(book).ok_or(UnknownBook)?;
        let excluded = excluded(generation, filter);
        let shelf = self.with_workspace(|workspace| {
            let request = self.of_nobody(&excluded, filter, results);
            let arrangement = self.arrangement(&serving, Surface::SimilarBooks, None);
            shelf::similar(generation.shop(), index, request, &arrangement, workspace, None)
        });
        let fallback = match generation.model() {
            None => Some(Fallback::NoModel),
            Some(_) => is_filled_up(&shelf).then_some(Fallback::NoNeighbours),
        };
        Ok(self.answer(generation, shelf, Vec::new(), fallback, filter))
    }

    /// Books that are read more lately than they used to be.
    #[must_use]
    pub fn trending(&self, filter: &BookFilter, results: usize) -> Answer {
        let serving = self.live.serving();
        let generation = serving.generation();
        let excluded = excluded(generation, filter);
        let shelf = self.with_workspace(|workspace| {
            let request = self.of_nobody(&excluded, filter, results);
            let arrangement = self.arrangement(&serving, Surface::Trending, None);
            shelf::trending(generation.shop(), request, &arrangement, workspace, None)
        });
        let fallback = match generation.model() {
            None => Some(Fallback::NoModel),
            Some(_) => is_filled_up(&shelf).then_some(Fallback::NoTrend),
        };
        self.answer(generation, shelf, Vec::new(), fallback, filter)
    }

    fn personal(
        &self,
        serving: &Serving,
        known: &KnownReader,
        filter: &BookFilter,
        results: usize,
    ) -> Answer {
        let generation = serving.generation();
        let index = |item: ItemNumber| generation.index_of(item);
        let (had, settled) = had_and_settled(known);
        let indexes = |items: &[ItemNumber]| -> Vec<u32> {
            items.iter().filter_map(|item| index(*item)).collect()
        };
        let (had, settled) = (indexes(&had), indexes(&settled));
        let settled = [excluded(generation, filter), settled].concat();
        let (judged, evidence): (Vec<Liked>, Vec<Evidence>) = known
            .evidence
            .iter()
            .filter(|evidence| evidence.weight != 0.0)
            .filter_map(|evidence| {
                Some((Liked { item: index(evidence.item)?, weight: evidence.weight }, *evidence))
            })
            .unzip();
        let items = generation.model().map_or(0, |model| model.model.item_count());
        let (history, evidence) = scored_by(items, &judged, &evidence);
        let request = shelf::Request {
            history: &history,
            settled: &settled,
            filter: &filter.filter,
            results,
        };
        let shop = generation.shop();
        let arrangement = self.arrangement(serving, Surface::Recommend, known.seed);
        let shown = impressions(known, &self.steps, index);
        let arrangement =
            Arrangement { judged: &judged, had: &had, impressions: &shown, ..arrangement };
        let mut shelf = self.with_workspace(|workspace| {
            shelf::personal(shop, request, &arrangement, workspace, None)
        });
        if let Some(model) = shop.model {
            shelf::explain(model, &history, &mut shelf);
        }
        shelf::explain_by_catalogue(shop.catalogue, &history, &judged, &had, &mut shelf);
        let fallback = match (known.fallback, generation.model()) {
            (Some(Fallback::StoreUnavailable), _) => Some(Fallback::StoreUnavailable),
            (_, None) => Some(Fallback::NoModel),
            (Some(fallback), Some(_)) => Some(fallback),
            (None, Some(_)) if history.is_empty() => Some(Fallback::NoHistory),
            (None, Some(_)) => None,
        };
        let answer = self.answer(generation, shelf, evidence, fallback, filter);
        Answer { user_revision: known.revision, is_stale: known.is_stale, ..answer }
    }

    /// What is asked for where no reader is.
    fn of_nobody<'a>(
        &self,
        settled: &'a [u32],
        filter: &'a BookFilter,
        results: usize,
    ) -> shelf::Request<'a> {
        shelf::Request { history: &[], settled, filter: &filter.filter, results }
    }

    /// The steps and the shop's rules for one shelf; without a seed, popular books stand as they
    /// do for everybody this hour.
    fn arrangement<'a>(
        &'a self,
        serving: &'a Serving,
        surface: Surface,
        seed: Option<u64>,
    ) -> Arrangement<'a> {
        let (settings, rules) = (&self.steps, serving.rules().of(surface));
        let seed = Some(seed.unwrap_or_else(seed_of_hour));
        Arrangement { settings, rules, seed, ..Arrangement::NONE }
    }

    fn answer(
        &self,
        generation: &Arc<Generation>,
        shelf: Vec<Ranked>,
        evidence: Vec<Evidence>,
        fallback: Option<Fallback>,
        filter: &BookFilter,
    ) -> Answer {
        if let Some(fallback) = fallback {
            self.fallbacks.count(fallback);
        }
        let attribution_token = self.tokens.next(generation);
        let mut shown = filter.shown.clone();
        shown.add(shelf.iter().filter_map(|ranked| Some(generation.book(ranked.item)?.number)));
        let generation = Arc::clone(generation);
        let (user_revision, is_stale) = (0, false);
        Answer {
            generation,
            shelf,
            evidence,
            fallback,
            user_revision,
            is_stale,
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

/// Whether what was asked for ranked none of the books, but for those that the shop put there, and
/// there are others.
fn is_filled_up(shelf: &[Ranked]) -> bool {
    let mut ranked = shelf.iter().filter(|one| one.origin != Origin::Pinned).peekable();
    let is_filled = |one: &Ranked| matches!(one.origin, Origin::Popular | Origin::Unranked);
    ranked.peek().is_some() && ranked.all(is_filled)
}

/// What the model can score from: books that it knows, if any of them was liked. The evidence
/// for these comes first, in their order, so that reasons find it; the rest follows.
fn scored_by(items: usize, judged: &[Liked], evidence: &[Evidence]) -> (Vec<Liked>, Vec<Evidence>) {
    let is_known = |pair: &(&Liked, &Evidence)| (pair.0.item as usize) < items;
    let (known, rest): (Vec<_>, Vec<_>) = judged.iter().zip(evidence).partition(is_known);
    let is_liked = known.iter().any(|(liked, _)| liked.weight > 0.0);
    let scored = known.iter().filter(|_| is_liked).map(|(liked, _)| **liked).collect();
    (scored, known.iter().chain(&rest).map(|(_, evidence)| **evidence).collect())
}

fn excluded(generation: &Generation, filter: &BookFilter) -> Vec<u32> {
    let excluded = filter.excluded.iter().filter_map(|id| generation.index_of_id(id));
    let shown = filter.shown.items().iter().filter_map(|item| generation.index_of(*item));
    excluded.chain(shown).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_is_a_fallback_if_nothing_on_it_is_what_was_asked_for() {
        for (origins, expected) in [
            (&[][..], false),
            (&[Origin::Popular, Origin::Unranked], true),
            (&[Origin::Pinned, Origin::Popular], true),
            (&[Origin::Pinned, Origin::Pinned], false),
            (&[Origin::Pinned, Origin::Similar], false),
            (&[Origin::Popular, Origin::Similar], false),
            (&[Origin::Trending], false),
        ] {
            let ranked = |origin: &Origin| Ranked {
                item: 0,
                scored: 0,
                score: 0.0,
                origin: *origin,
                reasons: Vec::new(),
            };
            let shelf: Vec<Ranked> = origins.iter().map(ranked).collect();
            assert_eq!(is_filled_up(&shelf), expected, "{origins:?}");
        }
    }
}
