//! A generation: a model and the books of the shop, as they were at one moment.
//!
//! Immutable; a new model or changed books make a new generation, swapped in whole. A request reads
//! it with the rules resolved against it: [`Serving`](crate::live::Serving).

use recommender::catalogue::{Catalogue, Entry};
use recommender::model::ModelError;
use recommender::{ItemNumber, Model, ShopId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;
use storage::{Book, ModelFolder, ModelFolderError, ModelVersion, Snapshot};

use crate::books::{BookChanges, Books};

/// A model with its version.
#[derive(Clone, Debug)]
pub struct VersionedModel {
    /// The version.
    pub version: ModelVersion,
    /// The model.
    pub model: Model,
    /// When its file was written, as the file system says.
    pub written: Option<SystemTime>,
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
        Ok(Self { version, model, written: None })
    }
}

/// A model, if there is one, with the books of the shop.
#[derive(Debug, Default)]
pub struct Generation {
    model: Option<VersionedModel>,
    catalogue: Catalogue,
    books: Vec<Option<Arc<Book>>>,
    by_id: Arc<HashMap<String, u32>>,
    by_isbn: Arc<HashMap<u64, u32>>,
    books_revision: i64,
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
            books: by_index,
            by_id: Arc::new(by_id),
            by_isbn: Arc::new(by_isbn),
            books_revision: books.revision,
            catalogue,
            model,
        }
    }

    /// The same model with changed books. Where only offers changed, as they do all day, this is a
    /// copy of a few arrays; else it is [`Generation::new`].
    #[must_use]
    pub fn with_changes(&self, changes: BookChanges) -> Self {
        match self.offers_of(&changes) {
            Some(offered) => self.with_offers(&offered, changes.revision),
            None => Self::new(self.model.clone(), &self.to_books().with_changes(changes)),
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
            books[*index as usize] = Some(Arc::clone(book));
        }
        let offers = offered.iter().map(|(index, book)| (*index, book.offer));
        Self {
            model: self.model.clone(),
            catalogue: self.catalogue.with_offers(offers),
            books,
            by_id: Arc::clone(&self.by_id),
            by_isbn: Arc::clone(&self.by_isbn),
            books_revision,
        }
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
        self.model.as_ref()
    }

    /// The engine's view of it.
    #[must_use]
    pub fn shop(&self) -> recommender::shelf::Shop<'_> {
        let model = self.model.as_ref().map(|model| &model.model);
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
        self.by_id.len()
    }

    /// The number of books that the model does not know.
    #[must_use]
    pub fn new_books(&self) -> usize {
        let known = self.model.as_ref().map_or(0, |model| model.model.item_count());
        self.catalogue.item_count() - known
    }

    /// The index of a book by its number.
    #[must_use]
    pub fn index_of(&self, number: ItemNumber) -> Option<u32> {
        self.catalogue.index_of(self.shop().model, number)
    }

    /// The index of a book by the shop's id.
    #[must_use]
    pub fn index_of_id(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// The index of the book with an ISBN of 13 digits; of several, that with the lowest number.
    #[must_use]
    pub fn index_of_isbn(&self, isbn: u64) -> Option<u32> {
        self.by_isbn.get(&isbn).copied()
    }

    /// The book at an index; `None` for one that left the shop since the training.
    #[must_use]
    pub fn book(&self, index: u32) -> Option<&Book> {
        self.books.get(index as usize)?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use recommender::ItemNumber;
    use recommender::offer::Offer;

    use super::*;

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
        }
    }
}
