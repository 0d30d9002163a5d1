//! What is tried again, and what is not.

use std::time::Instant;

use http::Request;
use tonic::Code;
use tonic::body::Body;
use tower::Service as _;
use transport::client::{Retries, Settings};

use super::peers::{RECOMMEND, Reaction, Scripted, ask, ask_within, channel, idempotent, limits};
use crate::support::{millis, within};

const UNAVAILABLE: Reaction = Reaction::Refuse(Code::Unavailable, None);

/// Answers in the end, after so many failures of a kind.
async fn failing(times: usize, failure: fn() -> Reaction) -> Scripted {
    Scripted::start(
        move |number| {
            if number < times { failure() } else { Reaction::Answer(Code::Ok) }
        },
    )
    .await
}

/// Retries without waiting.
fn quick(settings: Settings) -> Settings {
    let retries = Retries { backoff_first: millis(1), ..settings.retries };
    Settings { retries, ..settings }
}

/// What a call comes to, and how many requests it took.
async fn check(
    settings: Settings,
    times: usize,
    failure: fn() -> Reaction,
    expected: Result<(), Code>,
    requests: usize,
) {
    let peer = failing(times, failure).await;
    let channel = channel(&[peer.peer.address], quick(settings));
    let found = within(ask(&channel, 0)).await.map(drop).map_err(|status| status.code());
    assert_eq!((found, peer.seen().len()), (expected, requests));
}

#[tokio::test]
async fn an_idempotent_method_is_tried_again_and_others_are_not() {
    check(idempotent(), 2, || UNAVAILABLE, Ok(()), 3).await;
    check(limits(), 2, || UNAVAILABLE, Err(Code::Unavailable), 1).await;
}

#[tokio::test]
async fn only_codes_that_may_pass_are_tried_again() {
    let internal = || Reaction::Refuse(Code::Internal, None);
    check(idempotent(), 1, internal, Err(Code::Internal), 1).await;
    let mut settings = idempotent();
    settings.retries.codes.push(Code::Internal);
    check(settings, 1, internal, Ok(()), 2).await;
}

#[tokio::test]
async fn tries_have_an_end() {
    check(idempotent(), 100, || UNAVAILABLE, Err(Code::Unavailable), 4).await;
}

#[tokio::test]
async fn what_was_certainly_not_processed_is_tried_again_for_any_method() {
    let refused = || Reaction::Reset(h2::Reason::REFUSED_STREAM);
    check(limits(), 1, refused, Ok(()), 2).await;
    let reset = || Reaction::Reset(h2::Reason::INTERNAL_ERROR);
    check(limits(), 1, reset, Err(Code::Internal), 1).await;
}

#[tokio::test]
async fn what_is_refused_again_is_a_failure_like_any_other() {
    let refused = || Reaction::Reset(h2::Reason::REFUSED_STREAM);
    check(limits(), usize::MAX, refused, Err(Code::Unavailable), 2).await;
    check(idempotent(), usize::MAX, refused, Err(Code::Unavailable), 5).await;
}

#[tokio::test]
async fn a_response_that_has_begun_is_not_tried_again() {
    check(idempotent(), 1, || Reaction::Answer(Code::Unavailable), Err(Code::Unavailable), 1).await;
}

#[tokio::test]
async fn a_server_is_told_how_often_it_was_tried_before() {
    let peer = failing(2, || UNAVAILABLE).await;
    let channel = channel(&[peer.peer.address], quick(idempotent()));
    ask(&channel, 0).await.unwrap();
    let seen = peer.seen();
    let before: Vec<_> =
        seen.iter().map(|headers| headers.get("grpc-previous-rpc-attempts")).collect();
    assert_eq!(before, [None, Some(&"1".parse().unwrap()), Some(&"2".parse().unwrap())]);
    assert_eq!(channel.figures().retries, 2);
}

#[tokio::test]
async fn a_pushback_is_honoured() {
    let never = || Reaction::Refuse(Code::Unavailable, Some("-1"));
    check(idempotent(), 1, never, Err(Code::Unavailable), 1).await;
    let malformed = || Reaction::Refuse(Code::Unavailable, Some("soon"));
    check(idempotent(), 1, malformed, Err(Code::Unavailable), 1).await;

    let peer = failing(1, || Reaction::Refuse(Code::Unavailable, Some("150"))).await;
    let channel = channel(&[peer.peer.address], quick(idempotent()));
    let begun = Instant::now();
    ask(&channel, 0).await.unwrap();
    assert!(begun.elapsed() >= millis(150));
}

#[tokio::test]
async fn no_try_is_begun_that_would_be_after_the_deadline() {
    let peer = failing(1, || Reaction::Refuse(Code::Unavailable, Some("60000"))).await;
    let channel = channel(&[peer.peer.address], idempotent());
    let begun = Instant::now();
    let status = ask_within(&channel, 0, Some(millis(5_000))).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(begun.elapsed() < millis(4_000), "it is not waited for");
}

#[tokio::test]
async fn the_bucket_stops_a_storm_of_retries() {
    let peer = failing(usize::MAX, || UNAVAILABLE).await;
    let mut settings = quick(idempotent());
    settings.retries.tokens_max = 10.try_into().unwrap();
    let channel = channel(&[peer.peer.address], settings);
    for _ in 0..100 {
        ask(&channel, 0).await.unwrap_err();
    }
    let figures = channel.figures();
    assert!(figures.retries <= 5, "{figures:?}");
    assert!(figures.retries_refused >= 90, "{figures:?}");
    assert!(peer.seen().len() <= 105, "{}", peer.seen().len());
}

#[tokio::test]
async fn a_request_too_large_to_be_kept_is_tried_once() {
    let mut settings = idempotent();
    settings.retries.request_bytes_max = 100.try_into().unwrap();
    for (bytes, requests) in [(100, 2), (101, 1)] {
        let peer = failing(1, || UNAVAILABLE).await;
        let mut channel = channel(&[peer.peer.address], quick(settings.clone()));
        let body = Body::new(http_body_util::Full::new(bytes::Bytes::from(vec![0; bytes])));
        let response = within(channel.call(Request::post(RECOMMEND).body(body).unwrap())).await;
        assert!(response.is_ok());
        assert_eq!(peer.seen().len(), requests, "{bytes}");
    }
}

#[tokio::test]
async fn a_request_that_is_still_being_written_is_tried_once() {
    let peer = failing(1, || UNAVAILABLE).await;
    let mut channel = channel(&[peer.peer.address], quick(idempotent()));
    let response = within(channel.call(super::peers::endless("10S"))).await;
    assert_eq!(response.unwrap().headers()["grpc-status"], "14");
    assert_eq!(peer.seen().len(), 1);
}
