//! Calls end in time, whatever the peer does.

use std::time::{Duration, Instant};

use tonic::Code;

use super::peers::{Silent, ask, ask_within, channel, closed, limits};
use crate::support::{millis, settings, start};

#[tokio::test]
async fn a_call_is_answered() {
    let running = start(settings());
    let channel = channel(&[running.address()], limits());
    assert_eq!(ask(&channel, 0).await.unwrap(), "for 7");
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_told_of_at_once() {
    let address = closed().await;
    let channel = channel(&[address], limits());
    let begun = Instant::now();
    let status = ask(&channel, 0).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains(&address.to_string()), "{status}");
    assert!(status.message().contains("refused"), "{status}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_peer_that_never_answers_costs_no_more_than_the_deadline() {
    let silent = Silent::start().await;
    let channel = channel(&[silent.address], limits());
    let begun = Instant::now();
    let status = ask_within(&channel, 0, Some(millis(200))).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_slow_call_ends_at_its_deadline() {
    let running = start(settings());
    let channel = channel(&[running.address()], limits());
    let status = ask_within(&channel, 600_000, Some(millis(200))).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    running.has_streams(0).await;
}
