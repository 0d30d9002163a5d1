//! Impressions: books that users were shown. Kept apart from events, and only the latest of a shop.

use recommender::{ItemNumber, UserNumber};

use crate::error::StoreError;
use crate::event::{EventError, EventId, check_numbers, check_token};
use crate::store::Store;

/// That a user was shown a book, as a client tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewImpression {
    /// Who was shown it.
    pub user: UserNumber,
    /// What was shown.
    pub item: ItemNumber,
    /// The client's id for it, by which a retry is told.
    pub event_id: EventId,
    /// When it was shown, in milliseconds since 1970.
    pub time_ms: i64,
    /// When the store got it, in milliseconds since 1970.
    pub recorded_ms: i64,
    /// The recommendation it came from, as the client was given it; 1 to 512 bytes.
    pub attribution_token: Option<String>,
}

/// How often a user was shown a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impression {
    /// The book.
    pub item: ItemNumber,
    /// How often, as far as it is remembered; at least 1.
    pub times: u32,
    /// When last, in milliseconds since 1970.
    pub last_ms: i64,
}

impl NewImpression {
    /// Checks what the types leave open.
    ///
    /// # Errors
    ///
    /// [`EventError`] says what is wrong.
    pub fn check(&self) -> Result<(), EventError> {
        check_numbers(self.user, self.item)?;
        check_token(self.attribution_token.as_deref())
    }
}

impl Store {
    /// What a user was shown, as far as it is remembered: for each book how often and when last,
    /// the latest first, then by number; at most `limit` books.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn impressions(
        &self,
        user: UserNumber,
        limit: u32,
    ) -> Result<Vec<Impression>, StoreError> {
        self.backend.impressions(user, limit).await
    }

    /// All that is stored of a user's impressions, by event id, from the first after `after`; at
    /// most `limit`.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn stored_impressions(
        &self,
        user: UserNumber,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<NewImpression>, StoreError> {
        self.backend.stored_impressions(user, after, limit).await
    }
}
