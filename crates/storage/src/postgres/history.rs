//! What one user did.

use recommender::{EventKind, ItemNumber, UserNumber};
use sqlx::postgres::PgRow;

use crate::error::StoreError;
use crate::event::{EventId, HistoryEvent, StoredEvent, kind, origin, rating};
use crate::history::History;

use super::pool::Pool;
use super::row::{get, item_in};

/// The columns of an event, in the order in which [`event`] reads them from `FIRST` on.
macro_rules! event_columns {
    () => {
        "e.event_id, e.book_number, e.kind, e.half_stars, e.time_ms, e.recorded_ms, e.origin,
         e.attribution_token"
    };
}
pub(super) use event_columns;

pub(super) async fn history(
    pool: &Pool,
    shop: i64,
    user: UserNumber,
    limit: u32,
) -> Result<History, StoreError> {
    let text = concat!(
        "SELECT u.revision, ",
        event_columns!(),
        " FROM users AS u LEFT JOIN events AS e
            ON e.shop_id = u.shop_id AND e.user_number = u.number AND NOT e.retracted
          WHERE u.shop_id = $1 AND u.number = $2
            AND NOT EXISTS (SELECT FROM merged_users AS m
                            WHERE m.shop_id = u.shop_id AND m.number = u.number)
          ORDER BY e.time_ms DESC NULLS LAST, e.recorded_ms DESC, e.event_id DESC
          LIMIT $3"
    );
    let user = i64::from(user.0);
    // The revision comes with a row, so at least one is needed.
    let rows_max = i64::from(limit.max(1));
    let rows = pool.rows(|| sqlx::query(text).bind(shop).bind(user).bind(rows_max)).await?;
    let revision = rows.first().map_or(Ok(0), |row| get(row, 0))?;
    let mut events = Vec::with_capacity(rows.len());
    for row in rows.iter().take(limit as usize) {
        // Only the revision is there if every event was retracted.
        if get::<Option<&[u8]>>(row, 1)?.is_some() {
            events.push(event(row, 1)?);
        }
    }
    Ok(History { revision, events })
}

pub(super) async fn history_of_book(
    pool: &Pool,
    shop: i64,
    user: UserNumber,
    item: ItemNumber,
    limit: u32,
) -> Result<Vec<HistoryEvent>, StoreError> {
    let text = concat!(
        "SELECT ",
        event_columns!(),
        " FROM events AS e
          WHERE e.shop_id = $1 AND e.user_number = $2 AND e.book_number = $3 AND NOT e.retracted
          ORDER BY e.time_ms DESC NULLS LAST, e.recorded_ms DESC, e.event_id DESC
          LIMIT $4"
    );
    let (user, item, limit) = (i64::from(user.0), i64::from(item.0), i64::from(limit));
    let statement = || sqlx::query(text).bind(shop).bind(user).bind(item).bind(limit);
    let rows = pool.rows(statement).await?;
    rows.iter().map(|row| event(row, 0)).collect()
}

pub(super) async fn settled_items(
    pool: &Pool,
    shop: i64,
    user: UserNumber,
) -> Result<Vec<ItemNumber>, StoreError> {
    let text = "SELECT DISTINCT book_number FROM events
        WHERE shop_id = $1 AND user_number = $2 AND NOT retracted AND kind = ANY ($3)
        ORDER BY book_number";
    let user = i64::from(user.0);
    // From the rule itself, so that the two cannot differ.
    let settling = EventKind::ALL.into_iter().filter(|kind| kind.settles());
    let kinds: Vec<i16> = settling.map(|kind| i16::from(kind.number())).collect();
    let rows = pool.rows(|| sqlx::query(text).bind(shop).bind(user).bind(&kinds)).await?;
    rows.iter().map(|row| item_in(row, 0)).collect()
}

pub(super) async fn stored_events(
    pool: &Pool,
    shop: i64,
    user: UserNumber,
    after: Option<EventId>,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let text = concat!(
        "SELECT e.retracted, ",
        event_columns!(),
        " FROM events AS e WHERE e.shop_id = $1 AND e.user_number = $2 AND e.event_id > $3
          ORDER BY e.event_id LIMIT $4"
    );
    let user = i64::from(user.0);
    // No id is empty.
    let after = after.as_ref().map_or(&[][..], EventId::as_bytes);
    let limit = i64::from(limit);
    let rows =
        pool.rows(|| sqlx::query(text).bind(shop).bind(user).bind(after).bind(limit)).await?;
    rows.iter()
        .map(|row| Ok(StoredEvent { event: event(row, 1)?, retracted: get(row, 0)? }))
        .collect()
}

/// The event in the columns from `first` on.
pub(super) fn event(row: &PgRow, first: usize) -> Result<HistoryEvent, StoreError> {
    let half_stars: Option<i16> = get(row, first + 3)?;
    Ok(HistoryEvent {
        event_id: EventId::new(get(row, first)?)?,
        item: item_in(row, first + 1)?,
        kind: kind(i64::from(get::<i16>(row, first + 2)?))?,
        rating: half_stars.map(|found| rating(i64::from(found))).transpose()?,
        time_ms: get(row, first + 4)?,
        recorded_ms: get(row, first + 5)?,
        origin: origin(i64::from(get::<i16>(row, first + 6)?))?,
        attribution_token: get(row, first + 7)?,
    })
}
