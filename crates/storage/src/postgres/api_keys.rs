//! API keys.

use sqlx::FromRow as _;

use crate::api_keys::{ApiKey, ApiKeyRow};
use crate::error::StoreError;

use super::pool::{Lease, Pool};
use super::row::{count_in, get};

pub(super) async fn all(pool: &Pool, shop: i64, limit: u32) -> Result<Vec<ApiKey>, StoreError> {
    let text = "SELECT id, name, roles, secret_sha256, created_ms, expires_ms, revoked_ms
        FROM api_keys WHERE shop_id = $1 ORDER BY created_ms, id LIMIT $2";
    let rows = pool.rows(|| sqlx::query(text).bind(shop).bind(i64::from(limit))).await?;
    rows.iter()
        .map(|row| ApiKey::read(ApiKeyRow::from_row(row).map_err(StoreError::Database)?))
        .collect()
}

pub(super) async fn count(
    lease: &mut Lease,
    shop: i64,
    id: &str,
) -> Result<(bool, u64), StoreError> {
    let text = "SELECT coalesce(bool_or(id = $2), false), count(*) FROM api_keys
        WHERE shop_id = $1";
    let row = lease.row(sqlx::query(text).bind(shop).bind(id)).await?;
    Ok((get(&row, 0)?, count_in(&row, 1)?))
}

pub(super) async fn insert(lease: &mut Lease, shop: i64, key: &ApiKey) -> Result<(), StoreError> {
    let text = "INSERT INTO api_keys (shop_id, id, name, roles, secret_sha256, created_ms,
            expires_ms, revoked_ms)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let query = sqlx::query(text)
        .bind(shop)
        .bind(&key.id)
        .bind(&key.name)
        .bind(key.roles.join(" "))
        .bind(&key.secret_sha256[..])
        .bind(key.created_ms)
        .bind(key.expires_ms)
        .bind(key.revoked_ms);
    lease.execute(query).await?;
    Ok(())
}

pub(super) async fn revoked(
    lease: &mut Lease,
    shop: i64,
    id: &str,
) -> Result<Option<Option<i64>>, StoreError> {
    let text = "SELECT revoked_ms FROM api_keys WHERE shop_id = $1 AND id = $2";
    let rows = lease.rows(sqlx::query(text).bind(shop).bind(id)).await?;
    rows.first().map(|row| get(row, 0)).transpose()
}

pub(super) async fn revoke(
    lease: &mut Lease,
    shop: i64,
    id: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let text = "UPDATE api_keys SET revoked_ms = $3 WHERE shop_id = $1 AND id = $2";
    lease.execute(sqlx::query(text).bind(shop).bind(id).bind(now_ms)).await?;
    Ok(())
}

pub(super) async fn forget_ended(
    lease: &mut Lease,
    shop: i64,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let text = "DELETE FROM api_keys WHERE shop_id = $1 AND id = (
            SELECT id FROM api_keys
            WHERE shop_id = $1 AND (revoked_ms IS NOT NULL OR expires_ms <= $2)
            ORDER BY least(revoked_ms, expires_ms) LIMIT 1)";
    Ok(lease.execute(sqlx::query(text).bind(shop).bind(now_ms)).await? == 1)
}
