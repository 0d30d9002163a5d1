//! The framing of messages says the same of the same bytes, in whatever pieces they come, and
//! agrees with a second reader that sees all bytes at once.
//!
//! An input is two bytes with the longest message allowed, two that choose the pieces, and then
//! the bytes of a body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use transport::{Framing, FramingError};

const HEAD: usize = 5;

fuzz_target!(|input: &[u8]| {
    let [high, low, first, then, body @ ..] = input else { return };
    let max = usize::from(u16::from_be_bytes([*high, *low]));
    let expected = by_hand(body, max);
    assert_eq!(follow([body], max), expected);
    let sizes = [usize::from(*first).max(1), usize::from(*then).max(1)];
    let mut pieces = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(sizes[pieces.len() % 2].min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    assert_eq!(follow(pieces, max), expected);
});

/// How a body was read, how many messages have begun, and what is left of the last one.
type Seen = (Result<(), FramingError>, u64, Option<usize>);

fn follow<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, max: usize) -> Seen {
    let mut framing = Framing::default();
    let result = pieces.into_iter().try_for_each(|piece| framing.read(piece, max));
    // Of a body that was refused nothing is left to be read.
    let unfinished = if result.is_ok() { framing.unfinished() } else { None };
    (result, framing.begun(), unfinished)
}

fn by_hand(mut body: &[u8], max: usize) -> Seen {
    let mut begun = 0;
    while let Some((head, rest)) = body.split_at_checked(HEAD) {
        let found = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if head[0] > 1 {
            return (Err(FramingError::Flag { found: head[0] }), begun, None);
        }
        if found > max {
            return (Err(FramingError::TooLong { found, max }), begun, None);
        }
        begun += 1;
        match rest.get(found..) {
            Some(behind) => body = behind,
            None => return (Ok(()), begun, Some(found)),
        }
    }
    (Ok(()), begun, (!body.is_empty()).then_some(0))
}
