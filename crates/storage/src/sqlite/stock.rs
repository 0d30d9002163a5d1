//! The table of changes of stock.

use recommender::ItemNumber;

use super::transaction::Writing;
use crate::error::StoreError;
use crate::event::number;
use crate::stock::{StockChange, StockMemory};

pub(super) async fn find(
    writing: &mut Writing,
    request_id: &str,
) -> Result<Option<StockChange>, StoreError> {
    let found: Option<(i64, i32)> = sqlx::query_as(
        "SELECT book_number, change FROM stock_changes WHERE shop_id = $1 AND request_id = $2",
    )
    .bind(writing.shop)
    .bind(request_id.to_owned())
    .fetch_optional(writing.connection())
    .await?;
    let change = |(book, change)| {
        let item = ItemNumber(number("book_number", book)?);
        Ok(StockChange { request_id: request_id.to_owned(), item, change })
    };
    found.map(change).transpose()
}

pub(super) async fn insert(
    writing: &mut Writing,
    change: &StockChange,
    memory: &StockMemory,
) -> Result<(), StoreError> {
    let (sequence,): (i64,) = sqlx::query_as(
        "INSERT INTO stock_changes (shop_id, request_id, book_number, change, made_ms, sequence)
         VALUES ($1, $2, $3, $4, $5,
             (SELECT coalesce(max(sequence), 0) + 1 FROM stock_changes WHERE shop_id = $1))
         RETURNING sequence",
    )
    .bind(writing.shop)
    .bind(change.request_id.clone())
    .bind(change.item.0)
    .bind(change.change)
    .bind(memory.now_ms)
    .fetch_one(writing.connection())
    .await?;
    sqlx::query(
        "DELETE FROM stock_changes WHERE shop_id = $1
         AND sequence IN (SELECT sequence FROM stock_changes WHERE shop_id = $1
             ORDER BY sequence LIMIT 2)
         AND (sequence <= $2 AND made_ms < $3 OR sequence <= $4)",
    )
    .bind(writing.shop)
    .bind(sequence - i64::from(memory.latest))
    .bind(memory.now_ms - memory.recent_ms)
    .bind(sequence - i64::from(memory.most))
    .execute(writing.connection())
    .await?;
    Ok(())
}
