//! Header blocks that do not end, end late, or are larger than they look.

use std::time::Duration;

use crate::arena::Arena;
use crate::case::{CUT_OFF, Case, Expected, USUAL};
use crate::frames::{
    LAST_KEPT, UNARY, call_block, flag, frame, head, header, kept_header, kind, stream,
};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "continuation-flood",
        attack_text: "never ends a header block: CONTINUATION after CONTINUATION (CVE-2024-27316)",
        expected_text: "GOAWAY after a few frames",
        expected: CUT_OFF,
        attack: |arena| Box::pin(continuation_flood(arena, || header(b"x", b"y").repeat(100))),
        ..USUAL
    },
    Case {
        name: "continuation-flood-empty",
        attack_text: "does the same with empty frames",
        expected_text: "GOAWAY after a few frames",
        expected: CUT_OFF,
        attack: |arena| Box::pin(continuation_flood(arena, Vec::new)),
        ..USUAL
    },
    Case {
        name: "hpack-bomb",
        attack_text: "names one large header thousands of times in one block",
        expected_text: "431 or GOAWAY; what is decoded beyond the limit is not kept",
        expected: Expected::Anything,
        attack: |arena| Box::pin(blocks(arena, hpack_bomb)),
        ..USUAL
    },
    Case {
        name: "many-headers",
        attack_text: "sends thousands of tiny headers in each call",
        expected_text: "431 or GOAWAY",
        expected: Expected::Anything,
        attack: |arena| Box::pin(blocks(arena, |_| header(b"x", b"").repeat(4_000))),
        ..USUAL
    },
    Case {
        name: "slow-headers",
        attack_text: "sends a header block byte by byte",
        expected_text: "closed at the limit of a header block",
        expected: CUT_OFF,
        cores_max: 0.5,
        attack: |arena| Box::pin(slow_headers(arena)),
        ..USUAL
    },
    Case {
        name: "slow-continuation",
        attack_text: "continues a header block with one frame every 200 ms",
        expected_text: "closed at the limit of a header block",
        expected: CUT_OFF,
        cores_max: 0.5,
        attack: |arena| Box::pin(slow_continuation(arena)),
        ..USUAL
    },
];

/// Begins a header block and continues it without end. The server gives up after a few frames,
/// before what it keeps of them grows.
async fn continuation_flood(arena: Arena, more: fn() -> Vec<u8>) {
    let life = move |arena: Arena| async move {
        let begun = frame(kind::HEADERS, 0, stream(0), &call_block(UNARY));
        let mut connection = arena.hello(&begun).await?;
        connection.flood(&frame(kind::CONTINUATION, 0, stream(0), &more()).repeat(20)).await
    };
    arena.swarm(4, life).await;
}

/// Sends calls with such headers on one stream after the other. A block that is larger than the
/// limit once it is decoded is answered with 431 or ends the connection.
async fn blocks(arena: Arena, extra: fn(u32) -> Vec<u8>) {
    let life = move |arena: Arena| async move {
        let mut connection = arena.hello(&[]).await?;
        for number in 0..10_000 {
            let block = [call_block(UNARY), extra(number)].concat();
            let flags = flag::END_HEADERS | flag::END_STREAM;
            connection.send(&frame(kind::HEADERS, flags, stream(number), &block)).await?;
            connection.ended(number + 1, Duration::from_millis(100)).await?;
        }
        Ok(())
    };
    arena.swarm(4, life).await;
}

/// The first block leaves a header of 3 kB in the table; each names it 12,000 times: 36 MB.
fn hpack_bomb(number: u32) -> Vec<u8> {
    let kept = if number == 0 { kept_header(b"x", &[b'y'; 3_000]) } else { Vec::new() };
    [kept, vec![LAST_KEPT; 12_000]].concat()
}

/// Announces a header block and sends a byte of it every 100 ms. The connection is closed when
/// the time for a header block is over.
async fn slow_headers(arena: Arena) {
    let life = |arena: Arena| async move {
        let block = [call_block(UNARY), header(b"x", &[b'y'; 500])].concat();
        let announced = head(block.len(), kind::HEADERS, flag::END_HEADERS, stream(0));
        let mut connection = arena.hello(&announced).await?;
        connection.dribble(&block, Duration::from_millis(100)).await
    };
    arena.swarm(100, life).await;
}

/// Begins a header block and sends a small CONTINUATION every 200 ms, each of which is whole.
async fn slow_continuation(arena: Arena) {
    let life = |arena: Arena| async move {
        let begun = frame(kind::HEADERS, 0, stream(0), &call_block(UNARY));
        let mut connection = arena.hello(&begun).await?;
        loop {
            connection.pause(Duration::from_millis(200)).await?;
            let more = frame(kind::CONTINUATION, 0, stream(0), &header(b"x", b"y"));
            connection.send(&more).await?;
        }
    };
    arena.swarm(100, life).await;
}
