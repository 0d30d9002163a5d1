//! Stock, changed by some units at a time: never below zero, and each request once.

use recommender::ItemNumber;

use crate::book::Book;
use crate::error::StoreError;
use crate::writer::Writer;

/// Units that come or go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockChange {
    /// The client's id for it, by which a retry is told; 1 to 64 bytes.
    pub request_id: String,
    /// The book.
    pub item: ItemNumber,
    /// How many come, or go if negative; not 0.
    pub change: i32,
}

/// Which requests are remembered: the latest, and none of them is forgotten soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockMemory {
    /// So many of the latest, however old they are.
    pub latest: u32,
    /// All that were made within so many milliseconds,
    pub recent_ms: i64,
    /// but of all together no more than this.
    pub most: u32,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockOutcome {
    /// It was made. The units there are now.
    Changed(u32),
    /// It was asked for before, and made or not counted. The units there are now; `None` if they
    /// are not counted, or the book is gone.
    Repeated(Option<u32>),
    /// Units of this book are not counted: nothing changed, and nothing will under this id.
    NotCounted,
    /// There are only so many, fewer than are to go: nothing changed.
    SoldOut(u32),
    /// Another change was made under this id before: nothing changed.
    Conflicting,
    /// There is no such book.
    UnknownBook,
}

impl Writer {
    /// Changes a book's stock, unless the request was there before. It is remembered if it was not
    /// refused, and what `memory` does not keep is forgotten, two requests at a time.
    ///
    /// What comes beyond 2³² − 1 units is left out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unfinished`] or [`StoreError::Database`].
    pub async fn adjust_stock(
        &mut self,
        wanted: &StockChange,
        memory: &StockMemory,
    ) -> Result<StockOutcome, StoreError> {
        let book = self.books_by_number(&[wanted.item]).await?.into_iter().next();
        // Whatever became of the book since, a request that is sent again is answered as such.
        if let Some(made) = self.transaction.find_stock_change(&wanted.request_id).await? {
            return Ok(match made == *wanted {
                true => StockOutcome::Repeated(book.and_then(|book| book.offer.stock)),
                false => StockOutcome::Conflicting,
            });
        }
        let Some(book) = book else { return Ok(StockOutcome::UnknownBook) };
        let Some(before) = book.offer.stock else {
            self.remember(wanted, memory).await?;
            return Ok(StockOutcome::NotCounted);
        };
        let stock = match wanted.change {
            more @ 0.. => before.saturating_add(more.unsigned_abs()),
            fewer => match before.checked_sub(fewer.unsigned_abs()) {
                Some(left) => left,
                None => return Ok(StockOutcome::SoldOut(before)),
            },
        };
        let mut offer = book.offer;
        offer.stock = Some(stock);
        self.put_books(&[Book { offer, ..book }]).await?;
        self.remember(wanted, memory).await?;
        Ok(StockOutcome::Changed(stock))
    }

    async fn remember(
        &mut self,
        change: &StockChange,
        memory: &StockMemory,
    ) -> Result<(), StoreError> {
        self.begin_change()?;
        self.transaction.insert_stock_change(change, memory).await?;
        self.end_change();
        Ok(())
    }
}
