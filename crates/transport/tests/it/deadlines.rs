//! Deadlines: of calls, of streams, and of those whose readers take nothing.

use h2::client::Builder;
use http::{Request, StatusCode};
use prost::Message as _;
use tonic::Code;

use crate::connections::asking_for;
use crate::frames::{DUPLEX, message};
use crate::support::{
    Client, Running, executor, grpc, settings, start, start_service, start_testing,
};

const RECOMMEND: &str = "/Recommendations/Recommend";

fn until_timeout(path: &str, timeout: &str) -> Request<()> {
    let mut request = grpc(path);
    request.headers_mut().insert("grpc-timeout", timeout.parse().unwrap());
    request
}

/// The same service, with and without the layer that knows deadlines by itself.
fn with_and_without_layer() -> [Running; 2] {
    let without = start_service(settings(), None, executor(), crate::service::routes());
    [start_testing(settings()), without]
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let running = start(settings());
    let client = Client::connect(running.address()).await;
    let request =
        api::tutorial::RecommendationRequest { user_id: 1, category: 0, max_results: 600_000 };
    let request = message(&request.encode_to_vec());
    let answer = client.ask(until_timeout(RECOMMEND, "100m"), request).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::OK, Code::DeadlineExceeded));
    running.has_streams(0).await;
}

#[tokio::test]
async fn a_call_whose_request_never_comes_ends_at_its_deadline() {
    for running in with_and_without_layer() {
        let client = Client::connect(running.address()).await;
        let call = client.begin(until_timeout(DUPLEX, "100m")).await;
        assert_eq!(call.answer().await.unwrap().code(), Code::DeadlineExceeded);
        running.has_streams(0).await;
    }
}

#[tokio::test]
async fn a_stream_that_goes_on_ends_at_its_deadline() {
    for running in with_and_without_layer() {
        let client = Client::connect(running.address()).await;
        let mut call = client.begin(until_timeout(DUPLEX, "2S")).await;
        call.say(asking_for(3));
        let mut open = call.open().await.unwrap();
        assert!(!open.piece().await.is_empty());
        let answer = open.answer().await.unwrap();
        assert_eq!(answer.trailers.as_ref().unwrap()["grpc-status"], "4");
        running.has_streams(0).await;
    }
}

#[tokio::test]
async fn a_stream_whose_reader_takes_nothing_is_reset_at_its_deadline() {
    for running in with_and_without_layer() {
        let closed = Builder::new().initial_window_size(0).clone();
        let client = Client::connect_with(running.address(), &closed).await;
        let mut call = client.begin(until_timeout(DUPLEX, "500m")).await;
        call.say(asking_for(100_000));
        let error = call.open().await.unwrap().unread().await;
        assert!(error.is_reset(), "{error}");
        running.has_streams(0).await;
    }
}

#[tokio::test]
async fn a_deadline_that_is_none_is_refused() {
    let running = start(settings());
    let client = Client::connect(running.address()).await;
    for timeout in ["", "soon", "5", "-1S", "1.5S", "123456789S", "1 S"] {
        let answer = client.ask(until_timeout(RECOMMEND, timeout), message(&[])).await;
        let found = (answer.status, answer.code());
        assert_eq!(found, (StatusCode::BAD_REQUEST, Code::Internal), "{timeout:?}");
    }
}
