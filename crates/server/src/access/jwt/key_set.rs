//! Keys that tokens are verified with: a JWK Set (RFC 7517), or one public key in PEM.
//!
//! Invariant: for a token there is at most one key, so that nobody can make the service check a
//! signature many times. Where there are several keys, each has a name, and tokens name theirs.

use std::collections::HashSet;
use std::fmt;

use ring::hmac;
use ring::signature::{ED25519, ED25519_PUBLIC_KEY_LEN, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::error::Category;
use x509_parser::pem::Pem;

use super::compact::{Algorithm, Header, KEY_ID_LEN_MAX, decode};

/// The most keys of a set.
const KEYS_MAX: usize = 100;

/// The shortest secret: RFC 7518, section 3.2, wants as many bits as the hash has.
const SECRET_LEN_MIN: usize = 32;

/// What comes before the 32 bytes of a key in a `SubjectPublicKeyInfo` of Ed25519 (RFC 8410).
const ED25519_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Why there are no keys in a file. What is in the file is never shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// It begins like neither.
    #[error("is neither a JWK Set, which begins with {{, nor a public key in PEM")]
    NotKeys,
    /// It is no JSON.
    #[error("is no JSON at line {line}, column {column}, expected a JWK Set")]
    NotJson {
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
    },
    /// It is JSON of another form.
    #[error(
        "is no JWK Set at line {line}, column {column}, expected {{\"keys\": [{{\"kty\": …}}]}} with each name once and strings as values"
    )]
    NotSet {
        /// Where, from 1.
        line: usize,
        /// Where, from 1.
        column: usize,
    },
    /// Keys, but too many.
    #[error("has {found} keys, expected at most {KEYS_MAX}")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// A key that cannot be used as it is.
    #[error("key {number}: {reason}")]
    BadKey {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No key is of use here.
    #[error("has no key for HS256 (kty oct) or EdDSA (kty OKP, crv Ed25519), and {ignored} others")]
    NoneUsable {
        /// How many were left out.
        ignored: usize,
    },
    /// PEM that is no public key of Ed25519.
    #[error("{reason}, expected one PUBLIC KEY of Ed25519 in PEM")]
    Pem {
        /// What it is.
        reason: &'static str,
    },
}

/// Keys to verify tokens with. `Debug` shows no key.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    ignored: usize,
}

/// One key, for one algorithm.
pub(super) struct Key {
    id: Option<String>,
    material: Material,
}

enum Material {
    Secret(hmac::Key),
    Ed25519([u8; ED25519_PUBLIC_KEY_LEN]),
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// A key of a set; a name that comes twice is an error, others than these are of no interest.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    kid: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    k: Option<String>,
}

impl KeySet {
    /// Reads the contents of a file. Keys of other kinds and for other uses are left out, as
    /// RFC 7517 has it.
    ///
    /// # Errors
    ///
    /// [`KeySetError`] says what is wrong, and where.
    pub fn parse(contents: &[u8]) -> Result<Self, KeySetError> {
        match contents.trim_ascii_start() {
            json if json.starts_with(b"{") => Self::parse_set(contents),
            pem if pem.starts_with(b"-----BEGIN ") => Self::parse_pem(pem),
            _ => Err(KeySetError::NotKeys),
        }
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none; there always is one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys were left out.
    #[must_use]
    pub fn ignored(&self) -> usize {
        self.ignored
    }

    /// The key for a token.
    pub(super) fn find(&self, header: &Header) -> Option<&Key> {
        let key = match (&*self.keys, &header.key_id) {
            ([only], None) => Some(only),
            ([only], Some(id)) => only.id.as_ref().is_none_or(|own| own == id).then_some(only),
            (keys, Some(id)) => keys.iter().find(|key| key.id.as_ref() == Some(id)),
            (_, None) => None,
        };
        key.filter(|key| key.algorithm() == header.algorithm)
    }

    fn parse_set(json: &[u8]) -> Result<Self, KeySetError> {
        // serde's own words would quote the file.
        let set: JwkSet = serde_json::from_slice(json).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            match error.classify() {
                Category::Data => KeySetError::NotSet { line, column },
                _ => KeySetError::NotJson { line, column },
            }
        })?;
        let found = set.keys.len();
        if found > KEYS_MAX {
            return Err(KeySetError::TooMany { found });
        }
        let mut keys = Vec::new();
        for (place, jwk) in set.keys.iter().enumerate() {
            let bad = |reason| KeySetError::BadKey { number: place + 1, reason };
            if let Some(key) = jwk.key().map_err(bad)? {
                keys.push((place + 1, key));
            }
        }
        let ignored = found - keys.len();
        if keys.is_empty() {
            return Err(KeySetError::NoneUsable { ignored });
        }
        check_ids(&keys)?;
        Ok(Self { keys: keys.into_iter().map(|(_, key)| key).collect(), ignored })
    }

    fn parse_pem(pem: &[u8]) -> Result<Self, KeySetError> {
        let bad = |reason| KeySetError::Pem { reason };
        let mut blocks = Pem::iter_from_buffer(pem);
        let block = blocks.next().and_then(Result::ok).ok_or(bad("is damaged PEM"))?;
        if block.label.contains("PRIVATE") {
            return Err(bad("is a private key, which signs tokens and belongs elsewhere"));
        }
        if block.label != "PUBLIC KEY" {
            return Err(bad("is PEM of another kind"));
        }
        if blocks.next().is_some() {
            return Err(bad("has more than one block"));
        }
        let key = block.contents.strip_prefix(&ED25519_PREFIX);
        let key = key.ok_or(bad("is a public key of another kind"))?;
        let key = key.try_into().map_err(|_| bad("is a public key of another length"))?;
        Ok(Self { keys: vec![Key { id: None, material: Material::Ed25519(key) }], ignored: 0 })
    }
}

/// Holds names against the invariant.
fn check_ids(keys: &[(usize, Key)]) -> Result<(), KeySetError> {
    if keys.len() == 1 {
        return Ok(());
    }
    let mut seen = HashSet::new();
    for (number, key) in keys {
        let bad = |reason| KeySetError::BadKey { number: *number, reason };
        let id = key.id.as_ref().ok_or(bad("has no kid, which tells it from the others"))?;
        if !seen.insert(id) {
            return Err(bad("has the kid of another one"));
        }
    }
    Ok(())
}

impl Jwk {
    /// The key; none if it is of no use here.
    fn key(&self) -> Result<Option<Key>, &'static str> {
        let verifies = |ops: &Vec<String>| ops.iter().any(|op| op == "verify");
        let is_for_signatures = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(verifies);
        let is_for = |algorithm: &str| self.alg.as_deref().is_none_or(|alg| alg == algorithm);
        let material = match (&*self.kty, self.crv.as_deref()) {
            _ if !is_for_signatures => return Ok(None),
            ("oct", _) if is_for("HS256") => self.secret()?,
            ("OKP", Some("Ed25519")) if is_for("EdDSA") || is_for("Ed25519") => self.ed25519()?,
            _ => return Ok(None),
        };
        if self.kid.as_ref().is_some_and(|id| id.len() > KEY_ID_LEN_MAX) {
            return Err("has a kid of more than 256 bytes");
        }
        Ok(Some(Key { id: self.kid.clone(), material }))
    }

    fn secret(&self) -> Result<Material, &'static str> {
        let secret = self.k.as_deref().and_then(decode);
        let secret = secret.ok_or("its k is not Base64 as in URLs, without padding")?;
        if secret.len() < SECRET_LEN_MIN {
            return Err("its k has fewer than 32 bytes; `openssl rand 32` makes a good one");
        }
        Ok(Material::Secret(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    fn ed25519(&self) -> Result<Material, &'static str> {
        let key = self.x.as_deref().and_then(decode).and_then(|key| key.try_into().ok());
        let key = key.ok_or("its x is not 32 bytes in Base64 as in URLs, without padding")?;
        Ok(Material::Ed25519(key))
    }
}

impl Key {
    fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Secret(_) => Algorithm::Hs256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Whether a signature is this key's. In constant time where the key is a secret.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Material::Ed25519(key) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}
