//! The table of users, and who was merged into whom.

use std::sync::LazyLock;

use recommender::UserNumber;

use super::Database;
use super::batch::{ROWS_MAX, RowsStatement, Values, packed, pad, padded, pieces};
use super::touched;
use super::transaction::Writing;
use crate::error::StoreError;
use crate::event::number;
use crate::history::UserRevision;

// Two statements, since one that inserts or updates cannot be told to FAIL, for the reason that
// the statement for events gives.
static UPDATE_REVISIONS: LazyLock<RowsStatement> = LazyLock::new(|| {
    let head = "UPDATE OR FAIL users SET revision = ? WHERE shop_id = ? AND number IN (";
    RowsStatement::new(head, 1, ")")
});

static INSERT_USERS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new("INSERT OR FAIL INTO users (shop_id, number, revision) VALUES", 3, "")
});

static TOUCHED_USERS: LazyLock<RowsStatement> = LazyLock::new(|| {
    let head = "SELECT group_concat(number) FROM users WHERE shop_id = ? AND number IN (";
    RowsStatement::new(head, 1, ")")
});

// Looks for one impression of each, however many there are.
static SHOWN_USERS: LazyLock<RowsStatement> = LazyLock::new(|| {
    let head = "WITH shop (id) AS (VALUES (?)), given (number) AS (VALUES";
    let tail = ") SELECT group_concat(given.number) FROM shop, given
                WHERE EXISTS (SELECT 1 FROM impressions AS i
                              WHERE i.shop_id = shop.id AND i.user_number = given.number)";
    RowsStatement::new(head, 1, tail)
});

static FORGET_REVISIONS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new("DELETE FROM users WHERE shop_id = ? AND number IN (", 1, ")")
});

static MERGED_USERS: LazyLock<RowsStatement> = LazyLock::new(|| {
    let head = "SELECT number, into_number FROM merged_users WHERE shop_id = ? AND number IN (";
    RowsStatement::new(head, 1, ")")
});

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

pub(super) async fn count(database: &Database) -> Result<u64, StoreError> {
    let (users,): (i64,) = sqlx::query_as(concat!("SELECT ", users_counted!()))
        .bind(database.shop.0)
        .fetch_one(&database.readers)
        .await?;
    Ok(users.unsigned_abs())
}

pub(super) async fn has(database: &Database, user: UserNumber) -> Result<bool, StoreError> {
    let (has,): (bool,) = sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM users WHERE shop_id = $1 AND number = $2)
             OR EXISTS (SELECT 1 FROM impressions WHERE shop_id = $1 AND user_number = $2)
             OR EXISTS (SELECT 1 FROM merged_users WHERE shop_id = $1 AND into_number = $2)",
    )
    .bind(database.shop.0)
    .bind(user.0)
    .fetch_one(&database.readers)
    .await?;
    Ok(has)
}

pub(super) async fn merged_into(
    database: &Database,
    user: UserNumber,
) -> Result<Option<UserNumber>, StoreError> {
    let row: Option<(i64,)> =
        sqlx::query_as("SELECT into_number FROM merged_users WHERE shop_id = $1 AND number = $2")
            .bind(database.shop.0)
            .bind(user.0)
            .fetch_optional(&database.readers)
            .await?;
    row.map(|(found,)| user_number("into_number", found)).transpose()
}

pub(super) async fn merged_from(
    database: &Database,
    user: UserNumber,
) -> Result<Vec<UserNumber>, StoreError> {
    let rows: Vec<(i64,)> = sqlx::query_as(
        "SELECT number FROM merged_users WHERE shop_id = $1 AND into_number = $2 ORDER BY number",
    )
    .bind(database.shop.0)
    .bind(user.0)
    .fetch_all(&database.readers)
    .await?;
    rows.into_iter().map(|(found,)| user_number("number", found)).collect()
}

pub(super) async fn after(
    database: &Database,
    after: Option<UserNumber>,
    limit: u32,
) -> Result<Vec<UserRevision>, StoreError> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT number, revision FROM users AS u WHERE shop_id = $1 AND number > $2
           AND NOT EXISTS (SELECT 1 FROM merged_users AS m
                           WHERE m.shop_id = u.shop_id AND m.number = u.number)
         ORDER BY number LIMIT $3",
    )
    .bind(database.shop.0)
    .bind(after.map_or(0, |user| user.0))
    .bind(limit)
    .fetch_all(&database.readers)
    .await?;
    rows.into_iter().map(user_revision).collect()
}

pub(super) async fn with_revision(
    writing: &mut Writing,
    users: &[UserNumber],
) -> Result<Vec<UserNumber>, StoreError> {
    let mut known = among(writing, &TOUCHED_USERS, users).await?;
    known.sort_unstable();
    Ok(known)
}

pub(super) async fn with_impressions(
    writing: &mut Writing,
    users: &[UserNumber],
) -> Result<Vec<UserNumber>, StoreError> {
    among(writing, &SHOWN_USERS, users).await
}

/// Those of these users whom a statement finds, in any order.
async fn among(
    writing: &mut Writing,
    statement: &'static RowsStatement,
    users: &[UserNumber],
) -> Result<Vec<UserNumber>, StoreError> {
    let mut known = Vec::with_capacity(users.len());
    for rows in users.chunks(ROWS_MAX) {
        let mut values = Values::with_capacity(padded(rows.len()) + 1);
        values.add(writing.shop)?;
        for user in pad(rows) {
            values.add(user.0)?;
        }
        let text = statement.text(padded(rows.len()));
        let query = sqlx::query_as_with(text, values.into_arguments());
        let (found,): (Option<String>,) = query.fetch_one(writing.connection()).await?;
        for found in packed(found.as_deref()) {
            known.push(user_number("number", found?)?);
        }
    }
    Ok(known)
}

pub(super) async fn set_revisions(
    writing: &mut Writing,
    users: &[UserNumber],
    revision: i64,
) -> Result<(), StoreError> {
    for rows in users.chunks(ROWS_MAX) {
        let mut values = Values::with_capacity(padded(rows.len()) + 2);
        values.add(revision)?;
        values.add(writing.shop)?;
        for user in pad(rows) {
            values.add(user.0)?;
        }
        let text = UPDATE_REVISIONS.text(padded(rows.len()));
        let query = sqlx::query_with(text, values.into_arguments());
        let updated = query.execute(writing.connection()).await?.rows_affected();
        if updated < rows.len() as u64 {
            let known = with_revision(writing, rows).await?;
            let is_new = |user: &UserNumber| known.binary_search(user).is_err();
            let new: Vec<UserNumber> = rows.iter().copied().filter(is_new).collect();
            insert(writing, &new, revision).await?;
        }
    }
    if users.is_empty() { Ok(()) } else { touched::append(writing, users, revision).await }
}

async fn insert(
    writing: &mut Writing,
    users: &[UserNumber],
    revision: i64,
) -> Result<(), StoreError> {
    for piece in pieces(users.len()) {
        let rows = &users[piece];
        let mut values = Values::with_capacity(3 * rows.len());
        for user in rows {
            values.add(writing.shop)?;
            values.add(user.0)?;
            values.add(revision)?;
        }
        let query = sqlx::query_with(INSERT_USERS.text(rows.len()), values.into_arguments());
        query.execute(writing.connection()).await?;
    }
    Ok(())
}

pub(super) async fn merged(
    writing: &mut Writing,
    users: &[UserNumber],
) -> Result<Vec<(UserNumber, UserNumber)>, StoreError> {
    let mut merged = Vec::new();
    for rows in users.chunks(ROWS_MAX) {
        let mut values = Values::with_capacity(padded(rows.len()) + 1);
        values.add(writing.shop)?;
        for user in pad(rows) {
            values.add(user.0)?;
        }
        let text = MERGED_USERS.text(padded(rows.len()));
        let query = sqlx::query_as_with(text, values.into_arguments());
        let found: Vec<(i64, i64)> = query.fetch_all(writing.connection()).await?;
        for (from, into) in found {
            merged.push((user_number("number", from)?, user_number("into_number", into)?));
        }
    }
    Ok(merged)
}

pub(super) async fn set_merged(
    writing: &mut Writing,
    from: UserNumber,
    into: UserNumber,
) -> Result<(), StoreError> {
    for statement in [
        "UPDATE merged_users SET into_number = $3 WHERE shop_id = $1 AND into_number = $2",
        "INSERT INTO merged_users (shop_id, number, into_number) VALUES ($1, $2, $3)",
    ] {
        sqlx::query(statement)
            .bind(writing.shop)
            .bind(from.0)
            .bind(into.0)
            .execute(writing.connection())
            .await?;
    }
    Ok(())
}

pub(super) async fn forget_merged(
    writing: &mut Writing,
    into: UserNumber,
) -> Result<Vec<UserNumber>, StoreError> {
    let rows: Vec<(i64,)> = sqlx::query_as(
        "DELETE FROM merged_users WHERE shop_id = $1 AND into_number = $2 RETURNING number",
    )
    .bind(writing.shop)
    .bind(into.0)
    .fetch_all(writing.connection())
    .await?;
    rows.into_iter().map(|(found,)| user_number("number", found)).collect()
}

pub(super) async fn move_events(
    writing: &mut Writing,
    from: UserNumber,
    into: UserNumber,
) -> Result<u64, StoreError> {
    // In this order: the number of events is returned.
    let mut moved = 0;
    for statement in [
        "UPDATE OR IGNORE impressions SET user_number = $3
         WHERE shop_id = $1 AND user_number = $2",
        "UPDATE OR IGNORE events SET user_number = $3 WHERE shop_id = $1 AND user_number = $2",
    ] {
        let done = sqlx::query(statement)
            .bind(writing.shop)
            .bind(from.0)
            .bind(into.0)
            .execute(writing.connection())
            .await?;
        moved = done.rows_affected();
    }
    Ok(moved)
}

pub(super) async fn delete_events(
    writing: &mut Writing,
    user: UserNumber,
) -> Result<u64, StoreError> {
    // In this order: the number of events is returned.
    let mut deleted = 0;
    for statement in [
        "DELETE FROM impressions WHERE shop_id = $1 AND user_number = $2",
        "DELETE FROM events WHERE shop_id = $1 AND user_number = $2",
    ] {
        let done = sqlx::query(statement)
            .bind(writing.shop)
            .bind(user.0)
            .execute(writing.connection())
            .await?;
        deleted = done.rows_affected();
    }
    Ok(deleted)
}

pub(super) async fn forget_revisions(
    writing: &mut Writing,
    users: &[UserNumber],
    revision: i64,
) -> Result<(), StoreError> {
    for rows in users.chunks(ROWS_MAX) {
        let mut values = Values::with_capacity(padded(rows.len()) + 1);
        values.add(writing.shop)?;
        for user in pad(rows) {
            values.add(user.0)?;
        }
        let text = FORGET_REVISIONS.text(padded(rows.len()));
        let query = sqlx::query_with(text, values.into_arguments());
        query.execute(writing.connection()).await?;
    }
    touched::forget(writing, revision).await
}

pub(super) fn user_revision((found, revision): (i64, i64)) -> Result<UserRevision, StoreError> {
    Ok(UserRevision { user: user_number("number", found)?, revision })
}

pub(super) fn user_number(column: &'static str, found: i64) -> Result<UserNumber, StoreError> {
    Ok(UserNumber(number(column, found)?))
}
