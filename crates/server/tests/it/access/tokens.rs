//! Tokens, signed here with ring's primitives and nothing of the service's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// A secret of 32 bytes.
pub(crate) const SECRET: &[u8; 32] = b"a secret of exactly 32 bytes ...";

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs tokens as an issuer would.
pub(crate) struct Issuer {
    ed25519: Ed25519KeyPair,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self { ed25519: Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap() }
    }

    /// The keys for the service: `hs` and `ed`.
    pub(crate) fn key_set(&self) -> String {
        let (k, x) = (base64(SECRET), base64(self.ed25519.public_key()));
        format!(
            r#"{{"keys": [{{"kty": "oct", "kid": "hs", "k": "{k}"}},
                {{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "{x}"}}]}}"#
        )
    }

    pub(crate) fn hs256(&self, claims: &str) -> String {
        let signed = unsigned(r#"{"alg":"HS256","kid":"hs"}"#, claims);
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
        format!("{signed}.{}", base64(hmac::sign(&key, signed.as_bytes())))
    }

    pub(crate) fn eddsa(&self, claims: &str) -> String {
        let signed = unsigned(r#"{"alg":"EdDSA","kid":"ed"}"#, claims);
        let signature = self.ed25519.sign(signed.as_bytes());
        format!("{signed}.{}", base64(signature))
    }
}

pub(crate) fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", base64(header), base64(claims))
}
