//! Where a channel's calls go, as text.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use http::uri::{Authority, Scheme};
use rustls::pki_types::ServerName;

/// Places of one target.
const PLACES_MAX: usize = 64;

/// Where calls go: `http://host:port`, `https://host:port` or `unix:/path`, or several of them
/// separated by commas. A host may be an address or a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    places: Vec<Place>,
}

/// A text that is no target. The text itself is left out: there may be a password in it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "entry {number} of the target {problem}; expected http://host:port, https://host:port or unix:/path"
)]
pub struct TargetError {
    number: usize,
    problem: &'static str,
}

/// One entry of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) location: Location,
    pub(super) scheme: Scheme,
    /// What requests name as their host.
    pub(super) authority: Authority,
}

/// How a place is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    Unix(PathBuf),
    Address(SocketAddr),
    /// A name, to be resolved, and a port.
    Name(String, u16),
}

impl Target {
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let mut places = Vec::new();
        for (place, entry) in text.split(',').enumerate() {
            let number = place + 1;
            let refused = |problem| TargetError { number, problem };
            if number > PLACES_MAX {
                return Err(refused("is the 65th, and 64 are the most"));
            }
            places.push(parse(entry.trim()).map_err(refused)?);
        }
        Ok(Self { places })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, place) in self.places.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma}{place}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            Location::Unix(path) => write!(f, "unix:{}", path.display()),
            _ => write!(f, "{}://{}", self.scheme, self.authority),
        }
    }
}

impl Place {
    pub(super) fn is_tls(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The host that a certificate must be for.
    pub(super) fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }
}

fn parse(entry: &str) -> Result<Place, &'static str> {
    if let Some(path) = entry.strip_prefix("unix:") {
        if !path.starts_with('/') {
            return Err("has no absolute path after unix:");
        }
        let location = Location::Unix(path.into());
        let authority = Authority::from_static("localhost");
        return Ok(Place { location, scheme: Scheme::HTTP, authority });
    }
    let (scheme, rest, port) = if let Some(rest) = entry.strip_prefix("http://") {
        (Scheme::HTTP, rest, 80)
    } else if let Some(rest) = entry.strip_prefix("https://") {
        (Scheme::HTTPS, rest, 443)
    } else {
        return Err("begins neither with http:// nor https:// nor unix:");
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains('@') {
        return Err("has a user name before its host");
    }
    if rest.contains(['/', '?', '#']) {
        return Err("has more than a host and a port");
    }
    let authority = Authority::try_from(rest).map_err(|_| "has no valid host and port")?;
    let port = match authority.as_str().strip_prefix(authority.host()) {
        None | Some("") => port,
        // The parser lets a port through that is no number.
        Some(rest) => match rest.strip_prefix(':').and_then(|digits| digits.parse().ok()) {
            Some(port) if port > 0 => port,
            _ => return Err("has no valid port"),
        },
    };
    let place = Place { location: Location::Name(String::new(), port), scheme, authority };
    let host = place.host();
    let location = match host.parse::<IpAddr>() {
        Ok(address) => Location::Address(SocketAddr::new(address, port)),
        Err(_) if matches!(ServerName::try_from(host), Ok(ServerName::DnsName(_))) => {
            Location::Name(host.to_owned(), port)
        }
        Err(_) => return Err("has no valid host"),
    };
    Ok(Place { location, ..place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_written_as_they_were_read() {
        for (text, expected) in [
            ("http://localhost:50051", "http://localhost:50051"),
            ("https://shop.example", "https://shop.example"),
            ("http://[::1]:50051/", "http://[::1]:50051"),
            ("unix:/run/a.sock, http://10.1.2.3:1", "unix:/run/a.sock,http://10.1.2.3:1"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), expected);
        }
    }

    #[test]
    fn hosts_are_addresses_or_names() {
        let location = |text: &str| text.parse::<Target>().unwrap().places()[0].location.clone();
        let address = |text: &str| Location::Address(text.parse().unwrap());
        assert_eq!(location("https://10.1.2.3"), address("10.1.2.3:443"));
        assert_eq!(location("http://[::1]:7"), address("[::1]:7"));
        assert_eq!(location("http://shop.example"), Location::Name("shop.example".to_owned(), 80));
    }

    #[test]
    fn what_is_no_target_is_refused_without_being_repeated() {
        for text in [
            "",
            "localhost:50051",
            "http://",
            "http://:50051",
            "http://a b",
            "http://host:port",
            "http://host:0",
            "http://host:70000",
            "http://host/path",
            "http://user:secret@host:1",
            "unix:relative",
            "http://a:1,,http://b:1",
        ] {
            let error = text.parse::<Target>().unwrap_err().to_string();
            assert!(error.starts_with("entry "), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
