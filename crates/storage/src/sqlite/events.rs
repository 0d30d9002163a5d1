//! Writing to the table of events.

use std::sync::LazyLock;

use recommender::{Rating, UserNumber};

use super::batch::{ROWS_MAX, RowsStatement, Values, pad, padded, pieces};
use super::history::{EventRow, stored_event};
use super::transaction::Writing;
use crate::error::StoreError;
use crate::event::{EventId, NewEvent, StoredEvent};

// OR FAIL instead of the usual OR ABORT: a failing statement keeps the rows it has
// already inserted, so SQLite need not save each page it touches before every
// statement, which was a page written for every event of an import. The writer cannot
// commit after a failure anyway. Works as long as no CHECK of the table calls a function.
static INSERT_EVENTS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "INSERT OR FAIL INTO events (shop_id, user_number, event_id, book_number, kind,
         half_stars, time_ms, recorded_ms, origin, attribution_token) VALUES",
        10,
        "ON CONFLICT (shop_id, user_number, event_id) DO NOTHING",
    )
});

// Counts in the database: fetching two million rows to compare them here would cost
// twice the import.
static COUNT_CONFLICTS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "WITH given (user_number, event_id, book_number, kind, half_stars, time_ms) AS (VALUES",
        6,
        ") SELECT count(*) FROM given CROSS JOIN events AS e
           ON e.shop_id = ? AND e.user_number = given.user_number AND e.event_id = given.event_id
         WHERE e.book_number <> given.book_number OR e.kind <> given.kind
            OR e.half_stars IS DISTINCT FROM given.half_stars
            OR e.time_ms IS DISTINCT FROM given.time_ms",
    )
});

static FIND_EVENTS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "WITH given (place, user_number, event_id) AS (VALUES",
        3,
        ") SELECT given.place, e.event_id, e.book_number, e.kind, e.half_stars, e.time_ms,
                  e.recorded_ms, e.origin, e.attribution_token, e.retracted
           FROM given CROSS JOIN events AS e
             ON e.shop_id = ? AND e.user_number = given.user_number AND e.event_id = given.event_id",
    )
});

pub(super) async fn insert(writing: &mut Writing, events: &[&NewEvent]) -> Result<u64, StoreError> {
    let mut stored = 0;
    for piece in pieces(events.len()) {
        let rows = &events[piece];
        let mut values = Values::with_capacity(10 * rows.len());
        for event in rows {
            values.add(writing.shop)?;
            values.add(event.user.0)?;
            values.add(event.event_id.as_bytes())?;
            values.add(event.item.0)?;
            values.add(event.kind.number())?;
            values.add(event.rating.map(Rating::half_stars))?;
            values.add(event.time_ms)?;
            values.add(event.recorded_ms)?;
            values.add(event.origin.number())?;
            values.add(event.attribution_token.as_deref())?;
        }
        let query = sqlx::query_with(INSERT_EVENTS.text(rows.len()), values.into_arguments());
        stored += query.execute(writing.connection()).await?.rows_affected();
    }
    Ok(stored)
}

pub(super) async fn count_conflicts(
    writing: &mut Writing,
    events: &[&NewEvent],
) -> Result<u64, StoreError> {
    let mut conflicting = 0;
    for piece in pieces(events.len()) {
        let rows = &events[piece];
        let mut values = Values::with_capacity(6 * rows.len() + 1);
        for event in rows {
            values.add(event.user.0)?;
            values.add(event.event_id.as_bytes())?;
            values.add(event.item.0)?;
            values.add(event.kind.number())?;
            values.add(event.rating.map(Rating::half_stars))?;
            values.add(event.time_ms)?;
        }
        values.add(writing.shop)?;
        let text = COUNT_CONFLICTS.text(rows.len());
        let query = sqlx::query_as_with(text, values.into_arguments());
        let (conflicts,): (i64,) = query.fetch_one(writing.connection()).await?;
        conflicting += conflicts.unsigned_abs();
    }
    Ok(conflicting)
}

pub(super) async fn find(
    writing: &mut Writing,
    keys: &[(UserNumber, EventId)],
) -> Result<Vec<(usize, StoredEvent)>, StoreError> {
    let mut events = Vec::new();
    for (rows, start) in keys.chunks(ROWS_MAX).zip((0..).step_by(ROWS_MAX)) {
        let places: Vec<usize> = (0..rows.len()).collect();
        let mut values = Values::with_capacity(3 * padded(rows.len()) + 1);
        for place in pad(&places) {
            let (user, id) = &rows[*place];
            values.add(*place as i64)?;
            values.add(user.0)?;
            values.add(id.as_bytes())?;
        }
        values.add(writing.shop)?;
        let text = FIND_EVENTS.text(padded(rows.len()));
        let query = sqlx::query_as_with(text, values.into_arguments());
        let found: Vec<EventRow> = query.fetch_all(writing.connection()).await?;
        for row in found {
            let place = start + row.0.unsigned_abs() as usize;
            events.push((place, stored_event(row)?));
        }
    }
    Ok(events)
}

pub(super) async fn retract(
    writing: &mut Writing,
    user: UserNumber,
    id: EventId,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE events SET retracted = 1
         WHERE shop_id = $1 AND user_number = $2 AND event_id = $3 AND retracted = 0",
    )
    .bind(writing.shop)
    .bind(user.0)
    .bind(id.as_bytes().to_vec())
    .execute(writing.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}
