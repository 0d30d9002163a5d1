//! Whom the latest commits touched.
//!
//! Invariant: the table has every commit that touched a user, from its oldest revision on; of that
//! one, rows may be missing. Whoever asks for an earlier one gets the answer from the table of all
//! users. Deleting a user empties it, so that it names nobody who is gone, but for a row that names
//! nobody: with that, it has every commit after the deletion.

use std::collections::HashMap;
use std::sync::LazyLock;

use recommender::UserNumber;
use sqlx::SqliteConnection;

use super::Database;
use super::batch::{ROWS_MAX, RowsStatement, Values, packed_pairs, pad, padded};
use super::transaction::Writing;
use super::users::user_number;
use crate::error::StoreError;
use crate::history::UserRevision;

/// How many users the table names at least, if so many were touched: 1 MiB.
const USERS_KEPT: i64 = 1 << 18;

/// How many users a row names at most.
const USERS_A_ROW: usize = 1 << 12;

/// How many rows are read at a time.
const ROWS_A_PAGE: u32 = 64;

// Joined into one row, since each row of a result wakes a thread.
static REVISIONS: LazyLock<RowsStatement> = LazyLock::new(|| {
    let head = "SELECT group_concat(number || ' ' || revision) FROM users
                WHERE shop_id = ? AND number IN (";
    RowsStatement::new(head, 1, ")")
});

/// Adds users, ascending, and cuts off what is old.
pub(super) async fn append(
    writing: &mut Writing,
    users: &[UserNumber],
    revision: i64,
) -> Result<(), StoreError> {
    let latest: Option<(i64,)> = sqlx::query_as(
        "SELECT total FROM touched_users WHERE shop_id = $1
         ORDER BY revision DESC, total DESC LIMIT 1",
    )
    .bind(writing.shop)
    .fetch_optional(writing.connection())
    .await?;
    let mut total = latest.map_or(0, |(total,)| total);
    for users in users.chunks(USERS_A_ROW) {
        total += users.len() as i64;
        let numbers: Vec<u8> = users.iter().flat_map(|user| user.0.to_be_bytes()).collect();
        sqlx::query(
            "INSERT INTO touched_users (shop_id, revision, total, numbers) VALUES ($1, $2, $3, $4)",
        )
        .bind(writing.shop)
        .bind(revision)
        .bind(total)
        .bind(numbers)
        .execute(writing.connection())
        .await?;
    }
    // More than a commit adds, unless it touched a multitude.
    sqlx::query(
        "DELETE FROM touched_users WHERE shop_id = $1 AND total <= $2 AND (revision, total) IN (
             SELECT revision, total FROM touched_users WHERE shop_id = $1
             ORDER BY revision, total LIMIT 64)",
    )
    .bind(writing.shop)
    .bind(total - USERS_KEPT)
    .execute(writing.connection())
    .await?;
    Ok(())
}

/// Forgets everybody whom commits touched up to this revision, the one that is being made included:
/// its row is there, and names nobody.
pub(super) async fn forget(writing: &mut Writing, revision: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM touched_users WHERE shop_id = $1")
        .bind(writing.shop)
        .execute(writing.connection())
        .await?;
    sqlx::query(
        "INSERT INTO touched_users (shop_id, revision, total, numbers) VALUES ($1, $2, 0, x'')",
    )
    .bind(writing.shop)
    .bind(revision)
    .execute(writing.connection())
    .await?;
    Ok(())
}

/// See [`Backend::users_changed_after`](crate::backend::Backend::users_changed_after).
pub(super) async fn changed_after(
    database: &Database,
    revision: i64,
    after: Option<UserRevision>,
    limit: u32,
) -> Result<Vec<UserRevision>, StoreError> {
    // Before the first user of the next revision comes the last one there can be of this.
    let after = after.filter(|after| after.revision > revision);
    let start = after.unwrap_or(UserRevision { user: UserNumber(u32::MAX), revision });
    // All of one moment.
    let mut moment = database.readers.begin().await?;
    let (oldest,): (Option<i64>,) =
        sqlx::query_as("SELECT min(revision) FROM touched_users WHERE shop_id = $1")
            .bind(database.shop.0)
            .fetch_one(&mut *moment)
            .await?;
    let read_after = after.map_or(revision, |after| after.revision - 1);
    if oldest.is_none_or(|oldest| read_after < oldest) {
        return among_all(&mut moment, database.shop.0, start, limit).await;
    }
    let mut changed = Vec::new();
    let mut place = (read_after, i64::MAX);
    while changed.len() < limit as usize {
        let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
            "SELECT revision, total, numbers FROM touched_users
             WHERE shop_id = $1 AND (revision, total) > ($2, $3)
             ORDER BY revision, total LIMIT $4",
        )
        .bind(database.shop.0)
        .bind(place.0)
        .bind(place.1)
        .bind(ROWS_A_PAGE)
        .fetch_all(&mut *moment)
        .await?;
        let Some(last) = rows.last() else { break };
        place = (last.0, last.1);
        let named = rows.iter().flat_map(|(revision, _, numbers)| named(*revision, numbers));
        let named: Vec<UserRevision> = named
            .filter(|named| (named.revision, named.user) > (start.revision, start.user))
            .collect();
        for some in named.chunks(ROWS_MAX) {
            changed.extend(current(&mut moment, database.shop.0, some).await?);
            if changed.len() >= limit as usize {
                break;
            }
        }
    }
    changed.truncate(limit as usize);
    Ok(changed)
}

/// The users that a row names.
fn named(revision: i64, numbers: &[u8]) -> impl Iterator<Item = UserRevision> {
    let (numbers, _) = numbers.as_chunks();
    let user = |bytes: &[u8; 4]| UserNumber(u32::from_be_bytes(*bytes));
    numbers.iter().map(move |bytes| UserRevision { user: user(bytes), revision })
}

/// Those of these users whom no later commit touched, in their order.
async fn current(
    connection: &mut SqliteConnection,
    shop: u32,
    named: &[UserRevision],
) -> Result<Vec<UserRevision>, StoreError> {
    let mut current = Vec::new();
    for rows in named.chunks(ROWS_MAX) {
        let mut values = Values::with_capacity(padded(rows.len()) + 1);
        values.add(shop)?;
        for named in pad(rows) {
            values.add(named.user.0)?;
        }
        let text = REVISIONS.text(padded(rows.len()));
        let query = sqlx::query_as_with(text, values.into_arguments());
        let (found,): (Option<String>,) = query.fetch_one(&mut *connection).await?;
        let revisions: HashMap<i64, i64> = packed_pairs(found.as_deref())?.into_iter().collect();
        let is_current =
            |named: &&UserRevision| revisions.get(&named.user.0.into()) == Some(&named.revision);
        current.extend(rows.iter().filter(is_current));
    }
    Ok(current)
}

/// The answer from the table of all users, which it reads whole.
async fn among_all(
    connection: &mut SqliteConnection,
    shop: u32,
    start: UserRevision,
    limit: u32,
) -> Result<Vec<UserRevision>, StoreError> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT number, revision FROM users
         WHERE shop_id = $1 AND (revision, number) > ($2, $3)
         ORDER BY revision, number LIMIT $4",
    )
    .bind(shop)
    .bind(start.revision)
    .bind(start.user.0)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(found, revision)| Ok(UserRevision { user: user_number("number", found)?, revision }))
        .collect()
}
