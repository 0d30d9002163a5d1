//! Frames that cost the server work and carry nothing.

use crate::arena::Arena;
use crate::case::{CALMED, CUT_OFF, Case, USUAL};
use crate::connection::{Connection, Over};
use crate::frames::{DUPLEX, PREFACE, call, flag, frame, kind, setting, stream, window_update};

/// Frames per write.
const BATCH: usize = 200;

/// Attackers of each flood.
const ATTACKERS: usize = 4;

const CALM: &str = "GOAWAY ENHANCE_YOUR_CALM once the frames that are allowed are used up";

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "ping-flood",
        attack_text: "sends PING as fast as it can",
        expected_text: CALM,
        expected: CALMED,
        attack: |arena| Box::pin(flood(arena, || frame(kind::PING, 0, 0, &[0; 8]))),
        ..USUAL
    },
    Case {
        name: "ping-flood-deaf",
        attack_text: "does the same and never reads an answer",
        expected_text: "the connection is closed, and answers do not pile up",
        expected: CUT_OFF,
        attack: |arena| Box::pin(deaf_flood(arena, || frame(kind::PING, 0, 0, &[0; 8]))),
        ..USUAL
    },
    Case {
        name: "settings-flood",
        attack_text: "sends SETTINGS as fast as it can",
        expected_text: CALM,
        expected: CALMED,
        attack: |arena| Box::pin(flood(arena, || setting(4, 65_535))),
        ..USUAL
    },
    Case {
        name: "settings-flood-deaf",
        attack_text: "does the same and never reads an answer",
        expected_text: "the connection is closed, and answers do not pile up",
        expected: CUT_OFF,
        attack: |arena| Box::pin(deaf_flood(arena, || setting(4, 65_535))),
        ..USUAL
    },
    Case {
        name: "empty-data-flood",
        attack_text: "sends empty DATA on an open stream",
        expected_text: CALM,
        expected: CALMED,
        attack: |arena| Box::pin(flood(arena, || frame(kind::DATA, 0, 1, &[]))),
        ..USUAL
    },
    Case {
        name: "padding-flood",
        attack_text: "sends DATA that is nothing but padding",
        expected_text: "the connection is closed, as for empty DATA",
        expected: CUT_OFF,
        attack: |arena| Box::pin(flood(arena, || frame(kind::DATA, flag::PADDED, 1, &[0]))),
        ..USUAL
    },
    Case {
        name: "priority-flood",
        attack_text: "sends PRIORITY as fast as it can",
        expected_text: CALM,
        expected: CALMED,
        attack: |arena| Box::pin(flood(arena, || frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 1]))),
        ..USUAL
    },
    Case {
        name: "unknown-flood",
        attack_text: "sends frames of an unknown type as fast as it can",
        expected_text: CALM,
        expected: CALMED,
        attack: |arena| Box::pin(flood(arena, || frame(kind::UNKNOWN, 0, 0, &[]))),
        ..USUAL
    },
    Case {
        name: "window-flood",
        attack_text: "sends WINDOW_UPDATE of one byte as fast as it can",
        expected_text: CALM,
        expected: CALMED,
        attack: |arena| Box::pin(flood(arena, || window_update(0, 1))),
        ..USUAL
    },
    Case {
        name: "goaway-flood",
        attack_text: "sends GOAWAY again and again and stays",
        expected_text: "the connection is closed",
        expected: CUT_OFF,
        attack: |arena| Box::pin(flood(arena, || frame(kind::GOAWAY, 0, 0, &[0; 8]))),
        ..USUAL
    },
];

/// Opens a stream, so that there is one, and repeats a frame. The server allows a number of
/// such frames a second; beyond, it says GOAWAY `ENHANCE_YOUR_CALM` and closes.
async fn flood(arena: Arena, one: fn() -> Vec<u8>) {
    let life = move |arena: Arena| async move {
        let mut connection = arena.hello(&call(stream(0), DUPLEX)).await?;
        connection.flood(&one().repeat(BATCH)).await
    };
    arena.swarm(ATTACKERS, life).await;
}

/// Does the same without reading anything: what the server answers fills the socket, and the
/// server must neither keep it in memory nor wait for ever.
async fn deaf_flood(arena: Arena, one: fn() -> Vec<u8>) {
    let life = move |arena: Arena| async move {
        let mut connection = Connection::deaf(arena.wire().await?, arena);
        connection.send(&[PREFACE, &setting(2, 0)].concat()).await?;
        let cut_off: Result<(), Over> = connection.flood(&one().repeat(BATCH)).await;
        cut_off
    };
    arena.swarm(ATTACKERS, life).await;
}
