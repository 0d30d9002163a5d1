//! What was served last, for when the service is slow or away, and to draw covers from.
//!
//! Everything is bounded: what was not used for longest makes room. What one visitor was shown is
//! shown to nobody else; only what anybody gets is shown to all.

use std::sync::Arc;

use api::v1::{Book, Category, RecommendPageResponse, RecommendedBook};
use arc_swap::ArcSwap;
use quick_cache::sync::Cache;

use crate::random::Id;
use crate::session::Session;
use crate::settings::Settings;

/// Of how many places it is known what stood there, for a visitor.
const PLACES_MAX: usize = 8;

/// Pages and books, the latest used.
pub(crate) struct Remembered {
    pages: Cache<(Who, Place), Arc<RecommendPageResponse>>,
    /// Where each visitor was last, the latest first.
    places: Cache<Who, Arc<[Place]>>,
    books: Cache<String, Arc<Book>>,
    /// Books of the catalogue, for a shelf that needs nothing else.
    plain: ArcSwap<Vec<Book>>,
    categories: ArcSwap<Vec<Category>>,
}

/// Whose page it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    Reader(String),
    /// Somebody anonymous who did something already.
    Session(Id),
    /// Anybody of whom nothing is known.
    Anybody,
}

/// Where shelves stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Home,
    /// On the page of a book, by its id.
    Book(String),
    /// On the page of a category, by its slug.
    Category(String),
}

impl Who {
    pub(crate) fn of(session: &Session) -> Self {
        match &session.reader {
            Some(reader) => Self::Reader(reader.clone()),
            None if session.visit.is_empty() => Self::Anybody,
            None => Self::Session(session.id.clone()),
        }
    }
}

impl Remembered {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            pages: Cache::new(settings.remembered_pages.get()),
            places: Cache::new(settings.remembered_pages.get()),
            books: Cache::new(settings.remembered_books.get()),
            plain: ArcSwap::default(),
            categories: ArcSwap::default(),
        }
    }

    /// Keeps the shelves of a page, and their books.
    pub(crate) fn keep_page(&self, who: Who, place: Place, page: &Arc<RecommendPageResponse>) {
        for shelf in &page.shelves {
            self.keep_books(shelf.books.iter().filter_map(|book| book.book.as_ref()));
        }
        let before = self.places.get(&who).unwrap_or_default();
        let others = before.iter().filter(|other| **other != place).cloned();
        let places = std::iter::once(place.clone()).chain(others).take(PLACES_MAX).collect();
        self.places.insert(who.clone(), places);
        self.pages.insert((who, place), Arc::clone(page));
    }

    /// Keeps books.
    pub(crate) fn keep_books<'a>(&self, books: impl IntoIterator<Item = &'a Book>) {
        for book in books {
            if self.books.get(&book.id).is_none_or(|kept| *kept != *book) {
                self.books.insert(book.id.clone(), Arc::new(book.clone()));
            }
        }
    }

    /// The shelves that somebody got last at a place, else those that anybody gets there.
    pub(crate) fn page(&self, who: &Who, place: &Place) -> Option<Arc<RecommendPageResponse>> {
        let own = self.pages.get(&(who.clone(), place.clone()));
        own.or_else(|| self.pages.get(&(Who::Anybody, place.clone())))
    }

    /// How a book stood on this visitor's shelves last, wherever that was.
    pub(crate) fn suggested(&self, who: &Who, book: &str) -> Option<RecommendedBook> {
        let is_it = |one: &&RecommendedBook| one.book.as_ref().is_some_and(|one| one.id == book);
        self.places.get(who)?.iter().find_map(|place| {
            let page = self.pages.get(&(who.clone(), place.clone()))?;
            page.shelves.iter().flat_map(|shelf| &shelf.books).find(is_it).cloned()
        })
    }

    /// A book.
    pub(crate) fn book(&self, id: &str) -> Option<Arc<Book>> {
        self.books.get(id)
    }

    /// What prices are in, as the first book of the plain shelf that has one says: a shop has one
    /// currency.
    pub(crate) fn currency(&self) -> Option<String> {
        let plain = self.plain();
        plain.iter().find_map(|book| Some(book.price.as_ref()?.currency.clone()))
    }

    /// Keeps books for the plain shelf.
    pub(crate) fn keep_plain(&self, books: Vec<Book>) {
        self.keep_books(&books);
        self.plain.store(Arc::new(books));
    }

    /// Books of the catalogue; empty if the service never answered.
    pub(crate) fn plain(&self) -> Arc<Vec<Book>> {
        self.plain.load_full()
    }

    pub(crate) fn keep_categories(&self, categories: Vec<Category>) {
        self.categories.store(Arc::new(categories));
    }

    /// The shop's categories, the largest first; empty if the service never answered.
    pub(crate) fn categories(&self) -> Arc<Vec<Category>> {
        self.categories.load_full()
    }

    /// Forgets what a reader was shown.
    pub(crate) fn forget(&self, reader: &str) {
        let is_other = |who: &Who| !matches!(who, Who::Reader(id) if id == reader);
        self.pages.retain(|(who, _), _| is_other(who));
        self.places.retain(|who, _| is_other(who));
    }
}

#[cfg(test)]
mod tests {
    use api::v1::Shelf;

    use super::*;

    fn page(book: &str) -> Arc<RecommendPageResponse> {
        let book = Book { id: book.to_owned(), ..Book::default() };
        let book = RecommendedBook { book: Some(book), score: 1.0, ..Default::default() };
        let shelf = Shelf { books: vec![book], ..Shelf::default() };
        Arc::new(RecommendPageResponse { shelves: vec![shelf], ..Default::default() })
    }

    fn remembered() -> Remembered {
        Remembered::new(&Settings::reference())
    }

    #[test]
    fn a_visitor_gets_their_own_page_and_else_that_of_anybody() {
        let remembered = remembered();
        let (ann, bob) = (Who::Reader("ann".to_owned()), Who::Reader("bob".to_owned()));
        remembered.keep_page(ann.clone(), Place::Home, &page("emma"));
        assert!(remembered.page(&bob, &Place::Home).is_none());
        remembered.keep_page(Who::Anybody, Place::Home, &page("dune"));
        assert_eq!(remembered.page(&ann, &Place::Home), Some(page("emma")));
        assert_eq!(remembered.page(&bob, &Place::Home), Some(page("dune")));
        assert!(remembered.page(&ann, &Place::Book("dune".to_owned())).is_none());
        assert!(remembered.book("emma").is_some());
        assert!(remembered.suggested(&ann, "emma").is_some());
        assert!(remembered.suggested(&bob, "emma").is_none());
        remembered.forget("ann");
        assert_eq!(remembered.page(&ann, &Place::Home), Some(page("dune")));
    }

    #[test]
    fn how_a_book_was_suggested_is_known_of_the_latest_places() {
        let remembered = remembered();
        let ann = Who::Reader("ann".to_owned());
        let place = |number: usize| Place::Book(number.to_string());
        remembered.keep_page(ann.clone(), Place::Home, &page("dune"));
        for number in 0..PLACES_MAX {
            assert!(remembered.suggested(&ann, "dune").is_some());
            remembered.keep_page(ann.clone(), place(number), &page(&format!("book {number}")));
        }
        assert!(remembered.suggested(&ann, "dune").is_none());
        assert!(remembered.suggested(&ann, "book 0").is_some());
        remembered.forget("ann");
        assert!(remembered.suggested(&ann, "book 0").is_none());
    }

    #[test]
    fn there_is_a_bound() {
        let mut settings = Settings::reference();
        settings.remembered_books = 10.try_into().unwrap();
        let remembered = Remembered::new(&settings);
        let book = |number: usize| Book { id: number.to_string(), ..Book::default() };
        remembered.keep_books(&(0..1000).map(book).collect::<Vec<_>>());
        let kept = (0..1000).filter(|number| remembered.book(&number.to_string()).is_some());
        assert!((1..=10).contains(&kept.count()));
    }
}
