//! The store's API keys, in memory: a request never waits for the database.
//!
//! Invariant: the keys known are those of one moment of the store. They stay known while the
//! store cannot be read; their expiry is looked at with every request.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use storage::{Store, StoreError};
use subtle::ConstantTimeEq as _;

use super::api_key::ApiKey;
use super::{Identity, IdentityKind, Refusal, Role, Standing};

/// The keys that are known.
#[derive(Default)]
pub(super) struct Keyring {
    current: ArcSwap<Keys>,
}

/// The keys of one moment; none of them is revoked.
#[derive(Default)]
struct Keys {
    /// Of the store; none before the first look.
    revision: Option<i64>,
    by_id: HashMap<String, Key>,
}

struct Key {
    standing: Standing,
    secret_sha256: [u8; 32],
}

impl Keyring {
    /// Whose key this is.
    pub(super) fn identify(&self, text: &str, now_ms: i64) -> Result<Standing, Refusal> {
        let presented = ApiKey::parse(text).ok_or(Refusal::Invalid)?;
        let keys = self.current.load();
        let key = keys.by_id.get(presented.id()).ok_or(Refusal::Invalid)?;
        if !bool::from(key.secret_sha256.ct_eq(&presented.secret_sha256())) {
            return Err(Refusal::Invalid);
        }
        match key.standing.ends_ms {
            Some(ends_ms) if ends_ms <= now_ms => Err(Refusal::Expired),
            _ => Ok(key.standing.clone()),
        }
    }

    /// Reads the keys anew if the store's revision is another one; tells whether it was.
    pub(super) async fn renew(&self, store: &Store) -> Result<bool, StoreError> {
        // Before the keys, so that what changes in between is read at the next look.
        let revision = Some(store.api_keys_revision().await?);
        if self.current.load().revision == revision {
            return Ok(false);
        }
        let rows = store.api_keys().await?;
        let known = rows.into_iter().filter(|key| key.revoked_ms.is_none());
        let by_id: HashMap<String, Key> =
            known.map(|row| (row.id.clone(), Key::new(row))).collect();
        tracing::info!(keys = by_id.len(), "API keys are in use");
        self.current.store(Arc::new(Keys { revision, by_id }));
        Ok(true)
    }
}

impl Key {
    fn new(row: storage::ApiKey) -> Self {
        let role = |name: &String| match name.parse::<Role>() {
            Ok(role) => Some(role),
            Err(error) => {
                tracing::warn!(key = row.id, %error, "a role of an API key is left out");
                None
            }
        };
        let roles = row.roles.iter().filter_map(role).collect();
        let identity = Identity { kind: IdentityKind::ApiKey, name: row.id.into(), roles };
        let standing = Standing { identity, ends_ms: row.expires_ms };
        Self { standing, secret_sha256: row.secret_sha256 }
    }
}

/// How many keys there are; no hash.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.current.load();
        f.debug_struct("Keyring")
            .field("revision", &keys.revision)
            .field("keys", &keys.by_id.len())
            .finish_non_exhaustive()
    }
}
