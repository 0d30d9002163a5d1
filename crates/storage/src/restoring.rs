//! Bringing back every row of a store into one that is empty, in one transaction.
//!
//! Nothing is counted up or assigned here: numbers, sequences and revisions become what they
//! were, so that what knows them from before goes on.

use crate::backend::Transaction;
use crate::error::StoreError;
use crate::rows::{Row, RowChecks, RowError};
use crate::search::BookWords;
use crate::store::Store;

/// A store that is being restored. Dropping this leaves it empty.
#[derive(Debug)]
pub struct Restoring {
    transaction: Box<dyn Transaction>,
    checks: RowChecks,
    /// Whether all rows that were given are there.
    whole: bool,
}

/// Why rows could not be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A row cannot be one of a store, or does not come in order.
    #[error("{source}")]
    Row {
        /// Its place among those given.
        place: usize,
        /// What is wrong.
        source: RowError,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Begins to restore. Waits for the writer before, as [`begin`](Self::begin).
    ///
    /// # Errors
    ///
    /// [`StoreError::NotEmpty`] unless nothing was ever stored here; [`StoreError::Busy`] if it
    /// waited in vain.
    pub async fn begin_restoring(&self) -> Result<Restoring, StoreError> {
        let mut transaction = self.backend.begin().await?;
        if transaction.is_empty().await? {
            Ok(Restoring { transaction, checks: RowChecks::default(), whole: true })
        } else {
            transaction.rollback().await?;
            Err(StoreError::NotEmpty)
        }
    }
}

impl Restoring {
    /// Stores the next rows, in the order of [`Reading`](crate::Reading).
    ///
    /// # Errors
    ///
    /// [`RestoreError`]; nothing can be restored then but from the beginning.
    pub async fn put(&mut self, rows: &[Row]) -> Result<(), RestoreError> {
        self.begin_change()?;
        for (place, row) in rows.iter().enumerate() {
            self.checks.check(row).map_err(|source| RestoreError::Row { place, source })?;
        }
        for rows in rows.chunk_by(|one, next| one.kind() == next.kind()) {
            self.transaction.insert_rows(rows).await?;
            let words: Vec<BookWords> = rows.iter().filter_map(words).collect();
            if !words.is_empty() {
                self.transaction.put_words(&words).await?;
            }
        }
        self.whole = true;
        Ok(())
    }

    /// Commits. When this returns, everything is on disk and visible to every reader.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Row`] if a row is missing that every store has; otherwise as
    /// [`Writer::commit`](crate::Writer::commit).
    pub async fn commit(mut self) -> Result<(), RestoreError> {
        self.begin_change()?;
        self.checks.finish().map_err(|source| RestoreError::Row { place: 0, source })?;
        Ok(self.transaction.commit().await?)
    }

    /// Takes everything back, and waits until that is done.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::Database`] if the connection is lost; then,
    /// too, nothing is kept.
    pub async fn rollback(self) -> Result<(), StoreError> {
        self.transaction.rollback().await
    }

    fn begin_change(&mut self) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.whole, false) { Ok(()) } else { Err(StoreError::Unfinished) }
    }
}

/// The words that a row is found by, if it is a book.
fn words(row: &Row) -> Option<BookWords> {
    match row {
        Row::Book { book, .. } => Some(BookWords::of(book)),
        _ => None,
    }
}
