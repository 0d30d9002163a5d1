//! Reading a page of users' events for training.
//!
//! Taking a row over from SQLite costs more than reading it there: every value is
//! copied into an allocation of its own and every row passes a channel. So SQLite
//! joins the events of a user into one text, and a row is a user. For 1.9 million
//! events of 53,000 users this took 1.4 s of processor time; one row an event took
//! 3.0 s with four columns and 2.0 s with two; JSON took 1.2 s without an order, and
//! texts as here, without an order, 1.0 s.

use std::sync::LazyLock;

use recommender::{ItemNumber, UserNumber};

use super::Database;
use crate::error::StoreError;
use crate::event::{TrainingEvent, kind, number, origin, rating};
use crate::scan::EventsPage;

/// The bits that kind, half stars and origin have each, below the book's number.
const FIELD_BITS: u32 = 4;

/// One more than the largest kind, half stars or origin that can be packed.
const FIELD: i64 = 1 << FIELD_BITS;

/// One row a user: the events, by event id, as "packed time,packed time,…". The time
/// is empty if nobody knows it; [`unpack`] undoes the packing.
static EVENTS_OF_USERS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT user_number, group_concat(
            (((book_number * {FIELD} + origin) * {FIELD} + coalesce(half_stars, 0)) * {FIELD} + kind)
                || ' ' || coalesce(time_ms, ''), ',' ORDER BY event_id)
        FROM events WHERE shop_id = $1 AND user_number > $2 AND retracted = 0
        GROUP BY user_number ORDER BY user_number LIMIT $3"
    )
});

pub(super) async fn page(
    database: &Database,
    after: Option<UserNumber>,
    users: u32,
) -> Result<EventsPage, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(EVENTS_OF_USERS.as_str())
        .bind(database.shop.0)
        .bind(after.map_or(0, |user| user.0))
        .bind(users)
        .fetch_all(&database.readers)
        .await?;
    let mut page = EventsPage::default();
    for (user, text) in rows {
        let start = page.events.len();
        for event in text.split(',') {
            page.events.push(unpack(event)?);
        }
        let user = UserNumber(number("user_number", user)?);
        page.users.push((user, start..page.events.len()));
    }
    Ok(page)
}

/// One event out of the text that [`EVENTS_OF_USERS`] makes.
fn unpack(text: &str) -> Result<TrainingEvent, StoreError> {
    let malformed = || StoreError::UnexpectedValue { column: "time_ms", found: 0 };
    let (packed, time) = text.split_once(' ').ok_or_else(malformed)?;
    let packed: i64 = packed.parse().map_err(|_| malformed())?;
    let time_ms = match time {
        "" => None,
        time => Some(time.parse().map_err(|_| malformed())?),
    };
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
    fn unpacking_gives_back_what_the_query_packs() {
        let packed = |book: i64, origin, half_stars, kind| {
            ((book * 16 + origin) * 16 + half_stars) * 16 + kind
        };
        let rated = unpack(&format!("{} -5", packed(2_147_483_647, 2, 10, 6))).ok();
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
        let viewed = unpack(&format!("{} ", packed(1, 3, 0, 1))).ok();
        let viewed = viewed.map(|event| (event.item.0, event.kind, event.rating, event.time_ms));
        assert_eq!(viewed, Some((1, EventKind::View, None, None)));
        assert!(unpack("").is_err());
        assert!(unpack(&format!("{} x", packed(1, 3, 0, 1))).is_err());
        assert!(unpack("x 1").is_err());
        assert!(unpack("0 1").is_err());
    }
}
