//! Bodies that are not gRPC, held to the limits of messages; and times.

use std::num::NonZeroUsize;

use http::Request;
use transport::Settings;

use crate::json::{UNARY, start, start_testing};
use crate::support::{Client, Http1, Told, millis, settings, until};

fn bytes(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// The head of a call whose body has so many bytes.
fn head(length: usize) -> String {
    let length = format!("content-length: {length}");
    format!(
        "POST {UNARY} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
    )
}

/// The head of a call whose body comes in chunks.
fn chunked() -> String {
    head(0).replace("content-length: 0", "transfer-encoding: chunked")
}

fn failed(told: &Told, status: u16, code: &str) {
    assert_eq!((told.status, &*told.error().0), (status, code), "{told:?}");
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_by_its_announced_length() {
    let running = start_testing(Settings { message_bytes_max: bytes(1000), ..settings() });
    let mut client = Http1::connect(running.address()).await;
    client.say(head(1001).replace("host", "expect: 100-continue\r\nhost")).await;
    failed(&client.answer().await, 429, "resource_exhausted");

    let mut client = Http1::connect(running.address()).await;
    client.say(chunked()).await;
    client.say(format!("3e8\r\n{}\r\n1\r\n \r\n", " ".repeat(1000))).await;
    failed(&client.answer().await, 429, "resource_exhausted");

    let client = Client::connect(running.address()).await;
    let request = Request::post(format!("http://localhost{UNARY}"));
    let request = request.header("content-type", "application/json").body(()).unwrap();
    let answer = client.ask(request, " ".repeat(1001)).await;
    assert_eq!(answer.status, 429);

    let mut client = Http1::connect(running.address()).await;
    let fits = format!("{}{{}}", " ".repeat(998));
    assert_eq!(client.ask(UNARY, &fits).await.status, 200);
    until(|| running.server.figures().unfinished_bytes == 0).await;
}

#[tokio::test]
async fn a_body_of_more_entries_than_are_good_for_the_memory_is_refused() {
    let running = start(settings(), api::FILE_DESCRIPTOR_SET);
    let mut client = Http1::connect(running.address()).await;
    let recommend = "/foreword.v1.RecommendationService/Recommend";
    let list = |entry: &str, count: usize| format!("[{}]", vec![entry; count].join(","));
    let items = list(r#"{"bookId":"1","kind":"EVENT_KIND_RATING","rating":4.5}"#, 1000);
    let (excluded, tags) = (list(r#""1""#, 1000), list(r#""mystery""#, 100));
    let filter = format!(r#"{{"excludedBookIds":{excluded},"anyCategories":{tags}}}"#);
    let long = format!(r#"{{"history":{items},"filter":{filter},"maxResults":100}}"#);
    // It gets to the routes, which have no such method.
    failed(&client.ask(recommend, &long).await, 501, "unimplemented");
    let many = format!(r#"{{"history":{}}}"#, list(r#"{"kind":1}"#, 95_321));
    let told = client.ask(recommend, &many).await;
    failed(&told, 400, "invalid_argument");
    let expected = "found 190643 fields and elements of lists, expected at most 16384";
    assert!(told.error().1.starts_with(expected), "{told:?}");
}

#[tokio::test]
async fn a_body_that_does_not_end_is_not_waited_for() {
    let running = start_testing(Settings { message_timeout: millis(50), ..settings() });
    for begun in [head(10), head(10) + "{", chunked(), chunked() + "1\r\n{\r\n"] {
        let mut client = Http1::connect(running.address()).await;
        client.say(begun).await;
        failed(&client.answer().await, 504, "deadline_exceeded");
    }
    until(|| running.server.figures().unfinished_bytes == 0).await;
}

#[tokio::test]
async fn unfinished_bodies_count_with_messages_and_lose_their_room_to_others() {
    let running = start_testing(Settings { unfinished_bytes_max: bytes(100_000), ..settings() });
    let held = || running.server.figures().unfinished_bytes;
    let mut greedy = Http1::connect(running.address()).await;
    greedy.say(head(60_000)).await;
    until(|| held() == 60_000).await;
    let mut growing = Http1::connect(running.address()).await;
    growing.say(chunked()).await;
    growing.say(format!("2328\r\n{}\r\n", " ".repeat(9000))).await;
    until(|| held() == 60_000 + (16 << 10)).await;
    let mut good = Http1::connect(running.address()).await;
    good.say(head(40_000)).await;
    failed(&greedy.answer().await, 429, "resource_exhausted");
    good.say(format!("{{}}{}", " ".repeat(39_998))).await;
    assert_eq!(good.answer().await.status, 200);
    growing.say("2\r\n{}\r\n0\r\n\r\n").await;
    assert_eq!(growing.answer().await.status, 200);
    until(|| held() == 0).await;
}

#[tokio::test]
async fn a_call_ends_when_its_caller_waits_no_longer() {
    // Bodies are waited for as part of the call.
    let running = start_testing(settings());
    let mut client = Http1::connect(running.address()).await;
    let timeout = head(10).replace("host", "connect-timeout-ms: 30\r\nhost");
    client.say(timeout).await;
    failed(&client.answer().await, 504, "deadline_exceeded");
}

#[tokio::test]
async fn what_a_client_says_in_grpcs_headers_does_not_count() {
    let running = start(settings(), api::FILE_DESCRIPTOR_SET);
    let mut client = Http1::connect(running.address()).await;
    let headers = [
        "content-type: application/json",
        "grpc-timeout: soon",
        "grpc-encoding: gzip",
        "grpc-accept-encoding: gzip",
        "te: gzip",
        "connect-timeout-ms: 9999999999",
    ];
    let told = client.post("/Recommendations/Recommend", &headers, "{}").await;
    assert_eq!(told.status, 200, "{told:?}");
}

#[tokio::test]
async fn a_call_that_a_drain_ends_says_so() {
    let limits = Settings {
        stream_grace: millis(10),
        drain_timeout: millis(100),
        message_timeout: millis(60_000),
        ..settings()
    };
    let running = start_testing(limits);
    let mut client = Http1::connect(running.address()).await;
    client.say(head(10)).await;
    running.has_streams(1).await;
    let answer = tokio::spawn(async move { client.answer().await });
    running.server.drain().await;
    failed(&answer.await.unwrap(), 503, "unavailable");
}
