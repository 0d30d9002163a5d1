//! Who is on the other side of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;

/// The other side of a connection; in the extensions of each of its requests. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: Option<SocketAddr>,
    certificates: Vec<CertificateDer<'static>>,
}

impl Peer {
    pub(crate) fn new(
        address: Option<SocketAddr>,
        certificates: Vec<CertificateDer<'static>>,
    ) -> Self {
        Self(Arc::new(Inner { address, certificates }))
    }

    /// Its IP address and port; none over a Unix socket.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address
    }

    /// The certificates that it showed and that were verified, its own first; none without
    /// mutual TLS.
    #[must_use]
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0.certificates
    }
}
