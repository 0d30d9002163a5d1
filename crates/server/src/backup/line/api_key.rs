//! Lines of API keys. They hold the hash of a key, never the key: whoever has the file cannot
//! call with it.

use serde::{Deserialize, Serialize};
use storage::ApiKey;

use super::value::{FieldError, Moment};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct ApiKeyLine {
    id: String,
    name: String,
    roles: Vec<String>,
    /// 64 hexadecimal digits.
    secret_sha256: String,
    created: Moment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked: Option<Moment>,
}

impl From<ApiKey> for ApiKeyLine {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            roles: key.roles,
            secret_sha256: key.secret_sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
            created: Moment(key.created_ms),
            expires: key.expires_ms.map(Moment),
            revoked: key.revoked_ms.map(Moment),
        }
    }
}

impl ApiKeyLine {
    pub(super) fn api_key(self) -> Result<ApiKey, FieldError> {
        let secret_sha256 = bytes(&self.secret_sha256);
        // What was found is not shown: it may be a key.
        let wrong = || FieldError {
            field: "secret_sha256",
            found: format!("a text of {} bytes", self.secret_sha256.len()),
            expected: "64 hexadecimal digits in lower case",
        };
        Ok(ApiKey {
            secret_sha256: secret_sha256.ok_or_else(wrong)?,
            id: self.id,
            name: self.name,
            roles: self.roles,
            created_ms: self.created.0,
            expires_ms: self.expires.map(|time| time.0),
            revoked_ms: self.revoked.map(|time| time.0),
        })
    }
}

/// The bytes in hexadecimal digits of lower case.
fn bytes(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(16 * high? + low?).ok()?;
    }
    Some(bytes)
}
