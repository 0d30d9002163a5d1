//! HTTP/2 frames, counted as they pass: what h2 does not defend.
//!
//! h2 answers every PING and SETTINGS frame for as long as it is asked: millions a second keep a
//! core busy. So every frame that costs work and brings nothing takes from an allowance
//! that grows with time and with useful traffic; when it is used up, the connection is closed.
//!
//! | frame | takes |
//! | --- | --- |
//! | `PING`, `SETTINGS`, `PRIORITY`, `GOAWAY`, `PUSH_PROMISE`, unknown ones | 1 |
//! | `WINDOW_UPDATE` | 1; four are earned by each frame of data that was sent to the peer |
//! | `DATA` without a byte that does not end its stream, `CONTINUATION` | 1 |
//! | `RST_STREAM`, read or written | 1 of an allowance of its own; each written end of a stream earns two |
//! | `HEADERS`, `DATA` of 1 KiB and more | nothing; each earns one, up to the burst |
//! | `DATA` of less | nothing |
//!
//! It also knows what each side still owes: the peer the rest of a frame or a block of headers
//! that it has begun, and the server the ends of streams that it has not written yet.
//!
//! Only the nine bytes of each frame's head are looked at. Nothing is copied or changed.

mod allowance;
mod cursor;

use std::time::Instant;

use self::allowance::Allowance;
use self::cursor::{Cursor, Head};

/// The connection preface of a client, RFC 9113 section 3.4.
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What each sent frame of data earns: a peer answers it with one or two window updates, and
/// some measure the bandwidth with a PING.
const EARNED_BY_SENT_DATA: u32 = 4;

/// A frame with so much data earns one that only costs.
const EARNING_DATA: usize = 1024;

/// More streams than any server lets be open: whoever opens them does not listen.
const UNENDED_MAX: usize = 10_000;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// What is allowed of frames that bring nothing.
#[derive(Clone, Copy, Debug)]
pub struct FrameRates {
    /// Frames a second that only cost.
    pub control_per_second: u32,
    /// Streams that are reset a second.
    pub resets_per_second: u32,
}

/// Whether a connection may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Fine,
    /// Its allowance is used up.
    Flood,
}

/// Counts the frames of one connection.
#[derive(Debug)]
pub struct FrameWatch {
    read: Cursor,
    written: Cursor,
    /// A frame's head was read and its end was not counted.
    is_in_frame: bool,
    /// Between HEADERS and the CONTINUATION that ends it.
    in_headers: bool,
    /// Within the payload of a frame of data.
    in_data: bool,
    /// Frames, and blocks of headers, that were read whole.
    ended: u64,
    last_stream: u32,
    /// Streams that the peer has opened and whose end was not written, in no order. There are
    /// never many: h2 resets what is beyond the limit of streams.
    unended: Vec<u32>,
    /// Bytes of data that were written.
    data_written: u64,
    /// The allowance was used up by what the peer made the server write.
    is_flooded: bool,
    control: Allowance,
    resets: Allowance,
}

impl FrameWatch {
    /// A watch over a connection whose preface comes first.
    #[must_use]
    pub fn new(rates: FrameRates) -> Self {
        let now = Instant::now();
        Self {
            read: Cursor::behind(PREFACE.len()),
            written: Cursor::default(),
            is_in_frame: false,
            in_headers: false,
            in_data: false,
            ended: 0,
            last_stream: 0,
            unended: Vec::new(),
            data_written: 0,
            is_flooded: false,
            control: Allowance::new(rates.control_per_second, now),
            resets: Allowance::new(rates.resets_per_second, now),
        }
    }

    /// Looks at bytes from the peer, in any pieces.
    pub fn read(&mut self, mut bytes: &[u8]) -> Verdict {
        while !bytes.is_empty() {
            let (head, rest) = self.read.next(bytes);
            bytes = rest;
            let Some(head) = head else { continue };
            if self.takes(head) == Verdict::Flood || self.is_flooded {
                return Verdict::Flood;
            }
        }
        // Even if the next head has begun.
        if !self.read.is_within_payload() {
            self.end_frame();
            self.in_data = false;
        }
        Verdict::Fine
    }

    /// Looks at bytes to the peer, in any pieces.
    pub fn written(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (head, rest) = self.written.next(bytes);
            bytes = rest;
            let Some(head) = head else { continue };
            match head.kind {
                DATA => {
                    self.data_written += head.len as u64;
                    self.control.earn(EARNED_BY_SENT_DATA);
                }
                // The peer answers it by one of the same kind.
                PING | SETTINGS if head.flags & ACK == 0 => self.control.earn(1),
                _ => {}
            }
            let may_end = head.kind == DATA || head.kind == HEADERS;
            if may_end && head.flags & END_STREAM != 0 {
                self.end(head.stream);
                // Whoever gives calls up one by one, and gets answers to others, is no flood. A
                // refusal that comes before its message is one end and up to two resets.
                self.resets.earn(2);
            } else if head.kind == RST_STREAM {
                self.end(head.stream);
                self.is_flooded |= self.resets.take() == Verdict::Flood;
            }
        }
    }

    /// Bytes of data that were written so far.
    #[must_use]
    pub fn data_written(&self) -> u64 {
        self.data_written
    }

    /// Streams whose end was not written yet. Whoever has answered all of them and sees this
    /// above 0 has answers that the peer does not take.
    #[must_use]
    pub fn unended(&self) -> usize {
        self.unended.len()
    }

    /// Whether the peer has begun something that it must end soon: its preface and first frame, a
    /// frame, or a block of headers. Not data, which a slow network may hold up: messages have a
    /// time of their own.
    #[must_use]
    pub fn owes_rest(&self) -> bool {
        let is_within = self.read.is_within() && !self.in_data;
        self.ended == 0 || self.in_headers || is_within
    }

    /// How many frames, each block of headers counting as one, were read whole.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.ended
    }

    /// Whether a frame may be written now without tearing another apart.
    #[must_use]
    pub fn is_between_written_frames(&self) -> bool {
        !self.written.is_within()
    }

    /// The highest stream that the peer has opened.
    #[must_use]
    pub fn last_stream(&self) -> u32 {
        self.last_stream
    }

    fn takes(&mut self, head: Head) -> Verdict {
        // A new head means that the frame before it is complete.
        self.end_frame();
        self.is_in_frame = true;
        self.in_data = head.kind == DATA;
        let is_continuation = head.kind == CONTINUATION;
        if head.kind == HEADERS || is_continuation {
            self.in_headers = head.flags & END_HEADERS == 0;
        }
        match head.kind {
            HEADERS => {
                if head.stream > self.last_stream {
                    self.last_stream = head.stream;
                    self.unended.push(head.stream);
                }
                self.control.earn(1);
                // h2 answers what is beyond the limit of streams, and after the end nothing.
                if self.unended.len() > UNENDED_MAX { Verdict::Flood } else { Verdict::Fine }
            }
            DATA if head.len >= EARNING_DATA => {
                self.control.earn(1);
                Verdict::Fine
            }
            DATA if head.len > 0 || head.flags & END_STREAM != 0 => Verdict::Fine,
            RST_STREAM => {
                self.end(head.stream);
                self.resets.take()
            }
            _ => self.control.take(),
        }
    }

    fn end(&mut self, stream: u32) {
        if let Some(place) = self.unended.iter().position(|open| *open == stream) {
            self.unended.swap_remove(place);
        }
    }

    /// Counts the frame that was begun, unless the block of headers goes on.
    fn end_frame(&mut self) {
        self.ended += u64::from(self.is_in_frame && !self.in_headers);
        self.is_in_frame = false;
    }
}

/// A frame that says "calm down": `GOAWAY` with `ENHANCE_YOUR_CALM`.
#[must_use]
pub(crate) fn goaway_enhance_your_calm(last_stream: u32) -> [u8; 17] {
    let mut frame = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb];
    frame[9..13].copy_from_slice(&last_stream.to_be_bytes());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: FrameRates = FrameRates { control_per_second: 1, resets_per_second: 2 };
    const HEAD: usize = 9;

    fn frame(kind: u8, flags: u8, stream: u32, payload: usize) -> Vec<u8> {
        let mut bytes = (payload as u32).to_be_bytes()[1..].to_vec();
        bytes.extend([kind, flags]);
        bytes.extend(stream.to_be_bytes());
        bytes.resize(HEAD + payload, 0);
        bytes
    }

    fn opened() -> FrameWatch {
        let mut watch = FrameWatch::new(RATES);
        assert_eq!(watch.read(PREFACE), Verdict::Fine);
        assert!(watch.owes_rest(), "the first frame is still to come");
        assert_eq!(watch.read(&frame(SETTINGS, 0, 0, 12)), Verdict::Fine);
        assert!(!watch.owes_rest());
        watch
    }

    fn how_many(watch: &mut FrameWatch, bytes: &[u8]) -> usize {
        (0..1000).take_while(|_| watch.read(bytes) == Verdict::Fine).count()
    }

    #[test]
    fn frames_that_only_cost_use_up_their_allowance() {
        assert_eq!(how_many(&mut opened(), &frame(PING, 0, 0, 8)), 9);
        assert_eq!(how_many(&mut opened(), &frame(SETTINGS, 0, 0, 0)), 9);
        assert_eq!(how_many(&mut opened(), &frame(0xfa, 0, 0, 100)), 9);
        assert_eq!(how_many(&mut opened(), &frame(DATA, 0, 1, 0)), 9);
        assert_eq!(how_many(&mut opened(), &frame(RST_STREAM, 0, 1, 4)), 20);
    }

    #[test]
    fn useful_frames_are_free_and_earn() {
        let mut watch = opened();
        assert_eq!(how_many(&mut watch, &frame(DATA, 0, 1, 7)), 1000);
        let pair = [frame(HEADERS, END_HEADERS, 1, 30), frame(PING, 0, 0, 8)].concat();
        assert_eq!(how_many(&mut watch, &pair), 1000);
        for _ in 0..1000 {
            watch.written(&frame(DATA, 0, 1, 100));
            assert_eq!(watch.read(&frame(8, 0, 1, 4).repeat(2)), Verdict::Fine);
        }
    }

    #[test]
    fn the_end_of_a_stream_may_be_an_empty_frame() {
        assert_eq!(how_many(&mut opened(), &frame(DATA, END_STREAM, 1, 0)), 1000);
    }

    #[test]
    fn pieces_of_any_size_count_alike() {
        let bytes = [
            PREFACE.to_vec(),
            frame(SETTINGS, 0, 0, 6),
            frame(HEADERS, END_HEADERS, 7, 5),
            frame(DATA, END_STREAM, 7, 300),
        ]
        .concat();
        for size in 1..bytes.len() {
            let mut watch = FrameWatch::new(RATES);
            for piece in bytes.chunks(size) {
                assert_eq!(watch.read(piece), Verdict::Fine);
            }
            assert_eq!((watch.ended(), watch.last_stream()), (3, 7), "in pieces of {size}");
            assert!(!watch.owes_rest());
        }
    }

    #[test]
    fn a_frame_has_ended_even_if_the_next_one_has_begun() {
        let mut watch = FrameWatch::new(RATES);
        watch.read(PREFACE);
        watch.read(&[frame(SETTINGS, 0, 0, 6), frame(PING, 0, 0, 8)[..5].to_vec()].concat());
        assert_eq!(watch.ended(), 1);
        assert!(watch.owes_rest(), "the PING is still to come");
    }

    #[test]
    fn a_block_of_headers_is_owed_to_its_end() {
        let mut watch = opened();
        watch.read(&frame(HEADERS, 0, 1, 10));
        assert!(watch.owes_rest());
        watch.read(&frame(CONTINUATION, 0, 1, 10));
        assert!(watch.owes_rest());
        watch.read(&frame(CONTINUATION, END_HEADERS, 1, 10));
        assert!(!watch.owes_rest());
    }

    #[test]
    fn a_stream_is_unended_until_its_end_is_written_or_it_is_reset() {
        let mut watch = opened();
        for stream in [1, 3, 5, 7] {
            watch.read(&frame(HEADERS, END_HEADERS | END_STREAM, stream, 10));
        }
        watch.written(&frame(HEADERS, END_HEADERS, 1, 10));
        watch.written(&frame(DATA, 0, 1, 10));
        assert_eq!(watch.unended(), 4);
        watch.written(&frame(HEADERS, END_HEADERS | END_STREAM, 1, 10));
        watch.written(&frame(DATA, END_STREAM, 3, 10));
        watch.written(&frame(RST_STREAM, 0, 5, 4));
        assert_eq!(watch.unended(), 1);
        watch.read(&frame(RST_STREAM, 0, 7, 4));
        watch.read(&frame(RST_STREAM, 0, 7, 4));
        assert_eq!(watch.unended(), 0);
    }
}
