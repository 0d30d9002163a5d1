//! Listening and serving with tonic's own server: a stand-in until connections get a
//! crate of their own. Nothing else in this crate knows how bytes arrive.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use futures_util::stream;
use socket2::{Domain, Socket, Type};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use unstall::{Executor, GrpcLayer};

/// The longest queue of connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Resets that a peer may provoke before its connection is closed (the `MadeYouReset` attack).
const PROVOKED_RESETS_MAX: usize = 100;

/// Bound sockets.
#[derive(Debug)]
pub struct Listeners(Vec<TcpListener>);

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; --listen chooses another address")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    pub source: io::Error,
}

impl Listeners {
    /// Binds all addresses. `[::]` takes IPv4 as well.
    ///
    /// Of several loopback addresses one is enough: a machine may lack IPv6.
    ///
    /// # Errors
    ///
    /// [`ListenError`] names the first address that is taken or not there.
    pub fn bind(addresses: &[SocketAddr]) -> Result<Self, ListenError> {
        let mut listeners = Vec::new();
        let mut missing = None;
        for &address in addresses {
            match bind(address) {
                Ok(listener) => listeners.push(listener),
                Err(source) => {
                    let absent = source.kind() == io::ErrorKind::AddrNotAvailable
                        || source.raw_os_error() == Some(NO_IPV6);
                    let error = ListenError { address, source };
                    if !(absent && address.ip().is_loopback()) {
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
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.0.iter().map(TcpListener::local_addr).collect()
    }

    /// Serves, with handlers on the executor, until `stop` ends, then lets open calls finish for
    /// at most `drain`. Whether they all did is the result.
    ///
    /// # Errors
    ///
    /// If a listener cannot be used or serving fails.
    pub async fn serve(
        self,
        routes: Routes,
        executor: &Executor,
        streams_per_connection_max: u32,
        drain: Duration,
        stop: impl Future<Output = ()>,
    ) -> io::Result<bool> {
        let mut incoming = stream::SelectAll::new();
        for listener in self.0 {
            listener.set_nonblocking(true)?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            incoming.push(TcpIncoming::from(listener).with_nodelay(Some(true)));
        }
        let (stopping, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = Server::builder()
            .max_concurrent_streams(streams_per_connection_max)
            .http2_max_local_error_reset_streams(Some(PROVOKED_RESETS_MAX))
            .layer(GrpcLayer::new(executor.clone()))
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, async {
                stop.await;
                // The receiver lives as long as the wait below.
                let _ = stopping.send(());
            });
        let overdue = async {
            match stopped.await {
                Ok(()) => tokio::time::sleep(drain).await,
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            served = serving => served.map(|()| true).map_err(io::Error::other),
            () = overdue => Ok(false),
        }
    }
}

/// Linux: "address family not supported by protocol".
const NO_IPV6: i32 = 97;

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
