//! Writing events.

use recommender::{Rating, UserNumber};

use crate::error::StoreError;
use crate::event::{EventId, NewEvent, StoredEvent};

use super::history::{event, event_columns};
use super::pool::{Lease, Statement};
use super::row::{ROWS_MAX, count_in, get};

pub(super) async fn insert(
    lease: &mut Lease,
    shop: i64,
    events: &[&NewEvent],
) -> Result<u64, StoreError> {
    let text = "INSERT INTO events (shop_id, user_number, event_id, book_number, kind, half_stars,
            time_ms, recorded_ms, origin, attribution_token)
        SELECT $1, given.* FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::smallint[],
            $6::smallint[], $7::bigint[], $8::bigint[], $9::smallint[], $10::text[]) AS given
        ON CONFLICT (shop_id, user_number, event_id) DO NOTHING";
    let mut stored = 0;
    for piece in events.chunks(ROWS_MAX) {
        let tokens: Vec<Option<&str>> =
            piece.iter().map(|event| event.attribution_token.as_deref()).collect();
        let query = bind_contents(sqlx::query(text).bind(shop), piece)
            .bind(column(piece, |event| event.recorded_ms))
            .bind(column(piece, |event| i16::from(event.origin.number())))
            .bind(tokens);
        stored += lease.execute(query).await?;
    }
    Ok(stored)
}

pub(super) async fn count_conflicts(
    lease: &mut Lease,
    shop: i64,
    events: &[&NewEvent],
) -> Result<u64, StoreError> {
    // Counts in the database: fetching two million rows to compare them here would cost twice the
    // import.
    let text = "SELECT count(*)
        FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::smallint[], $6::smallint[],
                    $7::bigint[])
             AS given (user_number, event_id, book_number, kind, half_stars, time_ms)
        JOIN events AS e ON e.shop_id = $1 AND e.user_number = given.user_number
             AND e.event_id = given.event_id
        WHERE e.book_number <> given.book_number OR e.kind <> given.kind
           OR e.half_stars IS DISTINCT FROM given.half_stars
           OR e.time_ms IS DISTINCT FROM given.time_ms";
    let mut conflicts = 0;
    for piece in events.chunks(ROWS_MAX) {
        let query = bind_contents(sqlx::query(text).bind(shop), piece);
        conflicts += count_in(&lease.row(query).await?, 0)?;
    }
    Ok(conflicts)
}

/// Binds user, id, book, kind, half stars and time of events, in this order.
fn bind_contents<'q>(query: Statement<'q>, events: &[&NewEvent]) -> Statement<'q> {
    let ids: Vec<&[u8]> = events.iter().map(|event| event.event_id.as_bytes()).collect();
    let half_stars = |event: &NewEvent| event.rating.map(Rating::half_stars).map(i16::from);
    query
        .bind(column(events, |event| i64::from(event.user.0)))
        .bind(ids)
        .bind(column(events, |event| i64::from(event.item.0)))
        .bind(column(events, |event| i16::from(event.kind.number())))
        .bind(column(events, half_stars))
        .bind(column(events, |event| event.time_ms))
}

fn column<T>(events: &[&NewEvent], value: impl Fn(&NewEvent) -> T) -> Vec<T> {
    events.iter().map(|event| value(event)).collect()
}

pub(super) async fn find(
    lease: &mut Lease,
    shop: i64,
    keys: &[(UserNumber, EventId)],
) -> Result<Vec<(usize, StoredEvent)>, StoreError> {
    let text = concat!(
        "SELECT given.place, e.retracted, ",
        event_columns!(),
        " FROM unnest($2::bigint[], $3::bytea[])
               WITH ORDINALITY AS given (user_number, event_id, place)
          JOIN events AS e ON e.shop_id = $1 AND e.user_number = given.user_number
               AND e.event_id = given.event_id"
    );
    let mut found = Vec::new();
    for (piece, before) in keys.chunks(ROWS_MAX).zip((0..).step_by(ROWS_MAX)) {
        let users: Vec<i64> = piece.iter().map(|(user, _)| i64::from(user.0)).collect();
        let ids: Vec<&[u8]> = piece.iter().map(|(_, id)| id.as_bytes()).collect();
        for row in &lease.rows(sqlx::query(text).bind(shop).bind(users).bind(ids)).await? {
            let place: i64 = get(row, 0)?;
            let stored = StoredEvent { event: event(row, 2)?, retracted: get(row, 1)? };
            // Counts from 1, and never past the piece.
            found.push((before + place as usize - 1, stored));
        }
    }
    Ok(found)
}

pub(super) async fn retract(
    lease: &mut Lease,
    shop: i64,
    user: UserNumber,
    id: EventId,
) -> Result<bool, StoreError> {
    let text = "UPDATE events SET retracted = true
        WHERE shop_id = $1 AND user_number = $2 AND event_id = $3 AND NOT retracted";
    let query = sqlx::query(text).bind(shop).bind(i64::from(user.0)).bind(id.as_bytes());
    Ok(lease.execute(query).await? > 0)
}
