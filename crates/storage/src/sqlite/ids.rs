//! The tables of assigned ids.

use std::sync::LazyLock;

use super::Database;
use super::batch::{ROWS_MAX, RowsStatement, pad, padded, pieces};
use super::transaction::Writing;
use crate::error::StoreError;
use crate::event::number;
use crate::ids::IdSpace;

static NUMBERS_OF_IDS: LazyLock<RowsStatement> = LazyLock::new(|| {
    // With `id IN (…)` SQLite reads the whole primary key instead of looking each id up
    // in the unique index; a cross join fixes the order.
    let tail = ") SELECT a.id, a.number FROM wanted CROSS JOIN assigned_ids AS a
        ON a.id = wanted.id AND a.shop_id = ? AND a.space = ?";
    RowsStatement::new("WITH wanted (id) AS (VALUES", 1, tail)
});

static IDS_OF_NUMBERS: LazyLock<RowsStatement> = LazyLock::new(|| {
    let head =
        "SELECT number, id FROM assigned_ids WHERE shop_id = ? AND space = ? AND number IN (";
    RowsStatement::new(head, 1, ")")
});

static INSERT_IDS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new("INSERT INTO assigned_ids (shop_id, space, number, id) VALUES", 4, "")
});

pub(super) async fn assigned_number(
    database: &Database,
    space: IdSpace,
    id: &str,
) -> Result<Option<u32>, StoreError> {
    let row: Option<(i64,)> = sqlx::query_as(
        "SELECT number FROM assigned_ids WHERE shop_id = $1 AND space = $2 AND id = $3",
    )
    .bind(database.shop.0)
    .bind(space.number())
    .bind(id.to_owned())
    .fetch_optional(&database.readers)
    .await?;
    row.map(|(found,)| number("number", found)).transpose()
}

pub(super) async fn assigned_ids(
    database: &Database,
    space: IdSpace,
    numbers: &[u32],
) -> Result<Vec<(u32, String)>, StoreError> {
    let mut ids = Vec::with_capacity(numbers.len());
    for rows in numbers.chunks(ROWS_MAX) {
        let text = IDS_OF_NUMBERS.text(padded(rows.len()));
        let mut query = sqlx::query_as(text).bind(database.shop.0).bind(space.number());
        for number in pad(rows) {
            query = query.bind(*number);
        }
        let found: Vec<(i64, String)> = query.fetch_all(&database.readers).await?;
        for (found, id) in found {
            ids.push((number("number", found)?, id));
        }
    }
    Ok(ids)
}

pub(super) async fn assigned_numbers(
    writing: &mut Writing,
    space: IdSpace,
    ids: &[&str],
) -> Result<Vec<(String, u32)>, StoreError> {
    let mut numbers = Vec::with_capacity(ids.len());
    for rows in ids.chunks(ROWS_MAX) {
        let mut query = sqlx::query_as(NUMBERS_OF_IDS.text(padded(rows.len())));
        for id in pad(rows) {
            query = query.bind((*id).to_owned());
        }
        let query = query.bind(writing.shop).bind(space.number());
        let found: Vec<(String, i64)> = query.fetch_all(writing.connection()).await?;
        for (id, found) in found {
            numbers.push((id, number("number", found)?));
        }
    }
    Ok(numbers)
}

pub(super) async fn next_number(writing: &mut Writing, space: IdSpace) -> Result<i64, StoreError> {
    let (next,): (i64,) =
        sqlx::query_as("SELECT next_number FROM id_sequences WHERE shop_id = $1 AND space = $2")
            .bind(writing.shop)
            .bind(space.number())
            .fetch_one(writing.connection())
            .await?;
    Ok(next)
}

pub(super) async fn assign(
    writing: &mut Writing,
    space: IdSpace,
    first: u32,
    ids: &[&str],
) -> Result<(), StoreError> {
    let mut number = first;
    for piece in pieces(ids.len()) {
        let rows = &ids[piece];
        let mut query = sqlx::query(INSERT_IDS.text(rows.len()));
        for id in rows {
            query = query.bind(writing.shop).bind(space.number());
            query = query.bind(number).bind((*id).to_owned());
            number += 1;
        }
        query.execute(writing.connection()).await?;
    }
    sqlx::query("UPDATE id_sequences SET next_number = $3 WHERE shop_id = $1 AND space = $2")
        .bind(writing.shop)
        .bind(space.number())
        .bind(number)
        .execute(writing.connection())
        .await?;
    Ok(())
}

pub(super) async fn forget(
    writing: &mut Writing,
    space: IdSpace,
    number: u32,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM assigned_ids WHERE shop_id = $1 AND space = $2 AND number = $3")
        .bind(writing.shop)
        .bind(space.number())
        .bind(number)
        .execute(writing.connection())
        .await?;
    Ok(())
}
