//! Addresses and bound sockets: TCP, Unix, and what systemd hands over.

mod socket;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

pub(crate) use self::socket::{Accepted, Listener};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An IP address and a port; `[::]` takes IPv4 as well.
    Tcp(SocketAddr),
    /// A Unix socket, written `unix:/path`.
    Unix(PathBuf),
    /// The sockets that systemd, or another supervisor that sets `LISTEN_FDS`, has bound,
    /// written `systemd`.
    Systemd,
}

/// A text that is no address.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{found:?} is no address: expected 127.0.0.1:50051, [::1]:50051, unix:/path or systemd")]
pub struct AddressError {
    found: String,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text == "systemd" {
            return Ok(Self::Systemd);
        }
        if let Some(path) = text.strip_prefix("unix:")
            && !path.is_empty()
        {
            return Ok(Self::Unix(path.into()));
        }
        text.parse().map(Self::Tcp).map_err(|_| AddressError { found: text.to_owned() })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Systemd => f.write_str("systemd"),
        }
    }
}

impl Address {
    /// Whether only this machine can reach it. Of systemd's sockets nothing is known before
    /// they are taken, so they count as reachable.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
            Self::Systemd => false,
        }
    }
}

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ListenError {
    /// The address.
    pub address: Address,
    /// What the system says.
    pub source: io::Error,
}

/// Bound sockets. Connections wait in their queues until a [`Server`](crate::Server) starts.
#[derive(Debug)]
pub struct Listeners(Vec<Listener>);

impl Listeners {
    /// Binds all addresses.
    ///
    /// Of several loopback addresses one is enough, because a machine may lack IPv6. A Unix
    /// socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    ///
    /// [`ListenError`] names the first address that is taken or not there.
    pub fn bind(addresses: &[Address]) -> Result<Self, ListenError> {
        let mut listeners = Vec::new();
        let mut missing = None;
        for address in addresses {
            match Listener::bind(address) {
                Ok(bound) => listeners.extend(bound),
                Err(source) => {
                    let error = ListenError { address: address.clone(), source };
                    if !error.is_absent_loopback() {
                        return Err(error);
                    }
                    tracing::warn!(%error, "leaving out an address that this machine does not have");
                    missing = Some(error);
                }
            }
        }
        match missing {
            Some(error) if listeners.is_empty() => Err(error),
            _ => Ok(Self(listeners)),
        }
    }

    /// The addresses, with the ports that the system chose for port 0.
    ///
    /// # Errors
    ///
    /// If the system cannot tell.
    pub fn addresses(&self) -> io::Result<Vec<Address>> {
        self.0.iter().map(Listener::address).collect()
    }

    pub(crate) fn into_sockets(self) -> Vec<Listener> {
        self.0
    }
}

impl ListenError {
    fn is_absent_loopback(&self) -> bool {
        let absent = self.source.kind() == io::ErrorKind::AddrNotAvailable
            || self.source.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error());
        let loopback = matches!(&self.address, Address::Tcp(tcp) if tcp.ip().is_loopback());
        absent && loopback
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_alike() {
        for text in ["127.0.0.1:50051", "[::1]:0", "unix:/run/foreword.sock", "systemd"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_was_found() {
        for text in ["", "localhost", "unix:", "127.0.0.1", "systemd:3"] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }
}
