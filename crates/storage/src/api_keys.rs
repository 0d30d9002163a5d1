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
pub(crate) type ApiKeyRow = (String, String, String, Vec<u8>, i64, Option<i64>, Option<i64>);

impl ApiKey {
    /// Whether it is neither revoked nor expired.
    #[must_use]
    pub fn is_usable(&self, now_ms: i64) -> bool {
        self.revoked_ms.is_none() && self.expires_ms.is_none_or(|expires| now_ms < expires)
    }

    pub(crate) fn read(row: ApiKeyRow) -> Result<Self, StoreError> {
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
        self.backend.api_keys(API_KEYS_MAX).await
    }

    /// The revision of the keys: higher after every commit that changed one. Reads one row.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn api_keys_revision(&self) -> Result<i64, StoreError> {
        Ok(self.revisions().await?.api_keys)
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
        let (taken, count) = self.transaction.count_api_keys(&key.id).await?;
        if taken {
            return Ok(AddedApiKey::IdTaken);
        }
        self.begin_change()?;
        if count >= u64::from(API_KEYS_MAX)
            && !self.transaction.forget_ended_api_key(key.created_ms).await?
        {
            self.end_change();
            return Err(StoreError::TooManyApiKeys { max: API_KEYS_MAX });
        }
        self.transaction.insert_api_key(key).await?;
        self.touch_api_keys();
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
        match self.transaction.api_key_revoked(id).await? {
            None => return Ok(RevokedApiKey::Unknown),
            Some(Some(revoked_ms)) => return Ok(RevokedApiKey::Before { revoked_ms }),
            Some(None) => {}
        }
        self.begin_change()?;
        self.transaction.revoke_api_key(id, now_ms).await?;
        self.touch_api_keys();
        self.end_change();
        Ok(RevokedApiKey::Revoked)
    }
}
