//! Calls, and how a server ends.

use std::time::Duration;

use tonic::Code;

use crate::support::{ask, settings, start};

#[tokio::test]
async fn calls_are_answered_over_one_connection() {
    let running = start(settings());
    let channel = running.channel().await;
    for user in 0..20 {
        assert_eq!(ask(&channel, user, 0).await.unwrap(), format!("for {user}"));
    }
    assert_eq!(running.server.figures().accepted, 1);
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_a_drain_up() {
    let running = start(settings());
    let channel = running.channel().await;
    ask(&channel, 1, 0).await.unwrap();
    let drained = running.server.drain().await;
    assert_eq!((drained.cut, drained.ended), (0, 0));
}

#[tokio::test]
async fn a_call_that_is_open_at_the_stop_is_answered() {
    let running = start(settings());
    let channel = running.channel().await;
    let call = tokio::spawn(async move { ask(&channel, 7, 300).await });
    running.has_streams(1).await;
    let drained = running.server.drain().await;
    assert_eq!((drained.cut, drained.ended), (0, 0));
    assert_eq!(call.await.unwrap().unwrap(), "for 7");
}

#[tokio::test]
async fn a_call_that_outlives_the_drain_is_told() {
    let limits = transport::Settings {
        stream_grace: Duration::from_millis(10),
        drain_timeout: Duration::from_millis(50),
        ..settings()
    };
    let running = start(limits);
    let channel = running.channel().await;
    let call = tokio::spawn(async move { ask(&channel, 7, 60_000).await });
    running.has_streams(1).await;
    let drained = running.server.drain().await;
    assert_eq!((drained.cut, drained.ended), (0, 1));
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Unavailable);
}
