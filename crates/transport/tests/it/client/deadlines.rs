//! Calls end in time, whatever the peer does.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use http::Request;
use http_body_util::BodyExt as _;
use tonic::Code;
use tonic::body::Body;
use tower::Service as _;
use transport::client::{Channel, Settings};

use super::peers::{Peer, RECOMMEND, Reaction, Scripted, ask, ask_within, channel, closed};
use super::peers::{endless, limits, serve_asking};
use crate::support::{millis, settings, start, until, within};

/// The timeouts that a peer was told of.
fn timeouts(peer: &Scripted) -> Vec<Duration> {
    let seen = peer.seen();
    seen.iter().map(|headers| unstall::grpc_timeout(headers).unwrap().unwrap()).collect()
}

/// A request that is not of a generated client.
fn request() -> Request<Body> {
    Request::post(RECOMMEND).header("te", "trailers").body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_call_is_answered() {
    let running = start(settings());
    let channel = channel(&[running.address()], limits());
    assert_eq!(ask(&channel, 0).await.unwrap(), "for 7");
}

#[tokio::test]
async fn the_least_of_all_timeouts_is_always_sent() {
    let peer = Scripted::start(|_| Reaction::Answer(Code::Ok)).await;
    let channel = channel(&[peer.peer.address], limits());
    ask(&channel, 0).await.unwrap();
    ask_within(&channel, 0, Some(Duration::from_secs(5))).await.unwrap();
    ask_within(&channel, 0, Some(Duration::from_secs(500))).await.unwrap();
    let told = timeouts(&peer);
    for (told, most) in told.iter().zip([10, 5, 10]) {
        let most = Duration::from_secs(most);
        assert!(*told < most && *told > most / 2, "{told:?} of {most:?}");
    }
}

#[tokio::test]
async fn a_handler_hands_on_what_is_left_of_its_own_deadline() {
    let peer = Scripted::start(|_| Reaction::Answer(Code::Ok)).await;
    let (shop, _) = serve_asking(channel(&[peer.peer.address], limits()));
    let outer = channel(&[shop.address()], limits());
    ask_within(&outer, 0, Some(Duration::from_secs(5))).await.unwrap();
    let told = timeouts(&peer)[0];
    assert!(told < Duration::from_secs(5) && told > Duration::from_secs(2), "{told:?}");
}

#[tokio::test]
async fn a_handler_is_never_held_past_its_deadline_by_a_peer_that_does_not_answer() {
    let scripted = Scripted::start(|_| Reaction::Nothing).await;
    for peer in [&Peer::silent().await, &Peer::stuck().await, &scripted.peer] {
        let (shop, handlers) = serve_asking(channel(&[peer.address], limits()));
        let outer = channel(&[shop.address()], limits());
        // The connection is made before time is taken.
        let _ = ask_within(&outer, 0, Some(millis(50))).await;
        let begun = Instant::now();
        let status = ask_within(&outer, 0, Some(millis(300))).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        until(|| handlers.load(Ordering::Relaxed) == 0).await;
        shop.has_streams(0).await;
    }
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_told_of_at_once() {
    let address = closed().await;
    let channel = channel(&[address], limits());
    let begun = Instant::now();
    let status = ask(&channel, 0).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains(&format!("cannot reach http://{address}: ")), "{status}");
    assert!(status.message().contains("refused"), "{status}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_peer_that_never_answers_costs_no_more_than_the_deadline() {
    let scripted = Scripted::start(|_| Reaction::Nothing).await;
    for (peer, what) in [
        (&Peer::silent().await, "no connection to"),
        (&Peer::stuck().await, "no answer of"),
        (&scripted.peer, "no answer of"),
    ] {
        let channel = channel(&[peer.address], limits());
        let begun = Instant::now();
        let status = ask_within(&channel, 0, Some(millis(200))).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
        assert!(status.message().contains(what), "{status}");
        assert!(status.message().contains(&peer.address.to_string()), "{status}");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn what_is_no_grpc_server_is_told_for_what_it_is() {
    let web = Peer::http1().await;
    let short = Settings { preface_timeout: millis(50), ..limits() };
    for (peer, what) in [(&web, "speaks HTTP/1"), (&Peer::silent().await, "no HTTP/2 settings")] {
        let channel = channel(&[peer.address], short.clone());
        let status = ask(&channel, 0).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.message().contains(what), "{status}");
    }
}

#[tokio::test]
async fn a_slow_call_ends_at_its_deadline() {
    let running = start(settings());
    let channel = channel(&[running.address()], limits());
    let status = ask_within(&channel, 600_000, Some(millis(200))).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    running.has_streams(0).await;
}

#[tokio::test]
async fn a_stream_ends_at_its_deadline_though_its_peer_goes_on() {
    let peer = Scripted::start(|_| Reaction::Begin).await;
    let mut channel = channel(&[peer.peer.address], limits());
    let mut request = request();
    request.headers_mut().insert("grpc-timeout", "200m".parse().unwrap());
    let mut body = channel.call(request).await.unwrap().into_body();
    assert_eq!(channel.figures().endpoints[0].in_flight, 1);
    let status = within(body.frame()).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(body.frame().await.is_none());
    assert_eq!(channel.figures().endpoints[0].in_flight, 0);
}

#[tokio::test]
async fn a_request_that_is_still_being_written_is_reset_when_its_call_is_over() {
    let peer = Scripted::start(|_| Reaction::Begin).await;
    let mut channel = channel(&[peer.peer.address], limits());
    let mut body = channel.call(endless("200m")).await.unwrap().into_body();
    assert_eq!(within(body.frame()).await.unwrap().unwrap_err().code(), Code::DeadlineExceeded);
    until(|| peer.resets() == [h2::Reason::CANCEL]).await;
    let body = channel.call(endless("10S")).await.unwrap().into_body();
    assert_eq!(peer.resets().len(), 1);
    drop(body);
    until(|| peer.resets() == [h2::Reason::CANCEL; 2]).await;
}

#[tokio::test]
async fn a_large_request_that_is_not_read_ends_at_its_deadline() {
    let peer = Peer::stuck().await;
    let mut channel = channel(&[peer.address], limits());
    let large = http_body_util::Full::new(bytes::Bytes::from(vec![0; 64 << 20]));
    let mut request = request().map(|_| Body::new(large));
    request.headers_mut().insert("grpc-timeout", "200m".parse().unwrap());
    let response = within(channel.call(request)).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "4");
}

#[tokio::test]
async fn a_dead_peer_is_found_out_by_pings_while_nothing_is_sent() {
    let server = start(settings());
    let (relay, swallow) = Peer::relay(server.address()).await;
    let limits = Settings {
        keepalive_interval: millis(100),
        keepalive_timeout: millis(200),
        keepalive: transport::client::Keepalive::Always,
        ..limits()
    };
    let channel = channel(&[relay.address], limits);
    ask(&channel, 0).await.unwrap();
    swallow.send_replace(true);
    until(|| channel.figures().endpoints[0].ejections > 0).await;
}

#[tokio::test]
async fn a_deadline_that_is_none_is_refused() {
    let mut channel = channel(&[closed().await], limits());
    let mut request = request();
    request.headers_mut().insert("grpc-timeout", "soon".parse().unwrap());
    assert_eq!(channel.call(request).await.unwrap().headers()["grpc-status"], "13");
}

#[tokio::test]
async fn a_cancelled_call_leaves_nothing_behind() {
    let running = start(settings());
    let channel = channel(&[running.address()], limits());
    ask(&channel, 0).await.unwrap();
    let call = tokio::spawn({
        let channel = channel.clone();
        async move { ask(&channel, 600_000).await }
    });
    running.has_streams(1).await;
    call.abort();
    running.has_streams(0).await;
    assert_eq!(channel.figures().endpoints[0].in_flight, 0);
}

#[tokio::test]
async fn the_last_clone_takes_its_connections_with_it() {
    let running = start(settings());
    let channel: Channel = channel(&[running.address()], limits());
    ask(&channel.clone(), 0).await.unwrap();
    running.has_connections(1).await;
    drop(channel);
    running.has_connections(0).await;
}
