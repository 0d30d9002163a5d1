//! What a database has to do to hold a store. Two do: `sqlite` and `postgres`.
//!
//! [`Store`](crate::Store) and [`Writer`](crate::Writer) hold what both have in common: checks,
//! order, what is new and what is repeated, revisions. What is here is what only SQL can do, with
//! no decision left in it, so that a decision is made, and tested, once.
//!
//! Lists may be of any length: whoever implements this cuts them into statements.

use std::fmt;

use async_trait::async_trait;
use recommender::{ItemNumber, UserNumber};

use crate::acceptance::Acceptance;
use crate::api_keys::ApiKey;
use crate::book::Book;
use crate::error::StoreError;
use crate::event::{EventId, HistoryEvent, NewEvent, StoredEvent};
use crate::history::{History, UserRevision};
use crate::ids::IdSpace;
use crate::impressions::{Impression, NewImpression};
use crate::postgres::models::DatabaseModels;
use crate::reading::Schema;
use crate::replicas::Replica;
use crate::rows::{Row, RowKey, RowKind};
use crate::rules::Rule;
use crate::scan::EventsPage;
use crate::search::BookWords;
use crate::stock::{StockChange, StockMemory};
use crate::store::{Counts, Revisions};

/// A database with a store in it, its schema up to date. Reads see what was committed before they
/// began; each is of one moment, two may be of two.
#[async_trait]
pub(crate) trait Backend: fmt::Debug + Send + Sync {
    /// Begins to write, once no other writer of the shop is left, in any process. Everything that
    /// it reads is then of now.
    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError>;

    /// Begins to read everything as it is now, whatever is written meanwhile.
    async fn begin_reading(&self) -> Result<Box<dyn Reading>, StoreError>;

    /// What its tables are of.
    fn schema(&self) -> Schema;

    /// The version of the schema that was there when this was opened, 0 for none.
    fn schema_before(&self) -> i64;

    /// Gives notice of commits, by whichever process; `None` if this database cannot, and has to be
    /// asked.
    async fn listen(&self) -> Result<Option<Box<dyn Notices>>, StoreError>;

    /// Takes the lock of whoever trains, among all processes; `None` if somebody else has it. For
    /// a store in a folder, the folder of models has a lock, and this is always free.
    async fn lock_training(&self) -> Result<Option<Box<dyn HeldLock>>, StoreError>;

    /// The models in the database; `None` if they lie in a folder.
    fn models(&self) -> Option<DatabaseModels> {
        None
    }

    /// Closes every connection, waiting for those in use.
    async fn close(&self);

    /// Rewrites the database so that nothing is left of what was deleted, nor the room that it
    /// took. Others may wait meanwhile.
    async fn compact(&self) -> Result<(), StoreError>;

    /// The bytes that the database takes, tables and indexes, but for logs.
    async fn size_bytes(&self) -> Result<u64, StoreError>;

    async fn counts(&self) -> Result<Counts, StoreError>;
    async fn user_count(&self) -> Result<u64, StoreError>;
    /// One row.
    async fn revisions(&self) -> Result<Revisions, StoreError>;

    /// The number that was assigned to an id.
    async fn assigned_number(&self, space: IdSpace, id: &str) -> Result<Option<u32>, StoreError>;
    /// The ids that these numbers were assigned to, in any order.
    async fn assigned_ids(
        &self,
        space: IdSpace,
        numbers: &[u32],
    ) -> Result<Vec<(u32, String)>, StoreError>;
    /// Whether there is such a user: with events, with impressions, or with somebody merged into
    /// them.
    async fn has_user(&self, user: UserNumber) -> Result<bool, StoreError>;
    /// Whether there is such a book.
    async fn has_book(&self, item: ItemNumber) -> Result<bool, StoreError>;
    /// Whom a user was merged into.
    async fn merged_into(&self, user: UserNumber) -> Result<Option<UserNumber>, StoreError>;
    /// Who was merged into a user, ascending.
    async fn merged_from(&self, user: UserNumber) -> Result<Vec<UserNumber>, StoreError>;

    /// See [`Store::books_after`](crate::Store::books_after).
    async fn books_after(
        &self,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError>;
    /// See [`Store::books_changed_after`](crate::Store::books_changed_after).
    async fn books_changed_after(
        &self,
        revision: i64,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError>;
    /// The books deleted by commits after this catalogue revision and not stored again, by number,
    /// from the first after `after`.
    async fn books_deleted_after(
        &self,
        revision: i64,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<ItemNumber>, StoreError>;
    /// The books with these numbers, in any order.
    async fn books(&self, numbers: &[ItemNumber]) -> Result<Vec<Book>, StoreError>;
    /// The books that match all these words, the last one also as the beginning of a word, the
    /// best match first, then by number.
    async fn search_books(
        &self,
        words: &[String],
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError>;

    /// See [`Store::history`](crate::Store::history).
    async fn history(&self, user: UserNumber, limit: u32) -> Result<History, StoreError>;
    /// See [`Store::history_of_book`](crate::Store::history_of_book).
    async fn history_of_book(
        &self,
        user: UserNumber,
        item: ItemNumber,
        limit: u32,
    ) -> Result<Vec<HistoryEvent>, StoreError>;
    /// See [`Store::settled_items`](crate::Store::settled_items).
    async fn settled_items(&self, user: UserNumber) -> Result<Vec<ItemNumber>, StoreError>;
    /// The latest impressions of a user: for each book how often and when last, at most `limit`
    /// books, the latest first.
    async fn impressions(
        &self,
        user: UserNumber,
        limit: u32,
    ) -> Result<Vec<Impression>, StoreError>;
    /// All that is stored of a user's events, retracted ones included, by event id, from the
    /// first after `after`.
    async fn stored_events(
        &self,
        user: UserNumber,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError>;
    /// The same of impressions.
    async fn stored_impressions(
        &self,
        user: UserNumber,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<NewImpression>, StoreError>;
    /// See [`Store::users_after`](crate::Store::users_after).
    async fn users_after(
        &self,
        after: Option<UserNumber>,
        limit: u32,
    ) -> Result<Vec<UserRevision>, StoreError>;
    /// The users whose revision is above `revision`, those who were merged included, by revision
    /// and number, from the first after `after`.
    async fn users_changed_after(
        &self,
        revision: i64,
        after: Option<UserRevision>,
        limit: u32,
    ) -> Result<Vec<UserRevision>, StoreError>;
    /// All events, but for retracted ones, of the users from the first after `after` who have any;
    /// at most this many users, by number, their events by id. Empty only after the last user.
    async fn events_page(
        &self,
        after: Option<UserNumber>,
        users: u32,
    ) -> Result<EventsPage, StoreError>;

    /// See [`Store::acceptance`](crate::Store::acceptance).
    async fn acceptance(&self, from_ms: i64) -> Result<Vec<Acceptance>, StoreError>;
    /// See [`Store::replicas`](crate::Store::replicas).
    async fn replicas(&self) -> Result<Vec<Replica>, StoreError>;
    /// See [`Store::rules_after`](crate::Store::rules_after).
    async fn rules_after(&self, after: Option<&str>, limit: u32) -> Result<Vec<Rule>, StoreError>;
    /// See [`Store::api_keys`](crate::Store::api_keys).
    async fn api_keys(&self, limit: u32) -> Result<Vec<ApiKey>, StoreError>;
}

/// News of commits.
#[async_trait]
pub(crate) trait Notices: Send {
    /// Waits for the next commit that changed something. It may say so without one, and does after
    /// a connection was lost and found, since notices may have been missed.
    async fn next(&mut self) -> Result<(), StoreError>;
}

/// One transaction that reads, for as long as it lives, what was there when it began.
#[async_trait]
pub(crate) trait Reading: Send {
    /// How many rows there are of all kinds.
    async fn count_rows(&mut self) -> Result<u64, StoreError>;
    /// The rows of a kind by [key](Row::key), from the first after `after`, a key of this kind; at
    /// most `limit`.
    async fn rows_after(
        &mut self,
        kind: RowKind,
        after: Option<&RowKey>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError>;
}

/// A lock that is held until it is dropped, or its process dies.
#[async_trait]
pub(crate) trait HeldLock: fmt::Debug + Send {
    /// Asks whether it is still held: it is lost with the connection that holds it.
    async fn is_held(&mut self) -> bool;
}

/// One transaction that writes. What it has written, it reads. Dropping it takes everything back.
#[async_trait]
pub(crate) trait Transaction: fmt::Debug + Send {
    /// Commits, durably, and gives notice to those who [listen](Backend::listen).
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
    /// Takes everything back, and waits for that.
    async fn rollback(self: Box<Self>) -> Result<(), StoreError>;

    /// The shop's row.
    async fn revisions(&mut self) -> Result<Revisions, StoreError>;
    /// Writes the shop's row.
    async fn set_revisions(&mut self, revisions: &Revisions) -> Result<(), StoreError>;

    /// Whether nothing was ever stored.
    async fn is_empty(&mut self) -> Result<bool, StoreError>;
    /// Writes rows of one kind, by key, just as they are: of a shop and of sequences in place of
    /// those that are there, of others none is. Words of books are written besides.
    async fn insert_rows(&mut self, rows: &[Row]) -> Result<(), StoreError>;

    /// The numbers that are assigned to these ids, in any order, without those that are not: the
    /// place of the id in the list, and its number.
    async fn assigned_numbers(
        &mut self,
        space: IdSpace,
        ids: &[&str],
    ) -> Result<Vec<(usize, u32)>, StoreError>;
    /// The first number that is free.
    async fn next_number(&mut self, space: IdSpace) -> Result<i64, StoreError>;
    /// Assigns the numbers from `first` up to these ids, and counts the sequence up past them.
    async fn assign(&mut self, space: IdSpace, first: u32, ids: &[&str]) -> Result<(), StoreError>;
    /// Forgets the id that a number was assigned to. The number is not used again.
    async fn forget_id(&mut self, space: IdSpace, number: u32) -> Result<(), StoreError>;

    /// Those of these users who have a revision, ascending.
    async fn touched_users(&mut self, users: &[UserNumber]) -> Result<Vec<UserNumber>, StoreError>;
    /// Those of these users who have impressions, in any order.
    async fn shown_users(&mut self, users: &[UserNumber]) -> Result<Vec<UserNumber>, StoreError>;
    /// Sets the revision of users, creating those that are not there. Ascending, each once.
    async fn set_user_revisions(
        &mut self,
        users: &[UserNumber],
        revision: i64,
    ) -> Result<(), StoreError>;
    /// Who of these users was merged into whom, in any order.
    async fn merged(
        &mut self,
        users: &[UserNumber],
    ) -> Result<Vec<(UserNumber, UserNumber)>, StoreError>;
    /// Writes down that a user was merged into another, and has those that were merged into the
    /// first lead to the other.
    async fn set_merged(&mut self, from: UserNumber, into: UserNumber) -> Result<(), StoreError>;
    /// Forgets who was merged into a user; returns them.
    async fn forget_merged(&mut self, into: UserNumber) -> Result<Vec<UserNumber>, StoreError>;
    /// Gives events and impressions of one user to another, but for those whose id the other has;
    /// returns how many events were given. Those that are left stay.
    async fn move_events(&mut self, from: UserNumber, into: UserNumber) -> Result<u64, StoreError>;
    /// Deletes all events and impressions of a user; returns how many events these were.
    async fn delete_events(&mut self, user: UserNumber) -> Result<u64, StoreError>;
    /// Forgets the revisions of users who are deleted by the commit with this revision of the
    /// events.
    async fn forget_revisions(
        &mut self,
        users: &[UserNumber],
        revision: i64,
    ) -> Result<(), StoreError>;

    /// The books with these numbers, in any order.
    async fn books(&mut self, numbers: &[ItemNumber]) -> Result<Vec<Book>, StoreError>;
    /// Stores books in place of those with their numbers, no number twice. They are not deleted
    /// any more.
    async fn put_books(&mut self, books: &[&Book], revision: i64) -> Result<(), StoreError>;
    /// Stores the words that books are found by, in place of those stored, no number twice.
    async fn put_words(&mut self, words: &[BookWords]) -> Result<(), StoreError>;
    /// Deletes books with their words, no number twice, and writes down that they are; returns
    /// those that were there, ascending.
    async fn delete_books(
        &mut self,
        numbers: &[ItemNumber],
        revision: i64,
    ) -> Result<Vec<ItemNumber>, StoreError>;

    /// Stores events, sorted by user and id, no key twice, but for those whose key is there;
    /// returns how many it stored.
    async fn insert_events(&mut self, events: &[&NewEvent]) -> Result<u64, StoreError>;
    /// How many of these events differ in item, kind, rating or time from what is stored under
    /// their keys.
    async fn count_conflicts(&mut self, events: &[&NewEvent]) -> Result<u64, StoreError>;
    /// What is stored under these keys, in any order, without those that are not there: the place
    /// of the key in the list, and the event.
    async fn find_events(
        &mut self,
        keys: &[(UserNumber, EventId)],
    ) -> Result<Vec<(usize, StoredEvent)>, StoreError>;
    /// Marks an event as retracted; tells whether it was there and not retracted before.
    async fn retract_event(&mut self, user: UserNumber, id: EventId) -> Result<bool, StoreError>;

    /// Stores impressions, but for those whose user and id are there or come earlier in the list;
    /// returns which were stored, by their places in the list, ascending. Then forgets those of
    /// the whole shop whose sequence is `keep` or more below the latest: where some were deleted,
    /// that leaves fewer.
    async fn insert_impressions(
        &mut self,
        impressions: &[NewImpression],
        keep: u64,
    ) -> Result<Vec<usize>, StoreError>;

    /// The change of stock that a request asked for, if it is remembered.
    async fn find_stock_change(
        &mut self,
        request_id: &str,
    ) -> Result<Option<StockChange>, StoreError>;
    /// Remembers a change of stock; of the oldest two of the shop, forgets what is not kept.
    async fn insert_stock_change(
        &mut self,
        change: &StockChange,
        memory: &StockMemory,
    ) -> Result<(), StoreError>;

    /// How many rules there are beside this one.
    async fn count_other_rules(&mut self, id: &str) -> Result<u64, StoreError>;
    /// Stores a rule in place of the one with its id.
    async fn put_rule(&mut self, rule: &Rule) -> Result<(), StoreError>;
    /// Deletes a rule; tells whether it was there.
    async fn delete_rule(&mut self, id: &str) -> Result<bool, StoreError>;

    /// Whether a key's id is taken, and how many keys there are.
    async fn count_api_keys(&mut self, id: &str) -> Result<(bool, u64), StoreError>;
    /// Stores a key.
    async fn insert_api_key(&mut self, key: &ApiKey) -> Result<(), StoreError>;
    /// When a key was revoked, if it was; `None` if there is no such key.
    async fn api_key_revoked(&mut self, id: &str) -> Result<Option<Option<i64>>, StoreError>;
    /// Revokes a key.
    async fn revoke_api_key(&mut self, id: &str, now_ms: i64) -> Result<(), StoreError>;
    /// Forgets the key that ended first; tells whether there was one.
    async fn forget_ended_api_key(&mut self, now_ms: i64) -> Result<bool, StoreError>;
}
