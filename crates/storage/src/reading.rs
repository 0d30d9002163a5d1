//! Reading a whole store as it was at one moment, while others write.

use std::fmt;

use crate::backend;
use crate::error::StoreError;
use crate::rows::{Row, RowKey, RowKind};
use crate::store::Store;

/// The most rows that are read at once.
pub const ROWS_AT_ONCE_MAX: u32 = 4_096;

/// A store at one moment: whatever is written afterwards is not seen.
///
/// While this lives, the database keeps what it was at that moment, so that its log grows with
/// whatever is written: read on, and drop it.
pub struct Reading {
    inner: Box<dyn backend::Reading>,
    /// What is being read, and the last row of it that was; `None` after the last row of all.
    place: Option<(RowKind, Option<RowKey>)>,
}

impl Store {
    /// Begins to read everything, as it is now.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn begin_reading(&self) -> Result<Reading, StoreError> {
        let inner = self.backend.begin_reading().await?;
        Ok(Reading { inner, place: Some((RowKind::Shop, None)) })
    }

    /// What its tables are of: the database, and the version of the schema.
    #[must_use]
    pub fn schema(&self) -> Schema {
        self.backend.schema()
    }

    /// The version of the schema that was there when this store was opened, and was brought up to
    /// date; 0 where there was none.
    #[must_use]
    pub fn schema_before(&self) -> i64 {
        self.backend.schema_before()
    }
}

/// What a store's tables are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The database: `sqlite` or `postgres`.
    pub database: &'static str,
    /// Its last migration.
    pub version: i64,
}

impl Reading {
    /// How many rows there are. Counts them: a third of a second for two million.
    ///
    /// # Errors
    ///
    /// As [`Store::counts`].
    pub async fn count(&mut self) -> Result<u64, StoreError> {
        self.inner.count_rows().await
    }

    /// The next rows, all of one kind, at most `limit` and at most [`ROWS_AT_ONCE_MAX`]; none
    /// after the last.
    ///
    /// # Errors
    ///
    /// As [`Store::counts`], and [`StoreError::UnexpectedValue`].
    pub async fn next_rows(&mut self, limit: u32) -> Result<Vec<Row>, StoreError> {
        let limit = limit.clamp(1, ROWS_AT_ONCE_MAX);
        while let Some((kind, after)) = &self.place {
            let rows = self.inner.rows_after(*kind, after.as_ref(), limit).await?;
            match rows.last() {
                Some(last) => {
                    self.place = Some((*kind, Some(last.key())));
                    return Ok(rows);
                }
                None => self.place = kind.next().map(|next| (next, None)),
            }
        }
        Ok(Vec::new())
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reading").field("place", &self.place).finish_non_exhaustive()
    }
}
