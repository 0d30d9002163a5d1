//! Reading users: who there is, and what one of them did.

use recommender::{ItemNumber, UserNumber};

use crate::error::StoreError;
use crate::event::{EventId, HistoryEvent, StoredEvent};
use crate::store::Store;

/// A user and the events' revision that the last commit left which touched them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserRevision {
    /// The user.
    pub user: UserNumber,
    /// Higher after every commit that touched their events.
    pub revision: i64,
}

/// What one user did.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The user's revision when this was read; 0 for a user without events, and for one who was
    /// merged into another.
    pub revision: i64,
    /// The events which were not retracted, newest first.
    pub events: Vec<HistoryEvent>,
}

impl Store {
    /// Counts the users with events. Reads the table of users only.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn user_count(&self) -> Result<u64, StoreError> {
        self.backend.user_count().await
    }

    /// What this user did, newest first, at most `limit` events, with the revision
    /// they belong to: both come from one statement and so from one moment.
    ///
    /// Newest goes by the time it happened, then by the time it was recorded, then
    /// by event id; an event without a time counts as oldest. Reads and sorts all of
    /// the user's events.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn history(&self, user: UserNumber, limit: u32) -> Result<History, StoreError> {
        self.backend.history(user, limit).await
    }

    /// What this user did to one book, as [`history`](Self::history) has it. Reads all of the user's
    /// events, and sorts those of the book.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn history_of_book(
        &self,
        user: UserNumber,
        item: ItemNumber,
        limit: u32,
    ) -> Result<Vec<HistoryEvent>, StoreError> {
        self.backend.history_of_book(user, item, limit).await
    }

    /// The items that this user already has or has judged, ascending, each once: those of
    /// every event whose kind [settles](recommender::EventKind::settles) and which was not
    /// retracted.
    ///
    /// Has no limit, because an item left out would be recommended again: 4 bytes for each
    /// item. Reads all of the user's events.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn settled_items(&self, user: UserNumber) -> Result<Vec<ItemNumber>, StoreError> {
        self.backend.settled_items(user).await
    }

    /// All that is stored of a user's events, retracted ones included, by event id, from the
    /// first after `after`; at most `limit`.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn stored_events(
        &self,
        user: UserNumber,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.backend.stored_events(user, after, limit).await
    }

    /// The users with events, by number, from the first after `after`; at most `limit`.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn users_after(
        &self,
        after: Option<UserNumber>,
        limit: u32,
    ) -> Result<Vec<UserRevision>, StoreError> {
        self.backend.users_after(after, limit).await
    }

    /// The users touched by commits after this events' revision, by revision and number, from
    /// the first after `after`; at most `limit`.
    ///
    /// Revisions are in the order of commits, so whoever has read up to one misses nobody who
    /// is touched later. One who was merged comes with the revision of the merge: their events are
    /// another's since. Deleted users do not come: see [`Revisions::removals`]. A page is one
    /// moment, two pages may be two.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    ///
    /// [`Revisions::removals`]: crate::Revisions::removals
    pub async fn users_changed_after(
        &self,
        revision: i64,
        after: Option<UserRevision>,
        limit: u32,
    ) -> Result<Vec<UserRevision>, StoreError> {
        self.backend.users_changed_after(revision, after, limit).await
    }
}
