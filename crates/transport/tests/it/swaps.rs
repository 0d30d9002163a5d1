//! Certificates that change under calls.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::Layer as _;
use transport::tls::{INTERVAL_MIN, Tls, TlsFiles, Watcher};
use unstall::GrpcLayer;

use crate::certificates::{Authority, Pair, client};
use crate::service;
use crate::support::{ask, executor, settings, start_service, within};
use crate::tls::NEW;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const SWAPS: usize = 20;

fn put(folder: &Path, pair: &Pair) {
    fs::write(folder.join("server.key"), &pair.key).unwrap();
    fs::write(folder.join("server.pem"), &pair.certificate).unwrap();
}

/// A new connection, and the certificate that the server showed.
async fn connect(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
) -> Result<(Channel, Vec<u8>), Failure> {
    let stream = TcpStream::connect(address).await?;
    let connector = TlsConnector::from(Arc::clone(config));
    let stream = connector.connect("localhost".try_into()?, stream).await?;
    let shown = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
    let mut stream = Some(TokioIo::new(stream));
    // It is handed out once: a connection that is lost stays lost, and the next call fails.
    let connector = tower::service_fn(move |_: Uri| {
        std::future::ready(stream.take().ok_or("the connection was lost"))
    });
    let endpoint = Endpoint::from_static("http://localhost");
    Ok((endpoint.connect_with_connector(connector).await?, shown))
}

#[tokio::test]
async fn no_call_fails_and_no_connection_is_lost_while_certificates_change() {
    let authority = Authority::new("one");
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name);
    put(folder.path(), &authority.server());
    fs::write(file("ca.pem"), authority.pem()).unwrap();
    let (certificate, key) = (file("server.pem"), file("server.key"));
    let tls = Tls::load(TlsFiles { certificate, key, client_ca: Some(file("ca.pem")) }).unwrap();
    let _watcher = Watcher::start(tls.clone(), INTERVAL_MIN).unwrap();
    let executor = executor();
    let service = GrpcLayer::new(executor.clone()).layer(service::routes());
    let running = start_service(settings(), Some(tls), executor, service);
    let config = Arc::new(client(&authority.pem(), Some(&authority.client()), NEW));
    let (old, first) = connect(running.address(), &config).await.unwrap();

    let mut shown = first.clone();
    for _ in 0..SWAPS {
        put(folder.path(), &authority.server());
        shown = within(async {
            loop {
                let (new, now) = connect(running.address(), &config).await.unwrap();
                assert_eq!(ask(&new, 1, 1).await.unwrap(), "Book 1");
                assert_eq!(ask(&old, 1, 1).await.unwrap(), "Book 1");
                if now != shown {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
    assert_ne!(shown, first);
}
