//! Reading every event there is, for training.
//!
//! Taking a row over costs more than reading it there. So PostgreSQL packs the events of a user
//! into two lists of numbers, and a row is a user.

use std::sync::LazyLock;

use recommender::UserNumber;

use crate::error::StoreError;
use crate::scan::{EventsPage, FIELD, unpack};

use super::pool::Pool;
use super::row::{get, user_in};

/// One row a user, by number: the user, and the events by event id as "book, origin, half stars,
/// kind" in one number, and their times; both are missing if there are none. [`unpack`] undoes
/// the packing.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT page.number, packed.numbers, packed.times
    FROM (SELECT number FROM users WHERE shop_id = $1 AND number > $2 ORDER BY number LIMIT $3)
         AS page
    CROSS JOIN LATERAL (
        SELECT array_agg(((e.book_number::bigint * {FIELD} + e.origin) * {FIELD}
                          + coalesce(e.half_stars, 0)) * {FIELD} + e.kind ORDER BY e.event_id) AS numbers,
               array_agg(e.time_ms ORDER BY e.event_id) AS times
        FROM events AS e
        WHERE e.shop_id = $1 AND e.user_number = page.number AND NOT e.retracted
    ) AS packed
    ORDER BY page.number")
});

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
        let rows = pool
            .rows(|| sqlx::query(PAGE.as_str()).bind(shop).bind(after).bind(i64::from(users)))
            .await?;
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
