//! Messages whose length is not what was announced.

use std::time::Duration;

use bytes::Bytes;

use crate::arena::Arena;
use crate::attacks::slow::{END_MAX, ENDED, REST, end};
use crate::case::{Case, Expected, USUAL};
use crate::connection::Over;
use crate::frames::{UNARY, call, data, message_head, stream};
use crate::requests::{self, LOST, Polite, unended, whole};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "announced-4gib",
        attack_text: "announces 4 GiB and sends five bytes",
        expected_text: "RESOURCE_EXHAUSTED as soon as the length is known",
        expected: Expected::Answered(&["ResourceExhausted"]),
        attack: |arena| Box::pin(ask_again(arena, || unended(lie(u32::MAX, 5)))),
        ..USUAL
    },
    Case {
        name: "announced-over-limit",
        attack_text: "announces one byte more than a message may have",
        expected_text: "RESOURCE_EXHAUSTED as soon as the length is known",
        expected: Expected::Answered(&["ResourceExhausted"]),
        attack: |arena| Box::pin(ask_again(arena, || unended(lie((4 << 20) + 1, 5)))),
        ..USUAL
    },
    Case {
        name: "announced-1mib",
        attack_text: "announces 1 MiB on 100 streams of 50 connections and sends five bytes each",
        expected_text: "RESOURCE_EXHAUSTED beyond 64 MiB of unfinished messages, DEADLINE_EXCEEDED at the limit of a message",
        expected: Expected::Answered(&[ENDED]),
        memory_mib_max: 256,
        attack: |arena| Box::pin(announced_mebibyte(arena)),
        ..USUAL
    },
    Case {
        name: "unfinished",
        attack_text: "sends 800 messages of 4 MiB up to their last byte: 3.1 GiB",
        expected_text: "RESOURCE_EXHAUSTED beyond 64 MiB of unfinished messages; a peer that loses many at once may lose its connection",
        expected: Expected::Answered(&["ResourceExhausted", "DeadlineExceeded", LOST]),
        memory_mib_max: 192,
        attack: |arena| Box::pin(unfinished(arena)),
        ..USUAL
    },
    Case {
        name: "announced-longer",
        attack_text: "announces 100 bytes, sends five and ends the stream",
        expected_text: "INTERNAL",
        expected: Expected::Answered(&["Internal"]),
        attack: |arena| Box::pin(ask_again(arena, || whole(lie(100, 5).into()))),
        ..USUAL
    },
    Case {
        name: "announced-shorter",
        attack_text: "announces two bytes and sends ten",
        expected_text: "what follows is no message: INTERNAL, or RESOURCE_EXHAUSTED by its length",
        expected: Expected::Answered(&["Internal", "ResourceExhausted", "Unimplemented"]),
        attack: |arena| Box::pin(ask_again(arena, || whole(lie(2, 10).into()))),
        ..USUAL
    },
    Case {
        name: "cut-head",
        attack_text: "ends the stream within the five bytes before a message",
        expected_text: "INTERNAL",
        expected: Expected::Answered(&["Internal"]),
        attack: |arena| Box::pin(ask_again(arena, || whole(vec![0, 0, 0]))),
        ..USUAL
    },
];

/// A message head and a body of another length; the bytes are those of no field.
fn lie(announced: u32, sent: usize) -> Bytes {
    [&message_head(0, announced)[..], &vec![0xff; sent]].concat().into()
}

/// Makes the same call again and again. It is answered with an error that says what is wrong,
/// and the connection goes on.
async fn ask_again(arena: Arena, body: fn() -> requests::Body) {
    let life = move |arena: Arena| async move {
        let mut polite = Polite::connect(&arena).await?;
        while !arena.is_over() {
            polite.ask(requests::call(UNARY, &[], body())).await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err::<(), _>(Over::TimeUp)
    };
    arena.swarm(4, life).await;
}

/// Announces much on many streams. The server must not reserve what is only announced, and
/// ends each call when the time for a message is over.
async fn announced_mebibyte(arena: Arena) {
    let life = |arena: Arena| async move {
        let mut connection = arena.hello(&[]).await?;
        for number in 0..100 {
            let lie = data(stream(number), &lie(1 << 20, 5));
            connection.send(&[call(stream(number), UNARY), lie].concat()).await?;
        }
        end(&mut connection, &arena, END_MAX).await
    };
    arena.swarm(50, life).await;
}

/// Sends all but the last byte of large messages on a hundred streams of eight connections. All
/// of them together may take what the settings say; beyond, the oldest is given up.
async fn unfinished(arena: Arena) {
    let size = (4_u32 << 20) - 1024;
    let almost: Bytes = lie(size, usize::try_from(size).unwrap_or_default() - 1);
    let life = move |arena: Arena| {
        let almost = almost.clone();
        async move {
            let polite = Polite::connect(&arena).await?;
            let mut calls = tokio::task::JoinSet::new();
            for _ in 0..100 {
                let mut polite = polite.another();
                let request = requests::call(UNARY, &[], unended(almost.clone()));
                calls.spawn(async move { polite.ask(request).await });
            }
            calls.join_all().await;
            tokio::time::sleep(REST).await;
            Ok(())
        }
    };
    arena.swarm(8, life).await;
}
