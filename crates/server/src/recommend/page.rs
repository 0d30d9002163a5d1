//! Pages: several shelves from one generation, without a book twice.

use std::sync::Arc;

use super::placed::PlacedReader;
use super::shelves::Found;
use super::{Answer, BookFilter, Reader, Recommender, ShelfKind, Shown, UnknownBook, favourites};
use crate::generation::Generation;
use crate::live::Serving;

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
        let mut filter = filter.clone();
        let named = planned.iter().filter(|shelf| shelf.chosen.is_none());
        filter.excluded.extend(named.filter_map(|shelf| id_of(generation, &shelf.subject)));
        let mut shelves = Vec::new();
        for Planned { place, kind, subject, results, chosen } in planned {
            if chosen.is_some_and(|count| !has_room(generation, &shelves, place, count, &subject)) {
                continue;
            }
            let found = self.fill(&serving, &reader, (kind, &subject), &filter, results);
            if found.shelf.is_empty() || chosen.is_some() && found.fallback.is_some() {
                continue;
            }
            let answer = self.answer(generation, found, &reader, &filter, kind);
            filter.shown = answer.shown.clone();
            filter.excluded.extend(chosen.and_then(|_| id_of(generation, &subject)));
            shelves.push(PageShelf { place, kind, subject, answer });
        }
        shelves.sort_by_key(|shelf| shelf.place);
        Ok(Page {
            generation: Arc::clone(generation),
            shelves,
            shown: filter.shown,
            user_revision: reader.revision,
            is_stale: reader.is_stale,
        })
    }

    fn fill(
        &self,
        serving: &Serving,
        reader: &PlacedReader,
        (kind, subject): (ShelfKind, &Subject),
        filter: &BookFilter,
        results: usize,
    ) -> Found {
        match (kind, subject) {
            (ShelfKind::Trending, _) => self.trending_shelf(serving, reader, filter, results),
            (ShelfKind::NextInSeries, _) => {
                self.next_in_series_shelf(serving, reader, filter, results)
            }
            (ShelfKind::Popular, _) => self.popular_shelf(serving, reader, filter, results),
            (_, Subject::Book(book)) => self.similar_shelf(serving, *book, reader, filter, results),
            (_, Subject::Category(slug)) => {
                let mut filter = filter.clone();
                filter.filter.all_categories.push(slug.clone());
                self.personal_shelf(serving, reader, &filter, results)
            }
            (_, Subject::Nothing) => self.personal_shelf(serving, reader, filter, results),
        }
    }
}

/// The id of the book that a shelf is about.
fn id_of(generation: &Generation, subject: &Subject) -> Option<String> {
    match subject {
        Subject::Book(index) => generation.book(*index).map(|book| book.id.clone()),
        Subject::Nothing | Subject::Category(_) => None,
    }
}

/// Whether a chosen book may get a shelf: if fewer than `count` of its place stand, and neither it
/// nor another edition of it stands on one.
fn has_room(
    generation: &Generation,
    shelves: &[PageShelf],
    place: usize,
    count: usize,
    subject: &Subject,
) -> bool {
    let Subject::Book(book) = subject else { return false };
    let catalogue = generation.shop().catalogue;
    let work = catalogue.work(*book);
    let mut shown = shelves.iter().flat_map(|shelf| &shelf.answer.shelf);
    shelves.iter().filter(|shelf| shelf.place == place).count() < count
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
                for index in favourites::books(generation, reader, &given) {
                    add(ShelfKind::BecauseYouRead, Subject::Book(index), Some(*count));
                }
            }
            About::SimilarTo(id) => add(ShelfKind::SimilarTo, Subject::Book(book(id)?), None),
        }
    }
    Ok(planned)
}
