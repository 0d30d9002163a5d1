//! From an address to a connection of HTTP/2, each step in its time.
//!
//! A connection counts as made when the peer's settings have come. The socket alone proves
//! little: the kernel accepts connections for a process that hangs.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::io::{Greeting, Watched};
use super::request::Sending;
use super::settings::{Keepalive, Settings};
use crate::connection::{Socket, Wire};
use crate::tls::ClientTls;

/// Windows for what peers send, as on the server's side.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Bytes of a request that wait in a stream's queue.
const SEND_BYTES_MAX: usize = 64 << 10;

/// Where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// A connection that is there.
pub(super) struct Connected {
    pub(super) sender: SendRequest<Sending>,
    /// Has to run as long as requests are to be sent.
    pub(super) driver: Driver,
    /// Streams that the peer allows.
    pub(super) streams_max: Arc<AtomicUsize>,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("cannot connect: {0}")]
    Socket(#[source] io::Error),
    #[error("cannot connect: no answer within {0:?}")]
    SocketTimeout(Duration),
    #[error("TLS handshake failed: {0}")]
    Tls(#[source] io::Error),
    #[error("TLS handshake not done within {0:?}")]
    TlsTimeout(Duration),
    #[error("the peer does not offer HTTP/2 by ALPN")]
    Alpn,
    #[error("accepts connections and sends no HTTP/2 settings within {0:?}")]
    Silent(Duration),
    #[error("speaks HTTP/1, expected HTTP/2")]
    Http1,
    #[error("does not speak HTTP/2; if it speaks TLS, the target must begin with https://")]
    NotHttp2,
    #[error("the connection was closed before it was used: {0}")]
    Closed(String),
}

impl ConnectError {
    /// Whether it was this side that did not want the peer: its certificate, say. An alert is
    /// the peer's word, and a broken socket is nobody's.
    pub(super) fn is_distrust(&self) -> bool {
        let Self::Tls(error) = self else { return false };
        let error = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
        error.is_some_and(|error| !matches!(error, rustls::Error::AlertReceived(_)))
    }
}

/// Makes a connection. TLS is used if it comes with a name.
pub(super) async fn connect(
    address: &Address,
    tls: Option<(&ClientTls, ServerName<'static>)>,
    settings: &Settings,
) -> Result<Connected, ConnectError> {
    let socket = match timeout(settings.connect_timeout, dial(address)).await {
        Ok(socket) => socket.map_err(ConnectError::Socket)?,
        Err(_) => return Err(ConnectError::SocketTimeout(settings.connect_timeout)),
    };
    let wire = match tls {
        None => Wire::Plain(socket),
        Some((tls, name)) => {
            let shaking = TlsConnector::from(tls.current()).connect(name, socket);
            let shaken = timeout(settings.handshake_timeout, shaking).await;
            let shaken =
                shaken.map_err(|_| ConnectError::TlsTimeout(settings.handshake_timeout))?;
            let stream = shaken.map_err(ConnectError::Tls)?;
            if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                return Err(ConnectError::Alpn);
            }
            Wire::Tls(Box::new(stream.into()))
        }
    };
    let limit = settings.preface_timeout;
    let greeted = timeout(limit, greet(wire, settings)).await;
    greeted.unwrap_or(Err(ConnectError::Silent(limit)))
}

async fn dial(address: &Address) -> io::Result<Socket> {
    Ok(match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Socket::Tcp(stream)
        }
        Address::Unix(path) => Socket::Unix(UnixStream::connect(path).await?),
    })
}

/// Speaks HTTP/2 and waits until the peer does.
async fn greet(wire: Wire, settings: &Settings) -> Result<Connected, ConnectError> {
    let (io, greeted) = Watched::new(wire, settings.write_timeout);
    let (sender, connection) = http2(settings)
        .handshake(TokioIo::new(io))
        .await
        .map_err(|error| ConnectError::Closed(error.to_string()))?;
    let streams_max = Arc::new(AtomicUsize::new(connection.current_max_send_streams()));
    let mut driver = Driver { connection, streams_max: Arc::clone(&streams_max) };
    tokio::select! {
        // What the peer said tells more than how hyper takes it.
        biased;
        // It is dropped with the bytes' task.
        greeting = greeted => match greeting {
            Ok(Greeting::Http2) => Ok(Connected { sender, driver, streams_max }),
            Ok(Greeting::Http1) => Err(ConnectError::Http1),
            Ok(Greeting::Unknown) => Err(ConnectError::NotHttp2),
            Err(_) => Err(ConnectError::Closed("by the peer".to_owned())),
        },
        ended = &mut driver => Err(ConnectError::Closed(match ended {
            Ok(()) => "by the peer".to_owned(),
            Err(error) => describe(&error),
        })),
    }
}

fn http2(settings: &Settings) -> Builder<Spawner> {
    let mut builder = Builder::new(Spawner(Handle::current()));
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BYTES_MAX)
        .max_header_list_size(settings.headers_bytes_max.get())
        .keep_alive_interval(settings.keepalive_interval)
        .keep_alive_timeout(settings.keepalive_timeout)
        .keep_alive_while_idle(settings.keepalive == Keepalive::Always);
    builder
}

/// An error of hyper with what is behind it: hyper itself only says "connection error".
pub(super) fn describe(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Drives hyper's side of a connection, and keeps what the peer allows.
pub(super) struct Driver {
    connection: Connection<TokioIo<Watched>, Sending, Spawner>,
    streams_max: Arc<AtomicUsize>,
}

impl Future for Driver {
    type Output = hyper::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = Pin::new(&mut self.connection).poll(cx);
        self.streams_max.store(self.connection.current_max_send_streams(), Ordering::Relaxed);
        ended
    }
}

/// Runs hyper's tasks on the channel's runtime.
#[derive(Clone, Debug)]
pub(super) struct Spawner(Handle);

impl<F> hyper::rt::Executor<F> for Spawner
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}
