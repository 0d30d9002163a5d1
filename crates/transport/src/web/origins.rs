//! Origins: which web pages may call.
//!
//! Invariant: what is kept is byte for byte what a browser sends in `Origin`, so that
//! comparing is all there is to do. What no browser would ever send is refused when it is
//! named, because it would silently allow nothing.

use std::sync::Arc;

use http::HeaderValue;
use http::uri::Authority;

/// The web pages that may call, by scheme, host and port.
#[derive(Clone, Debug)]
pub struct Origins(Allowed);

#[derive(Clone, Debug)]
enum Allowed {
    Any,
    Listed(Arc<[HeaderValue]>),
}

/// An origin that no browser would send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("origin {origin:?}: {fault}; expected one like \"https://shop.example\"")]
pub struct OriginError {
    /// What was given.
    pub origin: String,
    /// What is wrong with it.
    pub fault: &'static str,
}

impl Origins {
    /// Exactly the given origins, such as `https://shop.example` or `http://localhost:5000`.
    /// An empty list allows no web page.
    ///
    /// # Errors
    ///
    /// [`OriginError`] for the first that is not as browsers write it: lower case, without a
    /// path or a final slash, without the port that its scheme has anyway. `*` and `null` are
    /// refused as well: the one is [`any`](Self::any), the other is every page that hides
    /// where it is from.
    pub fn listed(origins: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, OriginError> {
        let listed: Result<_, _> = origins.into_iter().map(|o| parse(o.as_ref())).collect();
        Ok(Self(Allowed::Listed(listed?)))
    }

    /// Every web page there is, in the browser of everybody who can reach the server. Only for
    /// servers whose answers are public, or that ask each caller for a token.
    #[must_use]
    pub fn any() -> Self {
        Self(Allowed::Any)
    }

    /// What `Access-Control-Allow-Origin` says to a page. None if it may not call.
    pub(super) fn grant(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match &self.0 {
            Allowed::Any => Some(HeaderValue::from_static("*")),
            Allowed::Listed(listed) => listed.iter().find(|listed| *listed == origin).cloned(),
        }
    }
}

fn parse(origin: &str) -> Result<HeaderValue, OriginError> {
    match fault(origin) {
        Some(fault) => Err(OriginError { origin: origin.to_owned(), fault }),
        None => Ok(HeaderValue::from_str(origin).expect("a checked origin is visible ASCII")),
    }
}

/// What is wrong with an origin, if anything is.
fn fault(origin: &str) -> Option<&'static str> {
    if origin.contains('*') {
        return Some("wildcards are not supported");
    }
    if origin.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Some("only visible ASCII is allowed, other names in their xn-- form");
    }
    if origin.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some("browsers send lower case");
    }
    let Some((scheme, authority)) = origin.split_once("://") else {
        return Some("no scheme");
    };
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        || !scheme.bytes().all(is_scheme)
    {
        return Some("not a scheme");
    }
    if authority.contains(['/', '?', '#']) {
        return Some("a path or a final slash is not part of it");
    }
    if authority.contains('@') {
        return Some("a user is not part of it");
    }
    let Ok(authority) = authority.parse::<Authority>() else {
        return Some("not a host");
    };
    fault_of_port(scheme, &authority)
}

fn fault_of_port(scheme: &str, authority: &Authority) -> Option<&'static str> {
    let rest = &authority.as_str()[authority.host().len()..];
    if authority.host().is_empty() {
        return Some("no host");
    }
    let port = rest.strip_prefix(':')?;
    match port.parse::<u16>() {
        Err(_) => Some("not a port"),
        Ok(number) if number.to_string() != port => Some("not a port"),
        Ok(80) if scheme == "http" => Some("browsers leave port 80 out"),
        Ok(443) if scheme == "https" => Some("browsers leave port 443 out"),
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_as_browsers_send_them_are_taken() {
        let good = [
            "https://shop.example",
            "http://localhost:5000",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "https://xn--bcher-kva.example:8443",
            "capacitor://localhost",
        ];
        let origins = Origins::listed(good).unwrap();
        for origin in good {
            let origin = HeaderValue::from_static(origin);
            assert_eq!(origins.grant(&origin), Some(origin));
        }
        assert_eq!(origins.grant(&HeaderValue::from_static("https://shop.example.evil")), None);
        assert_eq!(origins.grant(&HeaderValue::from_static("null")), None);
    }

    #[test]
    fn origins_that_no_browser_sends_are_refused_by_name() {
        for (bad, fault) in [
            ("*", "wildcards"),
            ("https://*.shop.example", "wildcards"),
            ("null", "no scheme"),
            ("", "no scheme"),
            ("shop.example", "no scheme"),
            ("://shop.example", "not a scheme"),
            ("https://", "not a host"),
            ("https://:5000", "host"),
            ("https://shop.example/", "final slash"),
            ("https://shop.example/books", "path"),
            ("https://ann@shop.example", "user"),
            ("https://Shop.example", "lower case"),
            ("https://bücher.example", "xn--"),
            ("https://shop.example:443", "443"),
            ("http://shop.example:80", "80"),
            ("https://shop.example:", "not a port"),
            ("https://shop.example:0443", "not a port"),
            ("https://shop.example:70000", "not a"),
        ] {
            let error = Origins::listed(["https://good.example", bad]).unwrap_err();
            assert_eq!(error.origin, bad);
            assert!(error.fault.contains(fault), "{bad}: {error}");
        }
    }
}
