//! The table of impressions.

use std::sync::LazyLock;

use recommender::{ItemNumber, UserNumber};

use super::Database;
use super::batch::{RowsStatement, Values, pieces};
use super::transaction::Writing;
use crate::error::StoreError;
use crate::event::{EventId, number};
use crate::impressions::{Impression, NewImpression};

/// How many impressions one commit forgets at most, beside those that it adds.
const FORGOTTEN_AT_ONCE: i64 = 10_000;

// OR FAIL for the reason that the one of events has.
static INSERT_IMPRESSIONS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "INSERT OR FAIL INTO impressions (shop_id, user_number, event_id, book_number, time_ms,
         recorded_ms, attribution_token, sequence) VALUES",
        8,
        "ON CONFLICT (shop_id, user_number, event_id) DO NOTHING RETURNING sequence",
    )
});

/// What is stored of an impression: event id, book, time, time recorded, attribution token.
type Row = (Vec<u8>, i64, i64, i64, Option<String>);

pub(super) async fn latest(
    database: &Database,
    user: UserNumber,
    limit: u32,
) -> Result<Vec<Impression>, StoreError> {
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "SELECT book_number, count(*), max(time_ms) FROM impressions
         WHERE shop_id = $1 AND user_number = $2
         GROUP BY book_number ORDER BY max(time_ms) DESC, book_number LIMIT $3",
    )
    .bind(database.shop.0)
    .bind(user.0)
    .bind(limit)
    .fetch_all(&database.readers)
    .await?;
    rows.into_iter()
        .map(|(book, times, last_ms)| {
            let item = ItemNumber(number("book_number", book)?);
            Ok(Impression { item, times: u32::try_from(times).unwrap_or(u32::MAX), last_ms })
        })
        .collect()
}

pub(super) async fn stored(
    database: &Database,
    user: UserNumber,
    after: Option<EventId>,
    limit: u32,
) -> Result<Vec<NewImpression>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT event_id, book_number, time_ms, recorded_ms, attribution_token
         FROM impressions WHERE shop_id = $1 AND user_number = $2 AND event_id > $3
         ORDER BY event_id LIMIT $4",
    )
    .bind(database.shop.0)
    .bind(user.0)
    // No id is empty.
    .bind(after.map_or_else(Vec::new, |id| id.as_bytes().to_vec()))
    .bind(limit)
    .fetch_all(&database.readers)
    .await?;
    rows.into_iter()
        .map(|(id, book, time_ms, recorded_ms, attribution_token)| {
            let (event_id, item) = (EventId::new(&id)?, ItemNumber(number("book_number", book)?));
            Ok(NewImpression { user, item, event_id, time_ms, recorded_ms, attribution_token })
        })
        .collect()
}

pub(super) async fn insert(
    writing: &mut Writing,
    impressions: &[NewImpression],
    keep: u64,
) -> Result<Vec<usize>, StoreError> {
    if impressions.is_empty() {
        return Ok(Vec::new());
    }
    let (first,): (i64,) =
        sqlx::query_as("SELECT coalesce(max(sequence), 0) + 1 FROM impressions WHERE shop_id = $1")
            .bind(writing.shop)
            .fetch_one(writing.connection())
            .await?;
    let mut stored: Vec<i64> = Vec::with_capacity(impressions.len());
    let mut sequence = first;
    for piece in pieces(impressions.len()) {
        let rows = &impressions[piece];
        let mut values = Values::with_capacity(8 * rows.len());
        for impression in rows {
            values.add(writing.shop)?;
            values.add(impression.user.0)?;
            values.add(impression.event_id.as_bytes())?;
            values.add(impression.item.0)?;
            values.add(impression.time_ms)?;
            values.add(impression.recorded_ms)?;
            values.add(impression.attribution_token.as_deref())?;
            values.add(sequence)?;
            sequence += 1;
        }
        let text = INSERT_IMPRESSIONS.text(rows.len());
        let query = sqlx::query_as_with(text, values.into_arguments());
        let rows: Vec<(i64,)> = query.fetch_all(writing.connection()).await?;
        stored.extend(rows.into_iter().map(|(sequence,)| sequence));
    }
    // The order in which RETURNING returns is not defined.
    stored.sort_unstable();
    if let Some(latest) = stored.last() {
        forget(writing, latest.saturating_sub_unsigned(keep)).await?;
    }
    Ok(stored.into_iter().map(|sequence| (sequence - first).unsigned_abs() as usize).collect())
}

/// Forgets those up to a sequence, the oldest first, no more than a commit has time for: where far
/// fewer are kept than before, later commits forget the rest.
async fn forget(writing: &mut Writing, last: i64) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM impressions WHERE shop_id = $1 AND sequence <= min($2,
             (SELECT min(sequence) FROM impressions WHERE shop_id = $1) + $3)",
    )
    .bind(writing.shop)
    .bind(last)
    .bind(FORGOTTEN_AT_ONCE)
    .execute(writing.connection())
    .await?;
    Ok(())
}
