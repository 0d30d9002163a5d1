//! Integration tests of `transport`: connections as their peers see them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod certificates;
mod client;
mod connections;
mod deadlines;
mod drain;
mod health;
mod json;
mod json_answers;
mod json_bodies;
mod messages;
mod reflection;
mod requests;
mod serving;
mod sockets;
mod support;
mod swaps;
mod tls;
mod web;

// What the hostile example attacks is what is tested here, with the same frames and bombs.
#[allow(dead_code, reason = "attacks need more frames than tests")]
#[path = "../../examples/hostile/bombs.rs"]
mod bombs;
#[allow(dead_code, reason = "attacks need more frames than tests")]
#[path = "../../examples/hostile/frames.rs"]
mod frames;
#[path = "../../examples/hostile/service.rs"]
mod service;

/// Messages, client and server trait of `grpc.testing.TestService`.
#[allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic)]
mod testing {
    include!("../../examples/interop/generated/grpc.testing.rs");
}
