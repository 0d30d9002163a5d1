//! Names, resolved by a DNS server of the test's own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use testbed::names::{NameServer, Six, Zone};
use tonic::Code;
use transport::client::{Channel, Names, Settings};

use super::peers::{ask, forgiving, limits, serve_at};
use crate::support::{Running, millis, settings, until, within};

/// Settings that ask this server.
fn asking(server: &NameServer) -> Settings {
    let names = Names {
        servers: vec![server.address()],
        timeout: millis(200),
        ttl_min: millis(20),
        again_after: millis(20),
        ..limits().names
    };
    forgiving(Settings { names, ..limits() })
}

/// The same port of several loopback addresses.
async fn places(count: u8) -> (u16, Vec<Ipv4Addr>) {
    let port = super::peers::closed().await.port();
    (port, (0..count).map(|number| Ipv4Addr::new(127, 0, 0, 2 + number)).collect())
}

fn serve(ip: Ipv4Addr, port: u16) -> Running {
    serve_at(SocketAddr::new(IpAddr::V4(ip), port))
}

fn channel(server: &NameServer, port: u16) -> Channel {
    let target = format!("http://books.test:{port}").parse().unwrap();
    Channel::new(target, asking(server), None).unwrap()
}

fn addresses(channel: &Channel) -> Vec<String> {
    channel.figures().endpoints.into_iter().map(|endpoint| endpoint.address).collect()
}

#[tokio::test]
async fn every_address_of_a_name_is_an_endpoint() {
    let (port, ips) = places(2).await;
    let running = [serve(ips[0], port), serve(ips[1], port)];
    let names = NameServer::start(Zone::Addresses(ips, 3600)).unwrap();
    let channel = channel(&names, port);
    assert_eq!(addresses(&channel), [""; 0], "nothing is asked before the first call");
    ask(&channel, 0).await.unwrap();
    let expected = [2, 3].map(|last| format!("books.test:{port} (127.0.0.{last}:{port})"));
    assert_eq!(addresses(&channel), expected);
    for running in &running {
        running.has_connections(1).await;
    }
}

#[tokio::test]
async fn a_change_is_followed_when_the_time_to_live_is_over() {
    let (port, ips) = places(2).await;
    let before = serve(ips[0], port);
    let after = serve(ips[1], port);
    let names = NameServer::start(Zone::Addresses(vec![ips[0]], 0)).unwrap();
    let channel = channel(&names, port);
    let slow = tokio::spawn({
        let channel = channel.clone();
        async move { ask(&channel, 500).await }
    });
    before.has_streams(1).await;
    names.set(Zone::Addresses(vec![ips[1]], 0));
    until(|| addresses(&channel)[0].contains("127.0.0.3")).await;
    ask(&channel, 0).await.unwrap();
    after.has_connections(1).await;
    assert_eq!(slow.await.unwrap().unwrap(), "for 7", "calls in flight are finished");
    before.has_connections(0).await;
}

#[tokio::test]
async fn names_are_resolved_at_once_when_a_connection_breaks() {
    let (port, ips) = places(2).await;
    let before = serve(ips[0], port);
    let names = NameServer::start(Zone::Addresses(vec![ips[0]], 3600)).unwrap();
    let channel = channel(&names, port);
    ask(&channel, 0).await.unwrap();
    names.set(Zone::Addresses(vec![ips[1]], 3600));
    let _after = serve(ips[1], port);
    drop(before);
    within(async {
        while ask(&channel, 0).await.is_err() {
            tokio::time::sleep(millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn addresses_stay_in_use_while_a_name_cannot_be_resolved() {
    let (port, ips) = places(1).await;
    let _running = serve(ips[0], port);
    let names = NameServer::start(Zone::Addresses(ips, 0)).unwrap();
    let channel = channel(&names, port);
    ask(&channel, 0).await.unwrap();
    for zone in [Zone::Silence, Zone::Missing] {
        names.set(zone);
        for _ in 0..10 {
            tokio::time::sleep(millis(10)).await;
            ask(&channel, 0).await.unwrap();
        }
    }
    assert_eq!(addresses(&channel).len(), 1);
}

#[tokio::test]
async fn a_name_that_cannot_be_resolved_is_told() {
    for zone in [Zone::Missing, Zone::Silence, Zone::Addresses(Vec::new(), 60)] {
        let names = NameServer::start(zone.clone()).unwrap();
        let status = ask(&channel(&names, 1), 0).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{zone:?}: {status}");
        assert!(status.message().contains("cannot resolve books.test: "), "{zone:?}: {status}");
    }
}

#[tokio::test]
async fn a_name_that_once_failed_is_found_soon_after_it_is_back() {
    let (port, ips) = places(1).await;
    let _running = serve(ips[0], port);
    let server = NameServer::start(Zone::Missing).unwrap();
    let mut settings = asking(&server);
    let hour = std::time::Duration::from_secs(3600);
    (settings.names.ttl_min, settings.names.ttl_max) = (hour, hour);
    let target = format!("http://books.test:{port}").parse().unwrap();
    let channel = Channel::new(target, settings, None).unwrap();
    ask(&channel, 0).await.unwrap_err();
    server.set(Zone::Addresses(ips, 3600));
    within(async {
        while ask(&channel, 0).await.is_err() {
            tokio::time::sleep(millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn one_kind_of_addresses_is_enough_while_the_other_fails() {
    let (port, ips) = places(2).await;
    let _running = [serve(ips[0], port), serve(ips[1], port)];
    for six in [Six::Fails, Six::Silence] {
        let names = NameServer::start(Zone::OnlyFour(vec![ips[0]], six)).unwrap();
        let channel = channel(&names, port);
        ask(&channel, 0).await.unwrap();
        names.set(Zone::OnlyFour(vec![ips[1]], six));
        until(|| addresses(&channel)[0].contains("127.0.0.3")).await;
        ask(&channel, 0).await.unwrap();
    }
}

#[tokio::test]
async fn a_name_that_is_not_answered_holds_up_no_other() {
    let (port, ips) = places(1).await;
    let _running = serve(ips[0], port);
    let names = NameServer::start(Zone::Addresses(ips, 3600)).unwrap();
    let mut settings = asking(&names);
    settings.names.timeout = std::time::Duration::from_secs(10);
    let target = format!("http://silent.test:{port},http://books.test:{port}").parse().unwrap();
    let channel = Channel::new(target, settings, None).unwrap();
    ask(&channel, 0).await.unwrap();
}

#[tokio::test]
async fn a_name_in_the_file_of_hosts_needs_no_name_server() {
    let running = crate::support::start(settings());
    let target = format!("http://localhost:{}", running.address().port());
    let channel = Channel::new(target.parse().unwrap(), limits(), None).unwrap();
    assert_eq!(ask(&channel, 0).await.unwrap(), "for 7");
}
