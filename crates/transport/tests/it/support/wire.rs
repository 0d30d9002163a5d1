//! A connection whose frames are written and read by hand.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::within;
use crate::frames::{PREFACE, flag, frame, kind};

/// A peer without a library.
pub(crate) struct Wire {
    socket: TcpStream,
    answers_pings: bool,
}

/// A frame that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Wire {
    /// Connects and says nothing.
    pub(crate) async fn silent(address: SocketAddr) -> Self {
        Self { socket: TcpStream::connect(address).await.unwrap(), answers_pings: true }
    }

    /// Connects and opens HTTP/2; then says these bytes, in the same breath.
    pub(crate) async fn open(address: SocketAddr, bytes: &[u8]) -> Self {
        let mut wire = Self::silent(address).await;
        wire.say(&[PREFACE, &frame(kind::SETTINGS, 0, 0, &[]), bytes].concat()).await;
        wire
    }

    /// Answers PINGs no more.
    pub(crate) fn deaf(self) -> Self {
        Self { answers_pings: false, ..self }
    }

    pub(crate) async fn say(&mut self, bytes: &[u8]) {
        within(self.socket.write_all(bytes)).await.unwrap();
    }

    /// The next frame; none if the connection was closed.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        within(self.socket.read_exact(&mut head)).await.ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let len = u32::from_be_bytes([0, a, b, c]) as usize;
        let mut payload = vec![0; len];
        within(self.socket.read_exact(&mut payload)).await.ok()?;
        if kind == kind::PING && flags & flag::ACK == 0 && self.answers_pings {
            // The connection may be closed meanwhile, which the next frame tells.
            let _ = self.socket.write_all(&frame(kind::PING, flag::ACK, 0, &payload)).await;
        }
        Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
    }

    /// The next frame of a kind; those in between are left out.
    pub(crate) async fn next_of(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.next().await.expect("the connection was closed");
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// What arrives until the connection is closed.
    pub(crate) async fn rest(mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }
}

impl Frame {
    /// The number at a place of the payload.
    pub(crate) fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    /// The error code of a GOAWAY frame.
    pub(crate) fn goaway_code(&self) -> u32 {
        assert_eq!(self.kind, kind::GOAWAY);
        self.number(4)
    }

    pub(crate) fn ends_stream(&self) -> bool {
        matches!(self.kind, kind::DATA | kind::HEADERS) && self.flags & flag::END_STREAM != 0
    }
}
