//! Ids and the numbers that were assigned to them.

use crate::error::StoreError;
use crate::ids::IdSpace;

use super::pool::{Lease, Pool};
use super::row::{ROWS_MAX, get, number_in};

fn space_number(space: IdSpace) -> i16 {
    i16::from(space.number())
}

pub(super) async fn assigned_number(
    pool: &Pool,
    shop: i64,
    space: IdSpace,
    id: &str,
) -> Result<Option<u32>, StoreError> {
    let text = "SELECT number FROM assigned_ids WHERE shop_id = $1 AND space = $2 AND id = $3";
    let rows =
        pool.rows(|| sqlx::query(text).bind(shop).bind(space_number(space)).bind(id)).await?;
    rows.first().map(|row| number_in(row, 0)).transpose()
}

pub(super) async fn assigned_ids(
    pool: &Pool,
    shop: i64,
    space: IdSpace,
    numbers: &[u32],
) -> Result<Vec<(u32, String)>, StoreError> {
    let text = "SELECT number, id FROM assigned_ids
        WHERE shop_id = $1 AND space = $2 AND number = ANY ($3)";
    let mut ids = Vec::with_capacity(numbers.len());
    for piece in numbers.chunks(ROWS_MAX) {
        let piece: Vec<i64> = piece.iter().map(|number| i64::from(*number)).collect();
        let rows = pool
            .rows(|| sqlx::query(text).bind(shop).bind(space_number(space)).bind(&piece))
            .await?;
        for row in &rows {
            ids.push((number_in(row, 0)?, get(row, 1)?));
        }
    }
    Ok(ids)
}

pub(super) async fn assigned_numbers(
    lease: &mut Lease,
    shop: i64,
    space: IdSpace,
    ids: &[&str],
) -> Result<Vec<(usize, u32)>, StoreError> {
    let text = "SELECT given.place, a.number
        FROM unnest($3::text[]) WITH ORDINALITY AS given (id, place)
        JOIN assigned_ids AS a ON a.shop_id = $1 AND a.space = $2 AND a.id = given.id";
    let mut numbers = Vec::with_capacity(ids.len());
    for (piece, before) in ids.chunks(ROWS_MAX).zip((0..).step_by(ROWS_MAX)) {
        let query = sqlx::query(text).bind(shop).bind(space_number(space)).bind(piece);
        for row in &lease.rows(query).await? {
            // Counts from 1, and never past the piece.
            numbers.push((before + get::<i64>(row, 0)? as usize - 1, number_in(row, 1)?));
        }
    }
    Ok(numbers)
}

pub(super) async fn next_number(
    lease: &mut Lease,
    shop: i64,
    space: IdSpace,
) -> Result<i64, StoreError> {
    let text = "SELECT next_number FROM id_sequences WHERE shop_id = $1 AND space = $2";
    get(&lease.row(sqlx::query(text).bind(shop).bind(space_number(space))).await?, 0)
}

pub(super) async fn assign(
    lease: &mut Lease,
    shop: i64,
    space: IdSpace,
    first: u32,
    ids: &[&str],
) -> Result<(), StoreError> {
    let text = "INSERT INTO assigned_ids (shop_id, space, number, id)
        SELECT $1, $2, $3 + place - 1, id
        FROM unnest($4::text[]) WITH ORDINALITY AS given (id, place)";
    let mut next = i64::from(first);
    for piece in ids.chunks(ROWS_MAX) {
        let query = sqlx::query(text).bind(shop).bind(space_number(space)).bind(next).bind(piece);
        lease.execute(query).await?;
        next += piece.len() as i64;
    }
    let text = "UPDATE id_sequences SET next_number = $3 WHERE shop_id = $1 AND space = $2";
    lease.execute(sqlx::query(text).bind(shop).bind(space_number(space)).bind(next)).await?;
    Ok(())
}

pub(super) async fn forget(
    lease: &mut Lease,
    shop: i64,
    space: IdSpace,
    number: u32,
) -> Result<(), StoreError> {
    let text = "DELETE FROM assigned_ids WHERE shop_id = $1 AND space = $2 AND number = $3";
    let query = sqlx::query(text).bind(shop).bind(space_number(space)).bind(i64::from(number));
    lease.execute(query).await?;
    Ok(())
}
