//! JSON over HTTP, through tonic's routes and a real server.

use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::Layer as _;
use transport::json::{Contract, Document, JsonEdgeLayer, JsonLayer};
use transport::web::{Origins, WebLayer};
use transport::{OtherRequests, Settings};
use unstall::GrpcLayer;

use crate::support::{Client, Http1, Running, executor, settings, start_service, within};

const RECOMMEND: &str = "/Recommendations/Recommend";
const STREAM: &str = "/grpc.testing.TestService/StreamingOutputCall";
pub(crate) const UNARY: &str = "/grpc.testing.TestService/UnaryCall";
const TESTING: &[u8] = include_bytes!("../../examples/interop/generated/descriptor.bin");

/// Serves the tutorial's call or the test service in JSON too.
pub(crate) fn start(mut settings: Settings, descriptors: &[u8]) -> Running {
    settings.other_requests = OtherRequests::PassOn;
    let contract = Contract::decode(descriptors).unwrap();
    let document = Document::new("/about.txt", "text/plain", "Recommendations.");
    let executor = executor();
    let inner = JsonLayer::new(contract.clone()).layer(crate::service::routes());
    let edge = JsonEdgeLayer::new(contract, [document])
        .layer(GrpcLayer::new(executor.clone()).layer(inner));
    let origins = Origins::listed(["https://shop.example"]).unwrap();
    start_service(settings, None, executor, WebLayer::new(origins).layer(edge))
}

pub(crate) fn start_testing(settings: Settings) -> Running {
    start(settings, TESTING)
}

fn start_tutorial() -> Running {
    start(settings(), api::FILE_DESCRIPTOR_SET)
}

#[tokio::test]
async fn calls_are_answered_one_after_the_other_on_one_connection() {
    let running = start_tutorial();
    let mut client = Http1::connect(running.address()).await;
    for count in 1..4 {
        let told = client.ask(RECOMMEND, &format!(r#"{{"maxResults":{count}}}"#)).await;
        assert_eq!((told.status, &told.headers["content-type"]), (200, &json()));
        let books: Vec<_> =
            (1..=count).map(|id| format!(r#"{{"id":{id},"title":"Book {id}"}}"#)).collect();
        assert_eq!(told.body, format!(r#"{{"recommendations":[{}]}}"#, books.join(",")));
    }
    assert_eq!(running.server.figures().accepted, 1);
}

fn json() -> http::HeaderValue {
    http::HeaderValue::from_static("application/json")
}

#[tokio::test]
async fn http_2_carries_json_beside_grpc() {
    let running = start_tutorial();
    let client = Client::connect(running.address()).await;
    let request = |content_type: &str| {
        let request = Request::post(format!("http://localhost{RECOMMEND}"));
        request.header("content-type", content_type).body(()).unwrap()
    };
    let answer = client.ask(request("application/json; charset=UTF-8"), "{}").await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.body, br#"{"recommendations":[{"id":1,"title":"Book 1"}]}"#);
    // Connect's protobuf: the message without a frame, `max_results` 2.
    let answer = client.ask(request("application/proto"), &b"\x18\x02"[..]).await;
    assert_eq!(answer.headers["content-type"], "application/proto");
    assert!(answer.body.ends_with(b"\x12\x06Book 2"), "{:?}", answer.body);
    let grpc = client.ask(crate::support::grpc(RECOMMEND), vec![0; 5]).await;
    assert_eq!(grpc.code(), tonic::Code::Ok);
}

#[tokio::test]
async fn only_the_edge_says_that_messages_are_json() {
    let running = start_tutorial();
    let client = Client::connect(running.address()).await;
    for content_type in ["application/grpc+json", "application/grpc+JSON;x=y", "application/grpc+x"]
    {
        let mut request = crate::support::grpc(RECOMMEND);
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        let answer = client.ask(request, "\0\0\0\0\x02{}").await;
        assert_eq!(answer.code(), tonic::Code::Unimplemented, "{content_type}");
    }
}

/// Asks with a head of its own; expects a status, a code, and a header.
async fn check(head: &str, status: u16, code: &str, header: (&str, &str)) {
    let running = start_testing(settings());
    let mut client = Http1::connect(running.address()).await;
    client.say(format!("{}\r\nhost: localhost\r\n\r\n", head.replace('\n', "\r\n"))).await;
    let told = client.answer().await;
    assert_eq!((told.status, &*told.error().0), (status, code), "{head}: {told:?}");
    assert_eq!(told.headers[header.0], header.1, "{head}");
}

#[tokio::test]
async fn what_is_no_call_never_reaches_the_routes() {
    let json = ("content-type", "application/json");
    let post = |rest: &str| format!("POST {UNARY} HTTP/1.1\n{rest}content-length: 0");
    let call = |rest: &str| post(&format!("content-type: application/json\n{rest}\n"));
    check("GET / HTTP/1.1", 404, "not_found", json).await;
    check("POST /x HTTP/1.1\ncontent-length: 0", 404, "unimplemented", json).await;
    check(&format!("GET {UNARY} HTTP/1.1"), 405, "unimplemented", ("allow", "POST")).await;
    check(&format!("PUT {UNARY} HTTP/1.1"), 405, "unimplemented", ("allow", "POST")).await;
    check("DELETE /about.txt HTTP/1.1", 405, "unimplemented", ("allow", "GET, HEAD")).await;
    let accept = ("accept-post", "application/json, application/proto");
    for content_type in
        ["", "content-type: text/plain\n", "content-type: application/json; charset=latin1\n"]
    {
        check(&post(content_type), 415, "unimplemented", accept).await;
    }
    let packed = call("content-encoding: gzip");
    check(&packed, 501, "unimplemented", ("accept-encoding", "identity")).await;
    let stream = format!("POST {STREAM} HTTP/1.1\ncontent-type: application/json");
    check(&stream, 501, "unimplemented", json).await;
    for malformed in [
        "connect-protocol-version: 2",
        "connect-timeout-ms: soon",
        "connect-timeout-ms: 12345678901",
        "connect-timeout-ms: -1",
        "a-bin: %%",
    ] {
        check(&call(malformed), 400, "invalid_argument", json).await;
    }
}

#[tokio::test]
async fn a_message_that_is_not_the_methods_is_named_with_its_place() {
    let running = start_testing(settings());
    let mut client = Http1::connect(running.address()).await;
    let deep = format!("{}{}", r#"{"payload":"#.repeat(5000), "}".repeat(5000));
    let long = format!(r#"{{"{}":1}}"#, "x".repeat(100_000));
    for (body, expected) in [
        ("", "the body is empty, expected a JSON object such as {}"),
        (" \n", "the body is empty, expected a JSON object such as {}"),
        ("{\n\"bod\": 1}", "unrecognized field name 'bod' at line 2, column 5"),
        (r#"{"responseType":"MANY"}"#, "unrecognized enum value 'MANY' at line 1, column 22"),
        (r#"{"responseSize":"x"}"#, "invalid digit found in string at line 1"),
        (r#"{"responseSize":1.5}"#, "expected integer value at line 1"),
        ("{} {}", "trailing characters at line 1, column 4"),
        ("null", "invalid type: null, expected a map"),
        ("{\"responseSize\":1", "EOF while parsing an object at line 1"),
        (&deep, "invalid type"),
        (&long, "unrecognized field name 'xxxx"),
    ] {
        let told = client.ask(UNARY, body).await;
        let (code, message) = told.error();
        assert_eq!((told.status, &*code), (400, "invalid_argument"), "{told:?}");
        assert!(message.starts_with(expected) || body.len() > 10_000, "{message:?}");
        assert!(message.len() < 300, "{} bytes", message.len());
    }
    assert_eq!(client.ask(UNARY, r#"{"responseSize":"1e0","responseType":0}"#).await.status, 400);
    let told = client.ask(UNARY, r#"{"response_size":3,"payload":null}"#).await;
    assert_eq!(told.body, r#"{"payload":{"body":"AAAA"}}"#);
}

#[tokio::test]
async fn documents_are_handed_out_and_kept_by_clients() {
    let running = start_tutorial();
    let mut client = Http1::connect(running.address()).await;
    client.say("GET /about.txt?x=y HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let told = client.answer().await;
    assert_eq!((told.status, &*told.body), (200, "Recommendations."));
    assert_eq!(told.headers["content-type"], "text/plain");
    let etag = told.headers["etag"].to_str().unwrap();
    for (tags, status) in
        [(etag.to_owned(), 304), (format!("\"x\", W/{etag}"), 304), ("\"x\"".to_owned(), 200)]
    {
        let head = format!("GET /about.txt HTTP/1.1\r\nhost: x\r\nif-none-match: {tags}\r\n\r\n");
        client.say(head).await;
        assert_eq!(client.answer().await.status, status, "{tags}");
    }
}

#[tokio::test]
async fn answers_to_head_have_a_length_and_no_body() {
    let running = start_tutorial();
    let http2 = Client::connect(running.address()).await;
    for (path, status) in [("/about.txt", 200), ("/nothing", 404), (RECOMMEND, 405)] {
        let request = Request::head(format!("http://localhost{path}")).body(()).unwrap();
        let by_http2 = http2.ask(request, "").await;
        assert_eq!((by_http2.status.as_u16(), by_http2.body.len()), (status, 0), "{path}");
        let length = by_http2.headers["content-length"].to_str().unwrap();
        assert!(length.parse::<usize>().unwrap() >= 16, "{path}: {length}");

        let mut http1 = TcpStream::connect(running.address()).await.unwrap();
        let last = "connection: close\r\n\r\n";
        let head = format!("HEAD {path} HTTP/1.1\r\nhost: localhost\r\n{last}");
        within(http1.write_all(head.as_bytes())).await.unwrap();
        let mut by_http1 = String::new();
        within(http1.read_to_string(&mut by_http1)).await.unwrap();
        let (head, body) = by_http1.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {length}")), "{head}");
        assert_eq!(body, "", "{path}");
    }
}

#[tokio::test]
async fn pages_of_listed_origins_read_answers_and_errors() {
    let running = start_tutorial();
    let mut client = Http1::connect(running.address()).await;
    for body in ["{}", "{"] {
        let headers = ["content-type: application/json", "origin: https://shop.example"];
        let told = client.post(RECOMMEND, &headers, body).await;
        assert_eq!(told.headers["access-control-allow-origin"], "https://shop.example");
    }
    let headers = ["content-type: application/json", "origin: https://evil.example"];
    assert_eq!(client.post(RECOMMEND, &headers, "{}").await.status, 403);
}
