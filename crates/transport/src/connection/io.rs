//! The bytes of a connection: plain or TLS, with an eye on frames and on sockets that do not
//! take what is written.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsStream;

use super::Connection;
use crate::ending::Ending;
use crate::frames::{FrameWatch, Verdict, goaway_enhance_your_calm};

/// A socket of either kind.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A connection's bytes, in plaintext or not, of either side. One type, so that hyper is
/// compiled once.
#[derive(Debug)]
pub(crate) enum Wire {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

macro_rules! with_inner {
    ($self:expr, $type:ident { $($variant:ident),* }, $inner:ident => $body:expr) => {
        match $self {
            $($type::$variant($inner) => $body,)*
        }
    };
}

macro_rules! delegate {
    ($type:ident { $($variant:ident),* }) => {
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                with_inner!(self.get_mut(), $type { $($variant),* }, inner =>
                    Pin::new(inner).poll_read(cx, buf))
            }
        }

        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                with_inner!(self.get_mut(), $type { $($variant),* }, inner =>
                    Pin::new(inner).poll_write(cx, bytes))
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                with_inner!(self.get_mut(), $type { $($variant),* }, inner =>
                    Pin::new(inner).poll_write_vectored(cx, slices))
            }

            fn is_write_vectored(&self) -> bool {
                with_inner!(self, $type { $($variant),* }, inner => inner.is_write_vectored())
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                with_inner!(self.get_mut(), $type { $($variant),* }, inner =>
                    Pin::new(inner).poll_flush(cx))
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                with_inner!(self.get_mut(), $type { $($variant),* }, inner =>
                    Pin::new(inner).poll_shutdown(cx))
            }
        }
    };
}

delegate!(Socket { Tcp, Unix });
delegate!(Wire { Plain, Tls });

/// What hyper reads from and writes to.
#[derive(Debug)]
pub(super) struct Guarded {
    wire: Wire,
    /// Bytes that were read to find out the protocol.
    prefix: Bytes,
    /// Of HTTP/2 only.
    frames: Option<FrameWatch>,
    connection: Arc<Connection>,
}

impl Guarded {
    pub(super) fn new(
        wire: Wire,
        prefix: Bytes,
        frames: Option<FrameWatch>,
        connection: Arc<Connection>,
    ) -> Self {
        Self { wire, prefix, frames, connection }
    }

    fn is_tls(&self) -> bool {
        matches!(self.wire, Wire::Tls(_))
    }

    /// Looks at what has arrived. An error ends the connection.
    fn look(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        let Some(frames) = &mut self.frames else { return Ok(()) };
        let ended_before = frames.ended();
        let verdict = frames.read(bytes);
        note_unended(&self.connection, frames, false);
        if frames.ended() != ended_before {
            self.connection.rest_awaited.end();
            self.connection.note(super::SEEN_SPEAKING);
        }
        match verdict {
            Verdict::Fine => Ok(()),
            Verdict::Flood => {
                self.connection.order(super::Order::Close, Ending::Flood);
                self.say_calm_down(cx);
                Err(io::Error::other("too many frames that bring nothing"))
            }
        }
    }

    /// Tells the peer why, if the socket takes it now and no frame is half written.
    fn say_calm_down(&mut self, cx: &mut Context<'_>) {
        let Some(frames) = &self.frames else { return };
        if frames.is_between_written_frames() {
            let goaway = goaway_enhance_your_calm(frames.last_stream());
            // Whether it arrives or not, the connection is closed.
            let _ = Pin::new(&mut self.wire).poll_write(cx, &goaway);
            let _ = Pin::new(&mut self.wire).poll_flush(cx);
        }
    }

    /// Notes whether the socket takes bytes.
    fn note_written(&mut self, written: &Poll<io::Result<usize>>, slices: &[io::IoSlice<'_>]) {
        match written {
            Poll::Pending => self.connection.write_stalled.begin(),
            Poll::Ready(Ok(count)) => {
                // What TLS has taken is on the wire when it was flushed.
                if !self.is_tls() {
                    self.connection.write_stalled.end();
                }
                if let Some(frames) = &mut self.frames {
                    let before = (frames.unended(), frames.data_written());
                    let mut left = *count;
                    for slice in slices {
                        let part = slice.len().min(left);
                        frames.written(&slice[..part]);
                        left -= part;
                    }
                    let after = (frames.unended(), frames.data_written());
                    note_unended(&self.connection, frames, after != before);
                }
            }
            Poll::Ready(Err(_)) => {}
        }
    }
}

/// Keeps the time since which the peer takes nothing of the streams that are open.
fn note_unended(connection: &Connection, frames: &FrameWatch, has_taken: bool) {
    match frames.unended() {
        0 => connection.unended.end(),
        _ if has_taken => connection.unended.begin_again(),
        _ => connection.unended.begin(),
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        if this.prefix.has_remaining() {
            buf.put_slice(&this.prefix.split_to(this.prefix.len().min(buf.remaining())));
        } else if Pin::new(&mut this.wire).poll_read(cx, buf)?.is_pending() {
            if this.frames.as_ref().is_some_and(FrameWatch::owes_rest) {
                this.connection.rest_awaited.begin();
            }
            return Poll::Pending;
        }
        this.look(&buf.filled()[before..], cx)?;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.wire).poll_write(cx, bytes);
        this.note_written(&written, &[io::IoSlice::new(bytes)]);
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.wire).poll_write_vectored(cx, slices);
        this.note_written(&written, slices);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.wire.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.wire).poll_flush(cx);
        match &flushed {
            Poll::Pending => this.connection.write_stalled.begin(),
            Poll::Ready(_) if this.is_tls() => this.connection.write_stalled.end(),
            Poll::Ready(_) => {}
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().wire).poll_shutdown(cx)
    }
}
