//! The arena of an attack: where the server is, how long it goes on, and what is seen.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsConnector;

use crate::connection::{Connection, Manners, Over};
use crate::seen::Tally;

/// An attacker that was cut off comes back after this.
const PAUSE: Duration = Duration::from_millis(20);

/// Bytes in both directions, in plaintext or over TLS.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What each attacker knows.
#[derive(Clone)]
pub(crate) struct Arena {
    pub(crate) address: SocketAddr,
    /// For HTTP/2 over TLS; `None` is plaintext.
    pub(crate) tls: Option<TlsConnector>,
    /// For HTTP/1.1 over TLS.
    pub(crate) tls_http1: Option<TlsConnector>,
    /// When the attack ends.
    pub(crate) until: Instant,
    pub(crate) tally: Tally,
}

impl Arena {
    /// Whether the attack is over.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// A TCP connection, not yet asked anything.
    pub(crate) async fn tcp(&self) -> Result<TcpStream, Over> {
        match timeout_at(self.until, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => {
                // Only a matter of speed.
                let _ = stream.set_nodelay(true);
                Ok(stream)
            }
            Ok(Err(_)) => {
                self.tally.note(|seen| seen.refused += 1);
                Err(Over::Closed)
            }
            Err(_) => Err(Over::TimeUp),
        }
    }

    /// A connection with its TLS handshake, if there is to be one.
    pub(crate) async fn wire(&self) -> Result<Box<dyn Wire>, Over> {
        self.wire_by(self.tls.as_ref()).await
    }

    async fn wire_by(&self, tls: Option<&TlsConnector>) -> Result<Box<dyn Wire>, Over> {
        let stream = self.tcp().await?;
        let Some(tls) = tls else { return Ok(Box::new(stream)) };
        let name = "localhost".try_into().map_err(|_| Over::Closed)?;
        match timeout_at(self.until, tls.connect(name, stream)).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(_)) => {
                self.tally.note(|seen| seen.refused += 1);
                Err(Over::Closed)
            }
            Err(_) => Err(Over::TimeUp),
        }
    }

    /// A connection on which nothing was said yet; what the server says is read and tallied.
    pub(crate) async fn connect(&self) -> Result<Connection, Over> {
        Ok(Connection::reading(self.wire().await?, self.clone(), Manners::Answering))
    }

    /// The same, for HTTP/1.1.
    pub(crate) async fn connect_http1(&self) -> Result<Connection, Over> {
        let wire = self.wire_by(self.tls_http1.as_ref()).await?;
        Ok(Connection::reading(wire, self.clone(), Manners::Mute))
    }

    /// A connection that has said the preface and these frames, SETTINGS first, and has
    /// acknowledged the server's settings.
    pub(crate) async fn hello(&self, frames: &[u8]) -> Result<Connection, Over> {
        let mut connection = self.connect().await?;
        connection.hello(frames).await?;
        Ok(connection)
    }

    /// So many attackers, each of which lives again and again until the attack is over.
    pub(crate) async fn swarm<F, L>(&self, attackers: usize, life: F)
    where
        F: Fn(Self) -> L + Clone + Send + 'static,
        L: Future<Output = Result<(), Over>> + Send + 'static,
    {
        let mut swarm = JoinSet::new();
        for _ in 0..attackers {
            let (arena, life) = (self.clone(), life.clone());
            swarm.spawn(async move {
                while !arena.is_over() {
                    // How a life ended is in the tally.
                    let _ = life(arena.clone()).await;
                    sleep(PAUSE).await;
                }
            });
        }
        swarm.join_all().await;
    }
}
