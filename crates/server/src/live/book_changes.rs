//! Books changed through the server that serves them.
//!
//! Invariant: what was changed counts from the next answer, since a change returns only when it is
//! served. But for a store that fails just after the change: what is stored is stored, and is
//! served as soon as it can be read.

use std::collections::HashMap;

use recommender::ItemNumber;
use recommender::offer::Price;
use storage::{Book, PutBooks, StockChange, StockMemory, StockOutcome, StoreError};

use super::Live;
use crate::clock::now_ms;

/// The changes of stock that are remembered, so that none is made twice: the latest, and those of an
/// hour even if somebody fills all the shelves in it.
fn stock_memory() -> StockMemory {
    StockMemory { latest: 1_000_000, recent_ms: 60 * 60 * 1_000, most: 4_000_000, now_ms: now_ms() }
}

/// How a book is to be offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferChange {
    /// The shop's id of the book.
    pub book: String,
    /// Units that can be sold; `None` if they are not counted.
    pub stock: Option<u32>,
    /// The price; `None` leaves it as it is.
    pub price: Option<Price>,
}

/// What became of offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutOffers {
    /// The ids of books that the shop does not have, in the order in which they were given.
    pub unknown: Vec<String>,
}

impl Live {
    /// Stores books by their ids, and returns their numbers. They are served once
    /// [`Live::serve_stored_books`] returns, or a little later.
    ///
    /// # Errors
    ///
    /// As every method of [`Writer`](storage::Writer).
    pub async fn store_books(
        &self,
        mut books: Vec<Book>,
    ) -> Result<(PutBooks, Vec<ItemNumber>), StoreError> {
        let mut writer = self.store.begin().await?;
        let ids: Vec<&str> = books.iter().map(|book| book.id.as_str()).collect();
        let numbers = writer.assign_items(&ids).await?;
        for (book, number) in books.iter_mut().zip(&numbers) {
            book.number = *number;
        }
        let put = writer.put_books(&books).await?;
        writer.commit().await?;
        Ok((put, numbers))
    }

    /// Changes how books are offered, and serves it when it returns.
    ///
    /// # Errors
    ///
    /// As every method of [`Writer`](storage::Writer).
    pub async fn put_offers(&self, offers: &[OfferChange]) -> Result<PutOffers, StoreError> {
        let mut writer = self.store.begin().await?;
        let ids: Vec<&str> = offers.iter().map(|offer| offer.book.as_str()).collect();
        let found = writer.find_items(&ids).await?;
        let numbers: Vec<ItemNumber> = found.iter().flatten().copied().collect();
        let books = writer.books_by_number(&numbers).await?;
        let mut books: HashMap<ItemNumber, Book> =
            books.into_iter().map(|book| (book.number, book)).collect();
        let mut put = PutOffers::default();
        for (change, number) in offers.iter().zip(found) {
            match number.and_then(|number| books.get_mut(&number)) {
                None => put.unknown.push(change.book.clone()),
                Some(book) => {
                    book.offer.stock = change.stock;
                    book.offer.price = change.price.or(book.offer.price);
                }
            }
        }
        let books: Vec<Book> = books.into_values().collect();
        writer.put_books(&books).await?;
        writer.commit().await?;
        self.serve_stored_books().await;
        Ok(put)
    }

    /// Changes a book's stock by some units, and serves it when it returns. A request that is made
    /// again changes nothing.
    ///
    /// # Errors
    ///
    /// As every method of [`Writer`](storage::Writer).
    pub async fn adjust_stock(
        &self,
        request_id: &str,
        book: &str,
        change: i32,
    ) -> Result<StockOutcome, StoreError> {
        let mut writer = self.store.begin().await?;
        let Some(item) = writer.find_items(&[book]).await?.into_iter().flatten().next() else {
            return Ok(StockOutcome::UnknownBook);
        };
        let wanted = StockChange { request_id: request_id.to_owned(), item, change };
        let outcome = writer.adjust_stock(&wanted, &stock_memory()).await?;
        match outcome {
            StockOutcome::Changed(_) => {
                writer.commit().await?;
                self.serve_stored_books().await;
            }
            StockOutcome::NotCounted => drop(writer.commit().await?),
            StockOutcome::Repeated(_)
            | StockOutcome::SoldOut(_)
            | StockOutcome::Conflicting
            | StockOutcome::UnknownBook => {}
        }
        Ok(outcome)
    }

    /// Deletes a book, and tells whether the shop had it. It is not served any more when this
    /// returns.
    ///
    /// # Errors
    ///
    /// As every method of [`Writer`](storage::Writer).
    pub async fn delete_book(&self, id: &str) -> Result<bool, StoreError> {
        let mut writer = self.store.begin().await?;
        let found: Vec<ItemNumber> =
            writer.find_items(&[id]).await?.into_iter().flatten().collect();
        let deleted = writer.delete_books(&found).await?;
        writer.commit().await?;
        self.serve_stored_books().await;
        Ok(!deleted.is_empty())
    }

    /// The books that match some words, as
    /// [`Store::search_books`](storage::Store::search_books) has them.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn search_books(
        &self,
        query: &str,
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        self.store.search_books(query, offset, limit).await
    }

    /// Serves what is stored by now, or has the log say why not: it is served later then.
    pub async fn serve_stored_books(&self) {
        let served = match self.store.catalogue_revision().await {
            Ok(revision) => self.serve_books(revision).await,
            Err(error) => Err(error),
        };
        if let Err(error) = served {
            self.count_failure();
            tracing::error!(%error, "cannot read the books after a change; it will count later");
        }
    }
}
