//! Reading the events of one user.

use std::sync::LazyLock;

use recommender::{EventKind, ItemNumber, UserNumber};

use super::Database;
use crate::error::StoreError;
use crate::event::{EventId, HistoryEvent, StoredEvent, kind, number, origin, rating};
use crate::history::History;

/// A row with all that is stored of an event, after one number more: id, book, kind, half stars,
/// time, time recorded, origin, attribution token, whether it was retracted.
pub(super) type EventRow =
    (i64, Vec<u8>, i64, i64, Option<i64>, Option<i64>, i64, i64, Option<String>, bool);

/// One row of the query behind [`history`]; only the revision is there if
/// every event was retracted.
type HistoryRow = (
    i64,
    Option<Vec<u8>>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
);

/// The kinds come from the rule itself, so that the two cannot differ.
static SETTLED_ITEMS: LazyLock<String> = LazyLock::new(|| {
    let settling = EventKind::ALL.into_iter().filter(|kind| kind.settles());
    let kinds: Vec<String> = settling.map(|kind| kind.number().to_string()).collect();
    let kinds = kinds.join(", ");
    format!(
        "SELECT DISTINCT book_number FROM events
         WHERE shop_id = $1 AND user_number = $2 AND retracted = 0 AND kind IN ({kinds})
         ORDER BY book_number"
    )
});

pub(super) async fn history(
    database: &Database,
    user: UserNumber,
    limit: u32,
) -> Result<History, StoreError> {
    let rows: Vec<HistoryRow> = sqlx::query_as(
        "SELECT u.revision, e.event_id, e.book_number, e.kind, e.half_stars, e.time_ms,
                e.recorded_ms, e.origin, e.attribution_token
         FROM users AS u LEFT JOIN events AS e
           ON e.shop_id = u.shop_id AND e.user_number = u.number AND e.retracted = 0
         WHERE u.shop_id = $1 AND u.number = $2
           AND NOT EXISTS (SELECT 1 FROM merged_users AS m
                           WHERE m.shop_id = u.shop_id AND m.number = u.number)
         ORDER BY e.time_ms DESC NULLS LAST, e.recorded_ms DESC, e.event_id DESC
         LIMIT $3",
    )
    .bind(database.shop.0)
    .bind(user.0)
    // The revision comes with a row, so at least one is needed.
    .bind(limit.max(1))
    .fetch_all(&database.readers)
    .await?;
    let revision = rows.first().map_or(0, |row| row.0);
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        events.extend(history_event(row)?);
    }
    events.truncate(limit as usize);
    Ok(History { revision, events })
}

pub(super) async fn history_of_book(
    database: &Database,
    user: UserNumber,
    item: ItemNumber,
    limit: u32,
) -> Result<Vec<HistoryEvent>, StoreError> {
    let rows: Vec<HistoryRow> = sqlx::query_as(
        "SELECT 0, event_id, book_number, kind, half_stars, time_ms, recorded_ms, origin,
                attribution_token
         FROM events
         WHERE shop_id = $1 AND user_number = $2 AND book_number = $3 AND retracted = 0
         ORDER BY time_ms DESC NULLS LAST, recorded_ms DESC, event_id DESC
         LIMIT $4",
    )
    .bind(database.shop.0)
    .bind(user.0)
    .bind(item.0)
    .bind(limit)
    .fetch_all(&database.readers)
    .await?;
    rows.into_iter().filter_map(|row| history_event(row).transpose()).collect()
}

pub(super) async fn settled_items(
    database: &Database,
    user: UserNumber,
) -> Result<Vec<ItemNumber>, StoreError> {
    let rows: Vec<(i64,)> = sqlx::query_as(SETTLED_ITEMS.as_str())
        .bind(database.shop.0)
        .bind(user.0)
        .fetch_all(&database.readers)
        .await?;
    rows.into_iter().map(|(found,)| Ok(ItemNumber(number("book_number", found)?))).collect()
}

pub(super) async fn stored_events(
    database: &Database,
    user: UserNumber,
    after: Option<EventId>,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreError> {
    let rows: Vec<EventRow> = sqlx::query_as(
        "SELECT 0, event_id, book_number, kind, half_stars, time_ms, recorded_ms, origin,
                attribution_token, retracted
         FROM events WHERE shop_id = $1 AND user_number = $2 AND event_id > $3
         ORDER BY event_id LIMIT $4",
    )
    .bind(database.shop.0)
    .bind(user.0)
    // No id is empty.
    .bind(after.map_or_else(Vec::new, |id| id.as_bytes().to_vec()))
    .bind(limit)
    .fetch_all(&database.readers)
    .await?;
    rows.into_iter().map(stored_event).collect()
}

/// A row as an event.
pub(super) fn stored_event(row: EventRow) -> Result<StoredEvent, StoreError> {
    let (_, id, book, event_kind, half_stars, time_ms, recorded_ms, event_origin, token, retracted) =
        row;
    let event = HistoryEvent {
        event_id: EventId::new(&id)?,
        item: ItemNumber(number("book_number", book)?),
        kind: kind(event_kind)?,
        rating: half_stars.map(rating).transpose()?,
        time_ms,
        recorded_ms,
        origin: origin(event_origin)?,
        attribution_token: token,
    };
    Ok(StoredEvent { event, retracted })
}

fn history_event(row: HistoryRow) -> Result<Option<HistoryEvent>, StoreError> {
    let (_, id, book, event_kind, half_stars, time_ms, recorded_ms, event_origin, token) = row;
    let (Some(id), Some(book), Some(event_kind), Some(recorded_ms), Some(event_origin)) =
        (id, book, event_kind, recorded_ms, event_origin)
    else {
        return Ok(None);
    };
    let row =
        (0, id, book, event_kind, half_stars, time_ms, recorded_ms, event_origin, token, false);
    Ok(Some(stored_event(row)?.event))
}
