//! One transaction that writes.
//!
//! Whoever begins one locks the shop's row, and so waits for every other writer, of this process
//! or another. A commit is sent once. If its answer is lost, nobody knows whether it was made: it
//! is an error, and never sent again.

use async_trait::async_trait;
use recommender::{ItemNumber, UserNumber};

use super::pool::{Lease, Pool};
use super::{
    api_keys, books, events, ids, impressions, notices, restoring, rules, search, shop, stock,
    users,
};
use crate::api_keys::ApiKey;
use crate::backend::Transaction;
use crate::book::Book;
use crate::error::StoreError;
use crate::event::{EventId, NewEvent, StoredEvent};
use crate::ids::IdSpace;
use crate::impressions::NewImpression;
use crate::rows::Row;
use crate::rules::Rule;
use crate::search::BookWords;
use crate::stock::{StockChange, StockMemory};
use crate::store::Revisions;

/// A transaction on a connection that writes.
#[derive(Debug)]
pub(super) struct Writing {
    shop: i64,
    /// `None` once it has ended.
    lease: Option<Lease>,
    /// The shop's row, as this transaction has it.
    revisions: Revisions,
    /// Whether others should know of it.
    is_news: bool,
}

impl Writing {
    pub(super) async fn begin(pool: &Pool, shop: i64) -> Result<Self, StoreError> {
        let mut lease = pool.lease().await?;
        match lease.begin("BEGIN").await {
            // Nothing was written yet, and the connection may have been lost while it rested.
            Err(StoreError::Unavailable(_)) if !lease.is_new() => {
                drop(lease);
                lease = pool.lease().await?;
                lease.begin("BEGIN").await?;
            }
            begun => begun?,
        }
        let (revisions, is_news) = (Revisions::default(), false);
        let mut writing = Self { shop, lease: Some(lease), revisions, is_news };
        writing.revisions = shop::lock(writing.lease(), shop).await?;
        Ok(writing)
    }

    fn lease(&mut self) -> &mut Lease {
        self.lease.as_mut().expect("commit and rollback take the whole transaction")
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if lease.is_whole() => {
                // Bounded by the time that an answer may take.
                runtime.spawn(async move { lease.end("ROLLBACK").await });
            }
            // PostgreSQL takes everything back once the connection is closed.
            _ => drop(lease),
        }
    }
}

#[async_trait]
impl Transaction for Writing {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let mut lease = self.lease.take().expect("a transaction ends once");
        // A transaction that failed would be taken back by COMMIT without an error; a statement
        // before it does have one. No time limit of the server may end the wait for standbys,
        // after which a commit would be reported that they do not have.
        let news = match self.is_news {
            true => notices::statement(self.shop, &self.revisions),
            false => String::new(),
        };
        lease.end(&format!("SET LOCAL statement_timeout = 0; {news} COMMIT")).await
    }

    async fn rollback(mut self: Box<Self>) -> Result<(), StoreError> {
        let mut lease = self.lease.take().expect("a transaction ends once");
        lease.end("ROLLBACK").await
    }

    async fn revisions(&mut self) -> Result<Revisions, StoreError> {
        Ok(self.revisions)
    }

    async fn set_revisions(&mut self, revisions: &Revisions) -> Result<(), StoreError> {
        let query = shop::set(self.shop, revisions);
        self.lease().execute(query).await?;
        self.revisions = *revisions;
        self.is_news = true;
        Ok(())
    }

    async fn is_empty(&mut self) -> Result<bool, StoreError> {
        let shop = self.shop;
        restoring::is_empty(self.lease(), shop).await
    }

    async fn insert_rows(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        if let [Row::Shop(revisions)] = rows {
            return self.set_revisions(revisions).await;
        }
        let shop = self.shop;
        restoring::insert(self.lease(), shop, rows).await
    }

    async fn assigned_numbers(
        &mut self,
        space: IdSpace,
        ids: &[&str],
    ) -> Result<Vec<(usize, u32)>, StoreError> {
        let shop = self.shop;
        ids::assigned_numbers(self.lease(), shop, space, ids).await
    }

    async fn next_number(&mut self, space: IdSpace) -> Result<i64, StoreError> {
        let shop = self.shop;
        ids::next_number(self.lease(), shop, space).await
    }

    async fn assign(&mut self, space: IdSpace, first: u32, ids: &[&str]) -> Result<(), StoreError> {
        let shop = self.shop;
        ids::assign(self.lease(), shop, space, first, ids).await
    }

    async fn forget_id(&mut self, space: IdSpace, number: u32) -> Result<(), StoreError> {
        let shop = self.shop;
        ids::forget(self.lease(), shop, space, number).await
    }

    async fn touched_users(&mut self, users: &[UserNumber]) -> Result<Vec<UserNumber>, StoreError> {
        let shop = self.shop;
        users::with_revision(self.lease(), shop, users).await
    }

    async fn shown_users(&mut self, users: &[UserNumber]) -> Result<Vec<UserNumber>, StoreError> {
        let shop = self.shop;
        users::with_impressions(self.lease(), shop, users).await
    }

    async fn set_user_revisions(
        &mut self,
        users: &[UserNumber],
        revision: i64,
    ) -> Result<(), StoreError> {
        let shop = self.shop;
        users::set_revisions(self.lease(), shop, users, revision).await
    }

    async fn merged(
        &mut self,
        users: &[UserNumber],
    ) -> Result<Vec<(UserNumber, UserNumber)>, StoreError> {
        let shop = self.shop;
        users::merged(self.lease(), shop, users).await
    }

    async fn set_merged(&mut self, from: UserNumber, into: UserNumber) -> Result<(), StoreError> {
        let shop = self.shop;
        users::set_merged(self.lease(), shop, from, into).await
    }

    async fn forget_merged(&mut self, into: UserNumber) -> Result<Vec<UserNumber>, StoreError> {
        let shop = self.shop;
        users::forget_merged(self.lease(), shop, into).await
    }

    async fn move_events(&mut self, from: UserNumber, into: UserNumber) -> Result<u64, StoreError> {
        let shop = self.shop;
        users::move_events(self.lease(), shop, from, into).await
    }

    async fn delete_events(&mut self, user: UserNumber) -> Result<u64, StoreError> {
        let shop = self.shop;
        users::delete_events(self.lease(), shop, user).await
    }

    async fn forget_revisions(
        &mut self,
        users: &[UserNumber],
        _revision: i64,
    ) -> Result<(), StoreError> {
        let shop = self.shop;
        users::forget_revisions(self.lease(), shop, users).await
    }

    async fn books(&mut self, numbers: &[ItemNumber]) -> Result<Vec<Book>, StoreError> {
        let shop = self.shop;
        books::find(self.lease(), shop, numbers).await
    }

    async fn put_books(&mut self, books: &[&Book], revision: i64) -> Result<(), StoreError> {
        let shop = self.shop;
        books::put(self.lease(), shop, books, revision).await
    }

    async fn put_words(&mut self, words: &[BookWords]) -> Result<(), StoreError> {
        let shop = self.shop;
        search::put_words(self.lease(), shop, words).await
    }

    async fn delete_books(
        &mut self,
        numbers: &[ItemNumber],
        revision: i64,
    ) -> Result<Vec<ItemNumber>, StoreError> {
        let shop = self.shop;
        books::delete(self.lease(), shop, numbers, revision).await
    }

    async fn insert_events(&mut self, events: &[&NewEvent]) -> Result<u64, StoreError> {
        let shop = self.shop;
        events::insert(self.lease(), shop, events).await
    }

    async fn count_conflicts(&mut self, events: &[&NewEvent]) -> Result<u64, StoreError> {
        let shop = self.shop;
        events::count_conflicts(self.lease(), shop, events).await
    }

    async fn find_events(
        &mut self,
        keys: &[(UserNumber, EventId)],
    ) -> Result<Vec<(usize, StoredEvent)>, StoreError> {
        let shop = self.shop;
        events::find(self.lease(), shop, keys).await
    }

    async fn retract_event(&mut self, user: UserNumber, id: EventId) -> Result<bool, StoreError> {
        let shop = self.shop;
        events::retract(self.lease(), shop, user, id).await
    }

    async fn insert_impressions(
        &mut self,
        impressions: &[NewImpression],
        keep: u64,
    ) -> Result<Vec<usize>, StoreError> {
        let shop = self.shop;
        impressions::insert(self.lease(), shop, impressions, keep).await
    }

    async fn find_stock_change(
        &mut self,
        request_id: &str,
    ) -> Result<Option<StockChange>, StoreError> {
        let shop = self.shop;
        stock::find(self.lease(), shop, request_id).await
    }

    async fn insert_stock_change(
        &mut self,
        change: &StockChange,
        memory: &StockMemory,
    ) -> Result<(), StoreError> {
        let shop = self.shop;
        stock::insert(self.lease(), shop, change, memory).await
    }

    async fn count_other_rules(&mut self, id: &str) -> Result<u64, StoreError> {
        let shop = self.shop;
        rules::count_others(self.lease(), shop, id).await
    }

    async fn put_rule(&mut self, rule: &Rule) -> Result<(), StoreError> {
        let shop = self.shop;
        rules::put(self.lease(), shop, rule).await
    }

    async fn delete_rule(&mut self, id: &str) -> Result<bool, StoreError> {
        let shop = self.shop;
        rules::delete(self.lease(), shop, id).await
    }

    async fn count_api_keys(&mut self, id: &str) -> Result<(bool, u64), StoreError> {
        let shop = self.shop;
        api_keys::count(self.lease(), shop, id).await
    }

    async fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        let shop = self.shop;
        api_keys::insert(self.lease(), shop, key).await
    }

    async fn api_key_revoked(&mut self, id: &str) -> Result<Option<Option<i64>>, StoreError> {
        let shop = self.shop;
        api_keys::revoked(self.lease(), shop, id).await
    }

    async fn revoke_api_key(&mut self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        let shop = self.shop;
        api_keys::revoke(self.lease(), shop, id, now_ms).await
    }

    async fn forget_ended_api_key(&mut self, now_ms: i64) -> Result<bool, StoreError> {
        let shop = self.shop;
        api_keys::forget_ended(self.lease(), shop, now_ms).await
    }
}
