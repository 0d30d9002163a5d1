//! Tokens in forms: a page of another site can send a form, but does not know the token.
//!
//! A token is a keyed hash of the session's id, so nothing has to be kept. It is masked anew in
//! each page, since pages are compressed: what stays the same beside something that an attacker
//! chooses could be guessed from lengths.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::random::{self, Id};

const BYTES: usize = 16;

/// Makes and checks tokens.
#[derive(Clone)]
pub(crate) struct FormTokens {
    key: hmac::Key,
}

impl FormTokens {
    /// With a key of at least 32 bytes, which may be that of the cookies.
    pub(crate) fn new(key: &[u8]) -> Self {
        // Not the cookies' own key, so that neither says anything of the other.
        let own = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"form tokens");
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()) }
    }

    /// A token for a form of this session.
    pub(crate) fn token(&self, session: &Id) -> String {
        let mask = random::bytes::<BYTES>();
        let mut token = [0; 2 * BYTES];
        token[..BYTES].copy_from_slice(&mask);
        token[BYTES..].copy_from_slice(&masked(self.hash(session), mask));
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Whether a token was made for this session.
    pub(crate) fn fits(&self, session: &Id, token: &str) -> bool {
        let Ok(token) = URL_SAFE_NO_PAD.decode(token) else { return false };
        let Ok(token) = <[u8; 2 * BYTES]>::try_from(token) else { return false };
        let (mut mask, mut hidden) = ([0; BYTES], [0; BYTES]);
        mask.copy_from_slice(&token[..BYTES]);
        hidden.copy_from_slice(&token[BYTES..]);
        subtle::ConstantTimeEq::ct_eq(&masked(hidden, mask)[..], &self.hash(session)[..]).into()
    }

    fn hash(&self, session: &Id) -> [u8; BYTES] {
        let whole = hmac::sign(&self.key, session.as_str().as_bytes());
        let mut hash = [0; BYTES];
        hash.copy_from_slice(&whole.as_ref()[..BYTES]);
        hash
    }
}

fn masked(mut bytes: [u8; BYTES], mask: [u8; BYTES]) -> [u8; BYTES] {
    for (byte, mask) in bytes.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_its_own_session_only() {
        let tokens = FormTokens::new(&[1; 32]);
        let (ours, theirs) = (random::id(), random::id());
        let token = tokens.token(&ours);
        assert!(tokens.fits(&ours, &token));
        assert!(!tokens.fits(&theirs, &token));
        assert!(!FormTokens::new(&[2; 32]).fits(&ours, &token));
        for wrong in ["", "AAAA", &"A".repeat(43), &token[1..]] {
            assert!(!tokens.fits(&ours, wrong), "{wrong}");
        }
    }

    #[test]
    fn no_two_pages_have_the_same_token() {
        let tokens = FormTokens::new(&[1; 32]);
        let session = random::id();
        assert_ne!(tokens.token(&session), tokens.token(&session));
    }
}
