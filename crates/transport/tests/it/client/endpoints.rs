//! Several endpoints: who gets a call, who is left out, and who comes back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tonic::Code;
use tower::Service as _;
use transport::client::{Channel, EndpointState, Settings};

use super::peers::{
    Peer, Reaction, Scripted, ask, ask_within, channel, closed, endless, forgiving,
};
use super::peers::{idempotent, limits, serve_asking, serve_at, states};
use crate::support::{Running, millis, settings, start, until, within};

/// A call to one good endpoint and one bad one, often; how many calls fail.
async fn failures(bad: SocketAddr, calls: usize) -> usize {
    let good = start(settings());
    let channel = channel(&[bad, good.address()], limits());
    let mut failures = 0;
    for _ in 0..calls {
        let answer = ask_within(&channel, 0, Some(millis(200))).await;
        failures += usize::from(answer.is_err());
    }
    failures
}

#[tokio::test]
async fn beside_a_good_endpoint_a_bad_one_fails_few_calls() {
    let hanging = Scripted::start(|_| Reaction::Nothing).await;
    let sick = Scripted::start(|_| Reaction::Refuse(Code::Unavailable, None)).await;
    // A sound server whose handlers hang: it answers by itself when the time is up.
    let (slow, _) = serve_asking(channel(&[hanging.peer.address], limits()));
    let stuck = Peer::stuck().await;
    let resetting = Scripted::start(|_| Reaction::Reset(h2::Reason::INTERNAL_ERROR)).await;
    // Those that get no connection get no call; others get five, and one now and then.
    for (name, bad, most) in [
        ("closed", closed().await, 0),
        ("silent", Peer::silent().await.address, 0),
        ("http1", Peer::http1().await.address, 0),
        ("hanging", hanging.peer.address, 10),
        ("sick", sick.peer.address, 10),
        ("slow", slow.address(), 10),
        ("stuck", stuck.address, 10),
        ("resetting", resetting.peer.address, 10),
        ("leaving", Peer::leaving().await.address, 0),
    ] {
        let failures = failures(bad, 200).await;
        assert!(failures <= most, "{name}: {failures} failures");
    }
}

#[tokio::test]
async fn a_peer_whose_packets_are_lost_is_ejected_and_returns() {
    let (one, other) = (start(settings()), start(settings()));
    let (relay, swallow) = Peer::relay(one.address()).await;
    let channel = channel(&[relay.address, other.address()], forgiving(limits()));
    ask(&channel, 0).await.unwrap();
    until(|| states(&channel) == [EndpointState::Ready; 2]).await;
    swallow.send_replace(true);
    let mut failures = 0;
    for _ in 0..100 {
        failures += usize::from(ask_within(&channel, 0, Some(millis(100))).await.is_err());
    }
    assert!((1..=10).contains(&failures), "{failures}");
    assert!(channel.figures().endpoints[0].ejections > 0);
    swallow.send_replace(false);
    within(async {
        while states(&channel)[0] != EndpointState::Ready {
            let _ = ask_within(&channel, 0, Some(millis(100))).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_least_loaded_endpoint_gets_the_call() {
    let running = [start(settings()), start(settings()), start(settings())];
    let addresses: Vec<_> = running.iter().map(Running::address).collect();
    let channel = channel(&addresses, limits());
    ask(&channel, 0).await.unwrap();
    until(|| states(&channel) == [EndpointState::Ready; 3]).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let channel = channel.clone();
        calls.spawn(async move { ask(&channel, 2_000).await });
    }
    for running in &running {
        running.has_streams(10).await;
    }
    let in_flight: Vec<_> = channel.figures().endpoints.iter().map(|one| one.in_flight).collect();
    assert_eq!(in_flight, [10; 3]);
    assert!(within(calls.join_all()).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn an_endpoint_that_fails_is_ejected_and_comes_back_on_probation() {
    let is_sick = Arc::new(AtomicBool::new(true));
    let sick = Arc::clone(&is_sick);
    let peer = Scripted::start(move |_| {
        if sick.load(Ordering::Relaxed) {
            Reaction::Refuse(Code::Unavailable, None)
        } else {
            Reaction::Answer(Code::Ok)
        }
    })
    .await;
    let channel = channel(&[peer.peer.address], limits());
    for _ in 0..5 {
        assert_eq!(ask(&channel, 0).await.unwrap_err().message(), "");
    }
    assert_eq!(states(&channel), [EndpointState::Ejected]);
    is_sick.store(false, Ordering::Relaxed);
    // There is no other, so it is tried before its time.
    ask(&channel, 0).await.unwrap();
    assert_eq!(states(&channel), [EndpointState::Ready]);
    assert_eq!(peer.peer.accepted(), 1, "the connection was sound");
}

#[tokio::test]
async fn an_endpoint_comes_back_while_a_stream_from_before_is_open() {
    let peer = Scripted::start(|number| match number {
        0 => Reaction::Begin,
        1..=5 => Reaction::Refuse(Code::Unavailable, None),
        _ => Reaction::Answer(Code::Ok),
    })
    .await;
    let mut channel = channel(&[peer.peer.address], limits());
    let stream = channel.call(endless("10S")).await.unwrap();
    for _ in 0..5 {
        ask(&channel, 0).await.unwrap_err();
    }
    assert_eq!(states(&channel), [EndpointState::Ejected]);
    ask(&channel, 0).await.unwrap();
    assert_eq!(states(&channel), [EndpointState::Ready]);
    assert_eq!(channel.figures().endpoints[0].in_flight, 1);
    drop(stream);
}

#[tokio::test]
async fn a_peer_that_greets_and_leaves_is_not_asked_again_and_again() {
    let (leaving, good) = (Peer::leaving().await, start(settings()));
    let channel = channel(&[leaving.address, good.address()], limits());
    let begun = Instant::now();
    while begun.elapsed() < millis(400) {
        ask(&channel, 0).await.unwrap();
    }
    assert!(leaving.accepted() <= 3, "{}", leaving.accepted());
    assert!(channel.figures().endpoints[0].ejections > 0);
}

#[tokio::test]
async fn a_peer_is_not_ejected_for_requests_that_their_callers_never_end() {
    let peer = Scripted::start(|_| Reaction::Nothing).await;
    let mut channel = channel(&[peer.peer.address], limits());
    let calls = (0..10).map(|_| channel.call(endless("100m"))).collect::<Vec<_>>();
    for call in calls {
        assert_eq!(within(call).await.unwrap().headers()["grpc-status"], "4");
    }
    assert_eq!(channel.figures().endpoints[0].ejections, 0);
}

#[tokio::test]
async fn a_hanging_peer_is_noticed_though_its_callers_give_up_before_their_deadlines() {
    let peer = Scripted::start(|_| Reaction::Nothing).await;
    let channel = channel(&[peer.peer.address], limits());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let channel = channel.clone();
        calls.spawn(async move { ask(&channel, 0).await });
    }
    until(|| peer.seen().len() == 10).await;
    tokio::time::sleep(millis(150)).await;
    assert_eq!(channel.figures().endpoints[0].ejections, 0);
    calls.shutdown().await;
    assert_eq!(channel.figures().endpoints[0].ejections, 1);
}

#[tokio::test]
async fn a_hanging_peer_that_is_alone_fails_fast() {
    let peer = Scripted::start(|_| Reaction::Nothing).await;
    let channel = channel(&[peer.peer.address], limits());
    for _ in 0..5 {
        let status = ask_within(&channel, 0, Some(millis(100))).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    }
    // One call at a time finds out whether it is back; the others do not wait for that.
    let probe = tokio::spawn({
        let channel = channel.clone();
        async move { ask_within(&channel, 0, Some(Duration::from_secs(5))).await }
    });
    until(|| peer.seen().len() == 6).await;
    let begun = Instant::now();
    for _ in 0..100 {
        let status = ask(&channel, 0).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.message().contains("calls are not answered"), "{status}");
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(peer.seen().len(), 6);
    probe.abort();
}

#[tokio::test]
async fn with_all_endpoints_gone_calls_fail_fast_and_name_them() {
    let addresses = [closed().await, closed().await];
    let channel = channel(&addresses, limits());
    let begun = Instant::now();
    for _ in 0..50 {
        let status = ask(&channel, 0).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        for address in addresses {
            assert!(status.message().contains(&format!("{address}: cannot connect")), "{status}");
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_was_away_is_found_again() {
    let address = closed().await;
    let channel = channel(&[address], limits());
    ask(&channel, 0).await.unwrap_err();
    let _running = serve_at(address);
    within(async {
        while ask(&channel, 0).await.is_err() {
            tokio::time::sleep(millis(10)).await;
        }
    })
    .await;
}

/// Asks without a pause until told to stop; the first failure.
async fn load(
    channel: Channel,
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
) -> Option<tonic::Status> {
    while !stop.load(Ordering::Relaxed) {
        if let Err(status) = ask(&channel, 1).await {
            return Some(status);
        }
        calls.fetch_add(1, Ordering::Relaxed);
    }
    None
}

#[tokio::test]
async fn no_call_fails_while_servers_are_restarted_one_after_the_other() {
    let addresses = [closed().await, closed().await];
    let mut running: Vec<Option<Running>> =
        addresses.iter().map(|address| Some(serve_at(*address))).collect();
    let channel = channel(&addresses, forgiving(idempotent()));
    ask(&channel, 0).await.unwrap();
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load =
        (0..4).map(|_| tokio::spawn(load(channel.clone(), Arc::clone(&stop), Arc::clone(&calls))));
    let load: Vec<_> = load.collect();
    for round in 0..4 {
        let number = round % 2;
        until(|| states(&channel) == [EndpointState::Ready; 2]).await;
        let before = calls.load(Ordering::Relaxed);
        until(|| calls.load(Ordering::Relaxed) > before + 20).await;
        let Running { server, executor } = running[number].take().unwrap();
        within(server.drain()).await;
        drop(executor);
        running[number] = Some(serve_at(addresses[number]));
    }
    until(|| states(&channel) == [EndpointState::Ready; 2]).await;
    stop.store(true, Ordering::Relaxed);
    for load in load {
        assert!(load.await.unwrap().is_none_or(|status| panic!("{status}")));
    }
}

#[tokio::test]
async fn no_more_calls_wait_than_may() {
    let peer = Peer::silent().await;
    let few = Settings { waiting_max: 3.try_into().unwrap(), ..limits() };
    let channel = channel(&[peer.address], few);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let channel = channel.clone();
        calls.spawn(async move { ask_within(&channel, 0, Some(millis(500))).await });
    }
    let answers = within(calls.join_all()).await;
    let count =
        |code| answers.iter().filter(|one| one.as_ref().unwrap_err().code() == code).count();
    assert_eq!((count(Code::ResourceExhausted), count(Code::DeadlineExceeded)), (7, 3));
}

#[tokio::test]
async fn calls_beyond_what_a_connection_carries_wait_for_their_turn() {
    let running = start(settings());
    let two = Settings { streams_per_connection_max: 2.try_into().unwrap(), ..limits() };
    let channel = channel(&[running.address()], two);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let channel = channel.clone();
        calls.spawn(async move { ask(&channel, 20).await });
    }
    running.has_streams(2).await;
    assert!(channel.figures().endpoints[0].in_flight <= 2);
    assert!(within(calls.join_all()).await.iter().all(Result::is_ok));
    assert_eq!(running.server.figures().accepted, 1);
}

#[tokio::test]
async fn what_a_peer_allows_at_a_time_is_kept_to() {
    let few =
        transport::Settings { streams_per_connection_max: 2.try_into().unwrap(), ..settings() };
    let running = start(few);
    let channel = channel(&[running.address()], limits());
    ask(&channel, 0).await.unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let channel = channel.clone();
        calls.spawn(async move { ask(&channel, 20).await });
    }
    until(|| channel.figures().waiting == 8).await;
    assert!(within(calls.join_all()).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_unix_socket_is_called_too() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("shop.sock");
    let executor = crate::support::executor();
    let service =
        tower::Layer::layer(&unstall::GrpcLayer::new(executor.clone()), crate::support::books());
    let target = format!("unix:{}", path.display());
    let listeners = transport::Listeners::bind(&[target.parse().unwrap()]).unwrap();
    let _server =
        transport::Server::start(settings(), listeners, None, &executor, service).unwrap();
    let channel = Channel::new(target.parse().unwrap(), limits(), None).unwrap();
    assert_eq!(ask(&channel, 0).await.unwrap(), "for 7");
}
