//! Peers that ask for much and do not take it.

use std::time::Duration;

use prost::Message;

use crate::arena::Arena;
use crate::attacks::slow::{END_MAX, ENDED, end};
use crate::case::{CUT_OFF, Case, Expected, USUAL};
use crate::connection::Connection;
use crate::frames::{
    DUPLEX, PREFACE, UNARY, call, data, initial_window, message, message_head, stream, whole_call,
    window_update,
};
use crate::testing::{ResponseParameters, SimpleRequest, StreamingOutputCallRequest};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "window-zero",
        attack_text: "asks for 100 answers of 64 kB on each connection with a window of zero",
        expected_text: "each stream is reset at the limit of a reader",
        expected: Expected::Answered(&[ENDED]),
        memory_mib_max: 256,
        attack: |arena| Box::pin(window(arena, 0, 64 << 10)),
        ..USUAL
    },
    Case {
        name: "window-dribble",
        attack_text: "does the same and lets one byte through every 100 ms",
        expected_text: "each stream is reset at the limit of a reader",
        expected: Expected::Answered(&[ENDED]),
        memory_mib_max: 256,
        attack: |arena| Box::pin(window_dribble(arena)),
        ..USUAL
    },
    Case {
        name: "window-one",
        attack_text: "asks for 100 answers of 10 kB on each connection with a window of one byte",
        expected_text: "each stream is reset, or the connection closed, at the limit of a reader",
        expected: Expected::Answered(&[ENDED]),
        memory_mib_max: 64,
        attack: |arena| Box::pin(window(arena, 1, 10_000)),
        ..USUAL
    },
    Case {
        name: "deaf-reader",
        attack_text: "asks for 100 answers of 256 KiB with wide windows and never reads the socket",
        expected_text: "closed at the limit of a reader",
        expected: CUT_OFF,
        memory_mib_max: 256,
        attack: |arena| Box::pin(deaf(arena, wide_answer)),
        ..USUAL
    },
    Case {
        name: "deaf-stream",
        attack_text: "asks for streams without end with wide windows and never reads the socket",
        expected_text: "closed at the limit of a reader; the handlers are held back",
        expected: CUT_OFF,
        memory_mib_max: 512,
        attack: |arena| Box::pin(deaf(arena, long_stream)),
        ..USUAL
    },
    Case {
        name: "unread-bytes",
        attack_text: "holds handlers back and sends 250,000 frames of one byte to each stream",
        expected_text: "what waits is bounded by the windows; the frames do not cost much more",
        memory_mib_max: 192,
        attack: |arena| Box::pin(unread_bytes(arena)),
        ..USUAL
    },
];

/// Asks for answers and has next to no window for them. Their streams are reset when a reader's
/// time is over; until then each costs its answer at most.
async fn window(arena: Arena, width: u32, size: i32) {
    let life = move |arena: Arena| async move {
        let mut connection = arena.hello(&initial_window(width)).await?;
        for number in 0..100 {
            connection.send(&whole_call(stream(number), UNARY, &unary(size))).await?;
        }
        end(&mut connection, &arena, END_MAX).await
    };
    arena.swarm(10, life).await;
}

/// Does the same, but lets a byte of each answer through now and then. A reader's time is not
/// begun anew by so little.
async fn window_dribble(arena: Arena) {
    let life = |arena: Arena| async move {
        let mut connection = arena.hello(&initial_window(0)).await?;
        for number in 0..100 {
            connection.send(&whole_call(stream(number), UNARY, &unary(64 << 10))).await?;
        }
        let began = tokio::time::Instant::now();
        while began.elapsed() < END_MAX {
            let dribbled: Vec<u8> = (0..100).flat_map(|it| window_update(stream(it), 1)).collect();
            if connection.send(&dribbled).await.is_err()
                || connection.ended(100, Duration::from_millis(100)).await == Ok(true)
            {
                break;
            }
        }
        end(&mut connection, &arena, Duration::from_millis(1)).await
    };
    arena.swarm(10, life).await;
}

/// Asks for much with the widest windows and never reads: what is written stays in the kernel's
/// buffers and then with the server, which closes when a reader's time is over.
async fn deaf(arena: Arena, question: fn(u32) -> Vec<u8>) {
    let life = move |arena: Arena| async move {
        let mut connection = Connection::deaf(arena.wire().await?, arena);
        let widest = u32::MAX >> 1;
        let windows = [initial_window(widest), window_update(0, widest - 65_535)].concat();
        connection.send(&[PREFACE, &windows].concat()).await?;
        for number in 0..100 {
            connection.send(&question(stream(number))).await?;
        }
        // Without reading, only a write tells whether the connection is still there.
        loop {
            connection.pause(Duration::from_millis(200)).await?;
            connection.send(&window_update(0, 1)).await?;
        }
    };
    arena.swarm(4, life).await;
}

fn wide_answer(stream: u32) -> Vec<u8> {
    whole_call(stream, UNARY, &unary(256 << 10))
}

/// Asks with a window of zero, so that its handlers are held back, and fills the windows that
/// the server gives with bytes in frames of their own: each costs the server more than a byte.
async fn unread_bytes(arena: Arena) {
    let life = |arena: Arena| async move {
        let mut connection = arena.hello(&initial_window(0)).await?;
        for number in 0..4 {
            connection.send(&one_answer(stream(number))).await?;
        }
        // Below the windows of 256 kB a stream and 1 MiB a connection.
        for number in 0..4 {
            connection.send(&data(stream(number), &message_head(0, 4 << 20))).await?;
            for _ in 0..250 {
                connection.send(&data(stream(number), b"x").repeat(1_000)).await?;
            }
        }
        connection.hold().await
    };
    arena.swarm(4, life).await;
}

/// One answer of 64 kB on a stream that goes on.
fn one_answer(stream: u32) -> Vec<u8> {
    let one = ResponseParameters { size: 64 << 10, ..ResponseParameters::default() };
    let request = StreamingOutputCallRequest {
        response_parameters: vec![one],
        ..StreamingOutputCallRequest::default()
    };
    [call(stream, DUPLEX), data(stream, &message(&request.encode_to_vec()))].concat()
}

/// A thousand answers of 64 kB on one stream.
fn long_stream(stream: u32) -> Vec<u8> {
    let one = ResponseParameters { size: 64 << 10, ..ResponseParameters::default() };
    let request = StreamingOutputCallRequest {
        response_parameters: vec![one; 1_000],
        ..StreamingOutputCallRequest::default()
    };
    [call(stream, DUPLEX), data(stream, &message(&request.encode_to_vec()))].concat()
}

fn unary(response_size: i32) -> Vec<u8> {
    SimpleRequest { response_size, ..SimpleRequest::default() }.encode_to_vec()
}
