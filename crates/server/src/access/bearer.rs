//! `authorization: Bearer …`: the credential that a request brings along.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::Refusal;

/// The credential; none if there is no such header. Other schemes than Bearer are refused, and
/// so are two headers.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::Invalid);
    }
    let text = value.to_str().map_err(|_| Refusal::Invalid)?;
    let (scheme, credential) = text.split_once(' ').ok_or(Refusal::Invalid)?;
    let credential = credential.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || credential.is_empty() {
        return Err(Refusal::Invalid);
    }
    Ok(Some(credential))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(values: &[&[u8]], expected: Result<Option<&str>, Refusal>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        assert_eq!(bearer(&headers), expected, "{values:?}");
    }

    #[test]
    fn one_bearer_credential_is_taken() {
        check(&[], Ok(None));
        check(&[b"Bearer abc.def"], Ok(Some("abc.def")));
        check(&[b"bearer   abc "], Ok(Some("abc")));
    }

    #[test]
    fn everything_else_is_refused() {
        let refused = Err(Refusal::Invalid);
        check(&[b""], refused);
        check(&[b"Bearer"], refused);
        check(&[b"Bearer "], refused);
        check(&[b"Basic YTpi"], refused);
        check(&[b"Bearer \xff"], refused);
        check(&[b"Bearer one", b"Bearer two"], refused);
    }
}
