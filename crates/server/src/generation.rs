//! A generation: a model and the books of the shop, as they were at one moment.
//!
//! Immutable; a new model or changed books make a new generation, swapped in whole. A request reads
//! it with the rules resolved against it: [`Serving`](crate::live::Serving).

use recommender::catalogue::{Catalogue, Entry};
use recommender::model::ModelError;
use recommender::{ItemNumber, Model, ShopId};
use std::collections::HashMap;
use std::sync::Arc;
use storage::{Book, ModelVersion, Snapshot, Store, StoreError};

/// A model with its version.
#[derive(Clone, Debug)]
pub struct VersionedModel {
    /// The version.
    pub version: ModelVersion,
    /// The model.
    pub model: Model,
}

impl VersionedModel {
    /// The model that a snapshot holds, without copying it.
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
        Ok(Self { version, model })
    }
}

/// A model, if there is one, with the books of the shop.
#[derive(Debug, Default)]
pub struct Generation {
    model: Option<VersionedModel>,
    catalogue: Catalogue,
    books: Vec<Option<Book>>,
    by_id: HashMap<String, u32>,
    books_revision: i64,
    new_books: usize,
}

/// The books of a shop at one revision of its catalogue.
#[derive(Debug)]
pub struct Books {
    /// By number, ascending.
    pub books: Vec<Book>,
    /// The revision that they were read at, or an earlier one.
    pub revision: i64,
}

impl Books {
    /// Reads all books, a page at a time.
    ///
    /// # Errors
    ///
    /// As every method of [`Store`] that reads.
    pub async fn read(store: &Store) -> Result<Self, StoreError> {
        const PAGE: u32 = 5_000;
        // The revision first: a change in between is then seen as one more change.
        let revision = store.catalogue_revision().await?;
        let mut books: Vec<Book> = Vec::new();
        loop {
            let page = store.books_after(books.last().map(|book| book.number), PAGE).await?;
            if page.is_empty() {
                return Ok(Self { books, revision });
            }
            books.extend(page);
        }
    }
}

impl Generation {
    /// Joins a model and books. Costs about a microsecond a book.
    #[must_use]
    pub fn new(model: Option<VersionedModel>, books: Books) -> Self {
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
        let mut generation = Self {
            books: vec![None; catalogue.item_count()],
            by_id: HashMap::with_capacity(books.books.len()),
            books_revision: books.revision,
            new_books: 0,
            catalogue,
            model,
        };
        let known = generation.model.as_ref().map_or(0, |model| model.model.item_count());
        for book in books.books {
            if let Some(index) = generation.index_of(book.number) {
                generation.new_books += usize::from(index as usize >= known);
                generation.by_id.insert(book.id.clone(), index);
                generation.books[index as usize] = Some(book);
            }
        }
        generation
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
        self.new_books
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

    /// The book at an index; `None` for one that left the shop since the training.
    #[must_use]
    pub fn book(&self, index: u32) -> Option<&Book> {
        self.books.get(index as usize)?.as_ref()
    }
}
