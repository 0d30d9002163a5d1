//! Which protocol a peer speaks: its first bytes are HTTP/2's preface, or they are HTTP/1.1.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt as _;

use super::io::Wire;
use crate::frames::PREFACE;

/// What a peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// Reads until it is known. Returns what was read as well: it belongs to the protocol.
pub(super) async fn sniff(wire: &mut Wire) -> io::Result<(Protocol, Bytes)> {
    let mut read = BytesMut::with_capacity(PREFACE.len());
    loop {
        let is_preface_so_far = PREFACE.starts_with(&read);
        if !is_preface_so_far {
            return Ok((Protocol::Http1, read.freeze()));
        }
        if read.len() == PREFACE.len() {
            return Ok((Protocol::Http2, read.freeze()));
        }
        let room = PREFACE.len() - read.len();
        let count = (&mut *wire).take(room as u64).read_buf(&mut read).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
