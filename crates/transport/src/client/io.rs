//! The bytes of a connection to a peer: the first ones must be HTTP/2, and what is written must
//! be taken in time.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

use crate::connection::Wire;

/// Bytes before the payload of a frame; the type is the fourth.
const HEAD: usize = 9;
const TYPE: usize = 3;
const SETTINGS: u8 = 4;

/// What a peer said first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    /// A frame of HTTP/2 with its settings, as every server begins.
    Http2,
    /// An answer of HTTP/1.
    Http1,
    /// Something else.
    Unknown,
}

/// What hyper reads from and writes to.
pub(super) struct Watched {
    wire: Wire,
    first: [u8; HEAD],
    seen: usize,
    /// Told once what the peer said first.
    greeting: Option<oneshot::Sender<Greeting>>,
    write_timeout: Duration,
    /// Runs while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    pub(super) fn new(wire: Wire, write_timeout: Duration) -> (Self, oneshot::Receiver<Greeting>) {
        let (greeting, greeted) = oneshot::channel();
        let greeting = Some(greeting);
        let first = [0; HEAD];
        (Self { wire, first, seen: 0, greeting, write_timeout, stalled: None }, greeted)
    }

    fn look(&mut self, bytes: &[u8]) {
        let taken = bytes.len().min(HEAD - self.seen);
        self.first[self.seen..self.seen + taken].copy_from_slice(&bytes[..taken]);
        self.seen += taken;
        if self.seen == HEAD
            && let Some(greeting) = self.greeting.take()
        {
            let found = match &self.first {
                first if first.starts_with(b"HTTP/1.") => Greeting::Http1,
                first if first[TYPE] == SETTINGS => Greeting::Http2,
                _ => Greeting::Unknown,
            };
            // Nobody asks any more if the time was up.
            let _ = greeting.send(found);
        }
    }

    /// Passes on what a write came to, unless the peer has taken nothing for too long.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timeout = self.write_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(stalled.as_mut().poll(cx));
        let error = format!("the peer took nothing for {timeout:?}");
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, error)))
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.wire).poll_read(cx, buf))?;
        if this.seen < HEAD {
            this.look(&buf.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.wire).poll_write(cx, bytes);
        this.in_time(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.wire).poll_write_vectored(cx, slices);
        this.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.wire).poll_flush(cx);
        this.in_time(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.wire).poll_shutdown(cx);
        this.in_time(cx, shut)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixStream;

    use super::*;
    use crate::connection::Socket;

    /// Both ends of a connection, and what the near one will tell of the far one.
    fn pair(write_timeout: Duration) -> (Watched, UnixStream, oneshot::Receiver<Greeting>) {
        let (near, far) = UnixStream::pair().unwrap();
        let (near, greeted) = Watched::new(Wire::Plain(Socket::Unix(near)), write_timeout);
        (near, far, greeted)
    }

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (mut near, _far, _greeted) = pair(Duration::from_millis(50));
        let error = near.write_all(&[0; 16 << 20]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_takes_little_at_a_time_is_not_given_up() {
        let (mut near, mut far, _greeted) = pair(Duration::from_secs(60));
        let reading = tokio::spawn(async move {
            let mut taken = Vec::new();
            far.read_to_end(&mut taken).await.map(|_| taken.len())
        });
        near.write_all(&[0; 4 << 20]).await.unwrap();
        near.shutdown().await.unwrap();
        assert_eq!(reading.await.unwrap().unwrap(), 4 << 20);
    }

    #[tokio::test]
    async fn a_peer_is_known_by_its_first_bytes_however_they_come() {
        for (said, expected) in [
            (&b"\0\0\x06\x04\0\0\0\0\0abcdef"[..], Greeting::Http2),
            (b"HTTP/1.1 400 Bad Request", Greeting::Http1),
            (b"SSH-2.0-OpenSSH", Greeting::Unknown),
        ] {
            let (mut near, mut far, greeted) = pair(Duration::from_secs(60));
            let mut byte = [0];
            for one in said {
                far.write_all(&[*one]).await.unwrap();
                near.read_exact(&mut byte).await.unwrap();
            }
            assert_eq!(greeted.await.unwrap(), expected);
        }
    }
}
