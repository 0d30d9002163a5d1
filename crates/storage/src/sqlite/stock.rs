//! The table of changes of stock.

use recommender::ItemNumber;

use super::transaction::Writing;
use crate::error::StoreError;
use crate::event::number;
use crate::stock::StockChange;

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
    keep: u32,
) -> Result<(), StoreError> {
    let (sequence,): (i64,) = sqlx::query_as(
        "INSERT INTO stock_changes (shop_id, request_id, book_number, change, sequence)
         VALUES ($1, $2, $3, $4,
             (SELECT coalesce(max(sequence), 0) + 1 FROM stock_changes WHERE shop_id = $1))
         RETURNING sequence",
    )
    .bind(writing.shop)
    .bind(change.request_id.clone())
    .bind(change.item.0)
    .bind(change.change)
    .fetch_one(writing.connection())
    .await?;
    sqlx::query("DELETE FROM stock_changes WHERE shop_id = $1 AND sequence <= $2")
        .bind(writing.shop)
        .bind(sequence - i64::from(keep))
        .execute(writing.connection())
        .await?;
    Ok(())
}
