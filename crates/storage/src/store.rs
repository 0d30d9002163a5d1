//! The store: one database file, many readers, one writer at a time.
//!
//! SQLite in WAL mode: readers never wait for the writer nor the writer for
//! readers, in this process or another. A commit is on disk when it returns.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use recommender::ShopId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteExecutor, SqlitePool};

use crate::error::StoreError;
use crate::private;
use crate::schema;
use crate::writer::Writer;

/// The file of a store, inside its folder.
pub const FILE_NAME: &str = "foreword.db";

/// After a large import, the write-ahead log shrinks back to this many bytes.
const LOG_BYTES_KEPT: u32 = 64 << 20;

/// The limits of a store.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// How many connections read at the same time.
    pub readers: NonZeroU32,
    /// How long to wait for another process that writes.
    pub busy_timeout: Duration,
    /// How long to wait for a connection of our own: a free reader or the writer.
    pub acquire_timeout: Duration,
    /// The page cache of each reader, in KiB.
    pub cache_kib: u32,
    /// The page cache of the writer, in KiB. An import in random order is fast as
    /// long as the whole file fits.
    pub writer_cache_kib: u32,
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Books.
    pub books: u64,
    /// Users with events.
    pub users: u64,
    /// Events which were not retracted.
    pub events: u64,
    /// How many of these were simulated.
    pub simulated_events: u64,
}

/// Books, users and events in a database. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) shop: ShopId,
    readers: SqlitePool,
    writer: SqlitePool,
}

impl Store {
    /// Opens `folder/foreword.db`, creating both and bringing the schema up to date.
    ///
    /// On Unix, what it creates is for its owner only; what exists keeps its mode.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], [`NotADatabase`](StoreError::NotADatabase),
    /// [`ForeignDatabase`](StoreError::ForeignDatabase) or
    /// [`NewerSchema`](StoreError::NewerSchema): the file is then left as it was.
    /// [`StoreError::Busy`] if another process is creating or migrating it for too long.
    pub async fn open(folder: &Path, settings: &StoreSettings) -> Result<Self, StoreError> {
        private::create_folder(folder)
            .map_err(|source| StoreError::Io { path: folder.to_owned(), source })?;
        let path = folder.join(FILE_NAME);
        let base = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .busy_timeout(settings.busy_timeout)
            .optimize_on_close(false, None)
            // A statement over 512 rows has 30 kB of text, and a scan is slow by nature.
            .disable_statement_logging();
        schema::prepare(&base, &path, settings.busy_timeout).await?;

        let pool = SqlitePoolOptions::new()
            .acquire_timeout(settings.acquire_timeout)
            // Connections to a file do not go stale; a new one starts with a cold cache.
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false);
        let writing = base
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("journal_size_limit", LOG_BYTES_KEPT.to_string())
            .pragma("cache_size", format!("-{}", settings.writer_cache_kib));
        let reading = base.read_only(true).pragma("cache_size", format!("-{}", settings.cache_kib));
        let writer = pool.clone().max_connections(1).connect_with(writing).await?;
        let readers = pool.max_connections(settings.readers.get()).connect_with(reading).await?;
        Ok(Self { shop: ShopId::ONLY, readers, writer })
    }

    /// Counts what it holds. Reads every event: a third of a second for two million.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Closed`] or [`StoreError::Database`],
    /// as for every method that reads.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let (books, users, events, simulated_events): (i64, i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM books WHERE shop_id = $1),
                    (SELECT count(*) FROM users WHERE shop_id = $1),
                    count(*), coalesce(sum(CASE WHEN origin = 3 THEN 1 ELSE 0 END), 0)
             FROM events WHERE shop_id = $1 AND retracted = 0",
        )
        .bind(self.shop.0)
        .fetch_one(&self.readers)
        .await?;
        Ok(Counts {
            books: books.unsigned_abs(),
            users: users.unsigned_abs(),
            events: events.unsigned_abs(),
            simulated_events: simulated_events.unsigned_abs(),
        })
    }

    /// Whether a simulated event was ever stored, even if it was retracted since. Reads one
    /// row.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn has_simulated_events(&self) -> Result<bool, StoreError> {
        has_simulated_events(&self.readers, self.shop).await
    }

    /// The catalogue's revision: higher after every commit that changed a book.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn catalogue_revision(&self) -> Result<i64, StoreError> {
        catalogue_revision(&self.readers, self.shop).await
    }

    /// Begins to write. There is one [`Writer`] at a time: this waits for the one
    /// before, in this process or another, but no longer than the settings say.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] if it waited in vain.
    pub async fn begin(&self) -> Result<Writer, StoreError> {
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Writer::new(self.shop, transaction))
    }

    /// Closes every connection, waiting for those in use. Everything afterwards
    /// fails with [`StoreError::Closed`].
    pub async fn close(&self) {
        self.readers.close().await;
        // Last, so that it finds no reader and folds the log into the main file.
        self.writer.close().await;
    }

    /// The connections to read with.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }
}

/// Whether a simulated event was ever stored, as this connection sees it.
pub(crate) async fn has_simulated_events(
    executor: impl SqliteExecutor<'_>,
    shop: ShopId,
) -> Result<bool, StoreError> {
    let (simulated,): (bool,) = sqlx::query_as("SELECT simulated FROM shops WHERE shop_id = $1")
        .bind(shop.0)
        .fetch_one(executor)
        .await?;
    Ok(simulated)
}

/// The catalogue's revision, as this connection sees it.
pub(crate) async fn catalogue_revision(
    executor: impl SqliteExecutor<'_>,
    shop: ShopId,
) -> Result<i64, StoreError> {
    let (revision,): (i64,) =
        sqlx::query_as("SELECT catalogue_revision FROM shops WHERE shop_id = $1")
            .bind(shop.0)
            .fetch_one(executor)
            .await?;
    Ok(revision)
}
