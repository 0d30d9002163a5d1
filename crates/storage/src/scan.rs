//! Reading every event there is, for training: a page of users at a time.
//!
//! One statement over all of them would be of one moment, but hold that moment for as long as
//! training takes to listen: SQLite's log could not be folded back meanwhile and PostgreSQL could
//! not clean up. Measured in `tests/it/speed.rs`.

use std::ops::{ControlFlow, Range};

use recommender::{ItemNumber, UserNumber};

use crate::error::StoreError;
use crate::event::{TrainingEvent, kind, number, origin, rating};
use crate::store::Store;

/// How many users are read at a time: few enough that their events are decoded and visited in
/// well under a millisecond, many enough that a statement costs little.
const USERS_A_PAGE: u32 = 64;

/// The bits that kind, half stars and origin have each, below the book's number.
const FIELD_BITS: u32 = 4;

/// One more than the largest kind, half stars or origin that can be packed.
pub(crate) const FIELD: i64 = 1 << FIELD_BITS;

/// The events of some users.
#[derive(Debug, Default)]
pub(crate) struct EventsPage {
    /// Each user, by number, and where their events are.
    pub(crate) users: Vec<(UserNumber, Range<usize>)>,
    /// The events of all of them.
    pub(crate) events: Vec<TrainingEvent>,
}

impl Store {
    /// Visits all events which were not retracted: once for each user, by number,
    /// with the user's events by event id. `visit` may break off.
    ///
    /// All events of a user come from one moment; those of two users may be of two, since what
    /// is written meanwhile is seen as far as it is of users still to come. Keeps the events of
    /// 64 users in memory. `visit` runs on the calling thread; other tasks get a turn after
    /// every 64 users.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn scan_events(
        &self,
        mut visit: impl FnMut(UserNumber, &[TrainingEvent]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.backend.events_page(after, USERS_A_PAGE).await?;
            let Some((last, _)) = page.users.last() else { return Ok(()) };
            after = Some(*last);
            for (user, events) in &page.users {
                if visit(*user, &page.events[events.clone()]).is_break() {
                    return Ok(());
                }
            }
        }
    }
}

/// An event out of the number that both databases make of it, `((book · FIELD + origin) · FIELD +
/// half stars) · FIELD + kind`, and its time; no half stars are 0.
pub(crate) fn unpack(packed: i64, time_ms: Option<i64>) -> Result<TrainingEvent, StoreError> {
    let field = |index: u32| (packed >> (index * FIELD_BITS)) & (FIELD - 1);
    let half_stars = field(1);
    Ok(TrainingEvent {
        item: ItemNumber(number("book_number", packed >> (3 * FIELD_BITS))?),
        kind: kind(field(0))?,
        rating: (half_stars != 0).then(|| rating(half_stars)).transpose()?,
        time_ms,
        origin: origin(field(2))?,
    })
}

#[cfg(test)]
mod tests {
    use recommender::{EventKind, Rating};

    use super::*;
    use crate::event::EventOrigin;

    #[test]
    fn every_kind_rating_and_origin_fits_its_bits() {
        let kinds = EventKind::ALL.map(EventKind::number).into_iter();
        let origins = EventOrigin::ALL.map(EventOrigin::number).into_iter();
        let ratings = (0..=u8::MAX).filter(|half| Rating::from_half_stars(*half).is_some());
        // A rating that takes no half stars would read as none.
        assert_eq!(Rating::from_half_stars(0), None);
        for number in kinds.chain(origins).chain(ratings) {
            assert!(i64::from(number) < FIELD, "{number}");
        }
    }

    #[test]
    fn unpacking_gives_back_what_was_packed() {
        let packed = |book: i64, origin, half_stars, kind| {
            ((book * FIELD + origin) * FIELD + half_stars) * FIELD + kind
        };
        let rated = unpack(packed(2_147_483_647, 2, 10, 6), Some(-5)).ok();
        assert_eq!(
            rated,
            Some(TrainingEvent {
                item: ItemNumber(2_147_483_647),
                kind: EventKind::Rating,
                rating: Rating::from_half_stars(10),
                time_ms: Some(-5),
                origin: EventOrigin::Import,
            })
        );
        let viewed = unpack(packed(1, 3, 0, 1), None).ok();
        let viewed = viewed.map(|event| (event.item.0, event.kind, event.rating, event.time_ms));
        assert_eq!(viewed, Some((1, EventKind::View, None, None)));
        assert!(unpack(packed(1, 0, 0, 1), None).is_err());
    }
}
