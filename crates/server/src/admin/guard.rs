//! Who may look at `/debug/`: this machine, and no web page, and no proxy that says it is one.
//!
//! A page in an operator's browser could ask `localhost`, directly (it then sends `Origin`) or by
//! a name of its own that it lets point there (then `Host` has that name).

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::header::{FORWARDED, HOST, HeaderName, ORIGIN, VIA};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use transport::Peer;

pub(super) async fn this_machine_only(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>();
    // Over a Unix socket there is no address, and no browser.
    let from = peer.map(|peer| peer.address().map(|address| address.ip()));
    let refused = match from {
        None => Some(ELSEWHERE),
        Some(from) => reason(from, request.headers(), request.uri()),
    };
    match refused {
        Some(reason) => (StatusCode::FORBIDDEN, reason).into_response(),
        None => next.run(request).await,
    }
}

const ELSEWHERE: &str = "only this machine may look at /debug/; ask from here, \
    over a Unix socket (admin.listen), or through kubectl port-forward\n";
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROXY: &str = "a proxy does not say for whom it looks at /debug/; ask without it\n";
const PAGE: &str = "no web page may look at /debug/: the request has an Origin\n";
const NAMED: &str = "no web page may look at /debug/: ask for localhost or an IP address, \
    not for a name\n";

/// Why a request is refused, if it is.
fn reason(from: Option<IpAddr>, headers: &HeaderMap, uri: &Uri) -> Option<&'static str> {
    if from.is_some_and(|from| !from.to_canonical().is_loopback()) {
        return Some(ELSEWHERE);
    }
    if headers.contains_key(FORWARDED)
        || headers.contains_key(FORWARDED_FOR)
        || headers.contains_key(VIA)
    {
        return Some(PROXY);
    }
    if headers.contains_key(ORIGIN) {
        return Some(PAGE);
    }
    let mut hosts = headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let authority = uri.authority().map(axum::http::uri::Authority::as_str);
    let is_fine = hosts.by_ref().chain(authority).all(is_local_name);
    (from.is_some() && !is_fine).then_some(NAMED)
}

/// Whether a host, with or without a port, is an IP address or this machine's own name.
fn is_local_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(name, _)| name),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: Option<&str>, headers: &[(&'static str, &str)], expected: Option<&str>) {
        let from = from.map(|from| from.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        assert_eq!(reason(from, &map, &Uri::from_static("/debug/log")), expected, "{headers:?}");
    }

    #[test]
    fn this_machine_may_look_by_its_addresses_and_its_own_name() {
        for host in
            ["127.0.0.1:50052", "localhost:50052", "LocalHost", "[::1]:50052", "[::1]", "10.0.0.7"]
        {
            check(Some("127.0.0.1"), &[("host", host)], None);
        }
        check(Some("::ffff:127.0.0.1"), &[], None);
        check(None, &[("host", "shop")], None);
    }

    #[test]
    fn other_machines_and_pages_may_not() {
        check(Some("10.0.0.7"), &[("host", "10.0.0.7")], Some(ELSEWHERE));
        check(Some("::ffff:10.0.0.7"), &[], Some(ELSEWHERE));
        for origin in ["http://localhost:50052", "null"] {
            check(Some("127.0.0.1"), &[("origin", origin)], Some(PAGE));
            check(None, &[("origin", origin)], Some(PAGE));
        }
        for host in ["evil.example:50052", "localhost.evil.example", "127.0.0.1.evil.example", ""] {
            check(Some("127.0.0.1"), &[("host", host)], Some(NAMED));
        }
        check(Some("::1"), &[("host", "localhost"), ("host", "evil.example")], Some(NAMED));
        for proxy in ["forwarded", "x-forwarded-for", "via"] {
            check(Some("127.0.0.1"), &[(proxy, "10.0.0.7")], Some(PROXY));
        }
    }
}
