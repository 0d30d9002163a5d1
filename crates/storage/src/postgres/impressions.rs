//! Impressions: only the latest of a shop.

use recommender::UserNumber;

use crate::error::StoreError;
use crate::event::EventId;
use crate::impressions::{Impression, NewImpression};

use super::pool::{Lease, Pool};
use super::row::{ROWS_MAX, get, item_in};

/// How many impressions one commit forgets at most, beside those that it adds.
const FORGOTTEN_AT_ONCE: i64 = 10_000;

pub(super) async fn latest(
    pool: &Pool,
    shop: i64,
    user: UserNumber,
    limit: u32,
) -> Result<Vec<Impression>, StoreError> {
    let text = "SELECT book_number, count(*), max(time_ms) FROM impressions
        WHERE shop_id = $1 AND user_number = $2
        GROUP BY book_number ORDER BY max(time_ms) DESC, book_number LIMIT $3";
    let (user, limit) = (i64::from(user.0), i64::from(limit));
    let rows = pool.rows(|| sqlx::query(text).bind(shop).bind(user).bind(limit)).await?;
    rows.iter()
        .map(|row| {
            let times = u32::try_from(get::<i64>(row, 1)?).unwrap_or(u32::MAX);
            Ok(Impression { item: item_in(row, 0)?, times, last_ms: get(row, 2)? })
        })
        .collect()
}

pub(super) async fn stored(
    pool: &Pool,
    shop: i64,
    user: UserNumber,
    after: Option<EventId>,
    limit: u32,
) -> Result<Vec<NewImpression>, StoreError> {
    let text = "SELECT book_number, event_id, time_ms, recorded_ms, attribution_token
        FROM impressions WHERE shop_id = $1 AND user_number = $2 AND event_id > $3
        ORDER BY event_id LIMIT $4";
    let number = i64::from(user.0);
    // No id is empty.
    let after = after.as_ref().map_or(&[][..], EventId::as_bytes);
    let limit = i64::from(limit);
    let rows =
        pool.rows(|| sqlx::query(text).bind(shop).bind(number).bind(after).bind(limit)).await?;
    rows.iter()
        .map(|row| {
            Ok(NewImpression {
                user,
                item: item_in(row, 0)?,
                event_id: EventId::new(get(row, 1)?)?,
                time_ms: get(row, 2)?,
                recorded_ms: get(row, 3)?,
                attribution_token: get(row, 4)?,
            })
        })
        .collect()
}

pub(super) async fn insert(
    lease: &mut Lease,
    shop: i64,
    impressions: &[NewImpression],
    keep: u64,
) -> Result<Vec<usize>, StoreError> {
    if impressions.is_empty() {
        return Ok(Vec::new());
    }
    let text = "SELECT coalesce(max(sequence), 0) FROM impressions WHERE shop_id = $1";
    let latest: i64 = get(&lease.row(sqlx::query(text).bind(shop)).await?, 0)?;
    let mut places = Vec::new();
    for (piece, before) in impressions.chunks(ROWS_MAX).zip((0..).step_by(ROWS_MAX)) {
        for sequence in insert_piece(lease, shop, piece, latest + before).await? {
            // Counts from 1 above what there was, and never past the list.
            places.push((sequence - latest - 1) as usize);
        }
    }
    places.sort_unstable();
    if let Some(last) = places.last() {
        let latest = latest + 1 + *last as i64;
        let oldest = latest.saturating_sub_unsigned(keep);
        // The oldest first, no more than a commit has time for: where far fewer are kept than
        // before, later commits forget the rest.
        let text = "DELETE FROM impressions WHERE shop_id = $1 AND sequence <= least($2,
            (SELECT min(sequence) FROM impressions WHERE shop_id = $1) + $3)";
        let query = sqlx::query(text).bind(shop).bind(oldest).bind(FORGOTTEN_AT_ONCE);
        lease.execute(query).await?;
    }
    Ok(places)
}

/// Inserts impressions with sequences above `before`, in their order; returns the sequences of
/// those that were not there.
async fn insert_piece(
    lease: &mut Lease,
    shop: i64,
    impressions: &[NewImpression],
    before: i64,
) -> Result<Vec<i64>, StoreError> {
    let text = "INSERT INTO impressions (shop_id, user_number, event_id, book_number, time_ms,
            recorded_ms, attribution_token, sequence)
        SELECT $1, user_number, event_id, book_number, time_ms, recorded_ms, token, $8 + place
        FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[],
                    $7::text[]) WITH ORDINALITY
             AS given (user_number, event_id, book_number, time_ms, recorded_ms, token, place)
        ORDER BY place
        ON CONFLICT (shop_id, user_number, event_id) DO NOTHING
        RETURNING sequence";
    let numbers =
        |value: fn(&NewImpression) -> i64| -> Vec<i64> { impressions.iter().map(value).collect() };
    let ids: Vec<&[u8]> = impressions.iter().map(|shown| shown.event_id.as_bytes()).collect();
    let tokens: Vec<Option<&str>> =
        impressions.iter().map(|shown| shown.attribution_token.as_deref()).collect();
    let query = sqlx::query(text)
        .bind(shop)
        .bind(numbers(|shown| i64::from(shown.user.0)))
        .bind(ids)
        .bind(numbers(|shown| i64::from(shown.item.0)))
        .bind(numbers(|shown| shown.time_ms))
        .bind(numbers(|shown| shown.recorded_ms))
        .bind(tokens)
        .bind(before);
    lease.rows(query).await?.iter().map(|row| get(row, 0)).collect()
}
