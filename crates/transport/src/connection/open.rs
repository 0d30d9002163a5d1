//! From an accepted socket to a connection that speaks a protocol, each step in its time.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::io::{Socket, Wire};
use super::preface::{Protocol, sniff};
use crate::ending::Ending;
use crate::listen::Accepted;
use crate::settings::Settings;
use crate::tls::Tls;

/// A connection whose protocol is known.
pub(super) struct Opened {
    pub(super) wire: Wire,
    pub(super) protocol: Protocol,
    /// The peer's first bytes.
    pub(super) prefix: Bytes,
    pub(super) certificates: Vec<CertificateDer<'static>>,
}

/// Shakes hands, if there is TLS, and finds out the protocol.
pub(super) async fn open(
    socket: Accepted,
    tls: Option<&Tls>,
    settings: &Settings,
) -> Result<Opened, Ending> {
    let socket = register(socket).map_err(|_| Ending::Failed)?;
    let Some(tls) = tls else {
        let mut wire = Wire::Plain(socket);
        let (protocol, prefix) = first_bytes(&mut wire, settings.preface_timeout).await?;
        return Ok(Opened { wire, protocol, prefix, certificates: Vec::new() });
    };
    let shaking = TlsAcceptor::from(tls.current()).accept(socket);
    let shaken = timeout(settings.handshake_timeout, shaking).await;
    let stream = shaken.map_err(|_| Ending::HandshakeTimeout)?.map_err(|error| {
        tracing::debug!(%error, "TLS handshake failed");
        Ending::HandshakeFailed
    })?;
    let (_, session) = stream.get_ref();
    let certificates = session.peer_certificates().unwrap_or_default();
    let certificates = certificates.iter().map(|one| one.clone().into_owned()).collect();
    let agreed = session.alpn_protocol().map(<[u8]>::to_vec);
    let mut wire = Wire::Tls(Box::new(stream.into()));
    let (protocol, prefix) = match agreed.as_deref() {
        Some(b"h2") => (Protocol::Http2, Bytes::new()),
        Some(_) => (Protocol::Http1, Bytes::new()),
        None => first_bytes(&mut wire, settings.preface_timeout).await?,
    };
    Ok(Opened { wire, protocol, prefix, certificates })
}

async fn first_bytes(wire: &mut Wire, limit: Duration) -> Result<(Protocol, Bytes), Ending> {
    match timeout(limit, sniff(wire)).await {
        Ok(Ok(known)) => Ok(known),
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Ending::Closed),
        Ok(Err(_)) => Err(Ending::Failed),
        Err(_) => Err(Ending::PrefaceTimeout),
    }
}

/// Makes the loop's runtime wake the task when the socket is ready.
fn register(socket: Accepted) -> io::Result<Socket> {
    Ok(match socket {
        Accepted::Tcp(stream, _) => Socket::Tcp(TcpStream::from_std(stream)?),
        Accepted::Unix(stream) => Socket::Unix(UnixStream::from_std(stream)?),
    })
}
