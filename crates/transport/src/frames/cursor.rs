//! Where in a sequence of frames a piece of bytes begins and ends: RFC 9113, section 4.1.

/// Bytes of a frame's head.
const HEAD: usize = 9;

/// The head of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) len: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

/// A place in a sequence of frames.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    head: [u8; HEAD],
    head_len: usize,
    /// Bytes of the payload that are still to come.
    skip: usize,
}

impl Cursor {
    /// Behind so many bytes that are no frame.
    pub(super) fn behind(skip: usize) -> Self {
        Self { skip, ..Self::default() }
    }

    /// Goes on to the end of the next head, and returns it with the bytes behind it.
    pub(super) fn next<'a>(&mut self, mut bytes: &'a [u8]) -> (Option<Head>, &'a [u8]) {
        let payload = self.skip.min(bytes.len());
        self.skip -= payload;
        bytes = &bytes[payload..];
        let part = (HEAD - self.head_len).min(bytes.len());
        self.head[self.head_len..self.head_len + part].copy_from_slice(&bytes[..part]);
        self.head_len += part;
        bytes = &bytes[part..];
        if self.head_len < HEAD {
            return (None, bytes);
        }
        self.head_len = 0;
        let [a, b, c, kind, flags, stream @ ..] = self.head;
        let len = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        self.skip = len;
        let stream = u32::from_be_bytes(stream) & 0x7fff_ffff;
        (Some(Head { len, kind, flags, stream }), bytes)
    }

    pub(super) fn is_within(&self) -> bool {
        self.head_len > 0 || self.is_within_payload()
    }

    /// Whether the frame whose head was read last is still to end.
    pub(super) fn is_within_payload(&self) -> bool {
        self.skip > 0
    }
}
