//! Writing rows as they were.

use recommender::Rating;
use recommender::id::FIRST_ASSIGNED;

use super::pool::Lease;
use super::row::{ROWS_MAX, get};
use super::{api_keys, books, rules, shop};
use crate::book::Book;
use crate::error::StoreError;
use crate::event::NewEvent;
use crate::rows::Row;
use crate::store::Revisions;

pub(super) async fn is_empty(lease: &mut Lease, shop: i64) -> Result<bool, StoreError> {
    if shop::read_in(lease, shop).await? != Revisions::default() {
        return Ok(false);
    }
    let text = "SELECT NOT EXISTS (SELECT FROM id_sequences
                                   WHERE shop_id = $1 AND next_number > $2)
            AND NOT EXISTS (SELECT FROM assigned_ids WHERE shop_id = $1)
            AND NOT EXISTS (SELECT FROM books WHERE shop_id = $1)
            AND NOT EXISTS (SELECT FROM deleted_books WHERE shop_id = $1)
            AND NOT EXISTS (SELECT FROM users WHERE shop_id = $1)
            AND NOT EXISTS (SELECT FROM merged_users WHERE shop_id = $1)
            AND NOT EXISTS (SELECT FROM events WHERE shop_id = $1)
            AND NOT EXISTS (SELECT FROM impressions WHERE shop_id = $1)
            AND NOT EXISTS (SELECT FROM rules WHERE shop_id = $1)
            AND NOT EXISTS (SELECT FROM api_keys WHERE shop_id = $1)";
    get(&lease.row(sqlx::query(text).bind(shop).bind(i64::from(FIRST_ASSIGNED))).await?, 0)
}

/// Inserts rows of one kind, but for the shop's; sequences replace those that are there.
pub(super) async fn insert(lease: &mut Lease, shop: i64, rows: &[Row]) -> Result<(), StoreError> {
    for piece in rows.chunks(ROWS_MAX) {
        match piece.first() {
            Some(Row::Id { .. }) => insert_ids(lease, shop, piece).await?,
            Some(Row::Book { .. }) => insert_books(lease, shop, piece).await?,
            Some(Row::DeletedBook { .. }) => {
                let text = "INSERT INTO deleted_books (shop_id, number, revision)
                    SELECT $1, given.* FROM unnest($2::bigint[], $3::bigint[]) AS given";
                insert_pairs(lease, shop, text, piece).await?;
            }
            Some(Row::User(_)) => {
                let text = "INSERT INTO users (shop_id, number, revision)
                    SELECT $1, given.* FROM unnest($2::bigint[], $3::bigint[]) AS given";
                insert_pairs(lease, shop, text, piece).await?;
            }
            Some(Row::MergedUser { .. }) => {
                let text = "INSERT INTO merged_users (shop_id, number, into_number)
                    SELECT $1, given.* FROM unnest($2::bigint[], $3::bigint[]) AS given";
                insert_pairs(lease, shop, text, piece).await?;
            }
            Some(Row::Event { .. }) => insert_events(lease, shop, piece).await?,
            Some(Row::Impression { .. }) => insert_impressions(lease, shop, piece).await?,
            Some(Row::Shop(_) | Row::Sequence { .. } | Row::Rule(_) | Row::ApiKey(_)) | None => {
                insert_one_by_one(lease, shop, piece).await?;
            }
        }
    }
    Ok(())
}

async fn insert_one_by_one(lease: &mut Lease, shop: i64, rows: &[Row]) -> Result<(), StoreError> {
    let sequence = "UPDATE id_sequences SET next_number = $3 WHERE shop_id = $1 AND space = $2";
    for row in rows {
        match row {
            Row::Sequence { space, next_number } => {
                let (space, query) = (i16::from(space.number()), sqlx::query(sequence).bind(shop));
                lease.execute(query.bind(space).bind(*next_number)).await?;
            }
            Row::Rule(rule) => rules::put(lease, shop, rule).await?,
            Row::ApiKey(key) => api_keys::insert(lease, shop, key).await?,
            _ => {}
        }
    }
    Ok(())
}

async fn insert_ids(lease: &mut Lease, shop: i64, rows: &[Row]) -> Result<(), StoreError> {
    let text = "INSERT INTO assigned_ids (shop_id, space, number, id)
        SELECT $1, given.* FROM unnest($2::smallint[], $3::bigint[], $4::text[]) AS given";
    let (mut spaces, mut numbers, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        if let Row::Id { space, number, id } = row {
            spaces.push(i16::from(space.number()));
            numbers.push(i64::from(*number));
            ids.push(id.as_str());
        }
    }
    lease.execute(sqlx::query(text).bind(shop).bind(spaces).bind(numbers).bind(ids)).await?;
    Ok(())
}

/// Inserts rows that consist of two numbers.
async fn insert_pairs(
    lease: &mut Lease,
    shop: i64,
    text: &'static str,
    rows: &[Row],
) -> Result<(), StoreError> {
    let pair = |row: &Row| match row {
        Row::DeletedBook { number, revision } => Some((i64::from(number.0), *revision)),
        Row::User(user) => Some((i64::from(user.user.0), user.revision)),
        Row::MergedUser { number, into } => Some((i64::from(number.0), i64::from(into.0))),
        _ => None,
    };
    let (first, second): (Vec<i64>, Vec<i64>) = rows.iter().filter_map(pair).unzip();
    lease.execute(sqlx::query(text).bind(shop).bind(first).bind(second)).await?;
    Ok(())
}

async fn insert_books(lease: &mut Lease, shop: i64, rows: &[Row]) -> Result<(), StoreError> {
    let book = |row| match row {
        &Row::Book { ref book, revision } => Some((&**book, revision)),
        _ => None,
    };
    let (books, revisions): (Vec<&Book>, Vec<i64>) = rows.iter().filter_map(book).unzip();
    books::put_piece(lease, shop, &books, revisions).await
}

async fn insert_events(lease: &mut Lease, shop: i64, rows: &[Row]) -> Result<(), StoreError> {
    let text = "INSERT INTO events (shop_id, user_number, event_id, book_number, kind, half_stars,
            time_ms, recorded_ms, origin, attribution_token, retracted)
        SELECT $1, given.* FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::smallint[],
            $6::smallint[], $7::bigint[], $8::bigint[], $9::smallint[], $10::text[],
            $11::boolean[]) AS given";
    let event = |row| match row {
        &Row::Event { ref event, retracted } => Some((event, retracted)),
        _ => None,
    };
    let (events, retracted): (Vec<&NewEvent>, Vec<bool>) = rows.iter().filter_map(event).unzip();
    let ids: Vec<&[u8]> = events.iter().map(|event| event.event_id.as_bytes()).collect();
    let tokens: Vec<Option<&str>> =
        events.iter().map(|event| event.attribution_token.as_deref()).collect();
    let half_stars = |event: &NewEvent| event.rating.map(Rating::half_stars).map(i16::from);
    let query = sqlx::query(text)
        .bind(shop)
        .bind(column(&events, |event| i64::from(event.user.0)))
        .bind(ids)
        .bind(column(&events, |event| i64::from(event.item.0)))
        .bind(column(&events, |event| i16::from(event.kind.number())))
        .bind(column(&events, half_stars))
        .bind(column(&events, |event| event.time_ms))
        .bind(column(&events, |event| event.recorded_ms))
        .bind(column(&events, |event| i16::from(event.origin.number())))
        .bind(tokens)
        .bind(retracted);
    lease.execute(query).await?;
    Ok(())
}

fn column<T>(events: &[&NewEvent], value: impl Fn(&NewEvent) -> T) -> Vec<T> {
    events.iter().map(|event| value(event)).collect()
}

async fn insert_impressions(lease: &mut Lease, shop: i64, rows: &[Row]) -> Result<(), StoreError> {
    let text = "INSERT INTO impressions (shop_id, user_number, event_id, book_number, time_ms,
            recorded_ms, attribution_token, sequence)
        SELECT $1, given.* FROM unnest($2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[],
            $6::bigint[], $7::text[], $8::bigint[]) AS given";
    let (mut users, mut ids, mut books) = (Vec::new(), Vec::new(), Vec::new());
    let (mut times, mut recorded, mut tokens) = (Vec::new(), Vec::new(), Vec::new());
    let mut sequences = Vec::new();
    for row in rows {
        if let Row::Impression { impression, sequence } = row {
            users.push(i64::from(impression.user.0));
            ids.push(impression.event_id.as_bytes());
            books.push(i64::from(impression.item.0));
            times.push(impression.time_ms);
            recorded.push(impression.recorded_ms);
            tokens.push(impression.attribution_token.as_deref());
            sequences.push(*sequence);
        }
    }
    let query = sqlx::query(text).bind(shop).bind(users).bind(ids).bind(books);
    lease.execute(query.bind(times).bind(recorded).bind(tokens).bind(sequences)).await?;
    Ok(())
}
