//! The table of API keys.

use super::Database;
use super::transaction::Writing;
use crate::api_keys::{ApiKey, ApiKeyRow};
use crate::error::StoreError;

pub(super) async fn all(database: &Database, limit: u32) -> Result<Vec<ApiKey>, StoreError> {
    let rows: Vec<ApiKeyRow> = sqlx::query_as(
        "SELECT id, name, roles, secret_sha256, created_ms, expires_ms, revoked_ms
         FROM api_keys WHERE shop_id = $1 ORDER BY created_ms, id LIMIT $2",
    )
    .bind(database.shop.0)
    .bind(limit)
    .fetch_all(&database.readers)
    .await?;
    rows.into_iter().map(ApiKey::read).collect()
}

pub(super) async fn count(writing: &mut Writing, id: &str) -> Result<(bool, u64), StoreError> {
    let (taken, count): (bool, i64) = sqlx::query_as(
        "SELECT coalesce(max(id = $2), 0) = 1, count(*) FROM api_keys WHERE shop_id = $1",
    )
    .bind(writing.shop)
    .bind(id.to_owned())
    .fetch_one(writing.connection())
    .await?;
    Ok((taken, count.unsigned_abs()))
}

pub(super) async fn insert(writing: &mut Writing, key: &ApiKey) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_keys
             (shop_id, id, name, roles, secret_sha256, created_ms, expires_ms, revoked_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(writing.shop)
    .bind(key.id.clone())
    .bind(key.name.clone())
    .bind(key.roles.join(" "))
    .bind(key.secret_sha256.to_vec())
    .bind(key.created_ms)
    .bind(key.expires_ms)
    .bind(key.revoked_ms)
    .execute(writing.connection())
    .await?;
    Ok(())
}

pub(super) async fn revoked(
    writing: &mut Writing,
    id: &str,
) -> Result<Option<Option<i64>>, StoreError> {
    let found: Option<(Option<i64>,)> =
        sqlx::query_as("SELECT revoked_ms FROM api_keys WHERE shop_id = $1 AND id = $2")
            .bind(writing.shop)
            .bind(id.to_owned())
            .fetch_optional(writing.connection())
            .await?;
    Ok(found.map(|(revoked_ms,)| revoked_ms))
}

pub(super) async fn revoke(writing: &mut Writing, id: &str, now_ms: i64) -> Result<(), StoreError> {
    sqlx::query("UPDATE api_keys SET revoked_ms = $3 WHERE shop_id = $1 AND id = $2")
        .bind(writing.shop)
        .bind(id.to_owned())
        .bind(now_ms)
        .execute(writing.connection())
        .await?;
    Ok(())
}

pub(super) async fn forget_ended(writing: &mut Writing, now_ms: i64) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "DELETE FROM api_keys WHERE shop_id = $1 AND id = (
             SELECT id FROM api_keys
             WHERE shop_id = $1 AND (revoked_ms IS NOT NULL OR expires_ms <= $2)
             ORDER BY min(coalesce(revoked_ms, expires_ms), coalesce(expires_ms, revoked_ms))
             LIMIT 1)",
    )
    .bind(writing.shop)
    .bind(now_ms)
    .execute(writing.connection())
    .await?;
    Ok(done.rows_affected() == 1)
}
