//! Something to write down, checked, with the shop's own ids.

use recommender::{EventKind, Rating};
use storage::EventId;

/// One thing to write down.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewEntry {
    /// Whose it is: the shop's id.
    pub(crate) user_id: Box<str>,
    /// The client's id of the event.
    pub(crate) event_id: EventId,
    /// What it is.
    pub(crate) what: What,
}

/// What there is to write down.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// The user did something.
    Event {
        /// To which book: the shop's id.
        book_id: Box<str>,
        /// What.
        kind: EventKind,
        /// The rating, if it is one.
        rating: Option<Rating>,
        /// When.
        times: Times,
        /// The recommendation that it came from.
        token: Option<String>,
    },
    /// The user was shown a book.
    Impression {
        /// Which: the shop's id.
        book_id: Box<str>,
        /// When.
        times: Times,
        /// The recommendation that it came from.
        token: Option<String>,
    },
    /// The event did not happen.
    Retraction,
}

/// When something happened and when it was told, in milliseconds since 1970. The same, if the
/// client did not say when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) happened_ms: i64,
    pub(crate) recorded_ms: i64,
}
