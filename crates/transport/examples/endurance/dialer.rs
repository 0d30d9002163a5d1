//! Connections of clients, with what is seen of their handshakes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

use crate::Failure;
use crate::authority::SERVER_NAME;

/// For a connection to come about.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Bytes in both directions, in plaintext or over TLS.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Told of each certificate that a server has shown and that was found good.
pub(crate) type Observer = Arc<dyn Fn(&CertificateDer<'_>) + Send + Sync>;

/// Opens connections to one server.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<(Arc<ClientConfig>, Observer)>,
    dialled: Arc<AtomicU64>,
}

impl Dialer {
    pub(crate) fn plaintext(address: SocketAddr) -> Self {
        Self { address, tls: None, dialled: Arc::default() }
    }

    pub(crate) fn tls(address: SocketAddr, config: Arc<ClientConfig>, observer: Observer) -> Self {
        Self { address, tls: Some((config, observer)), dialled: Arc::default() }
    }

    /// A connection that is there already. It is opened again if it is lost.
    pub(crate) async fn connect(&self) -> Result<Channel, Failure> {
        let dialer = self.clone();
        let connector = move |_: Uri| {
            let dialer = dialer.clone();
            async move { dialer.wire().await.map(TokioIo::new) }
        };
        let endpoint = self.endpoint();
        Ok(endpoint.connect_with_connector(tower::service_fn(connector)).await?)
    }

    /// A connection that is opened when it is needed, and again if it is lost.
    pub(crate) fn connect_lazily(&self) -> Channel {
        let dialer = self.clone();
        let connector = move |_: Uri| {
            let dialer = dialer.clone();
            async move { dialer.wire().await.map(TokioIo::new) }
        };
        self.endpoint().connect_with_connector_lazy(tower::service_fn(connector))
    }

    /// How often a connection was opened.
    pub(crate) fn dialled(&self) -> u64 {
        self.dialled.load(Ordering::Relaxed)
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::from_static("http://localhost").connect_timeout(CONNECT_MAX)
    }

    async fn wire(&self) -> Result<Box<dyn Wire>, Failure> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        self.dialled.fetch_add(1, Ordering::Relaxed);
        let Some((config, observer)) = &self.tls else { return Ok(Box::new(stream)) };
        let connector = TlsConnector::from(Arc::clone(config));
        let stream = connector.connect(SERVER_NAME.try_into()?, stream).await?;
        if let Some([first, ..]) = stream.get_ref().1.peer_certificates() {
            observer(first);
        }
        Ok(Box::new(stream))
    }
}
