//! gRPC-Web through tonic's routes, by hand-made bodies and by tonic-web's client.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tonic::Code;
use tonic::service::Routes;
use tower::{Layer as _, ServiceExt as _};
use transport::health::v1::health_check_response::ServingStatus;
use transport::health::v1::health_client::HealthClient;
use transport::health::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use transport::health::{Health, Status};
use transport::web::{Origins, WebBody, WebLayer, WebService};

const SHOP: &str = "https://shop.example";
const EVIL: &str = "https://evil.example";
const BINARY: &str = "application/grpc-web+proto";
const TEXT: &str = "application/grpc-web-text+proto";
const CHECK: &str = "/grpc.health.v1.Health/Check";
const LIST: &str = "/grpc.health.v1.Health/List";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

#[tokio::test]
async fn a_binary_call_is_answered_by_a_message_and_trailers() {
    let answer = call(CHECK, BINARY, frame(&about(""))).await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], BINARY);
    assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], SHOP);
    let (message, trailers) = unary(&answer.into_body());
    assert_eq!(serving(&message), ServingStatus::Serving);
    assert_eq!(trailers, "grpc-status:0\r\n");
}

#[tokio::test]
async fn a_text_call_is_answered_by_text() {
    for content_type in [TEXT, "application/grpc-web-text"] {
        let answer = call(CHECK, content_type, STANDARD.encode(frame(&about("")))).await;
        assert_eq!(answer.headers()[header::CONTENT_TYPE], TEXT);
        let (message, trailers) = unary(&from_text(answer.body()));
        assert_eq!(serving(&message), ServingStatus::Serving);
        assert_eq!(trailers, "grpc-status:0\r\n");
    }
}

#[tokio::test]
async fn text_may_come_letter_by_letter_and_padded_in_between() {
    let whole = frame(&about("shop.Books"));
    let (head, tail) = whole.split_at(4);
    let text = STANDARD.encode(head) + &STANDARD.encode(tail);
    let letters = text.into_bytes().into_iter();
    let letters =
        letters.map(|letter| Ok::<_, Infallible>(http_body::Frame::data(vec![letter].into())));
    let body = StreamBody::new(tokio_stream::iter(letters));
    let answer = service(&health()).oneshot(post(CHECK, TEXT, body)).await.unwrap();
    let answer = from_text(&whole_body(answer).await);
    assert_eq!(serving(&unary(&answer).0), ServingStatus::Serving);
}

#[tokio::test]
async fn long_text_answers_come_in_pieces_that_fit_together() {
    let names: Vec<String> = (0..99).map(|number| format!("{number:01000}")).collect();
    let health = Health::new(names);
    let request = post(LIST, TEXT, Full::from(STANDARD.encode(frame(&HealthListRequest {}))));
    let mut body = service(&health).oneshot(request).await.unwrap().into_body();
    let mut text = Vec::new();
    while let Some(piece) = body.frame().await {
        let piece = piece.unwrap().into_data().unwrap();
        assert!(piece.len() <= 32 * 1024, "{}", piece.len());
        text.extend(piece);
    }
    let (message, trailers) = unary(&from_text(&text));
    assert_eq!(HealthListResponse::decode(message).unwrap().statuses.len(), 100);
    assert_eq!(trailers, "grpc-status:0\r\n");
}

#[tokio::test]
async fn an_error_comes_as_trailers_in_the_body() {
    for content_type in [BINARY, TEXT] {
        let request = frame(&about("shop.Films"));
        let (body, decode): (Bytes, fn(&[u8]) -> Bytes) = match content_type {
            TEXT => (STANDARD.encode(request).into(), from_text),
            _ => (request, Bytes::copy_from_slice),
        };
        let answer = call(CHECK, content_type, body).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], content_type);
        assert!(!answer.headers().contains_key("grpc-status"));
        let frames = frames(&decode(answer.body()));
        let [(0x80, trailers)] = &frames[..] else { panic!("{frames:?}") };
        let trailers = std::str::from_utf8(trailers).unwrap();
        assert!(trailers.contains("grpc-status:5\r\n"), "{trailers}");
        assert!(trailers.contains("grpc-message:unknown%20service\r\n"), "{trailers}");
    }
}

#[tokio::test]
async fn a_stream_is_handed_on_message_by_message() {
    for content_type in [BINARY, TEXT] {
        let text = content_type == TEXT;
        let plain = |frame: Bytes| if text { from_text(&frame) } else { frame };
        let request = frame(&about("shop.Books"));
        let body = if text { STANDARD.encode(request).into() } else { request };
        let health = health();
        let request = post(WATCH, content_type, Full::new(body));
        let mut body = service(&health).oneshot(request).await.unwrap().into_body();
        let mut next =
            async || frames(&plain(body.frame().await?.unwrap().into_data().unwrap())).pop();
        let update = |frame: Option<(u8, Bytes)>| serving(&frame.unwrap().1);
        assert_eq!(update(next().await), ServingStatus::Serving);
        health.set("shop.Books", Status::NotServing);
        assert_eq!(update(next().await), ServingStatus::NotServing);
        health.shut_down();
        let (flag, trailers) = next().await.unwrap();
        assert_eq!(flag, 0x80);
        assert!(trailers.starts_with(b"grpc-status:14\r\n"), "{trailers:?}");
        assert_eq!(next().await, None);
    }
}

#[tokio::test]
async fn what_is_not_base64_is_an_invalid_argument() {
    for body in ["!!!!", "AAAAAAA", "A=AA"] {
        let answer = call(CHECK, TEXT, body).await;
        assert_eq!(status(&from_text(answer.body())), Code::InvalidArgument, "{body}");
    }
}

#[tokio::test]
async fn a_cut_frame_is_an_error_and_not_a_shorter_message() {
    let whole = frame(&about("shop.Books"));
    for length in 1..whole.len() {
        let cut = whole.slice(..length);
        let answer = call(CHECK, BINARY, cut.clone()).await;
        assert_eq!(status(answer.body()), Code::Internal, "{length} bytes");
        let answer = call(CHECK, TEXT, STANDARD.encode(cut)).await;
        assert_eq!(status(&from_text(answer.body())), Code::Internal, "{length} bytes");
    }
}

#[tokio::test]
async fn the_statuses_of_the_executor_are_translated_too() {
    let executor = unstall::Executor::start(unstall::Settings::for_this_machine(), ()).unwrap();
    let rpcs = unstall::GrpcLayer::new(executor).layer(Routes::new(health().service()));
    for (timeout, code) in [("20m", Code::DeadlineExceeded), ("soon", Code::Internal)] {
        let mut request = post(WATCH, BINARY, Full::new(frame(&about(""))));
        request.headers_mut().insert("grpc-timeout", timeout.parse().unwrap());
        let answer = layer().layer(rpcs.clone()).oneshot(request).await.unwrap();
        assert_eq!(status(&whole_body(answer).await), code, "{timeout}");
    }
}

#[tokio::test]
async fn a_preflight_of_a_listed_origin_is_granted() {
    let answer = service(&health()).oneshot(preflight(SHOP)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let headers = answer.headers();
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], SHOP);
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_METHODS], "POST");
    assert_eq!(headers[header::VARY], "origin");
    assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    let allowed = headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
    for name in ["content-type", "x-grpc-web", "grpc-timeout", "authorization", "*"] {
        assert!(allowed.split(", ").any(|allowed| allowed == name), "{name}");
    }
    let seconds: u32 = headers[header::ACCESS_CONTROL_MAX_AGE].to_str().unwrap().parse().unwrap();
    assert!(seconds <= 7200);
}

#[tokio::test]
async fn an_origin_that_is_not_listed_never_reaches_the_service() {
    let reached = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reached);
    let inner = tower::service_fn(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())) }
    });
    let plain = "application/grpc";
    for origin in [EVIL, "null", "https://shop.example.evil.example", "http://shop.example"] {
        let calls = [BINARY, TEXT, plain, "text/plain"]
            .map(|content_type| from_page(origin, post(CHECK, content_type, Full::default())));
        for request in calls.into_iter().chain([preflight(origin)]) {
            let answer = layer().layer(inner.clone()).oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN);
            assert!(!answer.headers().contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        }
    }
    assert_eq!(reached.load(Ordering::Relaxed), 0);
    let request = from_page(SHOP, post(CHECK, plain, Full::default()));
    layer().layer(inner).oneshot(request).await.unwrap();
    assert_eq!(reached.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn any_origin_is_served_if_that_is_what_was_asked_for() {
    let service = WebLayer::new(Origins::any()).layer(Routes::new(health().service()));
    let request = from_page(EVIL, post(CHECK, BINARY, Full::new(frame(&about("")))));
    let answer = service.oneshot(request).await.unwrap();
    assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert_eq!(status(&whole_body(answer).await), Code::Ok);
}

#[tokio::test]
async fn other_methods_and_other_messages_are_refused() {
    for (method, content_type, status) in [
        (Method::GET, BINARY, StatusCode::METHOD_NOT_ALLOWED),
        (Method::PUT, TEXT, StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, "application/grpc-web+json", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let mut request = from_page(SHOP, post(CHECK, content_type, Full::default()));
        *request.method_mut() = method;
        let answer = service(&health()).oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], SHOP);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_grpc_is_not_called_so() {
    let inner = tower::service_fn(|_| async {
        let answer = Response::builder().status(StatusCode::BAD_GATEWAY);
        Ok::<_, Infallible>(answer.body(Full::<Bytes>::from("no backend")).unwrap())
    });
    let answer = layer().layer(inner).oneshot(post(CHECK, BINARY, Bytes::new())).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    assert!(!answer.headers().contains_key(header::CONTENT_TYPE));
    assert_eq!(whole_body(answer).await, "no backend");
}

#[tokio::test]
async fn plain_grpc_is_answered_as_without_the_layer() {
    let health = health();
    let request = || post(CHECK, "application/grpc", Full::new(frame(&about("shop.Books"))));
    let with = service(&health).oneshot(request()).await.unwrap();
    let without = Routes::new(health.service()).oneshot(request()).await.unwrap();
    assert_eq!(with.headers(), without.headers());
    let (with, without) = (with.collect().await.unwrap(), without.collect().await.unwrap());
    assert_eq!(with.trailers(), without.trailers());
    assert_eq!(with.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(with.to_bytes(), without.to_bytes());
}

#[tokio::test]
async fn a_foreign_client_understands_messages_errors_and_streams() {
    let health = health();
    let web = tonic_web::GrpcWebClientLayer::new().layer(service(&health));
    let mut client = HealthClient::with_origin(web, "http://localhost".parse().unwrap());
    let answer = client.check(about("shop.Books")).await.unwrap().into_inner();
    assert_eq!(answer.status(), ServingStatus::Serving);
    let error = client.check(about("shop.Films")).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::NotFound, "unknown service"));
    let mut updates = client.watch(about("")).await.unwrap().into_inner();
    assert_eq!(updates.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    health.shut_down();
    assert_eq!(updates.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(updates.message().await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_call_works_over_http_1() {
    for (service_name, code) in [("shop.Books", Code::Ok), ("shop.Films", Code::NotFound)] {
        let (mut near, far) = tokio::io::duplex(4096);
        let service = service(&health());
        let service = hyper::service::service_fn(move |request| service.clone().oneshot(request));
        let server = tokio::spawn(async move {
            let http_1 = hyper::server::conn::http1::Builder::new();
            http_1.serve_connection(TokioIo::new(far), service).await
        });
        let body = frame(&about(service_name));
        let head = format!(
            "POST {CHECK} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\norigin: {SHOP}\r\n\
             content-type: {BINARY}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        near.write_all(head.as_bytes()).await.unwrap();
        near.write_all(&body).await.unwrap();
        let mut answer = Vec::new();
        near.read_to_end(&mut answer).await.unwrap();
        server.await.unwrap().unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let status = format!("grpc-status:{}\r\n", code as i32);
        assert!(answer.contains(&status), "{answer}");
    }
}

fn health() -> Health {
    let health = Health::new(["shop.Books"]);
    health.serving();
    health
}

fn layer() -> WebLayer {
    WebLayer::new(Origins::listed([SHOP, "http://localhost:5000"]).unwrap())
}

fn service(health: &Health) -> WebService<Routes> {
    layer().layer(Routes::new(health.service()))
}

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

fn post<B>(path: &str, content_type: &str, body: B) -> Request<B> {
    let request = Request::post(path).header(header::CONTENT_TYPE, content_type);
    request.body(body).unwrap()
}

fn from_page<B>(origin: &str, mut request: Request<B>) -> Request<B> {
    request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
    request
}

fn preflight(origin: &str) -> Request<Full<Bytes>> {
    let mut request = from_page(origin, Request::new(Full::default()));
    *request.method_mut() = Method::OPTIONS;
    let asked = HeaderMap::from_iter([
        (header::ACCESS_CONTROL_REQUEST_METHOD, "POST".parse().unwrap()),
        (header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type,x-grpc-web".parse().unwrap()),
    ]);
    request.headers_mut().extend(asked);
    request
}

/// Calls from a page of the shop.
async fn call(path: &str, content_type: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    let request = from_page(SHOP, post(path, content_type, Full::new(body.into())));
    let (parts, body) = service(&health()).oneshot(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

async fn whole_body<R>(response: Response<WebBody<R>>) -> Bytes
where
    R: http_body::Body<Data = Bytes>,
    R::Error: std::fmt::Debug,
{
    response.collect().await.unwrap().to_bytes()
}

/// A message as a gRPC frame.
fn frame(message: &impl Message) -> Bytes {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], &message].concat().into()
}

/// Flag and content of each frame.
fn frames(mut bytes: &[u8]) -> Vec<(u8, Bytes)> {
    let mut frames = Vec::new();
    while let [flag, a, b, c, d, rest @ ..] = bytes {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        frames.push((*flag, Bytes::copy_from_slice(&rest[..length])));
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty(), "{bytes:?}");
    frames
}

/// The message and the trailers of an answer that has one each.
fn unary(body: &[u8]) -> (Bytes, String) {
    let mut frames = frames(body).into_iter();
    let (Some((0, message)), Some((0x80, trailers)), None) =
        (frames.next(), frames.next(), frames.next())
    else {
        panic!("expected one message and trailers");
    };
    (message, String::from_utf8(trailers.into()).unwrap())
}

/// The status at the end of a body.
fn status(body: &[u8]) -> Code {
    let (flag, trailers) = frames(body).pop().expect("a body has a frame");
    assert_eq!(flag, 0x80);
    let trailers = std::str::from_utf8(&trailers).unwrap();
    let code = trailers.lines().find_map(|line| line.strip_prefix("grpc-status:"));
    Code::from_bytes(code.expect("trailers have a status").as_bytes())
}

/// Text whose segments may be padded each.
fn from_text(text: &[u8]) -> Bytes {
    text.chunks(4).flat_map(|quantum| STANDARD.decode(quantum).unwrap()).collect()
}

fn serving(message: &[u8]) -> ServingStatus {
    HealthCheckResponse::decode(message).unwrap().status()
}
