//! Answers of gRPC in all their forms, as a client without gRPC reads them.

use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Empty, StreamBody};
use serde_json::{Value, json};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use tower::{Layer as _, ServiceExt as _, service_fn};
use transport::json::{Contract, JsonEdgeLayer};

const PATH: &str = "/Recommendations/Recommend";

type Pieces = Vec<Result<Frame<Bytes>, std::io::Error>>;

/// What becomes of an answer of the service inside.
async fn ask(head: http::response::Builder, pieces: Pieces) -> Response<Value> {
    let contract = Contract::decode(api::FILE_DESCRIPTOR_SET).unwrap();
    let inner = Some(head.body(StreamBody::new(tokio_stream::iter(pieces))).unwrap());
    let inner = std::sync::Mutex::new(inner);
    let inner = service_fn(move |request: Request<Empty<Bytes>>| {
        assert_eq!(request.headers()["content-type"], "application/grpc+json");
        assert_eq!(request.headers()["te"], "trailers");
        let answer = inner.lock().unwrap().take().unwrap();
        async move { Ok::<_, Infallible>(answer) }
    });
    let request = Request::post(PATH).header("content-type", "application/json");
    let request = request.body(Empty::new()).unwrap();
    let answer = JsonEdgeLayer::new(contract, []).layer(inner).oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert_eq!(parts.headers["content-type"], "application/json");
    assert!(!parts.headers.keys().any(|name| name.as_str().contains("grpc-status")));
    Response::from_parts(parts, serde_json::from_slice(&body).unwrap())
}

fn head() -> http::response::Builder {
    Response::builder().header("content-type", "application/grpc+json").header("shop", "ours")
}

fn data(bytes: &[u8]) -> Result<Frame<Bytes>, std::io::Error> {
    Ok(Frame::data(Bytes::copy_from_slice(bytes)))
}

fn trailers(pairs: &[(&'static str, &str)]) -> Result<Frame<Bytes>, std::io::Error> {
    let pairs = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    Ok(Frame::trailers(pairs.collect::<HeaderMap>()))
}

#[tokio::test]
async fn headers_pass_and_trailers_are_marked() {
    let ok = trailers(&[("grpc-status", "0"), ("cost", "7")]);
    let answer = ask(head(), vec![data(b"\0\0\0"), data(b"\0\x02"), data(b"{}"), ok]).await;
    assert_eq!((answer.status().as_u16(), answer.body()), (200, &json!({})));
    assert_eq!(answer.headers()["shop"], "ours");
    assert_eq!(answer.headers()["trailer-cost"], "7");
}

#[tokio::test]
async fn each_code_has_its_http_status() {
    for (code, name, status) in [
        (1, "canceled", 499),
        (2, "unknown", 500),
        (3, "invalid_argument", 400),
        (4, "deadline_exceeded", 504),
        (5, "not_found", 404),
        (6, "already_exists", 409),
        (7, "permission_denied", 403),
        (8, "resource_exhausted", 429),
        (9, "failed_precondition", 400),
        (10, "aborted", 409),
        (11, "out_of_range", 400),
        (12, "unimplemented", 501),
        (13, "internal", 500),
        (14, "unavailable", 503),
        (15, "data_loss", 500),
        (16, "unauthenticated", 401),
        (99, "unknown", 500),
    ] {
        let code = code.to_string();
        let expected = json!({"code": name, "message": "100 % sûr"});
        let message = "100%20%25 s%C3%BBr";
        let whole = head().header("grpc-status", &code).header("grpc-message", message);
        let answer = ask(whole, vec![]).await;
        assert_eq!((answer.status().as_u16(), answer.body()), (status, &expected));
        assert_eq!(answer.headers()["shop"], "ours");
        let end = trailers(&[("grpc-status", &code), ("grpc-message", message)]);
        let answer = ask(head(), vec![data(b"\0\0\0\0\x02{}"), end]).await;
        assert_eq!((answer.status().as_u16(), answer.body()), (status, &expected));
    }
}

#[tokio::test]
async fn who_is_not_known_is_told_how_to_say_it() {
    for (asked, expected) in
        [(None, "Bearer"), (Some("Bearer realm=\"shop\""), "Bearer realm=\"shop\"")]
    {
        let mut whole = head().header("grpc-status", "16");
        if let Some(asked) = asked {
            whole = whole.header("www-authenticate", asked);
        }
        let answer = ask(whole, vec![]).await;
        let told: Vec<_> = answer.headers().get_all("www-authenticate").iter().collect();
        assert_eq!(told, [expected]);
    }
    let answer = ask(head().header("grpc-status", "7"), vec![]).await;
    assert!(!answer.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn details_are_there_for_programs_and_for_people() {
    let mut details = ErrorDetails::new();
    details.add_bad_request_violation("max_results", "found -1, expected 0 to 100");
    details.set_retry_info(Some(std::time::Duration::from_millis(1001)));
    let status = Status::with_error_details(Code::ResourceExhausted, "later", details);
    let raw = STANDARD_NO_PAD.encode(status.details());
    let whole = head().header("grpc-status", "8").header("grpc-message", "later");
    let answer = ask(whole.header("grpc-status-details-bin", raw), vec![]).await;
    assert_eq!(answer.headers()["retry-after"], "2");
    let details = answer.body()["details"].as_array().unwrap();
    let find = |name: &str| details.iter().find(|detail| detail["type"] == name).unwrap();
    assert_eq!(find("google.rpc.RetryInfo")["debug"], json!({"retryDelay": "1.001s"}));
    // As the client knows it; the protobuf beside it has the protos' name.
    let violation = json!({"field": "maxResults", "description": "found -1, expected 0 to 100"});
    let bad_request = find("google.rpc.BadRequest");
    assert_eq!(bad_request["debug"], json!({"fieldViolations": [violation]}));
    let value = STANDARD_NO_PAD.decode(bad_request["value"].as_str().unwrap()).unwrap();
    assert!(String::from_utf8_lossy(&value).contains("max_results"), "{value:?}");
}

#[tokio::test]
async fn answers_that_make_no_sense_are_errors() {
    let ok = || trailers(&[("grpc-status", "0")]);
    let broken = || Err(std::io::Error::other("secret cause"));
    for (pieces, code) in [
        (vec![], "unknown"),
        (vec![ok()], "internal"),
        (vec![data(b"\0\0\0\0\x02{}")], "unknown"),
        (vec![data(b"\0\0\0\0\x03{}"), ok()], "internal"),
        (vec![data(b"\x01\0\0\0\x02{}"), ok()], "internal"),
        (vec![data(b"\0\0\0\0\x02{}\0\0\0\0\x02{}"), ok()], "internal"),
        (vec![data(b"\0\0\0\0\x02{}"), trailers(&[])], "unknown"),
        (vec![broken()], "internal"),
        (vec![data(b"\0\0\0\0\x02{}"), broken()], "internal"),
    ] {
        let shown = format!("{pieces:?}");
        let answer = ask(head(), pieces).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.body()["code"]),
            (500, &json!(code)),
            "{shown}"
        );
        assert!(!answer.body().to_string().contains("secret"));
    }
    let odd = head().header("grpc-status", "3").header("grpc-status-details-bin", "%%");
    assert_eq!(*ask(odd, vec![]).await.body(), json!({"code": "invalid_argument"}));
    let limited = Response::builder().status(429).header("retry-after", "9");
    let answer = ask(limited, vec![]).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (503, &"9".parse().unwrap())
    );
}
