//! The books of the shop in memory: read once, and after that only what changed.

use std::cmp::Ordering;
use std::sync::Arc;

use recommender::ItemNumber;
use storage::{Book, Store, StoreError};

/// How many books are read at once.
const PAGE: u32 = 5_000;

/// The books of a shop at one revision of its catalogue.
#[derive(Clone, Debug, Default)]
pub struct Books {
    /// By number, ascending.
    pub books: Vec<Arc<Book>>,
    /// The revision that they were read at, or an earlier one.
    pub revision: i64,
}

/// What became of the books of a shop since a revision of its catalogue.
#[derive(Clone, Debug, Default)]
pub struct BookChanges {
    /// Those that were stored or changed, by number, ascending.
    pub stored: Vec<Arc<Book>>,
    /// The numbers of those that were deleted, ascending.
    pub deleted: Vec<ItemNumber>,
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
        // The revision first: a change in between is then seen as one more change.
        let revision = store.catalogue_revision().await?;
        let mut books: Vec<Arc<Book>> = Vec::new();
        loop {
            let after = books.last().map(|book| book.number);
            let page = store.books_after(after, PAGE).await?;
            if page.is_empty() {
                return Ok(Self { books, revision });
            }
            books.extend(page.into_iter().map(Arc::new));
        }
    }

    /// The books with these changes made. What is both stored and deleted is stored: the two are
    /// read one after the other, and the next changes tell.
    #[must_use]
    pub fn with_changes(self, changes: BookChanges) -> Self {
        let is_kept = |book: &Arc<Book>| changes.deleted.binary_search(&book.number).is_err();
        let mut before = self.books.into_iter().filter(is_kept).peekable();
        let mut stored = changes.stored.into_iter().peekable();
        let mut books = Vec::with_capacity(before.size_hint().1.unwrap_or(0) + stored.len());
        loop {
            let order = match (before.peek(), stored.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(stored)) => before.number.cmp(&stored.number),
            };
            let next = match order {
                Ordering::Less => before.next(),
                Ordering::Greater => stored.next(),
                Ordering::Equal => {
                    before.next();
                    stored.next()
                }
            };
            books.extend(next);
        }
        Self { books, revision: changes.revision }
    }
}

impl BookChanges {
    /// Reads what changed after a revision, a page at a time.
    ///
    /// # Errors
    ///
    /// As every method of [`Store`] that reads.
    pub async fn read(store: &Store, after: i64) -> Result<Self, StoreError> {
        let mut changes = Self { revision: store.catalogue_revision().await?, ..Self::default() };
        loop {
            let last = changes.deleted.last().copied();
            let page = store.books_deleted_after(after, last, PAGE).await?;
            if page.is_empty() {
                break;
            }
            changes.deleted.extend(page);
        }
        loop {
            let last = changes.stored.last().map(|book| book.number);
            let page = store.books_changed_after(after, last, PAGE).await?;
            if page.is_empty() {
                return Ok(changes);
            }
            changes.stored.extend(page.into_iter().map(Arc::new));
        }
    }
}
