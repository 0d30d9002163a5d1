//! The contract in JSON: the same answers as by gRPC, from the same service.

use api::v1::{BookFilter, HistoryItem, RecommendRequest};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::ServiceExt as _;
use transport::json::{Contract, Method};

use crate::running::{self, Running};

const RECOMMEND: &str = "/foreword.v1.RecommendationService/Recommend";
const SIMILAR: &str = "/foreword.v1.RecommendationService/SimilarBooks";

/// An answer as it came.
struct Told {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: HeaderMap,
}

async fn post(channel: &Channel, path: &str, content_type: &str, body: Vec<u8>) -> Told {
    let request = Request::post(path).header("content-type", content_type);
    let request = request.header("te", "trailers").body(Body::new(Full::from(body))).unwrap();
    let (parts, body) = channel.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    let body = body.to_bytes().to_vec();
    Told { status: parts.status, headers: parts.headers, body, trailers }
}

/// Asks in JSON.
async fn ask(channel: &Channel, path: &str, json: &str) -> (StatusCode, Value) {
    let told = post(channel, path, "application/json", json.as_bytes().to_vec()).await;
    assert_eq!(told.headers["content-type"], "application/json", "{path} {json}");
    (told.status, serde_json::from_slice(&told.body).unwrap())
}

/// Asks the same by gRPC; the answer, or code and message, as JSON has them.
async fn ask_grpc(channel: &Channel, path: &str, method: &Method, json: &str) -> Value {
    let mut framed = method.input().from_json(json.as_bytes(), 5).unwrap();
    let length = u32::try_from(framed.len() - 5).unwrap();
    framed[1..5].copy_from_slice(&length.to_be_bytes());
    let told = post(channel, path, "application/grpc", framed).await;
    let end = if told.trailers.is_empty() { &told.headers } else { &told.trailers };
    let status = Status::from_header_map(end).unwrap();
    match status.code() {
        Code::Ok => {
            let json = method.output().to_json(&told.body[5..], 0).unwrap();
            serde_json::from_slice(&json).unwrap()
        }
        code => json!({ "code": snake_case(code), "message": status.message() }),
    }
}

/// What Connect calls a code.
fn snake_case(code: Code) -> String {
    let mut name = String::new();
    for character in format!("{code:?}").chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(character.to_lowercase());
    }
    name
}

/// Asks both ways, expects the same, and returns it.
async fn check(running: &Running, contract: &Contract, path: &str, json: &str) -> Value {
    let method = contract.method(path).unwrap();
    let (status, mut by_json) = ask(&running.channel, path, json).await;
    let mut by_grpc = ask_grpc(&running.channel, path, method, json).await;
    assert_eq!(status.is_success(), by_grpc.get("code").is_none(), "{json}: {by_json}");
    for answer in [&mut by_json, &mut by_grpc] {
        let answer = answer.as_object_mut().unwrap();
        // Names one answer, so that no two have the same; those of a page are several.
        answer.remove("attributionToken");
        for shelf in answer.get_mut("shelves").and_then(Value::as_array_mut).into_iter().flatten() {
            shelf.as_object_mut().unwrap().remove("attributionToken");
        }
        answer.remove("details");
    }
    assert_eq!(by_json, by_grpc, "{path} {json}");
    by_json
}

fn contract() -> Contract {
    Contract::decode(api::FILE_DESCRIPTOR_SET).unwrap()
}

/// The methods that change something, in an order in which their examples find what they are about.
const CHANGING: [&str; 11] = [
    "ActivateModel",
    "RollBackModel",
    "UpsertBooks",
    "UpdateOffers",
    "AdjustStock",
    "PutRule",
    "RecordEvents",
    "MergeUsers",
    "DeleteBook",
    "DeleteRule",
    "DeleteUser",
];

#[tokio::test]
async fn every_example_of_the_document_is_answered_as_by_grpc() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let contract = contract();
    let document: Value = serde_json::from_str(api::OPENAPI).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let turn =
        |path: &str| CHANGING.iter().position(|method| path.ends_with(&format!("/{method}")));
    let mut in_turn: Vec<_> = paths.iter().collect();
    in_turn.sort_by_key(|(path, _)| turn(path));
    for (path, item) in in_turn {
        let content = &item["post"]["requestBody"]["content"]["application/json"];
        let examples = content["examples"].as_object().unwrap();
        assert!(!examples.is_empty(), "{path}");
        for example in examples.values() {
            let example = example["value"].to_string();
            // What changes something is answered otherwise the second time.
            let answer = match turn(path) {
                None => check(&running, &contract, path, &example).await,
                Some(_) => ask(&running.channel, path, &example).await.1,
            };
            assert!(answer.get("code").is_none(), "{path}: {answer}");
            let is_shelf = path.contains("RecommendationService");
            let has_books = answer.get("books").or(answer.get("shelves")).is_some();
            assert!(!is_shelf || has_books, "{path}: {answer}");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn whatever_is_asked_the_answer_is_that_of_grpc() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let contract = contract();
    let input = contract.method(RECOMMEND).unwrap().input();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let (mut answered, mut refused) = (0, 0);
    for _ in 0..200 {
        let request = request(&mut random).encode_to_vec();
        let json = String::from_utf8(input.to_json(&request, 0).unwrap()).unwrap();
        let answer = check(&running, &contract, RECOMMEND, &json).await;
        match answer.get("code") {
            None => answered += 1,
            Some(_) => refused += 1,
        }
    }
    assert!(answered > 20 && refused > 20, "{answered} answered, {refused} refused");
    running.stop().await;
}

/// A request that may be valid.
fn request(random: &mut ChaCha8Rng) -> RecommendRequest {
    let mut any = |most: u32| random.random_range(0..=most);
    let mut history = Vec::new();
    for _ in 0..any(2) {
        let book_id = any(45).to_string();
        let (kind, rating) = (any(10) as i32, f64::from(any(12)) / 2.0);
        history.push(HistoryItem { book_id, kind, rating: if any(2) > 0 { 0.0 } else { rating } });
    }
    let words = ["mystery", "sci-fi", "zauberbücher 🪄", "\u{7}", ""];
    let mut list =
        |most: u32| (0..any(2)).map(|_| words[any(most) as usize].to_owned()).collect::<Vec<_>>();
    let filter = BookFilter {
        any_categories: list(2),
        languages: list(3),
        excluded_book_ids: list(4),
        ..BookFilter::default()
    };
    let user_id =
        if history.is_empty() || any(3) == 0 { any(70).to_string() } else { String::new() };
    let max_results = any(25) as i32 - 1;
    let shown_token = ["", "AQI", "no token"][any(2) as usize].to_owned();
    let filter = Some(filter);
    RecommendRequest { user_id, history, filter, max_results, shown_token, user_revision: 0 }
}

#[tokio::test]
async fn fields_at_fault_are_named_without_protobuf() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let (status, error) = ask(&running.channel, SIMILAR, r#"{"maxResults":-1}"#).await;
    assert_eq!((status.as_u16(), &error["code"]), (400, &json!("invalid_argument")));
    let details = error["details"].as_array().unwrap();
    let detail = details.iter().find(|one| one["type"] == "google.rpc.BadRequest").unwrap();
    let violations = detail["debug"]["fieldViolations"].as_array().unwrap();
    let fields: Vec<_> = violations.iter().map(|one| one["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["bookId", "maxResults"]);
    running.stop().await;
}

#[tokio::test]
async fn what_cannot_be_asked_in_json_is_refused_with_a_reason() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let long = format!("{{}}{}", " ".repeat(1 << 20));
    for (path, json, status, code) in [
        (SIMILAR, r#"{"bookId":"999"}"#, 404, "not_found"),
        (RECOMMEND, r#"{"user":"1"}"#, 400, "invalid_argument"),
        (RECOMMEND, r#"{"history":[{"bookId":"1","kind":"READ"}]}"#, 400, "invalid_argument"),
        (RECOMMEND, &long, 429, "resource_exhausted"),
        ("/foreword.v1.RecommendationService/Nothing", "{}", 404, "unimplemented"),
        ("/grpc.health.v1.Health/Check", "{}", 404, "unimplemented"),
    ] {
        let (found, error) = ask(&running.channel, path, json).await;
        assert_eq!((found.as_u16(), &error["code"]), (status, &json!(code)), "{path}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{path}");
    }
    running.stop().await;
}

#[tokio::test]
async fn the_tutorials_call_is_answered_in_json_too() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let json = r#"{"userId":3,"category":"MYSTERY","maxResults":2}"#;
    let answer = check(&running, &contract(), "/Recommendations/Recommend", json).await;
    assert_eq!(answer["recommendations"].as_array().unwrap().len(), 2);
    running.stop().await;
}

#[tokio::test]
async fn the_document_is_served_as_it_is_committed() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
    let answer = running.channel.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, api::OPENAPI.as_bytes());
    running.stop().await;
}
