//! Events as the store sees them: on their way in, in a history, in training.

use std::fmt;

use recommender::id::LAST_NUMBER;
use recommender::{Event, EventKind, ItemNumber, Rating, UserNumber};

use crate::error::StoreError;

/// The longest event id, in bytes.
pub const EVENT_ID_BYTES_MAX: usize = 64;

/// The longest attribution token, in bytes.
pub const ATTRIBUTION_TOKEN_BYTES_MAX: usize = 512;

/// Why an event cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Its id is empty or too long.
    #[error("event id has {bytes} bytes, expected 1 to {EVENT_ID_BYTES_MAX}")]
    IdLength {
        /// The length found.
        bytes: usize,
    },
    /// It says that the user rated, but not how.
    #[error("event of kind rating has no rating, expected 1 to 5 stars")]
    RatingMissing,
    /// It has a rating, but is no rating.
    #[error("event of kind {kind} has a rating, expected none")]
    RatingUnexpected {
        /// Its kind.
        kind: EventKind,
    },
    /// Its attribution token is empty or too long.
    #[error("attribution token has {bytes} bytes, expected 1 to {ATTRIBUTION_TOKEN_BYTES_MAX}")]
    TokenLength {
        /// The length found.
        bytes: usize,
    },
    /// Its attribution token has a zero byte, which no text in PostgreSQL can have.
    #[error("attribution token has a zero byte, expected text")]
    TokenZero,
    /// A user or item number is out of range.
    #[error("{of} number {found} is out of range, expected 1 to {LAST_NUMBER}")]
    NumberRange {
        /// Whose number: `user` or `item`.
        of: &'static str,
        /// The number found.
        found: u32,
    },
}

/// The id a client gave to an event, 1 to 64 bytes; unique for one user.
///
/// Kept inline: copying one never allocates.
#[derive(Clone, Copy)]
pub struct EventId {
    len: u8,
    bytes: [u8; EVENT_ID_BYTES_MAX],
}

impl EventId {
    /// The id made of these bytes.
    ///
    /// # Errors
    ///
    /// [`EventError::IdLength`] unless there are 1 to 64.
    pub fn new(id: &[u8]) -> Result<Self, EventError> {
        let mut bytes = [0; EVENT_ID_BYTES_MAX];
        match (u8::try_from(id.len()), bytes.get_mut(..id.len())) {
            (Ok(len @ 1..), Some(head)) => {
                head.copy_from_slice(id);
                Ok(Self { len, bytes })
            }
            _ => Err(EventError::IdLength { bytes: id.len() }),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl PartialEq for EventId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for EventId {}

impl PartialOrd for EventId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EventId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl std::hash::Hash for EventId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EventId({})", self.as_bytes().escape_ascii())
    }
}

/// Where an event came from. The numbers are written into stores and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EventOrigin {
    /// A client recorded it.
    Client = 1,
    /// It was imported from a file.
    Import = 2,
    /// It never happened: the demo made it up.
    Simulated = 3,
}

impl EventOrigin {
    /// Every origin, by number.
    pub const ALL: [Self; 3] = [Self::Client, Self::Import, Self::Simulated];

    /// The origin with this number, or `None`.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The number that stores know it by.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// An event on its way into the store.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Who did it.
    pub user: UserNumber,
    /// To what. A book that the store does not know yet is fine.
    pub item: ItemNumber,
    /// The client's id for it, by which a retry is told.
    pub event_id: EventId,
    /// What was done.
    pub kind: EventKind,
    /// The rating; present exactly if the kind is [`EventKind::Rating`].
    pub rating: Option<Rating>,
    /// When it happened, in milliseconds since 1970; `None` if nobody knows.
    pub time_ms: Option<i64>,
    /// When the store got it, in milliseconds since 1970.
    pub recorded_ms: i64,
    /// Where it came from.
    pub origin: EventOrigin,
    /// The recommendation it came from, as the client was given it; 1 to 512 bytes.
    pub attribution_token: Option<String>,
}

impl NewEvent {
    /// Checks what the types leave open.
    ///
    /// # Errors
    ///
    /// [`EventError`] says what is wrong.
    pub fn check(&self) -> Result<(), EventError> {
        check_numbers(self.user, self.item)?;
        match (self.kind, self.rating) {
            (EventKind::Rating, None) => return Err(EventError::RatingMissing),
            (EventKind::Rating, Some(_)) | (_, None) => {}
            (kind, Some(_)) => return Err(EventError::RatingUnexpected { kind }),
        }
        check_token(self.attribution_token.as_deref())
    }

    /// What it is told by.
    pub(crate) fn key(&self) -> (UserNumber, EventId) {
        (self.user, self.event_id)
    }

    /// What two events with the same key should agree on.
    pub(crate) fn contents(&self) -> EventContents {
        (self.item, self.kind, self.rating, self.time_ms)
    }
}

/// What two events with the same key should agree on.
pub(crate) type EventContents = (ItemNumber, EventKind, Option<Rating>, Option<i64>);

/// Checks that these are numbers of a user and of an item.
pub(crate) fn check_numbers(user: UserNumber, item: ItemNumber) -> Result<(), EventError> {
    for (of, found) in [("user", user.0), ("item", item.0)] {
        if !(1..=LAST_NUMBER).contains(&found) {
            return Err(EventError::NumberRange { of, found });
        }
    }
    Ok(())
}

/// Checks the length of an attribution token.
pub(crate) fn check_token(token: Option<&str>) -> Result<(), EventError> {
    match token.map(str::len) {
        Some(1..=ATTRIBUTION_TOKEN_BYTES_MAX) if token.is_some_and(|it| it.contains('\0')) => {
            Err(EventError::TokenZero)
        }
        None | Some(1..=ATTRIBUTION_TOKEN_BYTES_MAX) => Ok(()),
        Some(bytes) => Err(EventError::TokenLength { bytes }),
    }
}

/// An event of one user's history.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryEvent {
    /// The client's id for it.
    pub event_id: EventId,
    /// The item it was done to.
    pub item: ItemNumber,
    /// What was done.
    pub kind: EventKind,
    /// The rating, if the kind is [`EventKind::Rating`].
    pub rating: Option<Rating>,
    /// When it happened, in milliseconds since 1970, if known.
    pub time_ms: Option<i64>,
    /// When the store got it, in milliseconds since 1970.
    pub recorded_ms: i64,
    /// Where it came from.
    pub origin: EventOrigin,
    /// The recommendation it came from.
    pub attribution_token: Option<String>,
}

impl HistoryEvent {
    /// The same event, as one of this user.
    pub(crate) fn of_user(self, user: UserNumber) -> NewEvent {
        let Self { event_id, item, kind, rating, time_ms, recorded_ms, origin, attribution_token } =
            self;
        NewEvent {
            user,
            item,
            event_id,
            kind,
            rating,
            time_ms,
            recorded_ms,
            origin,
            attribution_token,
        }
    }
}

/// All that is stored of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// The event.
    pub event: HistoryEvent,
    /// Whether it was retracted, and so is in no history.
    pub retracted: bool,
}

impl StoredEvent {
    /// What another event with the same key should agree on.
    pub(crate) fn contents(&self) -> EventContents {
        (self.event.item, self.event.kind, self.event.rating, self.event.time_ms)
    }
}

/// What training needs of an event; see [`Store::scan_events`](crate::Store::scan_events).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainingEvent {
    /// The item it was done to.
    pub item: ItemNumber,
    /// What was done.
    pub kind: EventKind,
    /// The rating, if the kind is [`EventKind::Rating`].
    pub rating: Option<Rating>,
    /// When it happened, in milliseconds since 1970, if known.
    pub time_ms: Option<i64>,
    /// Where it came from.
    pub origin: EventOrigin,
}

impl From<&HistoryEvent> for Event {
    fn from(event: &HistoryEvent) -> Self {
        let HistoryEvent { item, kind, rating, time_ms, .. } = *event;
        Self { item, kind, rating, time_ms }
    }
}

impl From<&TrainingEvent> for Event {
    fn from(event: &TrainingEvent) -> Self {
        let TrainingEvent { item, kind, rating, time_ms, .. } = *event;
        Self { item, kind, rating, time_ms }
    }
}

/// A database integer as the number of a user or item.
pub(crate) fn number(column: &'static str, found: i64) -> Result<u32, StoreError> {
    u32::try_from(found).map_err(|_| StoreError::UnexpectedValue { column, found })
}

/// A database integer as one of a small set of numbered things.
fn coded<T>(
    column: &'static str,
    found: i64,
    decode: impl Fn(u8) -> Option<T>,
) -> Result<T, StoreError> {
    u8::try_from(found).ok().and_then(decode).ok_or(StoreError::UnexpectedValue { column, found })
}

/// A database integer as an event kind.
pub(crate) fn kind(found: i64) -> Result<EventKind, StoreError> {
    coded("kind", found, EventKind::from_number)
}

/// A database integer as a rating.
pub(crate) fn rating(found: i64) -> Result<Rating, StoreError> {
    coded("half_stars", found, Rating::from_half_stars)
}

/// A database integer as an origin.
pub(crate) fn origin(found: i64) -> Result<EventOrigin, StoreError> {
    coded("origin", found, EventOrigin::from_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_has_one_to_64_bytes_and_compares_as_its_bytes() {
        assert_eq!(EventId::new(b""), Err(EventError::IdLength { bytes: 0 }));
        assert_eq!(EventId::new(&[7; 65]), Err(EventError::IdLength { bytes: 65 }));
        assert_eq!(EventId::new(&[0; 300]), Err(EventError::IdLength { bytes: 300 }));
        assert_eq!(EventId::new(&[7; 64]).map(|id| id.as_bytes().len()), Ok(64));
        // A shorter id that is a prefix, and zeros, which pad the inline array.
        assert!(EventId::new(b"a").ok() < EventId::new(b"a\0").ok());
        assert_ne!(EventId::new(&[0]), EventId::new(&[0, 0]));
    }

    #[test]
    fn the_recommender_gets_item_kind_rating_and_time_of_an_event() {
        let expected = Event {
            item: ItemNumber(7),
            kind: EventKind::Rating,
            rating: Rating::from_half_stars(9),
            time_ms: Some(-5),
        };
        let Event { item, kind, rating, time_ms } = expected;
        let origin = EventOrigin::Import;
        let trained = TrainingEvent { item, kind, rating, time_ms, origin };
        assert_eq!(Event::from(&trained), expected);
        let event_id = EventId::new(b"a").expect("one byte fits");
        let (recorded_ms, attribution_token) = (2_000, Some("shelf 3".to_owned()));
        let read = HistoryEvent {
            event_id,
            item,
            kind,
            rating,
            time_ms,
            recorded_ms,
            origin,
            attribution_token,
        };
        assert_eq!(Event::from(&read), expected);
    }

    #[test]
    fn origins_keep_their_numbers() {
        for (origin, number) in EventOrigin::ALL.into_iter().zip(1..) {
            assert_eq!(origin.number(), number);
            assert_eq!(EventOrigin::from_number(number), Some(origin));
        }
        assert_eq!(EventOrigin::from_number(0), None);
        assert_eq!(EventOrigin::from_number(4), None);
    }
}
