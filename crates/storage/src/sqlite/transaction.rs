//! One transaction that writes.

use std::sync::Arc;

use async_trait::async_trait;
use recommender::{ItemNumber, UserNumber};
use sqlx::Sqlite;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::Notify;

use super::{
    api_keys, books, events, ids, impressions, restoring, rules, search, shop, stock, users,
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

/// A transaction on the connection that writes.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) shop: u32,
    pub(super) transaction: sqlx::Transaction<'static, Sqlite>,
    /// Whoever folds the log waits for this.
    pub(super) committed: Arc<Notify>,
}

impl Writing {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

#[async_trait]
impl Transaction for Writing {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.transaction.commit().await?;
        self.committed.notify_one();
        Ok(())
    }

    async fn rollback(self: Box<Self>) -> Result<(), StoreError> {
        Ok(self.transaction.rollback().await?)
    }

    async fn revisions(&mut self) -> Result<Revisions, StoreError> {
        let shop = self.shop;
        shop::revisions(self.connection(), shop).await
    }

    async fn set_revisions(&mut self, revisions: &Revisions) -> Result<(), StoreError> {
        shop::set_revisions(self, revisions).await
    }

    async fn is_empty(&mut self) -> Result<bool, StoreError> {
        restoring::is_empty(self).await
    }

    async fn insert_rows(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        restoring::insert(self, rows).await
    }

    async fn assigned_numbers(
        &mut self,
        space: IdSpace,
        ids: &[&str],
    ) -> Result<Vec<(usize, u32)>, StoreError> {
        ids::assigned_numbers(self, space, ids).await
    }

    async fn next_number(&mut self, space: IdSpace) -> Result<i64, StoreError> {
        ids::next_number(self, space).await
    }

    async fn assign(&mut self, space: IdSpace, first: u32, ids: &[&str]) -> Result<(), StoreError> {
        ids::assign(self, space, first, ids).await
    }

    async fn forget_id(&mut self, space: IdSpace, number: u32) -> Result<(), StoreError> {
        ids::forget(self, space, number).await
    }

    async fn touched_users(&mut self, users: &[UserNumber]) -> Result<Vec<UserNumber>, StoreError> {
        users::with_revision(self, users).await
    }

    async fn shown_users(&mut self, users: &[UserNumber]) -> Result<Vec<UserNumber>, StoreError> {
        users::with_impressions(self, users).await
    }

    async fn set_user_revisions(
        &mut self,
        users: &[UserNumber],
        revision: i64,
    ) -> Result<(), StoreError> {
        users::set_revisions(self, users, revision).await
    }

    async fn merged(
        &mut self,
        users: &[UserNumber],
    ) -> Result<Vec<(UserNumber, UserNumber)>, StoreError> {
        users::merged(self, users).await
    }

    async fn set_merged(&mut self, from: UserNumber, into: UserNumber) -> Result<(), StoreError> {
        users::set_merged(self, from, into).await
    }

    async fn forget_merged(&mut self, into: UserNumber) -> Result<Vec<UserNumber>, StoreError> {
        users::forget_merged(self, into).await
    }

    async fn move_events(&mut self, from: UserNumber, into: UserNumber) -> Result<u64, StoreError> {
        users::move_events(self, from, into).await
    }

    async fn delete_events(&mut self, user: UserNumber) -> Result<u64, StoreError> {
        users::delete_events(self, user).await
    }

    async fn forget_revisions(
        &mut self,
        users: &[UserNumber],
        revision: i64,
    ) -> Result<(), StoreError> {
        users::forget_revisions(self, users, revision).await
    }

    async fn books(&mut self, numbers: &[ItemNumber]) -> Result<Vec<Book>, StoreError> {
        let shop = self.shop;
        books::by_number(self.connection(), shop, numbers).await
    }

    async fn put_books(&mut self, books: &[&Book], revision: i64) -> Result<(), StoreError> {
        books::put(self, books, revision).await
    }

    async fn put_words(&mut self, words: &[BookWords]) -> Result<(), StoreError> {
        let shop = self.shop;
        search::put_words(self.connection(), shop, words).await
    }

    async fn delete_books(
        &mut self,
        numbers: &[ItemNumber],
        revision: i64,
    ) -> Result<Vec<ItemNumber>, StoreError> {
        books::delete(self, numbers, revision).await
    }

    async fn insert_events(&mut self, events: &[&NewEvent]) -> Result<u64, StoreError> {
        events::insert(self, events).await
    }

    async fn count_conflicts(&mut self, events: &[&NewEvent]) -> Result<u64, StoreError> {
        events::count_conflicts(self, events).await
    }

    async fn find_events(
        &mut self,
        keys: &[(UserNumber, EventId)],
    ) -> Result<Vec<(usize, StoredEvent)>, StoreError> {
        events::find(self, keys).await
    }

    async fn retract_event(&mut self, user: UserNumber, id: EventId) -> Result<bool, StoreError> {
        events::retract(self, user, id).await
    }

    async fn insert_impressions(
        &mut self,
        impressions: &[NewImpression],
        keep: u64,
    ) -> Result<Vec<usize>, StoreError> {
        impressions::insert(self, impressions, keep).await
    }

    async fn find_stock_change(
        &mut self,
        request_id: &str,
    ) -> Result<Option<StockChange>, StoreError> {
        stock::find(self, request_id).await
    }

    async fn insert_stock_change(
        &mut self,
        change: &StockChange,
        memory: &StockMemory,
    ) -> Result<(), StoreError> {
        stock::insert(self, change, memory).await
    }

    async fn count_other_rules(&mut self, id: &str) -> Result<u64, StoreError> {
        rules::count_others(self, id).await
    }

    async fn put_rule(&mut self, rule: &Rule) -> Result<(), StoreError> {
        rules::put(self, rule).await
    }

    async fn delete_rule(&mut self, id: &str) -> Result<bool, StoreError> {
        rules::delete(self, id).await
    }

    async fn count_api_keys(&mut self, id: &str) -> Result<(bool, u64), StoreError> {
        api_keys::count(self, id).await
    }

    async fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError> {
        api_keys::insert(self, key).await
    }

    async fn api_key_revoked(&mut self, id: &str) -> Result<Option<Option<i64>>, StoreError> {
        api_keys::revoked(self, id).await
    }

    async fn revoke_api_key(&mut self, id: &str, now_ms: i64) -> Result<(), StoreError> {
        api_keys::revoke(self, id, now_ms).await
    }

    async fn forget_ended_api_key(&mut self, now_ms: i64) -> Result<bool, StoreError> {
        api_keys::forget_ended(self, now_ms).await
    }
}
