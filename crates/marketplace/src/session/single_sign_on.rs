//! The header by which a single sign-on in front of the shop says who a visitor is.
//!
//! Its value is `READER.ROLE.EXPIRES.SIGNATURE`: the reader's id in base64url without padding; the
//! role, `reader` or `admin`; a time in seconds since 1970; and HMAC-SHA256 of
//! `READER.ROLE.EXPIRES`, in base64url without padding.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName};
use ring::hmac;

use super::Role;
use crate::service::is_id;

/// Reads the header.
#[derive(Clone)]
pub(crate) struct SingleSignOn {
    header: HeaderName,
    key: hmac::Key,
}

/// Whom the header names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) reader: String,
    pub(crate) role: Role,
}

/// A header that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unverified {
    #[error("not READER.ROLE.EXPIRES.SIGNATURE")]
    Malformed,
    #[error("signed with another key")]
    Forged,
    #[error("expired")]
    Expired,
}

impl SingleSignOn {
    /// Of this name, signed with this key.
    pub(crate) fn new(header: HeaderName, key: &[u8]) -> Self {
        Self { header, key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// Who the visitor is; `None` if the header is not there.
    pub(crate) fn visitor(
        &self,
        headers: &HeaderMap,
        now: i64,
    ) -> Result<Option<Named>, Unverified> {
        let mut values = headers.get_all(&self.header).iter();
        let Some(value) = values.next() else { return Ok(None) };
        // A second one was not written by whom the shop trusts.
        if values.next().is_some() {
            return Err(Unverified::Malformed);
        }
        let text = value.to_str().map_err(|_| Unverified::Malformed)?;
        let (signed, signature) = text.rsplit_once('.').ok_or(Unverified::Malformed)?;
        let mut parts = signed.split('.');
        let (Some(reader), Some(role), Some(expires), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Unverified::Malformed);
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Unverified::Malformed)?;
        hmac::verify(&self.key, signed.as_bytes(), &signature).map_err(|_| Unverified::Forged)?;
        let expires: i64 = expires.parse().map_err(|_| Unverified::Malformed)?;
        if expires <= now {
            return Err(Unverified::Expired);
        }
        let role = Role::named(role).ok_or(Unverified::Malformed)?;
        let reader = URL_SAFE_NO_PAD.decode(reader).map_err(|_| Unverified::Malformed)?;
        let reader = String::from_utf8(reader).map_err(|_| Unverified::Malformed)?;
        if is_id(&reader) { Ok(Some(Named { reader, role })) } else { Err(Unverified::Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: HeaderName = HeaderName::from_static("x-shop-reader");
    const KEY: &[u8] = &[3; 32];
    const NOW: i64 = 1_800_000_000;

    fn signed(reader: &[u8], expires: i64, key: &[u8]) -> String {
        signed_as(reader, "reader", expires, key)
    }

    fn signed_as(reader: &[u8], role: &str, expires: i64, key: &[u8]) -> String {
        let signed = format!("{}.{role}.{expires}", URL_SAFE_NO_PAD.encode(reader));
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn check(values: &[&str], expected: Result<Option<(&str, Role)>, Unverified>) {
        let headers = values.iter().map(|value| (NAME, value.parse().unwrap())).collect();
        let read = SingleSignOn::new(NAME, KEY).visitor(&headers, NOW);
        let named = |(reader, role): (&str, Role)| Named { reader: reader.to_owned(), role };
        assert_eq!(read, expected.map(|expected| expected.map(named)));
    }

    #[test]
    fn a_signed_header_says_who_it_is() {
        let (ann, later) = ("ann@example.com", NOW + 60);
        check(&[&signed(ann.as_bytes(), later, KEY)], Ok(Some((ann, Role::Reader))));
        let admin = signed_as(ann.as_bytes(), "admin", later, KEY);
        check(&[&admin], Ok(Some((ann, Role::Admin))));
        check(&[], Ok(None));
    }

    #[test]
    fn anything_else_is_refused() {
        let good = signed(b"ann", NOW + 60, KEY);
        check(&[&signed(b"ann", NOW, KEY)], Err(Unverified::Expired));
        check(&[&signed(b"ann", NOW + 60, &[4; 32])], Err(Unverified::Forged));
        check(&[&good.replacen('.', "x.", 1)], Err(Unverified::Forged));
        check(&[&good.replacen(".reader.", ".admin.", 1)], Err(Unverified::Forged));
        check(&[&signed_as(b"ann", "owner", NOW + 60, KEY)], Err(Unverified::Malformed));
        check(&[&signed_as(b"ann", "admin.1", NOW + 60, KEY)], Err(Unverified::Malformed));
        check(&[&good, &good], Err(Unverified::Malformed));
        check(&[&signed(b"", NOW + 60, KEY)], Err(Unverified::Malformed));
        check(&[&signed(&[b'a'; 65], NOW + 60, KEY)], Err(Unverified::Malformed));
        check(&[&signed(&[0xff], NOW + 60, KEY)], Err(Unverified::Malformed));
        for text in ["", "ann", "a.b", "a.b.!", "a.reader.b.!"] {
            check(&[text], Err(Unverified::Malformed));
        }
    }
}
