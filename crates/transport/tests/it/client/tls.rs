//! TLS and mutual TLS of the calling side, and certificates that change.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tempfile::TempDir;
use tonic::Code;
use tower::{Layer as _, ServiceExt as _};
use transport::Peer;
use transport::client::{Channel, Settings};
use transport::tls::{
    ClientIdentity, ClientTls, ClientTlsFiles, INTERVAL_MIN, Tls, TlsFiles, Watcher,
};
use unstall::GrpcLayer;

use super::peers::{ask, limits};
use crate::certificates::{Authority, Pair};
use crate::support::{Running, books, executor, settings, start_service, until};

/// A server that wants certificates, a folder of the client's files, and who was seen.
struct Case {
    authority: Authority,
    folder: TempDir,
    running: Running,
    seen: Arc<Mutex<Option<CertificateDer<'static>>>>,
}

impl Case {
    fn new() -> Self {
        let authority = Authority::new("one");
        let folder = TempDir::new().unwrap();
        let files = |name: &str| folder.path().join(name);
        write(folder.path(), "server", &authority.server());
        write(folder.path(), "client", &authority.client());
        fs::write(files("ca.pem"), authority.pem()).unwrap();
        let (certificate, key) = (files("server.pem"), files("server.key"));
        let tls = TlsFiles { certificate, key, client_ca: Some(files("ca.pem")) };
        let seen = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&seen);
        let executor = executor();
        let service = GrpcLayer::new(executor.clone()).layer(books());
        let service = service.map_request(move |request: http::Request<_>| {
            let peer = request.extensions().get::<Peer>().unwrap();
            *noted.lock().unwrap() = peer.certificates().first().cloned();
            request
        });
        let running = start_service(settings(), Some(Tls::load(tls).unwrap()), executor, service);
        Self { authority, folder, running, seen }
    }

    fn tls(&self) -> ClientTls {
        let file = |name: &str| self.folder.path().join(name);
        let identity = ClientIdentity { certificate: file("client.pem"), key: file("client.key") };
        let files = ClientTlsFiles { authorities: file("ca.pem"), identity: Some(identity) };
        ClientTls::load(files).unwrap()
    }

    fn channel(&self, tls: ClientTls) -> Channel {
        self.channel_as(tls, Some("localhost"))
    }

    /// A channel that wants the server to have a name.
    fn channel_as(&self, tls: ClientTls, name: Option<&str>) -> Channel {
        let target = format!("https://{}", self.running.address()).parse().unwrap();
        let settings = Settings { server_name: name.map(str::to_owned), ..limits() };
        Channel::new(target, settings, Some(tls)).unwrap()
    }

    /// Puts new files of the client there.
    fn put(&self, pair: &Pair) {
        write(self.folder.path(), "client", pair);
    }

    /// Whether the last call was made with a pair.
    fn saw(&self, pair: &Pair) -> bool {
        let expected = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
        self.seen.lock().unwrap().as_ref() == Some(&expected)
    }
}

fn write(folder: &Path, name: &str, pair: &Pair) {
    fs::write(folder.join(format!("{name}.key")), &pair.key).unwrap();
    fs::write(folder.join(format!("{name}.pem")), &pair.certificate).unwrap();
}

#[tokio::test]
async fn a_call_goes_out_under_the_clients_name_to_a_server_of_the_right_name() {
    let case = Case::new();
    let pair = case.authority.client();
    case.put(&pair);
    ask(&case.channel(case.tls()), 0).await.unwrap();
    assert!(case.saw(&pair));
    // The certificate is for localhost, and the target names an address.
    for name in [None, Some("elsewhere")] {
        let status = ask(&case.channel_as(case.tls(), name), 0).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.message().contains("TLS handshake failed"), "{status}");
    }
}

#[tokio::test]
async fn a_server_of_another_authority_gets_no_call() {
    let case = Case::new();
    fs::write(case.folder.path().join("ca.pem"), Authority::new("two").pem()).unwrap();
    let status = ask(&case.channel(case.tls()), 0).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("certificate"), "{status}");
    assert!(!status.message().contains("BEGIN"), "{status}");
}

#[tokio::test]
async fn new_files_are_used_for_new_calls_while_those_before_finish() {
    let case = Case::new();
    let tls = case.tls();
    let _watcher = Watcher::start_for_client(tls.clone(), INTERVAL_MIN).unwrap();
    let channel = case.channel(tls);
    ask(&channel, 0).await.unwrap();
    let slow = tokio::spawn({
        let channel = channel.clone();
        async move { ask(&channel, 1_000).await }
    });
    case.running.has_streams(1).await;
    let pair = case.authority.client();
    case.put(&pair);
    until(|| case.running.server.figures().accepted == 2).await;
    crate::support::within(async {
        while !case.saw(&pair) {
            ask(&channel, 0).await.unwrap();
        }
    })
    .await;
    assert_eq!(slow.await.unwrap().unwrap(), "for 7");
    case.running.has_connections(1).await;
    assert_eq!(channel.figures().endpoints[0].ejections, 0);
}

#[tokio::test]
async fn files_that_cannot_be_used_change_nothing() {
    let case = Case::new();
    let (tls, pair) = (case.tls(), case.authority.client());
    case.put(&pair);
    tls.reload().unwrap();
    let channel = case.channel(tls.clone());
    ask(&channel, 0).await.unwrap();
    let stranger = Pair { key: case.authority.client().key, ..case.authority.client() };
    for bad in [stranger, case.authority.server()] {
        case.put(&bad);
        let error = tls.reload().unwrap_err().to_string();
        assert!(error.contains("client.") && !error.contains("BEGIN"), "{error}");
        ask(&channel, 0).await.unwrap();
        assert!(case.saw(&pair));
    }
    assert_eq!(case.running.server.figures().accepted, 1);
}

#[tokio::test]
async fn a_server_that_refuses_the_new_certificate_keeps_the_connection_before() {
    let case = Case::new();
    let tls = case.tls();
    let channel = case.channel(tls.clone());
    ask(&channel, 0).await.unwrap();
    // Sound in itself, but of an authority that the server does not know.
    case.put(&Authority::new("two").client());
    tls.reload().unwrap();
    until(|| case.running.server.figures().accepted >= 2).await;
    for _ in 0..20 {
        ask(&channel, 0).await.unwrap();
        tokio::time::sleep(crate::support::millis(5)).await;
    }
}

#[tokio::test]
async fn a_server_of_an_authority_that_was_removed_gets_no_more_calls() {
    let case = Case::new();
    let tls = case.tls();
    let channel = case.channel(tls.clone());
    ask(&channel, 0).await.unwrap();
    let slow = tokio::spawn({
        let channel = channel.clone();
        async move { ask(&channel, 1_000).await }
    });
    case.running.has_streams(1).await;
    fs::write(case.folder.path().join("ca.pem"), Authority::new("two").pem()).unwrap();
    tls.reload().unwrap();
    until(|| channel.figures().endpoints[0].ejections > 0).await;
    for _ in 0..5 {
        let status = ask(&channel, 0).await.unwrap_err();
        assert!(status.message().contains("TLS handshake failed"), "{status}");
    }
    assert_eq!(slow.await.unwrap().unwrap(), "for 7", "calls in flight are finished");
}

#[tokio::test]
async fn calls_that_wait_for_room_go_out_when_a_connection_is_renewed() {
    let case = Case::new();
    let tls = case.tls();
    let target = format!("https://{}", case.running.address()).parse().unwrap();
    let one = 1.try_into().unwrap();
    let name = Some("localhost".to_owned());
    let settings = Settings { server_name: name, streams_per_connection_max: one, ..limits() };
    let channel = Channel::new(target, settings, Some(tls.clone())).unwrap();
    let ask_after = |millis: i32| {
        let channel = channel.clone();
        tokio::spawn(async move { ask(&channel, millis).await })
    };
    let slow = ask_after(600_000);
    case.running.has_streams(1).await;
    let waiting = ask_after(0);
    until(|| channel.figures().waiting == 1).await;
    case.put(&case.authority.client());
    tls.reload().unwrap();
    assert_eq!(crate::support::within(waiting).await.unwrap().unwrap(), "for 7");
    assert!(!slow.is_finished());
    slow.abort();
}

#[tokio::test]
async fn https_without_authorities_is_refused_at_once() {
    let error = Channel::new("https://localhost:1".parse().unwrap(), limits(), None).unwrap_err();
    assert!(error.to_string().contains("no authorities"), "{error}");
}
