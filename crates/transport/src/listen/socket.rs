//! One bound socket of either kind, and the sockets that it accepts.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use socket2::{Domain, Socket, Type};

use super::Address;

/// The longest queue of connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// A bound socket that does not block.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, Option<Bound>),
}

/// A socket's file, removed with it.
#[derive(Debug)]
pub(crate) struct Bound(PathBuf);

impl Drop for Bound {
    fn drop(&mut self) {
        // Whoever comes next replaces it if this fails.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A connection that was just accepted.
#[derive(Debug)]
pub(crate) enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl Listener {
    pub(super) fn bind(address: &Address) -> io::Result<Vec<Self>> {
        Ok(match address {
            Address::Tcp(address) => vec![Self::Tcp(bind_tcp(*address)?)],
            Address::Unix(path) => vec![bind_unix(path)?],
            Address::Systemd => inherited()?,
        })
    }

    pub(super) fn address(&self) -> io::Result<Address> {
        Ok(match self {
            Self::Tcp(listener) => Address::Tcp(listener.local_addr()?),
            Self::Unix(listener, _) => {
                let address = listener.local_addr()?;
                Address::Unix(address.as_pathname().unwrap_or(Path::new("")).to_owned())
            }
        })
    }

    /// Makes the acceptor's runtime wake its task when there is a connection.
    pub(crate) fn register(self) -> io::Result<Registered> {
        Ok(match self {
            Self::Tcp(listener) => Registered::Tcp(tokio::net::TcpListener::from_std(listener)?),
            Self::Unix(listener, bound) => {
                Registered::Unix(bound, tokio::net::UnixListener::from_std(listener)?)
            }
        })
    }
}

/// A listener in the acceptor's runtime.
pub(crate) enum Registered {
    Tcp(tokio::net::TcpListener),
    Unix(
        #[expect(dead_code, reason = "removes the file, before the socket closes")] Option<Bound>,
        tokio::net::UnixListener,
    ),
}

impl Registered {
    /// The next connection, in no runtime yet: it is for a loop to register it.
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Answers are small and whole: waiting for more to send only delays them.
                stream.set_nodelay(true)?;
                Ok(Accepted::Tcp(stream.into_std()?, peer))
            }
            Self::Unix(_, listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Accepted::Unix(stream.into_std()?))
            }
        }
    }
}

impl Accepted {
    /// The address of the peer, over TCP.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(_, peer) => Some(*peer),
            Self::Unix(_) => None,
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Replaces a socket that nobody answers on; anything else at that place is left alone.
fn bind_unix(path: &Path) -> io::Result<Listener> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if is_socket && is_abandoned(path)? {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    Ok(Listener::Unix(listener, Some(Bound(path.to_owned()))))
}

/// Whether nobody listens on a socket any more.
fn is_abandoned(path: &Path) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // A server with a full queue would let a blocking one wait.
    socket.set_nonblocking(true)?;
    let refused = socket.connect(&socket2::SockAddr::unix(path)?).err().map(|error| error.kind());
    Ok(refused == Some(io::ErrorKind::ConnectionRefused))
}

/// Takes the sockets that a supervisor has bound for this process.
fn inherited() -> io::Result<Vec<Listener>> {
    let mut handed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..handed.len() {
        let listener = match handed.take_tcp_listener(index) {
            Ok(Some(listener)) => {
                listener.set_nonblocking(true)?;
                Listener::Tcp(listener)
            }
            Ok(None) => continue,
            Err(_) => match handed.take_unix_listener(index)? {
                Some(listener) => {
                    listener.set_nonblocking(true)?;
                    Listener::Unix(listener, None)
                }
                None => continue,
            },
        };
        listeners.push(listener);
    }
    if listeners.is_empty() {
        let message = "no sockets were handed over: LISTEN_FDS and LISTEN_PID are not set for \
            this process";
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    Ok(listeners)
}
