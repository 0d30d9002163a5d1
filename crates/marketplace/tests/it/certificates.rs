//! TLS between the shop and the service, and between visitors and the shop.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{SET_COOKIE, STRICT_TRANSPORT_SECURITY};
use http::{Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use marketplace::settings::{Settings, SignIn};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use transport::development::{Existing, Plan, VALIDITY_DEFAULT, write_certificates};
use transport::tls::{ClientTls, ClientTlsFiles};

use crate::away::{in_time, is_back};
use crate::shop::{Shop, service_settings};

/// Certificates of an authority of their own, which may be put in place of one another.
struct Certificates {
    folder: TempDir,
}

impl Certificates {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan { names: Vec::new(), validity: VALIDITY_DEFAULT, existing: Existing::Keep };
        write_certificates(folder.path(), &plan, SystemTime::now()).unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a server's pair into a folder.
    fn put(&self, into: &Path) {
        for name in ["server.key", "server.pem"] {
            fs::copy(self.file(name), into.join(name)).unwrap();
        }
    }

    /// Whoever trusts these only.
    fn trusting(&self) -> TlsConnector {
        let files = ClientTlsFiles { authorities: self.file("ca.pem"), identity: None };
        ClientTls::load(files).unwrap().current().into()
    }
}

/// A connection to a server by its port; `None` if it shows what is not trusted.
async fn connected(port: u16, by: &TlsConnector) -> Option<TlsStream<TcpStream>> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    by.connect("localhost".try_into().unwrap(), socket).await.ok()
}

/// Waits until a server shows a certificate that somebody trusts.
async fn shows(port: u16, by: &TlsConnector) {
    for _ in 0..400 {
        if connected(port, by).await.is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the certificate was never replaced");
}

/// Has the service show another certificate: pages come all the same, and shelves come back with a
/// certificate that is trusted.
async fn check(is_mutual: bool) {
    let (trusted, stranger) = (Certificates::new(), Certificates::new());
    let used = tempfile::tempdir().unwrap();
    trusted.put(used.path());
    let client_ca = if is_mutual { trusted.file("ca.pem") } else { PathBuf::new() };
    let mut service = service_settings();
    let tls = serde_json::json!({
        "certificate": used.path().join("server.pem"),
        "key": used.path().join("server.key"),
        "client_ca": client_ca,
        "reload_ms": 10,
    });
    service.tls = serde_json::from_value(tls).unwrap();
    let shop = Shop::before(service, |settings: &mut Settings| {
        settings.sign_in = SignIn::Demo;
        settings.tls.authorities = trusted.file("ca.pem");
        if is_mutual {
            settings.tls.client_certificate = trusted.file("client.pem");
            settings.tls.client_key = trusted.file("client.key");
        }
    })
    .await;
    shop.has_categories().await;
    let port = shop.proxy.address.port();
    let mut reader = shop.reader("3").await;
    let before = reader.get("/").await.found().books("want");
    assert!(!reader.get("/").await.has("taking a break"));

    stranger.put(used.path());
    shows(port, &stranger.trusting()).await;
    // Connections go on with the certificate that they began with.
    shop.proxy.cut();
    let asked = shop.faults.count("RecommendPage");
    for _ in 0..3 {
        let page = in_time(&mut reader, "/").await;
        assert!(page.has("Our recommendations are taking a break"), "{}", page.text);
        assert_eq!(page.books("want"), before);
        assert!(in_time(&mut reader, "/books/9").await.has("Book 9"));
    }
    assert_eq!(shop.faults.count("RecommendPage"), asked, "a stranger was asked");

    trusted.put(used.path());
    shows(port, &trusted.trusting()).await;
    is_back(&mut reader).await;
    assert!(shop.faults.count("RecommendPage") > asked);
}

#[tokio::test]
async fn a_service_that_shows_a_strangers_certificate_is_not_asked() {
    check(false).await;
}

#[tokio::test]
async fn nor_over_mutual_tls() {
    check(true).await;
}

/// What a visitor is answered over TLS.
async fn ask(shop: &Shop, by: &TlsConnector, path: &str) -> Response<Incoming> {
    let (_, port) = shop.url.rsplit_once(':').unwrap();
    let stream = connected(port.parse().unwrap(), by).await.unwrap();
    let client = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = client.await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("{}{path}", shop.url)).body(Empty::<Bytes>::new());
    sender.send_request(request.unwrap()).await.unwrap()
}

#[tokio::test]
async fn visitors_come_over_tls_and_stay_there() {
    let (certificates, stranger) = (Certificates::new(), Certificates::new());
    let used = tempfile::tempdir().unwrap();
    certificates.put(used.path());
    let shop = Shop::before(service_settings(), |settings| {
        settings.sign_in = SignIn::Demo;
        settings.tls.certificate = used.path().join("server.pem");
        settings.tls.key = used.path().join("server.key");
    })
    .await;
    assert!(shop.url.starts_with("https://"), "{}", shop.url);
    let by = certificates.trusting();
    for path in ["/", "/sign-in", "/nothing", "/covers/9", "/healthz"] {
        let answer = ask(&shop, &by, path).await;
        let policy = answer.headers()[STRICT_TRANSPORT_SECURITY].to_str().unwrap();
        assert!(policy.starts_with("max-age="), "{path}: {policy}");
    }
    let answer = ask(&shop, &by, "/").await;
    let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-foreword="), "{cookie}");
    for part in ["; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"] {
        assert!(cookie.contains(part), "no {part:?} in {cookie}");
    }
    // What the prefix stands for: no other host may be named.
    assert!(!cookie.contains("Domain"), "{cookie}");
    // A new certificate is shown without a restart.
    let (_, port) = shop.url.rsplit_once(':').unwrap();
    stranger.put(used.path());
    shows(port.parse().unwrap(), &stranger.trusting()).await;
}
