//! The compact form of a JSON Web Signature (RFC 7515): three parts in Base64, dots between.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::object::Object;

/// The longest token that is looked at.
pub(super) const LEN_MAX: usize = 8 << 10;

/// The longest name of a key.
pub(super) const KEY_ID_LEN_MAX: usize = 256;

/// How a token is signed: of all algorithms there are, those that are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// Ed25519.
    EdDsa,
}

/// What a token says of its signature.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
}

/// A token in its parts, none of them verified.
pub(super) struct Compact<'a> {
    pub(super) header: Header,
    /// What the signature is of.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
    payload: &'a str,
}

impl<'a> Compact<'a> {
    /// Splits a token; none if it is not of this form, too long, or asks for more than is known
    /// here.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        if token.len() > LEN_MAX {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header = Header::parse(&Object::parse(&decode(header)?)?)?;
        let signature = decode(signature)?;
        Some(Self { header, signed: signed.as_bytes(), signature, payload })
    }

    /// Its claims. To be looked at once the signature was verified.
    pub(super) fn claims(&self) -> Option<Object> {
        Object::parse(&decode(self.payload)?)
    }
}

impl Header {
    fn parse(object: &Object) -> Option<Self> {
        // An extension that must be understood, and none is (RFC 7515, section 4.1.11).
        if object.get("crit").is_some() {
            return None;
        }
        let algorithm = match object.text("alg")? {
            "HS256" => Algorithm::Hs256,
            // Its older name, and the one of RFC 9864.
            "EdDSA" | "Ed25519" => Algorithm::EdDsa,
            _ => return None,
        };
        let key_id = match object.get("kid") {
            None => None,
            Some(id) => Some(id.as_str().filter(|id| id.len() <= KEY_ID_LEN_MAX)?.to_owned()),
        };
        Some(Self { algorithm, key_id })
    }
}

/// Base64 with `-` and `_`, without padding and without stray bits at the end: there is one text
/// for each value.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
