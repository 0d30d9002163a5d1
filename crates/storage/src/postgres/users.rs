//! Users: who there is, who was merged into whom.

use recommender::UserNumber;
use sqlx::postgres::PgRow;

use crate::error::StoreError;
use crate::history::UserRevision;

use super::pool::{Lease, Pool};
use super::row::{ROWS_MAX, count_in, get, user_in, users};

/// How many users of shop $1 have a revision and were not merged.
macro_rules! users_counted {
    () => {
        "(SELECT count(*) FROM users WHERE shop_id = $1)
         - (SELECT count(*) FROM merged_users AS m
            JOIN users AS u ON u.shop_id = m.shop_id AND u.number = m.number
            WHERE m.shop_id = $1)"
    };
}
pub(super) use users_counted;

pub(super) async fn count(pool: &Pool, shop: i64) -> Result<u64, StoreError> {
    let text = concat!("SELECT ", users_counted!());
    count_in(&pool.row(|| sqlx::query(text).bind(shop)).await?, 0)
}

pub(super) async fn has(pool: &Pool, shop: i64, user: UserNumber) -> Result<bool, StoreError> {
    let text = "SELECT EXISTS (SELECT FROM users WHERE shop_id = $1 AND number = $2)
        OR EXISTS (SELECT FROM impressions WHERE shop_id = $1 AND user_number = $2)
        OR EXISTS (SELECT FROM merged_users WHERE shop_id = $1 AND into_number = $2)";
    get(&pool.row(|| sqlx::query(text).bind(shop).bind(i64::from(user.0))).await?, 0)
}

pub(super) async fn after(
    pool: &Pool,
    shop: i64,
    after: Option<UserNumber>,
    limit: u32,
) -> Result<Vec<UserRevision>, StoreError> {
    let text = "SELECT number, revision FROM users AS u WHERE shop_id = $1 AND number > $2
          AND NOT EXISTS (SELECT FROM merged_users AS m
                          WHERE m.shop_id = u.shop_id AND m.number = u.number)
        ORDER BY number LIMIT $3";
    let after = after.map_or(0, |user| i64::from(user.0));
    let rows =
        pool.rows(|| sqlx::query(text).bind(shop).bind(after).bind(i64::from(limit))).await?;
    rows.iter().map(revision).collect()
}

pub(super) async fn changed_after(
    pool: &Pool,
    shop: i64,
    revision_before: i64,
    after: Option<UserRevision>,
    limit: u32,
) -> Result<Vec<UserRevision>, StoreError> {
    // Whichever comes later: what was asked for, or where the last page ended.
    let text = "SELECT number, revision FROM users
        WHERE shop_id = $1 AND (revision, number) > ($2, $3)
        ORDER BY revision, number LIMIT $4";
    let from = (revision_before, i64::from(u32::MAX));
    let from = after.map_or(from, |last| from.max((last.revision, i64::from(last.user.0))));
    let limit = i64::from(limit);
    let rows =
        pool.rows(|| sqlx::query(text).bind(shop).bind(from.0).bind(from.1).bind(limit)).await?;
    rows.iter().map(revision).collect()
}

fn revision(row: &PgRow) -> Result<UserRevision, StoreError> {
    Ok(UserRevision { user: user_in(row, 0)?, revision: get(row, 1)? })
}

pub(super) async fn with_revision(
    lease: &mut Lease,
    shop: i64,
    wanted: &[UserNumber],
) -> Result<Vec<UserNumber>, StoreError> {
    let text = "SELECT number FROM users WHERE shop_id = $1 AND number = ANY ($2) ORDER BY number";
    let mut known = Vec::new();
    for piece in wanted.chunks(ROWS_MAX) {
        for row in &lease.rows(sqlx::query(text).bind(shop).bind(users(piece))).await? {
            known.push(user_in(row, 0)?);
        }
    }
    // Pieces of a list in any order are not in order one after the other.
    known.sort_unstable();
    Ok(known)
}

pub(super) async fn with_impressions(
    lease: &mut Lease,
    shop: i64,
    wanted: &[UserNumber],
) -> Result<Vec<UserNumber>, StoreError> {
    let text = "SELECT number::integer FROM unnest($2::bigint[]) AS given (number)
        WHERE EXISTS (SELECT FROM impressions WHERE shop_id = $1 AND user_number = number)";
    let mut shown = Vec::new();
    for piece in wanted.chunks(ROWS_MAX) {
        for row in &lease.rows(sqlx::query(text).bind(shop).bind(users(piece))).await? {
            shown.push(user_in(row, 0)?);
        }
    }
    Ok(shown)
}

pub(super) async fn set_revisions(
    lease: &mut Lease,
    shop: i64,
    touched: &[UserNumber],
    revision: i64,
) -> Result<(), StoreError> {
    let text = "INSERT INTO users (shop_id, number, revision)
        SELECT $1, number, $3 FROM unnest($2::bigint[]) AS given (number)
        ON CONFLICT (shop_id, number) DO UPDATE SET revision = excluded.revision";
    for piece in touched.chunks(ROWS_MAX) {
        lease.execute(sqlx::query(text).bind(shop).bind(users(piece)).bind(revision)).await?;
    }
    Ok(())
}

pub(super) async fn merged_into(
    pool: &Pool,
    shop: i64,
    user: UserNumber,
) -> Result<Option<UserNumber>, StoreError> {
    let text = "SELECT into_number FROM merged_users WHERE shop_id = $1 AND number = $2";
    let rows = pool.rows(|| sqlx::query(text).bind(shop).bind(i64::from(user.0))).await?;
    rows.first().map(|row| user_in(row, 0)).transpose()
}

pub(super) async fn merged_from(
    pool: &Pool,
    shop: i64,
    user: UserNumber,
) -> Result<Vec<UserNumber>, StoreError> {
    let text = "SELECT number FROM merged_users WHERE shop_id = $1 AND into_number = $2
        ORDER BY number";
    let rows = pool.rows(|| sqlx::query(text).bind(shop).bind(i64::from(user.0))).await?;
    rows.iter().map(|row| user_in(row, 0)).collect()
}

pub(super) async fn merged(
    lease: &mut Lease,
    shop: i64,
    wanted: &[UserNumber],
) -> Result<Vec<(UserNumber, UserNumber)>, StoreError> {
    let text = "SELECT number, into_number FROM merged_users
        WHERE shop_id = $1 AND number = ANY ($2)";
    let mut merged = Vec::new();
    for piece in wanted.chunks(ROWS_MAX) {
        for row in &lease.rows(sqlx::query(text).bind(shop).bind(users(piece))).await? {
            merged.push((user_in(row, 0)?, user_in(row, 1)?));
        }
    }
    Ok(merged)
}

pub(super) async fn set_merged(
    lease: &mut Lease,
    shop: i64,
    from: UserNumber,
    into: UserNumber,
) -> Result<(), StoreError> {
    let (from, into) = (i64::from(from.0), i64::from(into.0));
    let text = "UPDATE merged_users SET into_number = $3 WHERE shop_id = $1 AND into_number = $2";
    lease.execute(sqlx::query(text).bind(shop).bind(from).bind(into)).await?;
    let text = "INSERT INTO merged_users (shop_id, number, into_number) VALUES ($1, $2, $3)";
    lease.execute(sqlx::query(text).bind(shop).bind(from).bind(into)).await?;
    Ok(())
}

pub(super) async fn forget_merged(
    lease: &mut Lease,
    shop: i64,
    into: UserNumber,
) -> Result<Vec<UserNumber>, StoreError> {
    let text = "DELETE FROM merged_users WHERE shop_id = $1 AND into_number = $2 RETURNING number";
    let rows = lease.rows(sqlx::query(text).bind(shop).bind(i64::from(into.0))).await?;
    rows.iter().map(|row| user_in(row, 0)).collect()
}

pub(super) async fn move_events(
    lease: &mut Lease,
    shop: i64,
    from: UserNumber,
    into: UserNumber,
) -> Result<u64, StoreError> {
    let impressions = "UPDATE impressions AS given SET user_number = $3
        WHERE shop_id = $1 AND user_number = $2 AND NOT EXISTS (
            SELECT FROM impressions AS had WHERE had.shop_id = $1 AND had.user_number = $3
               AND had.event_id = given.event_id)";
    let events = "UPDATE events AS given SET user_number = $3
        WHERE shop_id = $1 AND user_number = $2 AND NOT EXISTS (
            SELECT FROM events AS had WHERE had.shop_id = $1 AND had.user_number = $3
               AND had.event_id = given.event_id)";
    let (from, into) = (i64::from(from.0), i64::from(into.0));
    lease.execute(sqlx::query(impressions).bind(shop).bind(from).bind(into)).await?;
    lease.execute(sqlx::query(events).bind(shop).bind(from).bind(into)).await
}

pub(super) async fn delete_events(
    lease: &mut Lease,
    shop: i64,
    user: UserNumber,
) -> Result<u64, StoreError> {
    let number = i64::from(user.0);
    let text = "DELETE FROM impressions WHERE shop_id = $1 AND user_number = $2";
    lease.execute(sqlx::query(text).bind(shop).bind(number)).await?;
    let text = "DELETE FROM events WHERE shop_id = $1 AND user_number = $2";
    lease.execute(sqlx::query(text).bind(shop).bind(number)).await
}

pub(super) async fn forget_revisions(
    lease: &mut Lease,
    shop: i64,
    gone: &[UserNumber],
) -> Result<(), StoreError> {
    let text = "DELETE FROM users WHERE shop_id = $1 AND number = ANY ($2)";
    for piece in gone.chunks(ROWS_MAX) {
        lease.execute(sqlx::query(text).bind(shop).bind(users(piece))).await?;
    }
    Ok(())
}
