//! Peers that begin something and take their time.

use std::time::Duration;

use tokio::time::Instant;

use crate::arena::Arena;
use crate::case::{CUT_OFF, Case, Expected, USUAL};
use crate::connection::{Connection, Manners, Over};
use crate::frames::{DUPLEX, PREFACE, UNARY, call, data, message_head, setting, stream};

/// What is noted of calls that the server did, or did not, end in time.
pub(crate) const ENDED: &str = "ended in time";
pub(crate) const LEFT_OPEN: &str = "left open";

/// An attacker whose calls were all ended comes back after so long: what is measured is what
/// they hold, not how fast they can be answered.
pub(crate) const REST: Duration = Duration::from_millis(500);

/// How long the server may take to end what it gives two seconds.
pub(crate) const END_MAX: Duration = Duration::from_millis(4500);

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "silent",
        attack_text: "opens 500 connections and says nothing",
        expected_text: "closed at the limit of the preface (of the handshake with TLS)",
        expected: CUT_OFF,
        cores_max: 0.5,
        attack: |arena| Box::pin(silent(arena)),
        ..USUAL
    },
    Case {
        name: "slow-preface",
        attack_text: "sends the preface byte by byte",
        expected_text: "closed at the limit of the preface",
        expected: CUT_OFF,
        cores_max: 0.5,
        attack: |arena| Box::pin(slow_preface(arena)),
        ..USUAL
    },
    Case {
        name: "preface-only",
        attack_text: "sends the preface and no SETTINGS",
        expected_text: "closed at the limit of the preface",
        expected: CUT_OFF,
        cores_max: 0.5,
        attack: |arena| Box::pin(preface_only(arena)),
        ..USUAL
    },
    Case {
        name: "slow-body",
        attack_text: "announces messages of 100 kB and sends a byte of each every 100 ms",
        expected_text: "each call ends DEADLINE_EXCEEDED at the limit of a message",
        expected: Expected::Answered(&[ENDED]),
        memory_mib_max: 192,
        attack: |arena| Box::pin(slow_body(arena)),
        ..USUAL
    },
    Case {
        name: "slow-message-head",
        attack_text: "sends three of the five bytes before a message and stops",
        expected_text: "each call ends DEADLINE_EXCEEDED at the limit of a message",
        expected: Expected::Answered(&[ENDED]),
        memory_mib_max: 64,
        attack: |arena| Box::pin(slow_message_head(arena)),
        ..USUAL
    },
    Case {
        name: "dead-peer",
        attack_text: "opens a stream and is never heard of again",
        expected_text: "closed when a PING is not answered",
        expected: Expected::Closed(Duration::from_millis(5500)),
        cores_max: 0.5,
        attack: |arena| Box::pin(dead_peer(arena)),
        ..USUAL
    },
];

/// Says nothing at all. The server closes when the time for the preface, or for the TLS
/// handshake, is over.
async fn silent(arena: Arena) {
    let life = |arena: Arena| async move {
        let stream = Box::new(arena.tcp().await?);
        Connection::reading(stream, arena, Manners::Mute).hold().await
    };
    arena.swarm(500, life).await;
}

/// Sends the preface, a byte every 200 ms. The time for the preface goes on meanwhile.
async fn slow_preface(arena: Arena) {
    let life = |arena: Arena| async move {
        arena.connect().await?.dribble(PREFACE, Duration::from_millis(200)).await
    };
    arena.swarm(200, life).await;
}

/// Sends the preface and not the SETTINGS that belong to it.
async fn preface_only(arena: Arena) {
    let life = |arena: Arena| async move {
        // Mute: the answer to a PING would be a first frame.
        let wire = arena.wire().await?;
        let mut connection = Connection::reading(wire, arena, Manners::Mute);
        connection.send(PREFACE).await?;
        connection.hold().await
    };
    arena.swarm(200, life).await;
}

/// Announces a message on each of a hundred streams and dribbles it. Each call ends when the
/// time for a message is over, and the connection may stay.
async fn slow_body(arena: Arena) {
    let life = |arena: Arena| async move {
        let mut connection = arena.hello(&[]).await?;
        for number in 0..100 {
            let begun = data(stream(number), &message_head(0, 100_000));
            connection.send(&[call(stream(number), UNARY), begun].concat()).await?;
        }
        let began = Instant::now();
        while began.elapsed() < END_MAX {
            let dribbled: Vec<u8> = (0..100).flat_map(|it| data(stream(it), b"x")).collect();
            if connection.send(&dribbled).await == Err(Over::Closed)
                || connection.ended(100, Duration::from_millis(100)).await == Ok(true)
            {
                break;
            }
        }
        end(&mut connection, &arena, Duration::from_millis(1)).await
    };
    arena.swarm(5, life).await;
}

/// Begins the head of a message on each of a hundred streams.
async fn slow_message_head(arena: Arena) {
    let life = |arena: Arena| async move {
        let mut connection = arena.hello(&[]).await?;
        for number in 0..100 {
            let begun = data(stream(number), &message_head(0, 100_000)[..3]);
            connection.send(&[call(stream(number), DUPLEX), begun].concat()).await?;
        }
        end(&mut connection, &arena, END_MAX).await
    };
    arena.swarm(5, life).await;
}

/// Waits for the end of a hundred calls and notes whether it came. What is cut off by the end
/// of the attack does not count.
pub(crate) async fn end(
    connection: &mut Connection,
    arena: &Arena,
    at_most: Duration,
) -> Result<(), Over> {
    let ended = connection.ended(100, at_most).await;
    match ended {
        Ok(true) | Err(Over::Closed) => arena.tally.status(ENDED),
        Ok(false) => arena.tally.status(LEFT_OPEN),
        Err(Over::TimeUp) => {}
    }
    connection.pause(REST).await?;
    ended.map(|_| ())
}

/// Opens a stream and answers nothing any more, not even PING. The connection is closed when
/// the time for the answer is over.
async fn dead_peer(arena: Arena) {
    let life = |arena: Arena| async move {
        let wire = arena.wire().await?;
        let mut connection = Connection::reading(wire, arena, Manners::Mute);
        let begun = call(stream(0), DUPLEX);
        connection.send(&[PREFACE, &setting(2, 0), &begun].concat()).await?;
        connection.hold().await
    };
    arena.swarm(100, life).await;
}
