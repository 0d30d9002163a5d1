//! The frame counter says the same of the same bytes, in whatever pieces they come, and what it
//! says of streams agrees with a second reader that sees all bytes at once.
//!
//! An input is one byte that chooses the allowance, two that choose the pieces, two with the
//! number of bytes from the peer, those, and then the bytes to the peer.

#![no_main]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use transport::frames::{FrameRates, FrameWatch, Verdict};

const PREFACE_LEN: usize = 24;
const HEAD: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 1;

fuzz_target!(|input: &[u8]| {
    let [allowance, first, then, high, low, bytes @ ..] = input else { return };
    let len = usize::from(u16::from_be_bytes([*high, *low])).min(bytes.len());
    let (read, written) = bytes.split_at(len);
    let started = Instant::now();
    let whole = watch(*allowance, [read], [written]);
    let sizes = [usize::from(*first).max(1), usize::from(*then).max(1)];
    let pieces = watch(*allowance, Pieces::new(read, sizes), Pieces::new(written, sizes));
    // Time gives the allowance back: only what took next to none is sure to be alike.
    if started.elapsed() < Duration::from_millis(500) {
        assert_eq!(whole, pieces);
    }
    if whole.verdict == Verdict::Fine {
        hold_streams(&whole, read, written);
    }
});

/// Everything that a watch says.
#[derive(Debug, PartialEq)]
struct Says {
    verdict: Verdict,
    ended: u64,
    last_stream: u32,
    unended: usize,
    data_written: u64,
    owes_rest: bool,
    is_between_written_frames: bool,
}

fn watch<'a>(
    allowance: u8,
    read: impl IntoIterator<Item = &'a [u8]>,
    written: impl IntoIterator<Item = &'a [u8]>,
) -> Says {
    // 255 stands for one that never ends.
    let rate = if allowance == u8::MAX { u32::MAX } else { u32::from(allowance % 8) };
    let rates = FrameRates { control_per_second: rate, resets_per_second: rate };
    let mut watch = FrameWatch::new(rates);
    let is_flood = read.into_iter().any(|piece| watch.read(piece) == Verdict::Flood);
    let verdict = if is_flood { Verdict::Flood } else { Verdict::Fine };
    for piece in written {
        watch.written(piece);
    }
    Says {
        verdict,
        ended: watch.ended(),
        last_stream: watch.last_stream(),
        unended: watch.unended(),
        data_written: watch.data_written(),
        // After a flood nobody reads on.
        owes_rest: verdict == Verdict::Fine && watch.owes_rest(),
        is_between_written_frames: watch.is_between_written_frames(),
    }
}

/// The streams that are open, by a reader that keeps a set.
fn hold_streams(says: &Says, read: &[u8], written: &[u8]) {
    let mut open = BTreeSet::new();
    let mut last = 0;
    let mut frames = 0;
    for head in Heads(read.get(PREFACE_LEN..).unwrap_or_default()) {
        frames += 1;
        if head.kind == HEADERS && head.stream > last {
            last = head.stream;
            open.insert(head.stream);
        } else if head.kind == RST_STREAM {
            open.remove(&head.stream);
        }
    }
    let mut data_written = 0;
    for head in Heads(written) {
        if head.kind == DATA {
            data_written += u64::from(head.len);
        }
        let may_end = head.kind == DATA || head.kind == HEADERS;
        if head.kind == RST_STREAM || (may_end && head.flags & END_STREAM != 0) {
            open.remove(&head.stream);
        }
    }
    assert_eq!((says.unended, says.last_stream), (open.len(), last));
    assert_eq!(says.data_written, data_written);
    assert!(says.ended <= frames, "{} of {frames} frames have ended", says.ended);
    assert!(says.ended > 0 || says.owes_rest, "the first frame is owed");
}

struct Head {
    len: u32,
    kind: u8,
    flags: u8,
    stream: u32,
}

/// The heads that are whole, those of frames that are not whole included.
struct Heads<'a>(&'a [u8]);

impl Iterator for Heads<'_> {
    type Item = Head;

    fn next(&mut self) -> Option<Head> {
        let (head, rest) = self.0.split_at_checked(HEAD)?;
        let len = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        self.0 = rest.get(len as usize..).unwrap_or_default();
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        Some(Head { len, kind: head[3], flags: head[4], stream })
    }
}

/// Bytes in pieces of two sizes in turn.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: [usize; 2],
    turn: usize,
}

impl<'a> Pieces<'a> {
    fn new(rest: &'a [u8], sizes: [usize; 2]) -> Self {
        Self { rest, sizes, turn: 0 }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let size = self.sizes[self.turn % 2].min(self.rest.len());
        self.turn += 1;
        let (piece, rest) = self.rest.split_at(size);
        self.rest = rest;
        Some(piece)
    }
}
