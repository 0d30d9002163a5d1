//! A generation: a model and the books of the shop, as they were at one moment.
//!
//! Immutable; a new model or changed books make a new generation, swapped in whole. A request reads
//! it with the rules resolved against it: [`Serving`](crate::live::Serving).

use recommender::catalogue::{Catalogue, Entry};
use recommender::chunks::Chunks;
use recommender::model::ModelError;
use recommender::{ItemNumber, Model, ShopId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;
use storage::{Book, ModelFolder, ModelFolderError, ModelVersion, Snapshot};

use crate::book_order::Orders;
use crate::books::{BookChanges, Books};
use crate::train::{Notes, notes_of};

/// A model with its version.
#[derive(Clone, Debug)]
pub struct VersionedModel {
    /// The version.
    pub version: ModelVersion,
    /// The model.
    pub model: Model,
    /// When its file was written, as the file system says.
    pub written: Option<SystemTime>,
    /// What its file tells of its training.
    pub(crate) notes: Notes,
}

/// Why a version cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenModelError {
    /// Its file cannot be read, or is damaged.
    #[error(transparent)]
    Folder(#[from] ModelFolderError),
    /// Its file is sound but holds something else.
    #[error("model {version} cannot be used: {source}")]
    Model {
        /// Its version.
        version: ModelVersion,
        /// What is wrong with it.
        source: ModelError,
    },
}

impl VersionedModel {
    /// The model of this version. Reads the whole file.
    ///
    /// # Errors
    ///
    /// [`OpenModelError`] if there is no such version, or it cannot be used.
    pub fn open(models: &ModelFolder, version: ModelVersion) -> Result<Self, OpenModelError> {
        let snapshot = models.open_version(version)?;
        let model = Self::from_snapshot(version, &snapshot)
            .map_err(|source| OpenModelError::Model { version, source })?;
        let file = models.path(version).metadata();
        Ok(Self { written: file.and_then(|file| file.modified()).ok(), ..model })
    }

    /// The model that a snapshot holds, without copying it, and without the time of its file.
    ///
    /// # Errors
    ///
    /// [`ModelError`] if the sections are not those of a model, or of another shop.
    pub fn from_snapshot(version: ModelVersion, snapshot: &Snapshot) -> Result<Self, ModelError> {
        if snapshot.shop() != ShopId::ONLY {
            let (found, expected) = (snapshot.shop().0, ShopId::ONLY.0);
            return Err(ModelError::OtherShop { found, expected });
        }
        let section = |tag| snapshot.section(tag).map(|bytes| Arc::new(bytes) as _);
        let model = Model::from_sections(section)?;
        model.verify()?;
        Ok(Self { version, model, written: None, notes: notes_of(snapshot) })
    }
}

/// A model, if there is one, with the books of the shop. One made from another by changes of offers
/// shares with it all that these leave as it was.
#[derive(Debug, Default)]
pub struct Generation {
    described: Arc<Described>,
    catalogue: Catalogue,
    books: Chunks<Option<Arc<Book>>>,
    books_revision: i64,
    orders: Orders,
}

/// What does not depend on offers.
#[derive(Debug, Default)]
struct Described {
    model: Option<VersionedModel>,
    by_id: HashMap<String, u32>,
    by_isbn: HashMap<u64, u32>,
}

impl Generation {
    /// Joins a model and books. Costs about a microsecond a book.
    #[must_use]
    pub fn new(model: Option<VersionedModel>, books: &Books) -> Self {
        let languages: Vec<Option<String>> = books
            .books
            .iter()
            .map(|book| book.language.as_ref().map(|tag| tag.to_ascii_lowercase()))
            .collect();
        let entries: Vec<Entry<'_>> = books
            .books
            .iter()
            .zip(&languages)
            .map(|(book, language)| Entry {
                number: book.number,
                work: book.work.as_deref(),
                categories: &book.categories,
                language: language.as_deref(),
                authors: &book.authors,
                series: book.series.as_deref(),
                volume: book.volume,
                offer: book.offer,
            })
            .collect();
        let catalogue = Catalogue::new(model.as_ref().map(|model| &model.model), &entries);
        let mut by_id = HashMap::with_capacity(books.books.len());
        let mut by_isbn = HashMap::new();
        let mut by_index = vec![None; catalogue.item_count()];
        for book in &books.books {
            let index = catalogue.index_of(model.as_ref().map(|model| &model.model), book.number);
            if let Some(index) = index {
                by_id.insert(book.id.clone(), index);
                if let Some(isbn) = book.isbn13 {
                    by_isbn.entry(isbn).or_insert(index);
                }
                by_index[index as usize] = Some(Arc::clone(book));
            }
        }
        Self {
            described: Arc::new(Described { model, by_id, by_isbn }),
            books: by_index.into(),
            books_revision: books.revision,
            catalogue,
            orders: Orders::default(),
        }
    }

    /// The same model with changed books. Where only offers changed, as they do with each sale, all
    /// but a few kilobytes and a bit a book is shared; else it is [`Generation::new`].
    #[must_use]
    pub fn with_changes(&self, changes: BookChanges) -> Self {
        match self.offers_of(&changes) {
            Some(offered) => self.with_offers(&offered, changes.revision),
            None => Self::new(self.model().cloned(), &self.to_books().with_changes(changes)),
        }
    }

    /// The changed books by index, if nothing but their offers changed.
    fn offers_of(&self, changes: &BookChanges) -> Option<Vec<(u32, Arc<Book>)>> {
        if !changes.deleted.is_empty() {
            return None;
        }
        let offered = |changed: &Arc<Book>| {
            let index = self.index_of(changed.number)?;
            let before = self.book(index)?;
            let described = Book { offer: before.offer, ..Book::clone(changed) };
            (described == *before).then(|| (index, Arc::clone(changed)))
        };
        changes.stored.iter().map(offered).collect()
    }

    fn with_offers(&self, offered: &[(u32, Arc<Book>)], books_revision: i64) -> Self {
        let mut books = self.books.clone();
        for (index, book) in offered {
            books.set(*index, Some(Arc::clone(book)));
        }
        let offers = offered.iter().map(|(index, book)| (*index, book.offer));
        let price = |index: u32| self.catalogue.offer(index).price;
        let same_prices = offered.iter().all(|(index, book)| book.offer.price == price(*index));
        Self {
            orders: match same_prices {
                true => self.orders.clone(),
                false => self.orders.with_other_prices(),
            },
            described: Arc::clone(&self.described),
            catalogue: self.catalogue.with_offers(offers),
            books,
            books_revision,
        }
    }

    /// Whether two generations are the same but for offers, one being made from the other.
    #[must_use]
    pub fn is_described_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.described, &other.described)
    }

    /// Its books, as they were given to it.
    #[must_use]
    pub fn to_books(&self) -> Books {
        let mut books: Vec<Arc<Book>> = self.books.iter().flatten().cloned().collect();
        books.sort_unstable_by_key(|book| book.number);
        Books { books, revision: self.books_revision }
    }

    /// The model, if there is one.
    #[must_use]
    pub fn model(&self) -> Option<&VersionedModel> {
        self.described.model.as_ref()
    }

    /// The engine's view of it.
    #[must_use]
    pub fn shop(&self) -> recommender::shelf::Shop<'_> {
        let model = self.model().map(|model| &model.model);
        recommender::shelf::Shop { model, catalogue: &self.catalogue }
    }

    /// The catalogue's revision that the books are of.
    #[must_use]
    pub fn books_revision(&self) -> i64 {
        self.books_revision
    }

    /// The number of books that the shop has.
    #[must_use]
    pub fn book_count(&self) -> usize {
        self.described.by_id.len()
    }

    /// The number of books that the model does not know.
    #[must_use]
    pub fn new_books(&self) -> usize {
        let known = self.model().map_or(0, |model| model.model.item_count());
        self.catalogue.item_count() - known
    }

    /// The orders of its books that were asked for so far.
    pub(crate) fn orders(&self) -> &Orders {
        &self.orders
    }

    /// The index of a book by its number.
    #[must_use]
    pub fn index_of(&self, number: ItemNumber) -> Option<u32> {
        self.catalogue.index_of(self.shop().model, number)
    }

    /// The index of a book by the shop's id.
    #[must_use]
    pub fn index_of_id(&self, id: &str) -> Option<u32> {
        self.described.by_id.get(id).copied()
    }

    /// The index of the book with an ISBN of 13 digits; of several, that with the lowest number.
    #[must_use]
    pub fn index_of_isbn(&self, isbn: u64) -> Option<u32> {
        self.described.by_isbn.get(&isbn).copied()
    }

    /// The book at an index; `None` for one that left the shop since the training.
    #[must_use]
    pub fn book(&self, index: u32) -> Option<&Book> {
        self.books.get(index)?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use recommender::ItemNumber;
    use recommender::offer::{Offer, Price};

    use super::*;
    use crate::book_order::BookOrder;

    fn book(number: u32, title: &str, stock: Option<u32>) -> Arc<Book> {
        Arc::new(Book {
            number: ItemNumber(number),
            id: number.to_string(),
            title: title.to_owned(),
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
            offer: Offer { stock, ..Offer::default() },
        })
    }

    /// What can be seen of a generation, book by book in the order of their indexes.
    fn seen(generation: &Generation) -> Vec<(Book, bool, Offer)> {
        let catalogue = generation.shop().catalogue;
        let one = |index: u32| {
            let book = generation.book(index)?.clone();
            assert_eq!(generation.index_of_id(&book.id), Some(index));
            assert!(catalogue.available().contains(index));
            Some((book, catalogue.in_stock().contains(index), *catalogue.offer(index)))
        };
        (0..catalogue.item_count() as u32).filter_map(one).collect()
    }

    #[test]
    fn changes_lead_to_the_generation_that_reading_everything_leads_to() {
        let before = vec![book(1, "A", None), book(3, "B", Some(2)), book(5, "C", Some(0))];
        let generation = Generation::new(None, &Books { books: before, revision: 7 });
        let (b, c) = (book(3, "B", Some(0)), book(5, "C", Some(4)));
        let deleted = |numbers: &[u32]| numbers.iter().copied().map(ItemNumber).collect();
        for (stored, deleted, expected, is_light) in [
            (
                vec![],
                deleted(&[]),
                vec![(1, "A", None), (3, "B", Some(2)), (5, "C", Some(0))],
                true,
            ),
            (
                vec![b.clone(), c.clone()],
                deleted(&[]),
                vec![(1, "A", None), (3, "B", Some(0)), (5, "C", Some(4))],
                true,
            ),
            (
                vec![b, book(4, "D", None)],
                deleted(&[]),
                vec![(1, "A", None), (3, "B", Some(0)), (4, "D", None), (5, "C", Some(0))],
                false,
            ),
            (
                vec![book(5, "New", None)],
                deleted(&[1, 2, 5]),
                vec![(3, "B", Some(2)), (5, "New", None)],
                false,
            ),
        ] {
            let changes = BookChanges { stored, deleted, revision: 9 };
            assert_eq!(generation.offers_of(&changes).is_some(), is_light);
            let changed = generation.with_changes(changes);
            let books = expected.iter().map(|(number, title, stock)| book(*number, title, *stock));
            let anew = Generation::new(None, &Books { books: books.collect(), revision: 9 });
            assert_eq!(seen(&changed), seen(&anew));
            assert_eq!(seen(&anew).len(), expected.len());
            assert_eq!(changed.books_revision(), 9);
            assert_eq!(changed.book_count(), expected.len());
            assert_eq!(changed.is_described_as(&generation), is_light);
        }
    }

    #[test]
    fn orders_are_kept_but_for_that_of_prices_where_one_changed() {
        let books =
            [(3, "C"), (5, "A"), (7, "B")].map(|(number, title)| book(number, title, Some(2)));
        let generation = Generation::new(None, &Books { books: books.into(), revision: 7 });
        let changed = |offer| {
            let changed = Book { offer, ..Book::clone(at(&generation, 1)) };
            let stored = vec![Arc::new(changed)];
            let changes = BookChanges { stored, deleted: Vec::new(), revision: 8 };
            generation.with_changes(changes)
        };
        let orders = [BookOrder::Popular, BookOrder::Title, BookOrder::Newest, BookOrder::Cheapest];
        let found = orders.map(|order| order.books(&generation).to_vec());
        assert_eq!(found, [[0, 1, 2], [1, 2, 0], [0, 1, 2], [0, 1, 2]]);
        let kept = |other: &Generation| {
            orders.map(|order| order.books(other).as_ptr() == order.books(&generation).as_ptr())
        };
        assert_eq!(kept(&changed(Offer { stock: Some(0), ..Offer::default() })), [true; 4]);
        let price = Some(Price { minor_units: 5, currency: "EUR".parse().unwrap() });
        let cheap = changed(Offer { stock: Some(2), price, ..Offer::default() });
        assert_eq!(kept(&cheap), [true, true, true, false]);
        assert_eq!(BookOrder::Cheapest.books(&cheap), [1, 0, 2]);
    }

    #[test]
    fn a_sale_shares_all_but_the_chunk_of_its_book() {
        let books = (1..=5_000).map(|number| book(number, "A", Some(2))).collect();
        let generation = Generation::new(None, &Books { books, revision: 7 });
        let changes =
            BookChanges { stored: vec![book(9, "A", Some(1))], deleted: Vec::new(), revision: 8 };
        let sold = generation.with_changes(changes);
        assert!(sold.is_described_as(&generation));
        assert!(sold.catalogue.is_described_as(&generation.catalogue));
        let copied =
            (0..5_000).filter(|index| !Arc::ptr_eq(at(&sold, *index), at(&generation, *index)));
        assert!(copied.eq([8]));
        assert_eq!(sold.books.shared_with(&generation.books), 9);
        let stock = |generation: &Generation| generation.shop().catalogue.offer(8).stock;
        assert_eq!((stock(&generation), stock(&sold)), (Some(2), Some(1)));
    }

    fn at(generation: &Generation, index: u32) -> &Arc<Book> {
        generation.books[index].as_ref().unwrap()
    }
}
