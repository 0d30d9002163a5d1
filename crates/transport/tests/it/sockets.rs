//! Where a server listens.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::net::UnixListener;
use std::path::Path;

use h2::client::Builder;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tonic::Code;
use tower::Layer as _;
use transport::{Address, ListenError, Listeners, Server};
use unstall::{Executor, GrpcLayer};

use crate::frames::{UNARY, message};
use crate::support::{Client, executor, grpc, settings, within};

fn listen(addresses: &[Address], executor: &Executor) -> Result<Server, ListenError> {
    let listeners = Listeners::bind(addresses)?;
    let service = GrpcLayer::new(executor.clone()).layer(crate::service::routes());
    Ok(Server::start(settings(), listeners, None, executor, service).unwrap())
}

fn unix(path: &Path) -> [Address; 1] {
    [Address::Unix(path.to_owned())]
}

async fn is_answered_by(client: &Client) {
    assert_eq!(client.ask(grpc(UNARY), message(&[])).await.code(), Code::Ok);
}

async fn is_served(path: &Path) {
    let socket = UnixStream::connect(path).await.unwrap();
    is_answered_by(&Client::over(socket, &Builder::new()).await).await;
}

#[tokio::test]
async fn a_unix_socket_is_served_and_removed_at_the_end() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("foreword.sock");
    let executor = executor();
    let server = listen(&unix(&path), &executor).unwrap();
    assert_eq!(server.addresses(), unix(&path));
    is_served(&path).await;
    within(server.drain()).await;
    assert!(!path.exists());
    drop(listen(&unix(&path), &executor).unwrap());
    assert!(!path.exists());
}

#[tokio::test]
async fn a_unix_socket_that_nobody_answers_on_is_replaced() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("foreword.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "it is left behind");
    let executor = executor();
    let _server = listen(&unix(&path), &executor).unwrap();
    is_served(&path).await;
}

#[tokio::test]
async fn a_unix_socket_that_is_in_use_is_not_taken() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("foreword.sock");
    let executor = executor();
    let _first = listen(&unix(&path), &executor).unwrap();
    let error = listen(&unix(&path), &executor).unwrap_err();
    assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
    is_served(&path).await;
}

#[test]
fn a_file_in_the_place_of_a_unix_socket_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "do not lose").unwrap();
    let error = Listeners::bind(&unix(&path)).unwrap_err();
    assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "do not lose");
}

#[tokio::test]
async fn all_addresses_of_ipv6_take_ipv4_as_well() {
    let executor = executor();
    let server = listen(&["[::]:0".parse().unwrap()], &executor).unwrap();
    let [Address::Tcp(address)] = server.addresses() else { panic!("{:?}", server.addresses()) };
    for host in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        is_answered_by(&Client::connect((host, address.port()).into()).await).await;
    }
}

#[tokio::test]
async fn several_addresses_are_served_at_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("foreword.sock");
    let executor = executor();
    let [unix] = unix(&path);
    let addresses = ["127.0.0.1:0".parse().unwrap(), "127.0.0.1:0".parse().unwrap(), unix];
    let server = listen(&addresses, &executor).unwrap();
    for address in server.addresses() {
        match address {
            Address::Tcp(address) => is_answered_by(&Client::connect(*address).await).await,
            _ => is_served(&path).await,
        }
    }
}

#[test]
fn sockets_that_nobody_has_handed_over_are_missed() {
    let error = Listeners::bind(&[Address::Systemd]).unwrap_err().to_string();
    assert!(error.contains("LISTEN_FDS"), "{error}");
}
