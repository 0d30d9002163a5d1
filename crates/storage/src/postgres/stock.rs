//! Changes of stock.

use crate::error::StoreError;
use crate::stock::{StockChange, StockMemory};

use super::pool::Lease;
use super::row::{get, item_in};

pub(super) async fn find(
    lease: &mut Lease,
    shop: i64,
    request_id: &str,
) -> Result<Option<StockChange>, StoreError> {
    let text = "SELECT book_number, change FROM stock_changes
        WHERE shop_id = $1 AND request_id = $2";
    let rows = lease.rows(sqlx::query(text).bind(shop).bind(request_id)).await?;
    let change = |row| {
        let (item, change) = (item_in(row, 0)?, get(row, 1)?);
        Ok(StockChange { request_id: request_id.to_owned(), item, change })
    };
    rows.first().map(change).transpose()
}

pub(super) async fn insert(
    lease: &mut Lease,
    shop: i64,
    change: &StockChange,
    memory: &StockMemory,
) -> Result<(), StoreError> {
    let text =
        "INSERT INTO stock_changes (shop_id, request_id, book_number, change, made_ms, sequence)
        VALUES ($1, $2, $3, $4, $5,
            (SELECT coalesce(max(sequence), 0) + 1 FROM stock_changes WHERE shop_id = $1))
        RETURNING sequence";
    let query = sqlx::query(text)
        .bind(shop)
        .bind(&change.request_id)
        .bind(i64::from(change.item.0))
        .bind(change.change)
        .bind(memory.now_ms);
    let sequence: i64 = get(&lease.row(query).await?, 0)?;
    let text = "DELETE FROM stock_changes WHERE shop_id = $1
        AND sequence IN (SELECT sequence FROM stock_changes WHERE shop_id = $1
            ORDER BY sequence LIMIT 2)
        AND (sequence <= $2 AND made_ms < $3 OR sequence <= $4)";
    let query = sqlx::query(text)
        .bind(shop)
        .bind(sequence - i64::from(memory.latest))
        .bind(memory.now_ms - memory.recent_ms)
        .bind(sequence - i64::from(memory.most));
    lease.execute(query).await?;
    Ok(())
}
