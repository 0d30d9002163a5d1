//! `foreword keys`: API keys are made, listed and revoked, whether a server runs or not.

use ring::rand::SystemRandom;
use serde::Serialize;
use storage::{AddedApiKey, RevokedApiKey, StoreError};

use super::Roles;
use super::api_key::ApiKey;

pub use storage::Store;

/// The longest name, in bytes.
pub const NAME_LEN_MAX: usize = 64;

/// How many ids are drawn before it is given up: with 10,000 keys, one in 400,000 is taken.
const TRIES: u32 = 8;

/// How many names may differ for a name to be near.
const NEAR: f64 = 0.8;

/// Why a key could not be made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The name is empty, too long, or holds what would spoil a list.
    #[error(
        "found a name of {found} bytes, expected 1 to {NAME_LEN_MAX}, without control characters"
    )]
    Name {
        /// Its length.
        found: usize,
    },
    /// A key without a role is good for nothing.
    #[error("found no role, expected one at least: reader, writer or admin")]
    NoRole,
    /// There are no random numbers to be had.
    #[error("the system gives no random numbers; nothing was stored")]
    Random,
    /// No key has this id.
    #[error("there is no API key with the id {id:?}{}", near.as_ref().map_or_else(
        || "; `foreword keys list` shows them".to_owned(),
        |near| format!("; did you mean {} ({})?", near.id, near.name)
    ))]
    Unknown {
        /// What was asked for.
        id: String,
        /// The one that may have been meant.
        near: Option<Box<Listed>>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a key is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// What the operator calls it.
    pub name: String,
    /// What it may do.
    pub roles: Roles,
    /// From when on it is refused, in milliseconds since 1970, if ever.
    pub expires_ms: Option<i64>,
}

/// A key as it is listed: without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Names it in logs, and to revoke it.
    pub id: String,
    /// What the operator calls it.
    pub name: String,
    /// Names of its roles.
    pub roles: Vec<String>,
    /// When it was made; milliseconds since 1970, like all times here.
    pub created_ms: i64,
    /// From when on it is refused, if ever.
    pub expires_ms: Option<i64>,
    /// Since when it is refused, if it is.
    pub revoked_ms: Option<i64>,
}

/// What became of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It is revoked: running servers refuse it within a second.
    Now(Listed),
    /// It was revoked before.
    Before(Listed),
}

/// Makes a key and stores its hash; the key itself is nowhere but in what comes back.
///
/// # Errors
///
/// [`KeysError`] says what to do.
pub async fn create(
    store: &Store,
    new: &NewKey,
    now_ms: i64,
) -> Result<(ApiKey, Listed), KeysError> {
    let found = new.name.len();
    if !(1..=NAME_LEN_MAX).contains(&found) || new.name.chars().any(char::is_control) {
        return Err(KeysError::Name { found });
    }
    if new.roles.is_empty() {
        return Err(KeysError::NoRole);
    }
    let random = SystemRandom::new();
    for _ in 0..TRIES {
        let key = ApiKey::draw(&random).map_err(|_| KeysError::Random)?;
        let row = storage::ApiKey {
            id: key.id().to_owned(),
            name: new.name.clone(),
            roles: new.roles.iter().map(|role| role.name().to_owned()).collect(),
            secret_sha256: key.secret_sha256(),
            created_ms: now_ms,
            expires_ms: new.expires_ms,
            revoked_ms: None,
        };
        let mut writer = store.begin().await?;
        if writer.add_api_key(&row).await? == AddedApiKey::Stored {
            writer.commit().await?;
            return Ok((key, Listed::new(row)));
        }
    }
    Err(KeysError::Random)
}

/// Every key, the oldest first.
///
/// # Errors
///
/// If the store cannot be read.
pub async fn list(store: &Store) -> Result<Vec<Listed>, StoreError> {
    Ok(store.api_keys().await?.into_iter().map(Listed::new).collect())
}

/// Revokes a key for good.
///
/// # Errors
///
/// [`KeysError::Unknown`] names the key that may have been meant.
pub async fn revoke(store: &Store, id: &str, now_ms: i64) -> Result<Revoked, KeysError> {
    let mut writer = store.begin().await?;
    let revoked = writer.revoke_api_key(id, now_ms).await?;
    writer.commit().await?;
    let keys = list(store).await?;
    let found = keys.iter().find(|key| key.id == id).cloned();
    match (revoked, found) {
        (RevokedApiKey::Revoked, Some(key)) => Ok(Revoked::Now(key)),
        (RevokedApiKey::Before { .. }, Some(key)) => Ok(Revoked::Before(key)),
        _ => Err(KeysError::Unknown { id: shown(id), near: near(id, &keys).map(Box::new) }),
    }
}

impl Listed {
    fn new(key: storage::ApiKey) -> Self {
        let storage::ApiKey { id, name, roles, created_ms, expires_ms, revoked_ms, .. } = key;
        Self { id, name, roles, created_ms, expires_ms, revoked_ms }
    }

    /// Whether it is in use, or why not: `active`, `expired` or `revoked`.
    #[must_use]
    pub fn state(&self, now_ms: i64) -> &'static str {
        match (self.revoked_ms, self.expires_ms) {
            (Some(_), _) => "revoked",
            (None, Some(expires_ms)) if expires_ms <= now_ms => "expired",
            _ => "active",
        }
    }
}

/// What was given as an id, unless it may be a whole key: that is a secret.
fn shown(id: &str) -> String {
    match ApiKey::looks_like(id) {
        true => "foreword_…".to_owned(),
        false => id.chars().take(NAME_LEN_MAX).collect(),
    }
}

/// The key whose id or name is nearest, if one is near: a whole key is near to itself.
fn near(given: &str, keys: &[Listed]) -> Option<Listed> {
    if let Some(key) = ApiKey::parse(given) {
        return keys.iter().find(|known| known.id == key.id()).cloned();
    }
    let likeness = |key: &Listed| {
        let by_id = strsim::jaro_winkler(given, &key.id);
        by_id.max(strsim::jaro_winkler(given, &key.name))
    };
    let likest = keys.iter().map(|key| (likeness(key), key));
    let (likeness, key) = likest.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (likeness >= NEAR).then(|| key.clone())
}
