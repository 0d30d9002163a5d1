//! Reading and writing books.

use std::collections::HashMap;

use recommender::ItemNumber;

use crate::book::Book;
use crate::error::StoreError;
use crate::search::BookWords;
use crate::store::Store;
use crate::writer::Writer;

/// How many books are compared with what is stored at a time.
const ROWS_A_TURN: usize = 512;

/// What became of a batch of books. Every book counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PutBooks {
    /// New, and now in the store.
    pub stored: u64,
    /// There already, with other contents, which were replaced.
    pub changed: u64,
    /// There already, just so.
    pub unchanged: u64,
}

impl Store {
    /// The books by number, from the first after `after`; at most `limit`.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn books_after(
        &self,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        self.backend.books_after(after, limit).await
    }

    /// The books stored or changed by commits after this catalogue revision, by number, from
    /// the first after `after`; at most `limit`.
    ///
    /// A page is one moment, two pages may be two. So read
    /// [`catalogue_revision`](Self::catalogue_revision) before the first page, and go on from
    /// there the next time: what changed in between comes again, but nothing is missed.
    ///
    /// Each page reads the books it returns, and an index entry for every book that changed;
    /// to read all books, [`books_after`](Self::books_after) costs less.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn books_changed_after(
        &self,
        revision: i64,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        self.backend.books_changed_after(revision, after, limit).await
    }

    /// The books deleted by commits after this catalogue revision, and not stored again since,
    /// by number, from the first after `after`; at most `limit`. Read as
    /// [`books_changed_after`](Self::books_changed_after).
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn books_deleted_after(
        &self,
        revision: i64,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<ItemNumber>, StoreError> {
        self.backend.books_deleted_after(revision, after, limit).await
    }

    /// The books with these numbers, by number; one that the store does not know is
    /// left out, one that is asked for twice comes once.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn books_by_number(&self, numbers: &[ItemNumber]) -> Result<Vec<Book>, StoreError> {
        let numbers = distinct(numbers);
        let mut books = self.backend.books(&numbers).await?;
        books.sort_unstable_by_key(|book| book.number);
        Ok(books)
    }
}

impl Writer {
    /// Stores books by number, replacing what is there. If a number occurs twice,
    /// the last one stays.
    ///
    /// # Errors
    ///
    /// [`StoreError::Book`] if one of them is out of bounds; nothing of the batch is
    /// written then.
    pub async fn put_books(&mut self, books: &[Book]) -> Result<PutBooks, StoreError> {
        for book in books {
            book.check()?;
        }
        let mut put = PutBooks::default();
        self.begin_change()?;
        for rows in books.chunks(ROWS_A_TURN) {
            self.put_rows(rows, &mut put).await?;
        }
        self.end_change();
        Ok(put)
    }

    async fn put_rows(&mut self, rows: &[Book], put: &mut PutBooks) -> Result<(), StoreError> {
        let numbers: Vec<ItemNumber> = rows.iter().map(|book| book.number).collect();
        let found = self.transaction.books(&distinct(&numbers)).await?;
        let before: HashMap<ItemNumber, &Book> =
            found.iter().map(|book| (book.number, book)).collect();
        let mut now = before.clone();
        let mut written: HashMap<ItemNumber, &Book> = HashMap::new();
        for book in rows {
            match now.insert(book.number, book) {
                Some(before) if same(before, book) => {
                    put.unchanged += 1;
                    continue;
                }
                Some(_) => put.changed += 1,
                None => put.stored += 1,
            }
            written.insert(book.number, book);
        }
        if written.is_empty() {
            return Ok(());
        }
        let mut written: Vec<&Book> = written.into_values().collect();
        written.sort_unstable_by_key(|book| book.number);
        let revision = self.touch_catalogue();
        self.transaction.put_books(&written, revision).await?;
        // Most changes are of stock and price, which nobody finds a book by.
        let words = |book: &&Book| BookWords::of(book);
        let renamed = |words: &BookWords| {
            before.get(&words.number).is_none_or(|before| BookWords::of(before) != *words)
        };
        let words: Vec<BookWords> = written.iter().map(words).filter(renamed).collect();
        self.transaction.put_words(&words).await
    }

    /// Deletes books; returns those that were there, ascending. Their ids keep their numbers,
    /// and events of them stay and wait for their return.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub async fn delete_books(
        &mut self,
        numbers: &[ItemNumber],
    ) -> Result<Vec<ItemNumber>, StoreError> {
        let numbers = distinct(numbers);
        let revision = self.next_catalogue_revision();
        self.begin_change()?;
        let deleted = self.transaction.delete_books(&numbers, revision).await?;
        if !deleted.is_empty() {
            self.touch_catalogue();
        }
        self.end_change();
        Ok(deleted)
    }
}

/// These numbers, ascending, each once.
fn distinct(numbers: &[ItemNumber]) -> Vec<ItemNumber> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Whether two books with the same number are equal; the id goes with the number.
fn same(left: &Book, right: &Book) -> bool {
    let contents = |book: &Book| Book { id: String::new(), ..book.clone() };
    contents(left) == contents(right)
}
