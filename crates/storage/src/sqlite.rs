//! A store in a SQLite file, in WAL mode: readers never wait for the writer nor the writer for
//! readers, in this process or another.

mod acceptance;
mod api_keys;
mod batch;
mod books;
mod checkpoint;
mod compact;
pub(crate) mod error;
mod events;
mod history;
mod ids;
mod impressions;
mod reading;
mod restoring;
mod rules;
mod scan;
mod schema;
mod search;
mod shop;
mod stock;
mod touched;
mod transaction;
mod users;

use std::path::Path;

use async_trait::async_trait;
use recommender::{ItemNumber, ShopId, UserNumber};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use crate::acceptance::Acceptance;
use crate::api_keys::ApiKey;
use crate::backend::{Backend, HeldLock, Notices, Reading, Transaction};
use crate::book::Book;
use crate::error::StoreError;
use crate::event::{EventId, HistoryEvent, StoredEvent};
use crate::history::{History, UserRevision};
use crate::ids::IdSpace;
use crate::impressions::{Impression, NewImpression};
use crate::private;
use crate::reading::Schema;
use crate::replicas::Replica;
use crate::rules::Rule;
use crate::scan::EventsPage;
use crate::store::{Counts, FILE_NAME, Revisions, StoreSettings};
use checkpoint::Checkpoints;
use transaction::Writing;

/// After a large import, the write-ahead log shrinks back to this many bytes.
const LOG_BYTES_KEPT: u32 = 64 << 20;

/// A database file and the connections to it.
#[derive(Debug)]
pub(crate) struct Database {
    shop: ShopId,
    readers: SqlitePool,
    /// One connection: the turn to write.
    writer: SqlitePool,
    /// The schema before this opened it.
    schema_before: i64,
    checkpoints: Checkpoints,
}

impl Database {
    /// See [`Store::open`](crate::Store::open).
    pub(crate) async fn open(folder: &Path, settings: &StoreSettings) -> Result<Self, StoreError> {
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
        let schema_before = schema::prepare(&base, &path, settings.busy_timeout).await?;

        let pool = SqlitePoolOptions::new()
            .acquire_timeout(settings.acquire_timeout)
            // Connections to a file do not go stale; a new one starts with a cold cache.
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .after_release(|connection, _| Box::pin(is_idle(connection)));
        let durable =
            base.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let writing = durable
            .clone()
            .pragma("wal_autocheckpoint", checkpoint::PAGES_LEFT_TO_COMMITS.to_string())
            // What is deleted is overwritten with zeros.
            .pragma("secure_delete", "ON")
            .pragma("journal_size_limit", LOG_BYTES_KEPT.to_string())
            .pragma("cache_size", format!("-{}", settings.writer_cache_kib));
        let reading = base.read_only(true).pragma("cache_size", format!("-{}", settings.cache_kib));
        let writer = pool.clone().max_connections(1).connect_with(writing).await?;
        let checkpoints = Checkpoints::start(pool.clone(), durable, writer.clone());
        let readers = pool.max_connections(settings.readers.get()).connect_with(reading).await?;
        Ok(Self { shop: ShopId::ONLY, readers, writer, schema_before, checkpoints })
    }
}

/// Whether a connection that was used is good for another transaction. Where a disk is full or
/// does not work, SQLite takes the transaction back by itself; the driver still takes it for an open
/// one, and would refuse to begin another for ever.
async fn is_idle(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // In turn: after the end of a transaction that was dropped.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// A lock that nobody else can have.
#[derive(Debug)]
struct NeverLost;

#[async_trait]
impl HeldLock for NeverLost {
    async fn is_held(&mut self) -> bool {
        true
    }
}

#[async_trait]
impl Backend for Database {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let committed = self.checkpoints.committed();
        Ok(Box::new(Writing { shop: self.shop.0, transaction, committed }))
    }

    async fn begin_reading(&self) -> Result<Box<dyn Reading>, StoreError> {
        reading::begin(self).await
    }

    fn schema(&self) -> Schema {
        Schema { database: "sqlite", version: schema::NEWEST }
    }

    fn schema_before(&self) -> i64 {
        self.schema_before
    }

    async fn listen(&self) -> Result<Option<Box<dyn Notices>>, StoreError> {
        Ok(None)
    }

    async fn lock_training(&self) -> Result<Option<Box<dyn HeldLock>>, StoreError> {
        Ok(Some(Box::new(NeverLost)))
    }

    async fn close(&self) {
        self.checkpoints.close().await;
        self.readers.close().await;
        // Last, so that it finds no reader and folds the log into the main file.
        self.writer.close().await;
    }

    async fn compact(&self) -> Result<(), StoreError> {
        compact::compact(self).await
    }

    async fn size_bytes(&self) -> Result<u64, StoreError> {
        compact::size_bytes(self).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        shop::counts(self).await
    }

    async fn user_count(&self) -> Result<u64, StoreError> {
        users::count(self).await
    }

    async fn revisions(&self) -> Result<Revisions, StoreError> {
        shop::revisions(&self.readers, self.shop.0).await
    }

    async fn assigned_number(&self, space: IdSpace, id: &str) -> Result<Option<u32>, StoreError> {
        ids::assigned_number(self, space, id).await
    }

    async fn assigned_ids(
        &self,
        space: IdSpace,
        numbers: &[u32],
    ) -> Result<Vec<(u32, String)>, StoreError> {
        ids::assigned_ids(self, space, numbers).await
    }

    async fn has_user(&self, user: UserNumber) -> Result<bool, StoreError> {
        users::has(self, user).await
    }

    async fn has_book(&self, item: ItemNumber) -> Result<bool, StoreError> {
        books::has(self, item).await
    }

    async fn merged_into(&self, user: UserNumber) -> Result<Option<UserNumber>, StoreError> {
        users::merged_into(self, user).await
    }

    async fn merged_from(&self, user: UserNumber) -> Result<Vec<UserNumber>, StoreError> {
        users::merged_from(self, user).await
    }

    async fn books_after(
        &self,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        books::after(self, after, limit).await
    }

    async fn books_changed_after(
        &self,
        revision: i64,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        books::changed_after(self, revision, after, limit).await
    }

    async fn books_deleted_after(
        &self,
        revision: i64,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<ItemNumber>, StoreError> {
        books::deleted_after(self, revision, after, limit).await
    }

    async fn books(&self, numbers: &[ItemNumber]) -> Result<Vec<Book>, StoreError> {
        books::by_number(&mut *self.readers.acquire().await?, self.shop.0, numbers).await
    }

    async fn search_books(
        &self,
        words: &[String],
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        search::search(self, words, offset, limit).await
    }

    async fn history(&self, user: UserNumber, limit: u32) -> Result<History, StoreError> {
        history::history(self, user, limit).await
    }

    async fn history_of_book(
        &self,
        user: UserNumber,
        item: ItemNumber,
        limit: u32,
    ) -> Result<Vec<HistoryEvent>, StoreError> {
        history::history_of_book(self, user, item, limit).await
    }

    async fn settled_items(&self, user: UserNumber) -> Result<Vec<ItemNumber>, StoreError> {
        history::settled_items(self, user).await
    }

    async fn impressions(
        &self,
        user: UserNumber,
        limit: u32,
    ) -> Result<Vec<Impression>, StoreError> {
        impressions::latest(self, user, limit).await
    }

    async fn stored_events(
        &self,
        user: UserNumber,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        history::stored_events(self, user, after, limit).await
    }

    async fn stored_impressions(
        &self,
        user: UserNumber,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<NewImpression>, StoreError> {
        impressions::stored(self, user, after, limit).await
    }

    async fn users_after(
        &self,
        after: Option<UserNumber>,
        limit: u32,
    ) -> Result<Vec<UserRevision>, StoreError> {
        users::after(self, after, limit).await
    }

    async fn users_changed_after(
        &self,
        revision: i64,
        after: Option<UserRevision>,
        limit: u32,
    ) -> Result<Vec<UserRevision>, StoreError> {
        touched::changed_after(self, revision, after, limit).await
    }

    async fn events_page(
        &self,
        after: Option<UserNumber>,
        users: u32,
    ) -> Result<EventsPage, StoreError> {
        scan::page(self, after, users).await
    }

    async fn acceptance(&self, from_ms: i64) -> Result<Vec<Acceptance>, StoreError> {
        acceptance::read(self, from_ms).await
    }

    async fn replicas(&self) -> Result<Vec<Replica>, StoreError> {
        Ok(Vec::new())
    }

    async fn rules_after(&self, after: Option<&str>, limit: u32) -> Result<Vec<Rule>, StoreError> {
        rules::after(self, after, limit).await
    }

    async fn api_keys(&self, limit: u32) -> Result<Vec<ApiKey>, StoreError> {
        api_keys::all(self, limit).await
    }
}
