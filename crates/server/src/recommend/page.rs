//! Pages: several shelves from one generation, without a book twice.

use std::sync::Arc;

use super::placed::{PlacedReader, excluded};
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
    /// Its books; at least one. What it has as shown is of this shelf alone.
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
    /// Whether its subject was chosen here: then it is there for the sake of what goes with it.
    is_chosen: bool,
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
        let mut reader = PlacedReader::new(&known, generation, &self.steps);
        let mut planned = plan(generation, &reader, wanted)?;
        planned.sort_by_key(|shelf| (shelf.kind != ShelfKind::NextInSeries, shelf.place));
        // What no shelf is to show is settled once, and apart from the token: that forgets its oldest
        // books for those of the first shelves.
        reader.settle(excluded(generation, filter));
        reader.settle(planned.iter().filter_map(|shelf| match shelf.subject {
            Subject::Book(index) => Some(index),
            Subject::Nothing | Subject::Category(_) => None,
        }));
        let mut shown = filter.shown.clone();
        let filter = BookFilter { filter: filter.filter.clone(), ..BookFilter::default() };
        let mut shelves = Vec::with_capacity(planned.len());
        for Planned { place, kind, subject, results, is_chosen } in planned {
            let found = self.fill(&serving, &reader, (kind, &subject), &filter, results);
            if found.shelf.is_empty() || is_chosen && found.fallback.is_some() {
                continue;
            }
            let answer = self.answer(generation, found, &reader, &filter, kind);
            reader.settle(answer.shelf.iter().map(|ranked| ranked.item));
            shown.add(answer.shown.items().iter().copied());
            shelves.push(PageShelf { place, kind, subject, answer });
        }
        shelves.sort_by_key(|shelf| shelf.place);
        Ok(Page {
            generation: Arc::clone(generation),
            shelves,
            shown,
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

/// What each wanted shelf is about, in their order.
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
        let mut add = |kind, subject, is_chosen| {
            planned.push(Planned { place, kind, subject, results: *results, is_chosen });
        };
        match about {
            About::PickedForYou => add(ShelfKind::PickedForYou, Subject::Nothing, false),
            About::Trending => add(ShelfKind::Trending, Subject::Nothing, false),
            About::NextInSeries => add(ShelfKind::NextInSeries, Subject::Nothing, false),
            About::Popular => add(ShelfKind::Popular, Subject::Nothing, false),
            About::Category(slug) => {
                add(ShelfKind::Category, Subject::Category(slug.clone()), false);
            }
            About::FavouriteCategories(count) => {
                for slug in favourites::categories(generation, &reader.judged, *count, &named) {
                    add(ShelfKind::Category, Subject::Category(slug), false);
                }
            }
            About::BecauseOf(id) => {
                add(ShelfKind::BecauseYouRead, Subject::Book(book(id)?), false);
            }
            About::BecauseOfLiked(count) => {
                for index in favourites::books(generation, reader, *count, &given) {
                    add(ShelfKind::BecauseYouRead, Subject::Book(index), true);
                }
            }
            About::SimilarTo(id) => add(ShelfKind::SimilarTo, Subject::Book(book(id)?), false),
        }
    }
    Ok(planned)
}
