//! Those of whom nothing is asked: told apart by address, for limits and logs.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use transport::Peer;

use super::{Identity, IdentityKind, Roles};

/// The bits of an IPv6 address that stand for one customer: who has one address has them all.
const NETWORK: u128 = !0 << 64;

/// Somebody who may do everything, by address; `local` over a Unix socket.
pub(super) fn identity(peer: Option<&Peer>) -> Identity {
    let address = peer.and_then(Peer::address).map(|address| address.ip());
    let name: Arc<str> = address.map_or_else(|| "local".into(), |address| name(address).into());
    Identity { kind: IdentityKind::Anonymous, name, roles: Roles::all() }
}

fn name(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = Ipv6Addr::from_bits(address.to_bits() & NETWORK);
            format!("{network}/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_customer_have_one_name() {
        let check = |address: &str, expected: &str| {
            assert_eq!(name(address.parse().unwrap()), expected);
        };
        check("192.0.2.7", "192.0.2.7");
        check("::ffff:192.0.2.7", "192.0.2.7");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
        check("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64");
        check("::1", "::/64");
    }

    #[test]
    fn who_comes_over_a_unix_socket_is_local() {
        let identity = identity(None);
        assert_eq!(identity.to_string(), "anonymous:local");
        assert_eq!(identity.roles, Roles::all());
    }
}
