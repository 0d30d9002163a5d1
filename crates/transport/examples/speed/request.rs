//! Requests, written beforehand: only their stream number changes.

use crate::frame::{self, Kind, flag};

/// The method that is called: an empty question, an empty answer.
pub(crate) const PATH: &str = "/Recommendations/Recommend";

const USER_AGENT: &str = concat!("foreword-speed/", env!("CARGO_PKG_VERSION"));

/// The requests of one connection.
///
/// The first puts its fields into the server's dynamic table, as real clients do, and all others
/// name them by their place there.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    first: Request,
    other: Request,
}

/// The frames of one request.
#[derive(Clone, Debug)]
struct Request {
    frames: Vec<u8>,
    /// Where the second frame begins.
    data_at: usize,
}

impl Requests {
    /// Requests whose message has so many bytes: 0, or 2 to 127.
    pub(crate) fn new(secure: bool, message_len: usize) -> Self {
        // Static fields: POST, and the scheme.
        let scheme = if secure { 0x87 } else { 0x86 };
        let mut first = vec![0x83, scheme];
        let mut other = first.clone();
        // Literals that are to be kept; static names: path, authority, content type, user agent.
        for (name, value) in
            [(0x44, PATH), (0x41, "localhost"), (0x5f, "application/grpc"), (0x7a, USER_AGENT)]
        {
            first.push(name);
            push_text(&mut first, value);
        }
        first.push(0x40);
        push_text(&mut first, "te");
        push_text(&mut first, "trailers");
        // The newest is number 62.
        other.extend((62..=66).rev().map(|index| 0x80 | index));
        let message = message(message_len);
        Self { first: Request::new(&first, &message), other: Request::new(&other, &message) }
    }

    /// How much of the flow-control windows one request takes.
    pub(crate) fn window(&self) -> i64 {
        let data = self.other.frames.len() - self.other.data_at - frame::HEAD_LEN;
        i64::try_from(data).expect("a message has at most 127 bytes")
    }

    /// Writes the request of a stream. Streams of a connection begin with 1.
    pub(crate) fn write(&self, stream: u32, out: &mut Vec<u8>) {
        let request = if stream == 1 { &self.first } else { &self.other };
        let begin = out.len();
        out.extend_from_slice(&request.frames);
        for head in [begin, begin + request.data_at] {
            out[head + 5..head + 9].copy_from_slice(&stream.to_be_bytes());
        }
    }
}

impl Request {
    fn new(block: &[u8], message: &[u8]) -> Self {
        let mut frames = Vec::new();
        frame::write(&mut frames, Kind::Headers, flag::END_HEADERS, 0, block);
        let data_at = frames.len();
        let mut data = vec![0];
        data.extend((message.len() as u32).to_be_bytes());
        data.extend(message);
        frame::write(&mut frames, Kind::Data, flag::END_STREAM, 0, &data);
        Self { frames, data_at }
    }
}

/// A message of so many bytes: one field that the contract does not know, number 15.
fn message(length: usize) -> Vec<u8> {
    let Some(rest) = length.checked_sub(2) else { return Vec::new() };
    let mut message = vec![0x7a, rest as u8];
    message.resize(length, b'x');
    message
}

fn push_text(block: &mut Vec<u8>, text: &str) {
    block.push(text.len() as u8);
    block.extend(text.as_bytes());
}
