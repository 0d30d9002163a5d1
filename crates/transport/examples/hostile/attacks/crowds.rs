//! More connections than there is room for.

use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout_at};

use crate::arena::Arena;
use crate::case::{Case, Expected, Newcomers, USUAL};
use crate::connection::Over;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "half-open",
        attack_text: "keeps 10,000 connections open and says nothing on them",
        expected_text: "at the cap the silent ones make room; the rest is closed at the limit of the preface",
        expected: Expected::Closed(Duration::from_millis(7500)),
        memory_mib_max: 256,
        attack: |arena| Box::pin(crowd(arena, 10_000)),
        ..USUAL
    },
    Case {
        name: "files",
        attack_text: "opens more connections than the server may open files (256)",
        expected_text: "the server waits before it accepts again; it does not spin",
        expected: Expected::Closed(Duration::from_millis(7500)),
        memory_mib_max: 64,
        cores_max: 0.5,
        newcomers: Newcomers::MayWait,
        files_max: Some(256),
        attack: |arena| Box::pin(crowd(arena, 600)),
        ..USUAL
    },
];

/// Keeps so many silent connections open, and opens each anew once it is closed. None is read
/// but for its end.
async fn crowd(arena: Arena, size: usize) {
    let life = |arena: Arena| async move {
        let mut stream = arena.tcp().await?;
        arena.tally.note(|seen| seen.connections += 1);
        let opened = tokio::time::Instant::now();
        let end = timeout_at(arena.until, stream.read(&mut [0; 64])).await;
        arena.tally.ended(opened.elapsed(), end.is_ok());
        sleep(Duration::from_millis(500)).await;
        end.map(|_| ()).map_err(|_| Over::TimeUp)
    };
    arena.swarm(size, life).await;
}
