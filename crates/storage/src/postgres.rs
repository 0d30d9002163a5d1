//! A store in a PostgreSQL database, in a schema of its own: several processes share it.
//!
//! One connection writes, some read; models, whoever listens and whoever trains have one each. One
//! writer of a shop at a time, in whichever process: it has the lock of the shop's row.

mod acceptance;
mod api_keys;
mod books;
mod events;
pub(crate) mod failure;
mod greeting;
mod history;
mod ids;
mod impressions;
pub(crate) mod models;
mod notices;
mod pool;
mod reading;
mod replicas;
mod restoring;
mod row;
mod rules;
mod scan;
mod schema;
mod search;
mod shop;
mod stock;
mod training;
mod transaction;
pub(crate) mod url;
mod users;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use recommender::{ItemNumber, ShopId, UserNumber};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use crate::acceptance::Acceptance;
use crate::api_keys::ApiKey;
use crate::backend::{Backend, HeldLock, Notices, Reading, Transaction};
use crate::book::Book;
use crate::error::StoreError;
use crate::event::{EventId, HistoryEvent, StoredEvent};
use crate::history::{History, UserRevision};
use crate::ids::IdSpace;
use crate::impressions::{Impression, NewImpression};
use crate::reading::Schema;
use crate::replicas::Replica;
use crate::rules::Rule;
use crate::scan::EventsPage;
use crate::store::{Counts, Revisions, StoreSettings};
use models::DatabaseModels;
use pool::{Pool, PoolSettings};
use transaction::Writing;
use url::DatabaseUrl;

/// How long [`Backend::compact`] may take for a table.
const COMPACT_TIMEOUT: Duration = Duration::from_secs(6 * 60 * 60);

/// How many statements each connection keeps prepared: all there are.
const STATEMENTS: usize = 100;

/// A database and the connections to it.
#[derive(Debug)]
pub(crate) struct Database {
    shop: i64,
    url: DatabaseUrl,
    /// The schema before this opened it.
    schema_before: i64,
    reader_greeting: Arc<str>,
    readers: Pool,
    /// One connection: the turn to write, within this process.
    writer: Pool,
    models: DatabaseModels,
}

impl Database {
    /// See [`Store::connect`](crate::Store::connect).
    pub(crate) async fn connect(
        url: &DatabaseUrl,
        settings: &StoreSettings,
    ) -> Result<Self, StoreError> {
        let pool = |greeting: &Arc<str>, connections: usize| {
            Pool::new(PoolSettings {
                options: prepared(url.options()),
                greeting: Arc::clone(greeting),
                connections,
                acquire_timeout: settings.acquire_timeout,
                answer_timeout: greeting::ANSWER_TIMEOUT,
            })
        };
        let reader_greeting = greeting::reader(settings.busy_timeout);
        let readers = pool(&reader_greeting, settings.readers.get() as usize);
        let writer_greeting = greeting::writer(settings.busy_timeout);
        let writer = pool(&writer_greeting, 1);
        let shop = i64::from(ShopId::ONLY.0);
        let schema_before = schema::prepare(&writer, shop).await?;
        let models = DatabaseModels { shop, pool: pool(&writer_greeting, 1) };
        Ok(Self { shop, url: url.clone(), schema_before, reader_greeting, readers, writer, models })
    }
}

/// What every connection has in common.
fn prepared(options: &PgConnectOptions) -> PgConnectOptions {
    let options = options.clone().statement_cache_capacity(STATEMENTS).disable_statement_logging();
    match options.get_application_name() {
        Some(_) => options,
        None => options.application_name("foreword"),
    }
}

#[async_trait]
impl Backend for Database {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        Ok(Box::new(Writing::begin(&self.writer, self.shop).await?))
    }

    async fn begin_reading(&self) -> Result<Box<dyn Reading>, StoreError> {
        reading::begin(&self.readers, self.shop).await
    }

    fn schema(&self) -> Schema {
        Schema { database: "postgres", version: schema::NEWEST }
    }

    fn schema_before(&self) -> i64 {
        self.schema_before
    }

    async fn listen(&self) -> Result<Option<Box<dyn Notices>>, StoreError> {
        let options = replicas::named(prepared(self.url.options()));
        let greeting = Arc::clone(&self.reader_greeting);
        Ok(Some(Box::new(notices::Listener::open(options, greeting).await?)))
    }

    async fn lock_training(&self) -> Result<Option<Box<dyn HeldLock>>, StoreError> {
        let options = prepared(self.url.options());
        let shop = ShopId::ONLY.0.cast_signed();
        let held = training::lock(&options, &self.reader_greeting, shop).await?;
        Ok(held.map(|held| Box::new(held) as Box<dyn HeldLock>))
    }

    fn models(&self) -> Option<DatabaseModels> {
        Some(self.models.clone())
    }

    async fn close(&self) {
        self.models.pool.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn compact(&self) -> Result<(), StoreError> {
        let mut lease = self.writer.lease().await?;
        lease.set_answer_timeout(COMPACT_TIMEOUT);
        let ended = schema::compact(&mut lease).await;
        // Its time limits are not those of a writer.
        lease.discard();
        ended
    }

    async fn size_bytes(&self) -> Result<u64, StoreError> {
        schema::size_bytes(&mut self.readers.lease().await?).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        shop::counts(&self.readers, self.shop).await
    }

    async fn user_count(&self) -> Result<u64, StoreError> {
        users::count(&self.readers, self.shop).await
    }

    async fn revisions(&self) -> Result<Revisions, StoreError> {
        shop::revisions(&self.readers, self.shop).await
    }

    async fn assigned_number(&self, space: IdSpace, id: &str) -> Result<Option<u32>, StoreError> {
        ids::assigned_number(&self.readers, self.shop, space, id).await
    }

    async fn assigned_ids(
        &self,
        space: IdSpace,
        numbers: &[u32],
    ) -> Result<Vec<(u32, String)>, StoreError> {
        ids::assigned_ids(&self.readers, self.shop, space, numbers).await
    }

    async fn has_user(&self, user: UserNumber) -> Result<bool, StoreError> {
        users::has(&self.readers, self.shop, user).await
    }

    async fn has_book(&self, item: ItemNumber) -> Result<bool, StoreError> {
        books::has(&self.readers, self.shop, item).await
    }

    async fn merged_into(&self, user: UserNumber) -> Result<Option<UserNumber>, StoreError> {
        users::merged_into(&self.readers, self.shop, user).await
    }

    async fn merged_from(&self, user: UserNumber) -> Result<Vec<UserNumber>, StoreError> {
        users::merged_from(&self.readers, self.shop, user).await
    }

    async fn books_after(
        &self,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        books::after(&self.readers, self.shop, after, limit).await
    }

    async fn books_changed_after(
        &self,
        revision: i64,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        books::changed_after(&self.readers, self.shop, revision, after, limit).await
    }

    async fn books_deleted_after(
        &self,
        revision: i64,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<ItemNumber>, StoreError> {
        books::deleted_after(&self.readers, self.shop, revision, after, limit).await
    }

    async fn books(&self, numbers: &[ItemNumber]) -> Result<Vec<Book>, StoreError> {
        books::read(&self.readers, self.shop, numbers).await
    }

    async fn search_books(
        &self,
        words: &[String],
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        search::search(&self.readers, self.shop, words, offset, limit).await
    }

    async fn history(&self, user: UserNumber, limit: u32) -> Result<History, StoreError> {
        history::history(&self.readers, self.shop, user, limit).await
    }

    async fn history_of_book(
        &self,
        user: UserNumber,
        item: ItemNumber,
        limit: u32,
    ) -> Result<Vec<HistoryEvent>, StoreError> {
        history::history_of_book(&self.readers, self.shop, user, item, limit).await
    }

    async fn settled_items(&self, user: UserNumber) -> Result<Vec<ItemNumber>, StoreError> {
        history::settled_items(&self.readers, self.shop, user).await
    }

    async fn impressions(
        &self,
        user: UserNumber,
        limit: u32,
    ) -> Result<Vec<Impression>, StoreError> {
        impressions::latest(&self.readers, self.shop, user, limit).await
    }

    async fn stored_events(
        &self,
        user: UserNumber,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        history::stored_events(&self.readers, self.shop, user, after, limit).await
    }

    async fn stored_impressions(
        &self,
        user: UserNumber,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<NewImpression>, StoreError> {
        impressions::stored(&self.readers, self.shop, user, after, limit).await
    }

    async fn users_after(
        &self,
        after: Option<UserNumber>,
        limit: u32,
    ) -> Result<Vec<UserRevision>, StoreError> {
        users::after(&self.readers, self.shop, after, limit).await
    }

    async fn users_changed_after(
        &self,
        revision: i64,
        after: Option<UserRevision>,
        limit: u32,
    ) -> Result<Vec<UserRevision>, StoreError> {
        users::changed_after(&self.readers, self.shop, revision, after, limit).await
    }

    async fn events_page(
        &self,
        after: Option<UserNumber>,
        users: u32,
    ) -> Result<EventsPage, StoreError> {
        scan::page(&self.readers, self.shop, after, users).await
    }

    async fn acceptance(&self, from_ms: i64) -> Result<Vec<Acceptance>, StoreError> {
        acceptance::read(&self.readers, self.shop, from_ms).await
    }

    async fn replicas(&self) -> Result<Vec<Replica>, StoreError> {
        replicas::all(&self.readers).await
    }

    async fn rules_after(&self, after: Option<&str>, limit: u32) -> Result<Vec<Rule>, StoreError> {
        rules::after(&self.readers, self.shop, after, limit).await
    }

    async fn api_keys(&self, limit: u32) -> Result<Vec<ApiKey>, StoreError> {
        api_keys::all(&self.readers, self.shop, limit).await
    }
}
