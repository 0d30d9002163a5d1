//! The tables of assigned ids.

use std::sync::LazyLock;

use super::Database;
use super::batch::{ROWS_MAX, RowsStatement, Values, packed_pairs, pad, padded, pieces};
use super::transaction::Writing;
use crate::error::StoreError;
use crate::event::number;
use crate::ids::IdSpace;

static NUMBERS_OF_IDS: LazyLock<RowsStatement> = LazyLock::new(|| {
    // With `id IN (…)` SQLite reads the whole primary key instead of looking each id up
    // in the unique index; a cross join fixes the order.
    let tail = ") SELECT group_concat(wanted.place || ' ' || a.number)
        FROM wanted CROSS JOIN assigned_ids AS a
        ON a.id = wanted.id AND a.shop_id = ? AND a.space = ?";
    RowsStatement::new("WITH wanted (place, id) AS (VALUES", 2, tail)
});

static IDS_OF_NUMBERS: LazyLock<RowsStatement> = LazyLock::new(|| {
    let head =
        "SELECT number, id FROM assigned_ids WHERE shop_id = ? AND space = ? AND number IN (";
    RowsStatement::new(head, 1, ")")
});

// OR FAIL for the reason that the statement for events has.
static INSERT_IDS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "INSERT OR FAIL INTO assigned_ids (shop_id, space, number, id) VALUES",
        4,
        "",
    )
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
) -> Result<Vec<(usize, u32)>, StoreError> {
    let mut numbers = Vec::with_capacity(ids.len());
    for (rows, start) in ids.chunks(ROWS_MAX).zip((0..).step_by(ROWS_MAX)) {
        let mut values = Values::with_capacity(2 * padded(rows.len()) + 2);
        // What repeats the last one comes first to the same place.
        for (place, id) in pad(rows).enumerate() {
            values.add(place.min(rows.len() - 1) as i64)?;
            values.add(*id)?;
        }
        values.add(writing.shop)?;
        values.add(space.number())?;
        let text = NUMBERS_OF_IDS.text(padded(rows.len()));
        let query = sqlx::query_as_with(text, values.into_arguments());
        let (found,): (Option<String>,) = query.fetch_one(writing.connection()).await?;
        for (place, found) in packed_pairs(found.as_deref())? {
            numbers.push((start + place as usize, number("number", found)?));
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
