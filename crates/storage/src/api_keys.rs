//! API keys: what a server must know to recognise them, and nothing to make them from.

use std::fmt;

use crate::error::StoreError;
use crate::store::Store;
use crate::writer::Writer;

/// The most keys of a shop, ended ones included: a server holds them all in memory.
pub const API_KEYS_MAX: u32 = 10_000;

/// A key as the store has it. Times are milliseconds since 1970.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Names it in logs and is part of the key; no secret.
    pub id: String,
    /// What the operator calls it.
    pub name: String,
    /// Names of its roles.
    pub roles: Vec<String>,
    /// SHA-256 of its secret part.
    pub secret_sha256: [u8; 32],
    /// When it was made.
    pub created_ms: i64,
    /// From when on it is refused, if ever.
    pub expires_ms: Option<i64>,
    /// Since when it is refused, if it is.
    pub revoked_ms: Option<i64>,
}

/// What became of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedApiKey {
    /// It is stored.
    Stored,
    /// Another one has this id; nothing was stored.
    IdTaken,
}

/// What became of a key that is to be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevokedApiKey {
    /// It is revoked.
    Revoked,
    /// It was before, since then.
    Before {
        /// Milliseconds since 1970.
        revoked_ms: i64,
    },
    /// There is none with this id.
    Unknown,
}

/// A row of the table, in the order of its columns.
type Row = (String, String, String, Vec<u8>, i64, Option<i64>, Option<i64>);

impl ApiKey {
    /// Whether it is neither revoked nor expired.
    #[must_use]
    pub fn is_usable(&self, now_ms: i64) -> bool {
        self.revoked_ms.is_none() && self.expires_ms.is_none_or(|expires| now_ms < expires)
    }

    fn read(row: Row) -> Result<Self, StoreError> {
        let (id, name, roles, secret, created_ms, expires_ms, revoked_ms) = row;
        let found = secret.len() as i64;
        let secret_sha256 = <[u8; 32]>::try_from(secret)
            .map_err(|_| StoreError::UnexpectedValue { column: "secret_sha256 (length)", found })?;
        let roles = roles.split_whitespace().map(str::to_owned).collect();
        Ok(Self { id, name, roles, secret_sha256, created_ms, expires_ms, revoked_ms })
    }
}

/// Leaves out the hash: nobody needs it who reads a log.
impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("roles", &self.roles)
            .field("created_ms", &self.created_ms)
            .field("expires_ms", &self.expires_ms)
            .field("revoked_ms", &self.revoked_ms)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Every key, ended ones included, the oldest first; at most [`API_KEYS_MAX`].
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts), and [`StoreError::UnexpectedValue`].
    pub async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT id, name, roles, secret_sha256, created_ms, expires_ms, revoked_ms
             FROM api_keys WHERE shop_id = $1 ORDER BY created_ms, id LIMIT $2",
        )
        .bind(self.shop.0)
        .bind(API_KEYS_MAX)
        .fetch_all(self.readers())
        .await?;
        rows.into_iter().map(ApiKey::read).collect()
    }

    /// The revision of the keys: higher after every commit that changed one. Reads one row.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn api_keys_revision(&self) -> Result<i64, StoreError> {
        let (revision,): (i64,) =
            sqlx::query_as("SELECT api_keys_revision FROM shops WHERE shop_id = $1")
                .bind(self.shop.0)
                .fetch_one(self.readers())
                .await?;
        Ok(revision)
    }
}

impl Writer {
    /// Stores a new key. Where there are [`API_KEYS_MAX`], the one that ended first, of those
    /// that have ended, is forgotten for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::TooManyApiKeys`] if none of them has ended; [`StoreError::Unfinished`] or
    /// [`StoreError::Database`].
    pub async fn add_api_key(&mut self, key: &ApiKey) -> Result<AddedApiKey, StoreError> {
        let (taken, count) = self.count_api_keys(&key.id).await?;
        if taken {
            return Ok(AddedApiKey::IdTaken);
        }
        self.begin_change()?;
        if count >= i64::from(API_KEYS_MAX) && !self.forget_ended_api_key(key.created_ms).await? {
            self.end_change();
            return Err(StoreError::TooManyApiKeys { max: API_KEYS_MAX });
        }
        sqlx::query(
            "INSERT INTO api_keys
                 (shop_id, id, name, roles, secret_sha256, created_ms, expires_ms, revoked_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(self.shop.0)
        .bind(key.id.clone())
        .bind(key.name.clone())
        .bind(key.roles.join(" "))
        .bind(key.secret_sha256.to_vec())
        .bind(key.created_ms)
        .bind(key.expires_ms)
        .bind(key.revoked_ms)
        .execute(self.connection())
        .await?;
        self.touch_api_keys().await?;
        self.end_change();
        Ok(AddedApiKey::Stored)
    }

    /// Revokes a key. A key that is revoked stays so.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unfinished`] or [`StoreError::Database`].
    pub async fn revoke_api_key(
        &mut self,
        id: &str,
        now_ms: i64,
    ) -> Result<RevokedApiKey, StoreError> {
        let shop = self.shop.0;
        let found: Option<(Option<i64>,)> =
            sqlx::query_as("SELECT revoked_ms FROM api_keys WHERE shop_id = $1 AND id = $2")
                .bind(shop)
                .bind(id.to_owned())
                .fetch_optional(self.connection())
                .await?;
        match found {
            None => return Ok(RevokedApiKey::Unknown),
            Some((Some(revoked_ms),)) => return Ok(RevokedApiKey::Before { revoked_ms }),
            Some((None,)) => {}
        }
        self.begin_change()?;
        sqlx::query("UPDATE api_keys SET revoked_ms = $3 WHERE shop_id = $1 AND id = $2")
            .bind(shop)
            .bind(id.to_owned())
            .bind(now_ms)
            .execute(self.connection())
            .await?;
        self.touch_api_keys().await?;
        self.end_change();
        Ok(RevokedApiKey::Revoked)
    }

    /// Whether an id is taken, and how many keys there are.
    async fn count_api_keys(&mut self, id: &str) -> Result<(bool, i64), StoreError> {
        let shop = self.shop.0;
        let counted = sqlx::query_as(
            "SELECT coalesce(max(id = $2), 0) = 1, count(*) FROM api_keys WHERE shop_id = $1",
        )
        .bind(shop)
        .bind(id.to_owned())
        .fetch_one(self.connection())
        .await?;
        Ok(counted)
    }

    /// Forgets the key that ended first; tells whether there was one.
    async fn forget_ended_api_key(&mut self, now_ms: i64) -> Result<bool, StoreError> {
        let shop = self.shop.0;
        let done = sqlx::query(
            "DELETE FROM api_keys WHERE shop_id = $1 AND id = (
                 SELECT id FROM api_keys
                 WHERE shop_id = $1 AND (revoked_ms IS NOT NULL OR expires_ms <= $2)
                 ORDER BY min(coalesce(revoked_ms, expires_ms), coalesce(expires_ms, revoked_ms))
                 LIMIT 1)",
        )
        .bind(shop)
        .bind(now_ms)
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Counts up the revision of the keys.
    async fn touch_api_keys(&mut self) -> Result<(), StoreError> {
        let shop = self.shop.0;
        sqlx::query(
            "UPDATE shops SET api_keys_revision = api_keys_revision + 1 WHERE shop_id = $1",
        )
        .bind(shop)
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
