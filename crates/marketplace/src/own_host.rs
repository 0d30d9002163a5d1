//! A demo for this machine answers to this machine's names only.
//!
//! A page on the internet can have its own name lead to 127.0.0.1 (DNS rebinding): then a browser
//! holds the demo to be a part of that page, which may read and do what a visitor may, and in a
//! demo visitors may be anybody. What gives it away is the name in `Host`.

use std::net::IpAddr;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::HOST;
use http::uri::Authority;

use crate::bare;

/// Refuses requests that name another host than this machine.
pub(crate) async fn only(request: Request, next: Next) -> Response {
    // Over HTTP/2 the host is in the address.
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = header.or_else(|| request.uri().authority().map(Authority::as_str));
    if !host.is_some_and(is_here) {
        return bare::another_host(request.headers());
    }
    next.run(request).await
}

/// Whether this is a name of this machine, with or without a port.
fn is_here(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_pass() {
        for here in ["localhost", "LocalHost:5000", "127.0.0.1:5000", "127.1.2.3", "[::1]:5000"] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in ["evil.example", "localhost.evil.example:5000", "192.168.1.2", "", "[::2]"]
        {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
