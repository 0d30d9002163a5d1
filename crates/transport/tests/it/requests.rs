//! What a request must look like, and who answers it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::routing::{get, post};
use bytes::Bytes;
use h2::client::Builder;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use prost::Message as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::Code;
use tonic::service::Routes;
use tower::Layer as _;
use transport::health::Health;
use transport::tls::{Tls, TlsFiles};
use transport::web::{Origins, WebLayer};
use transport::{OtherRequests, Peer, RequestBody, Settings};
use unstall::GrpcLayer;

use crate::certificates::{Authority, client};
use crate::frames::{UNARY, message};
use crate::support::{
    Client, Running, executor, grpc, settings, start_service, start_testing, within,
};
use crate::testing::SimpleRequest;
use crate::tls::EACH_VERSION;

const CHECK: &str = "/grpc.health.v1.Health/Check";

fn body() -> Vec<u8> {
    message(&SimpleRequest::default().encode_to_vec())
}

/// Sends a call that differs from a good one, and holds the answer against statuses of HTTP and
/// of gRPC.
async fn check(
    client: &Client,
    change: impl FnOnce(&mut Request<()>),
    status: StatusCode,
    code: Code,
) {
    let mut request = grpc(UNARY);
    change(&mut request);
    let text = format!("{request:?}");
    let answer = client.ask(request, body()).await;
    assert_eq!((answer.status, answer.code()), (status, code), "{text}");
}

fn with(name: &'static str, value: &'static str) -> impl FnOnce(&mut Request<()>) {
    move |request| {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
}

#[tokio::test]
async fn only_content_types_of_grpc_pass() {
    let running = start_testing(settings());
    let client = Client::connect(running.address()).await;
    for name in ["application/grpc", "application/grpc+proto", "application/grpc; charset=utf-8"] {
        check(&client, with("content-type", name), StatusCode::OK, Code::Ok).await;
    }
    for name in ["application/json", "application/grpcx", "text/plain", ""] {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        check(&client, with("content-type", name), status, Code::InvalidArgument).await;
    }
    let without = |request: &mut Request<()>| drop(request.headers_mut().remove("content-type"));
    check(&client, without, StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument).await;
}

#[tokio::test]
async fn only_post_passes() {
    let running = start_testing(settings());
    let client = Client::connect(running.address()).await;
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let mut request = grpc(UNARY);
        *request.method_mut() = method;
        let answer = client.ask(request, body()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(
            (answer.code(), &answer.headers["allow"]),
            (Code::Internal, &"POST".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn binary_metadata_must_be_base64() {
    let running = start_testing(settings());
    let client = Client::connect(running.address()).await;
    for good in ["", "YQ", "YQ==", "YWI=", "YWJj", "YQ,YWI="] {
        check(&client, with("trace-bin", good), StatusCode::OK, Code::Ok).await;
    }
    for bad in ["!", "Y", "YQ=", "Y===", "YQ==YQ", "YQ YQ"] {
        check(&client, with("trace-bin", bad), StatusCode::BAD_REQUEST, Code::Internal).await;
    }
    check(&client, with("trace", "!"), StatusCode::OK, Code::Ok).await;
}

/// Posts over HTTP/1.1 and returns the answer as text.
async fn post_http_1(address: SocketAddr, path: &str, content_type: &str, body: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    let mut answer = Vec::new();
    within(socket.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn grpc_over_http_1_is_told_to_come_by_http_2() {
    let running = start_testing(settings());
    let answer = post_http_1(running.address(), UNARY, "application/grpc", &body()).await;
    assert!(answer.starts_with("HTTP/1.1 505 "), "{answer}");
    assert!(answer.contains("grpc-status: 13\r\n"), "{answer}");
}

#[tokio::test]
async fn grpc_web_works_over_http_1() {
    let health = Health::new(["shop.Books"]);
    health.serving();
    let executor = executor();
    let service = GrpcLayer::new(executor.clone()).layer(Routes::new(health.service()));
    let service = WebLayer::new(Origins::listed(["https://shop.example"]).unwrap()).layer(service);
    let running = start_service(settings(), None, executor, service);
    let content_type = "application/grpc-web+proto";
    let answer = post_http_1(running.address(), CHECK, content_type, &message(&[])).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("grpc-status:0\r\n"), "{answer}");
}

#[tokio::test]
async fn other_requests_are_handed_to_a_router_if_that_is_asked_for() {
    let executor = executor();
    let layer = GrpcLayer::new(executor.clone());
    let json = |body: String| async move { format!("{{\"got\":{body}}}") };
    let router =
        crate::service::routes().into_axum_router().route("/books", post(json)).layer(layer);
    let limits = Settings { other_requests: OtherRequests::PassOn, ..settings() };
    let running = start_service(limits, None, executor, router.clone());
    let answer = post_http_1(running.address(), "/books", "application/json", b"{}").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("{\"got\":{}}"), "{answer}");
    let client = Client::connect(running.address()).await;
    assert_eq!(client.ask(grpc(UNARY), body()).await.code(), Code::Ok);

    let refusing = start_service(settings(), None, crate::support::executor(), router);
    let answer = post_http_1(refusing.address(), "/books", "application/json", b"{}").await;
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
}

/// Tells who asks: the address, and how many certificates it showed, and the first of them.
fn start_telling_peers(tls: Option<Tls>) -> Running {
    let tell = |Extension(peer): Extension<Peer>| async move {
        let certificates = peer.certificates();
        let first = certificates.first().map_or(&[][..], |certificate| certificate.as_ref());
        let text = format!("{} {}\n", peer.address().unwrap(), certificates.len());
        [text.as_bytes(), first].concat()
    };
    let router = axum::Router::new().route("/", get(tell));
    let limits = Settings { other_requests: OtherRequests::PassOn, ..settings() };
    start_service(limits, tls, executor(), router)
}

#[tokio::test]
async fn a_service_sees_who_asks() {
    let running = start_telling_peers(None);
    let socket = TcpStream::connect(running.address()).await.unwrap();
    let address = socket.local_addr().unwrap();
    let client = Client::over(socket, &Builder::new()).await;
    let answer = client.ask(Request::get("http://localhost/").body(()).unwrap(), "").await;
    assert_eq!(String::from_utf8(answer.body).unwrap(), format!("{address} 0\n"));
}

#[tokio::test]
async fn a_service_sees_the_certificate_of_who_asks() {
    let authority = Authority::new("shop");
    let folder = TempDir::new().unwrap();
    let pair = authority.server();
    let put = |name: &str, pem: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path
    };
    let tls = Tls::load(TlsFiles {
        certificate: put("server.pem", &pair.certificate),
        key: put("server.key", &pair.key),
        client_ca: Some(put("ca.pem", &authority.pem())),
    });
    let running = start_telling_peers(Some(tls.unwrap()));
    for versions in EACH_VERSION {
        let pair = authority.client();
        let config = client(&authority.pem(), Some(&pair), versions);
        let socket = TcpStream::connect(running.address()).await.unwrap();
        let address = socket.local_addr().unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let socket = TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
        let client = Client::over(socket, &Builder::new()).await;
        let request = Request::get("https://localhost/").body(()).unwrap();
        let answer = client.ask(request, "").await;
        let der = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap();
        assert_eq!(answer.body, [format!("{address} 1\n").as_bytes(), &der].concat());
    }
}

#[tokio::test]
async fn a_panic_of_a_service_costs_its_own_request_and_not_the_connection() {
    let service = tower::service_fn(|request: Request<RequestBody>| {
        assert_ne!(request.uri().path(), "/panic/in.call", "in call");
        async move {
            assert_ne!(request.uri().path(), "/panic/in.future", "in the future");
            let answer = Response::builder().header("grpc-status", "0");
            Ok::<_, Infallible>(answer.body(Full::<Bytes>::default()).unwrap())
        }
    });
    let running = start_service(settings(), None, executor(), service);
    let client = Client::connect(running.address()).await;
    for (path, code) in [
        ("/shop.Books/Get", Code::Ok),
        ("/panic/in.call", Code::Internal),
        ("/panic/in.future", Code::Internal),
        ("/shop.Books/Get", Code::Ok),
    ] {
        assert_eq!(client.ask(grpc(path), body()).await.code(), code, "{path}");
    }
    assert_eq!(running.server.figures().accepted, 1);
}
