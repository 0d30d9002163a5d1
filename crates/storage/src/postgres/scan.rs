//! Reading every event there is, for training.
//!
//! Taking a row over costs more than reading it there. So PostgreSQL packs the events of a user
//! into two lists of numbers, and a row is a user.

use recommender::{ItemNumber, UserNumber};

use crate::error::StoreError;
use crate::event::{TrainingEvent, kind, number, origin, rating};
use crate::scan::EventsPage;

use super::pool::Pool;
use super::row::{get, user_in};

/// The bits that kind, half stars and origin have each, below the book's number.
const FIELD_BITS: u32 = 4;

/// One row a user, by number: the user, and the events by event id as "book, origin, half stars,
/// kind" in one number, and their times; both are missing if there are none. [`unpack`] undoes
/// the packing.
const PAGE: &str = "SELECT page.number, packed.numbers, packed.times
    FROM (SELECT number FROM users WHERE shop_id = $1 AND number > $2 ORDER BY number LIMIT $3)
         AS page
    CROSS JOIN LATERAL (
        SELECT array_agg(((e.book_number::bigint * 16 + e.origin) * 16
                          + coalesce(e.half_stars, 0)) * 16 + e.kind ORDER BY e.event_id) AS numbers,
               array_agg(e.time_ms ORDER BY e.event_id) AS times
        FROM events AS e
        WHERE e.shop_id = $1 AND e.user_number = page.number AND NOT e.retracted
    ) AS packed
    ORDER BY page.number";

pub(super) async fn page(
    pool: &Pool,
    shop: i64,
    after: Option<UserNumber>,
    users: u32,
) -> Result<EventsPage, StoreError> {
    let mut page = EventsPage::default();
    let mut after = after.map_or(0, |user| i64::from(user.0));
    // A page of users without an event left is not the last one.
    while page.users.is_empty() {
        let rows =
            pool.rows(|| sqlx::query(PAGE).bind(shop).bind(after).bind(i64::from(users))).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let user = user_in(row, 0)?;
            after = i64::from(user.0);
            let (Some(numbers), Some(times)) =
                (get::<Option<Vec<i64>>>(row, 1)?, get::<Option<Vec<Option<i64>>>>(row, 2)?)
            else {
                continue;
            };
            let first = page.events.len();
            for (packed, time_ms) in numbers.into_iter().zip(times) {
                page.events.push(unpack(packed, time_ms)?);
            }
            page.users.push((user, first..page.events.len()));
        }
    }
    Ok(page)
}

/// One event out of the numbers that [`PAGE`] makes.
fn unpack(packed: i64, time_ms: Option<i64>) -> Result<TrainingEvent, StoreError> {
    let field = |index: u32| (packed >> (index * FIELD_BITS)) & ((1 << FIELD_BITS) - 1);
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
            assert!(i64::from(number) < 1 << FIELD_BITS, "{number}");
        }
    }

    #[test]
    fn unpacking_gives_back_what_the_query_packs() {
        let packed = |book: i64, origin, half_stars, kind| {
            ((book * 16 + origin) * 16 + half_stars) * 16 + kind
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
        assert!(unpack(packed(1, 0, 0, 1), None).is_err());
    }
}
