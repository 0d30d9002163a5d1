//! The shop's rules.

use sqlx::FromRow as _;

use crate::error::StoreError;
use crate::rules::{Rule, RuleRow};

use super::pool::{Lease, Pool};
use super::row::count_in;

pub(super) async fn after(
    pool: &Pool,
    shop: i64,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Rule>, StoreError> {
    let text = "SELECT id, target_kind, target, effect, place, factor, surfaces, starts_ms,
               ends_ms, note
        FROM rules WHERE shop_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    // No id is empty.
    let (after, limit) = (after.unwrap_or_default(), i64::from(limit));
    let rows = pool.rows(|| sqlx::query(text).bind(shop).bind(after).bind(limit)).await?;
    rows.iter()
        .map(|row| Rule::read(RuleRow::from_row(row).map_err(StoreError::Database)?))
        .collect()
}

pub(super) async fn count_others(
    lease: &mut Lease,
    shop: i64,
    id: &str,
) -> Result<u64, StoreError> {
    let text = "SELECT count(*) FROM rules WHERE shop_id = $1 AND id <> $2";
    count_in(&lease.row(sqlx::query(text).bind(shop).bind(id)).await?, 0)
}

pub(super) async fn put(lease: &mut Lease, shop: i64, rule: &Rule) -> Result<(), StoreError> {
    let text = "INSERT INTO rules (shop_id, id, target_kind, target, effect, place, factor,
            surfaces, starts_ms, ends_ms, note)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (shop_id, id) DO UPDATE SET
            target_kind = excluded.target_kind, target = excluded.target,
            effect = excluded.effect, place = excluded.place, factor = excluded.factor,
            surfaces = excluded.surfaces, starts_ms = excluded.starts_ms,
            ends_ms = excluded.ends_ms, note = excluded.note";
    let (target_kind, target) = rule.target.columns();
    let (effect, place, factor) = rule.effect.columns();
    let query = sqlx::query(text)
        .bind(shop)
        .bind(&rule.id)
        .bind(target_kind)
        .bind(target)
        .bind(effect)
        .bind(place.map(i64::from))
        .bind(factor)
        .bind(i64::from(rule.surfaces.bits()))
        .bind(rule.starts_ms)
        .bind(rule.ends_ms)
        .bind(&rule.note);
    lease.execute(query).await?;
    Ok(())
}

pub(super) async fn delete(lease: &mut Lease, shop: i64, id: &str) -> Result<bool, StoreError> {
    let text = "DELETE FROM rules WHERE shop_id = $1 AND id = $2";
    Ok(lease.execute(sqlx::query(text).bind(shop).bind(id)).await? > 0)
}
