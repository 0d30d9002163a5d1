//! The table of rules.

use super::Database;
use super::transaction::Writing;
use crate::error::StoreError;
use crate::rules::{Rule, RuleRow};

pub(super) async fn after(
    database: &Database,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Rule>, StoreError> {
    let rows: Vec<RuleRow> = sqlx::query_as(
        "SELECT id, target_kind, target, effect, place, factor, surfaces, starts_ms, ends_ms,
                note
         FROM rules WHERE shop_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(database.shop.0)
    // No id is empty.
    .bind(after.unwrap_or_default().to_owned())
    .bind(limit)
    .fetch_all(&database.readers)
    .await?;
    rows.into_iter().map(Rule::read).collect()
}

pub(super) async fn count_others(writing: &mut Writing, id: &str) -> Result<u64, StoreError> {
    let (others,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM rules WHERE shop_id = $1 AND id <> $2")
            .bind(writing.shop)
            .bind(id.to_owned())
            .fetch_one(writing.connection())
            .await?;
    Ok(others.unsigned_abs())
}

pub(super) async fn put(writing: &mut Writing, rule: &Rule) -> Result<(), StoreError> {
    let (target_kind, target) = rule.target.columns();
    let (effect, place, factor) = rule.effect.columns();
    sqlx::query(
        "INSERT OR REPLACE INTO rules
             (shop_id, id, target_kind, target, effect, place, factor, surfaces, starts_ms,
              ends_ms, note)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(writing.shop)
    .bind(rule.id.clone())
    .bind(target_kind)
    .bind(target.to_owned())
    .bind(effect)
    .bind(place)
    .bind(factor)
    .bind(rule.surfaces.bits())
    .bind(rule.starts_ms)
    .bind(rule.ends_ms)
    .bind(rule.note.clone())
    .execute(writing.connection())
    .await?;
    Ok(())
}

pub(super) async fn delete(writing: &mut Writing, id: &str) -> Result<bool, StoreError> {
    let done = sqlx::query("DELETE FROM rules WHERE shop_id = $1 AND id = $2")
        .bind(writing.shop)
        .bind(id.to_owned())
        .execute(writing.connection())
        .await?;
    Ok(done.rows_affected() > 0)
}
