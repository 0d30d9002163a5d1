//! Impressions: books that users were shown. Kept apart from events, and only the latest of a shop.

use recommender::{ItemNumber, UserNumber};

use crate::event::EventId;

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
