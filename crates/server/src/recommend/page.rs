//! Pages: several shelves from one generation, without a book twice.

use std::sync::Arc;

use super::placed::PlacedReader;
use super::shelves::{Found, ReaderShelves};
use super::{Answer, BookFilter, Reader, Recommender, ShelfKind, Shown, UnknownBook, favourites};
use crate::generation::Generation;

/// How many more of the books that a reader liked are looked at than shelves are wanted of them: with
/// some goes nothing that may be shown.
const SPARE_BOOKS: usize = 4;

/// A shelf, or several of one kind, as a page wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedShelf {
    /// What it is about.
    pub about: About,
    /// How many books are wanted on each.
    pub results: usize,
}

/// What a wanted shelf is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The reader.
    PickedForYou,
    /// A category, by its slug.
    Category(String),
    /// So many categories that the reader likes most.
    FavouriteCategories(usize),
    /// A book of the reader, by its id.
    BecauseOf(String),
    /// So many books that the reader liked.
    BecauseOfLiked(usize),
    /// What rises.
    Trending,
    /// The reader's series.
    NextInSeries,
    /// A book, by its id.
    SimilarTo(String),
    /// What many like.
    Popular,
}

/// What a shelf is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Nothing in particular.
    Nothing,
    /// A category, by its slug.
    Category(String),
    /// A book, by its index in the generation.
    Book(u32),
}

/// A shelf on a page.
#[derive(Debug)]
pub struct PageShelf {
    /// Which of the wanted shelves it answers.
    pub place: usize,
    /// What it is of.
    pub kind: ShelfKind,
    /// What it is about.
    pub subject: Subject,
    /// Its books; at least one.
    pub answer: Answer,
}

/// The shelves of a page, in the order in which they were wanted.
#[derive(Debug)]
pub struct Page {
    /// The generation that answered.
    pub generation: Arc<Generation>,
    /// The shelves.
    pub shelves: Vec<PageShelf>,
    /// What has been shown, with this page.
    pub shown: Shown,
    /// The revision of the user that it reflects; 0 without a user who is known.
    pub user_revision: i64,
    /// Whether it may be behind what others acknowledged, since the store cannot be reached.
    pub is_stale: bool,
}

/// One shelf to be filled.
struct Planned {
    place: usize,
    kind: ShelfKind,
    subject: Subject,
    results: usize,
    /// For one of several books that were chosen here, the best first: how many of them get a shelf.
    /// Such a shelf is there for the sake of what goes with its book.
    chosen: Option<usize>,
}

impl Recommender {
    /// The shelves of one page for one reader. Those of next volumes choose their books first, the
    /// others in their order.
    ///
    /// # Errors
    ///
    /// [`UnknownBook`] if the shop does not have a book that a shelf is to be about.
    pub async fn page(
        &self,
        reader: &Reader,
        filter: &BookFilter,
        wanted: &[WantedShelf],
    ) -> Result<Page, UnknownBook> {
        let serving = self.live.serving();
        let generation = serving.generation();
        let known = self.known_reader(generation, reader).await;
        let reader = PlacedReader::new(&known, generation, &self.steps);
        let mut planned = plan(generation, &reader, wanted)?;
        planned.sort_by_key(|shelf| (shelf.kind != ShelfKind::NextInSeries, shelf.place));
        let mut shown = filter.shown.clone();
        let mut shelves = Vec::new();
        self.with_shelves(&serving, &reader, filter, |of_reader| {
            let named = planned.iter().filter(|shelf| shelf.chosen.is_none());
            of_reader.settle(named.filter_map(|shelf| shelf.subject.book()));
            for Planned { place, kind, subject, results, chosen } in planned {
                if chosen.is_some_and(|most| !has_room(generation, &shelves, place, most, &subject))
                {
                    continue;
                }
                let found = fill(of_reader, kind, &subject, results);
                if found.shelf.is_empty() || chosen.is_some() && found.fallback.is_some() {
                    continue;
                }
                of_reader.settle(found.shelf.iter().map(|ranked| ranked.item));
                of_reader.settle(subject.book());
                let answer = self.answer(generation, found, &reader, &shown, kind);
                shown = answer.shown.clone();
                shelves.push(PageShelf { place, kind, subject, answer });
            }
        });
        shelves.sort_by_key(|shelf| shelf.place);
        Ok(Page {
            generation: Arc::clone(generation),
            shelves,
            shown,
            user_revision: reader.revision,
            is_stale: reader.is_stale,
        })
    }
}

impl Subject {
    fn book(&self) -> Option<u32> {
        match self {
            Self::Book(index) => Some(*index),
            Self::Nothing | Self::Category(_) => None,
        }
    }
}

fn fill(
    shelves: &mut ReaderShelves<'_>,
    kind: ShelfKind,
    subject: &Subject,
    results: usize,
) -> Found {
    match (kind, subject) {
        (ShelfKind::Trending, _) => shelves.trending(results),
        (ShelfKind::NextInSeries, _) => shelves.next_in_series(results),
        (ShelfKind::Popular, _) => shelves.popular(results),
        (_, Subject::Book(book)) => shelves.similar(*book, results),
        (_, Subject::Category(slug)) => shelves.category(slug, results),
        (_, Subject::Nothing) => shelves.personal(results),
    }
}

/// Whether a chosen book may get a shelf: if fewer than `most` of its place stand, and neither it
/// nor another edition of it stands on one.
fn has_room(
    generation: &Generation,
    shelves: &[PageShelf],
    place: usize,
    most: usize,
    subject: &Subject,
) -> bool {
    let Some(book) = subject.book() else { return false };
    let catalogue = generation.shop().catalogue;
    let work = catalogue.work(book);
    let mut shown = shelves.iter().flat_map(|shelf| &shelf.answer.shelf);
    shelves.iter().filter(|shelf| shelf.place == place).count() < most
        && !shown.any(|one| catalogue.work(one.item) == work)
}

/// What each wanted shelf may be about, in their order.
fn plan(
    generation: &Generation,
    reader: &PlacedReader,
    wanted: &[WantedShelf],
) -> Result<Vec<Planned>, UnknownBook> {
    let named: Vec<&str> = wanted
        .iter()
        .filter_map(|shelf| match &shelf.about {
            About::Category(slug) => Some(slug.as_str()),
            _ => None,
        })
        .collect();
    let book = |id: &String| generation.index_of_id(id).ok_or(UnknownBook);
    let mut given = Vec::new();
    for shelf in wanted {
        if let About::BecauseOf(id) | About::SimilarTo(id) = &shelf.about {
            given.push(book(id)?);
        }
    }
    let mut planned = Vec::with_capacity(wanted.len());
    for (place, WantedShelf { about, results }) in wanted.iter().enumerate() {
        let mut add = |kind, subject, chosen| {
            planned.push(Planned { place, kind, subject, results: *results, chosen });
        };
        match about {
            About::PickedForYou => add(ShelfKind::PickedForYou, Subject::Nothing, None),
            About::Trending => add(ShelfKind::Trending, Subject::Nothing, None),
            About::NextInSeries => add(ShelfKind::NextInSeries, Subject::Nothing, None),
            About::Popular => add(ShelfKind::Popular, Subject::Nothing, None),
            About::Category(slug) => {
                add(ShelfKind::Category, Subject::Category(slug.clone()), None);
            }
            About::FavouriteCategories(count) => {
                for slug in favourites::categories(generation, &reader.judged, *count, &named) {
                    add(ShelfKind::Category, Subject::Category(slug), None);
                }
            }
            About::BecauseOf(id) => {
                add(ShelfKind::BecauseYouRead, Subject::Book(book(id)?), None);
            }
            About::BecauseOfLiked(count) => {
                let books = favourites::books(generation, reader, &given);
                for index in books.into_iter().take(count + SPARE_BOOKS) {
                    add(ShelfKind::BecauseYouRead, Subject::Book(index), Some(*count));
                }
            }
            About::SimilarTo(id) => add(ShelfKind::SimilarTo, Subject::Book(book(id)?), None),
        }
    }
    Ok(planned)
}
