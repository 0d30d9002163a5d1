//! TLS that is garbage, halts, or is begun again and again.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConnection;

use crate::arena::Arena;
use crate::case::{CUT_OFF, Case, Expected, Over, USUAL};
use crate::connection::{Connection, Manners, Over as Ended};
use crate::frames::PREFACE;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "tls-garbage",
        attack_text: "sends what is no TLS: random records, and plaintext HTTP/2",
        expected_text: "closed at once, with an alert",
        expected: CUT_OFF,
        over: Over::Tls,
        attack: |arena| Box::pin(garbage(arena)),
        ..USUAL
    },
    Case {
        name: "tls-half",
        attack_text: "sends half of a ClientHello, or all of it, and waits",
        expected_text: "closed at the limit of the handshake",
        expected: CUT_OFF,
        cores_max: 0.5,
        over: Over::Tls,
        attack: |arena| Box::pin(half(arena)),
        ..USUAL
    },
    Case {
        name: "tls-slow",
        attack_text: "sends a ClientHello byte by byte",
        expected_text: "closed at the limit of the handshake",
        expected: CUT_OFF,
        cores_max: 0.5,
        over: Over::Tls,
        attack: |arena| Box::pin(slow(arena)),
        ..USUAL
    },
    Case {
        name: "tls-handshakes",
        attack_text: "makes one full handshake after the other on 16 connections",
        expected_text: "they are made, and nothing else is felt of them",
        expected: Expected::Anything,
        over: Over::Tls,
        attack: |arena| Box::pin(handshakes(arena)),
        ..USUAL
    },
];

/// Sends what begins like a record and is none, or no record at all.
async fn garbage(arena: Arena) {
    let life = |arena: Arena| async move {
        let number = arena.tally.seen().connections;
        let wire = Box::new(arena.tcp().await?);
        let mut connection = Connection::reading(wire, arena, Manners::Mute);
        let bytes: Vec<u8> = match number % 4 {
            0 => PREFACE.to_vec(),
            1 => [&[22, 3, 1, 0x40, 0][..], &[0x5a; 0x4000]].concat(),
            2 => vec![0x80; 600],
            _ => [&[22, 3, 1, 0, 5][..], &[1, 0xff, 0xff, 0xff, 0]].concat(),
        };
        connection.send(&bytes).await?;
        connection.hold().await
    };
    arena.swarm(8, life).await;
}

/// Begins a handshake and leaves it there.
async fn half(arena: Arena) {
    let life = |arena: Arena| async move {
        let number = arena.tally.seen().connections;
        let hello = client_hello(&arena)?;
        let wire = Box::new(arena.tcp().await?);
        let mut connection = Connection::reading(wire, arena, Manners::Mute);
        let sent = if number.is_multiple_of(2) { hello.len() } else { hello.len() / 2 };
        connection.send(&hello[..sent]).await?;
        connection.hold().await
    };
    arena.swarm(200, life).await;
}

/// Begins a handshake, a byte every 50 ms.
async fn slow(arena: Arena) {
    let life = |arena: Arena| async move {
        let hello = client_hello(&arena)?;
        let wire = Box::new(arena.tcp().await?);
        let mut connection = Connection::reading(wire, arena, Manners::Mute);
        connection.dribble(&hello, Duration::from_millis(50)).await
    };
    arena.swarm(200, life).await;
}

/// The first thing that a client says, as bytes.
fn client_hello(arena: &Arena) -> Result<Vec<u8>, Ended> {
    let config = arena.tls.as_ref().map(|tls| Arc::clone(tls.config())).ok_or(Ended::Closed)?;
    let name = "localhost".try_into().map_err(|_| Ended::Closed)?;
    let mut client = ClientConnection::new(config, name).map_err(|_| Ended::Closed)?;
    let mut hello = Vec::new();
    client.write_tls(&mut hello).map_err(|_| Ended::Closed)?;
    Ok(hello)
}

/// Makes handshakes and throws them away, which costs the server more than the client.
async fn handshakes(arena: Arena) {
    let life = |arena: Arena| async move {
        let _wire = arena.wire().await?;
        arena.tally.note(|seen| seen.connections += 1);
        Ok(())
    };
    arena.swarm(16, life).await;
}
