//! Health through tonic's client and routes.

use std::convert::Infallible;
use std::future;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::{Request, Response};
use http_body_util::Full;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Streaming};
use tower::{Layer as _, ServiceExt as _};
use transport::health::v1::health_check_response::ServingStatus;
use transport::health::v1::health_client::HealthClient;
use transport::health::v1::{HealthCheckRequest, HealthCheckResponse, HealthListRequest};
use transport::health::{Health, REQUEST_BYTES_MAX, Status};

const BOOKS: &str = "shop.Books";

type Client = HealthClient<Routes>;

#[tokio::test]
async fn nothing_serves_before_it_is_said_to() {
    let (health, mut client) = books();
    for service in ["", BOOKS] {
        assert_eq!(check(&mut client, service).await, Ok(ServingStatus::NotServing));
    }
    health.serving();
    for service in ["", BOOKS] {
        assert_eq!(check(&mut client, service).await, Ok(ServingStatus::Serving));
    }
}

#[tokio::test]
async fn services_are_set_one_by_one_and_together() {
    let (health, mut client) = books();
    health.set(BOOKS, Status::Serving);
    assert_eq!(check(&mut client, BOOKS).await, Ok(ServingStatus::Serving));
    assert_eq!(check(&mut client, "").await, Ok(ServingStatus::NotServing));
    health.clone().set_all(Status::Serving);
    assert_eq!(check(&mut client, "").await, Ok(ServingStatus::Serving));
}

#[tokio::test]
async fn an_unknown_service_is_not_found() {
    let (health, mut client) = books();
    assert_eq!(check(&mut client, "shop.Films").await, Err(Code::NotFound));
    health.set("shop.Films", Status::Serving);
    assert_eq!(check(&mut client, "shop.Films").await, Ok(ServingStatus::Serving));
}

#[tokio::test]
async fn list_returns_every_service_up_to_a_hundred() {
    let (health, mut client) = books();
    health.set(BOOKS, Status::Serving);
    let listed = client.list(HealthListRequest {}).await.unwrap().into_inner().statuses;
    let mut listed: Vec<_> = listed.iter().map(|(name, is)| (name.as_str(), is.status())).collect();
    listed.sort_unstable();
    assert_eq!(listed, [("", ServingStatus::NotServing), (BOOKS, ServingStatus::Serving)]);

    (0..98).for_each(|number| health.set(format!("shop.{number}"), Status::Serving));
    assert_eq!(client.list(HealthListRequest {}).await.unwrap().into_inner().statuses.len(), 100);
    health.set("shop.98", Status::Serving);
    let error = client.list(HealthListRequest {}).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn watch_tells_the_status_at_once_and_each_change() {
    let (health, mut client) = books();
    let mut updates = watch(&mut client, BOOKS).await;
    assert_eq!(next(&mut updates).await, Ok(ServingStatus::NotServing));
    silent(&mut updates);
    health.serving();
    assert_eq!(next(&mut updates).await, Ok(ServingStatus::Serving));
    health.set(BOOKS, Status::Serving);
    health.set("", Status::NotServing);
    silent(&mut updates);
}

#[tokio::test]
async fn watch_of_an_unknown_service_goes_on_until_it_is_known() {
    let (health, mut client) = books();
    let mut updates = watch(&mut client, "shop.Films").await;
    assert_eq!(next(&mut updates).await, Ok(ServingStatus::ServiceUnknown));
    health.serving();
    silent(&mut updates);
    health.set("shop.Films", Status::Serving);
    assert_eq!(next(&mut updates).await, Ok(ServingStatus::Serving));
}

#[tokio::test]
async fn a_slow_reader_gets_the_latest_status_only() {
    let (health, mut client) = books();
    let mut updates = watch(&mut client, BOOKS).await;
    assert_eq!(next(&mut updates).await, Ok(ServingStatus::NotServing));
    for _ in 0..1000 {
        health.set(BOOKS, Status::Serving);
        health.set(BOOKS, Status::NotServing);
    }
    silent(&mut updates);
    health.set(BOOKS, Status::Serving);
    assert_eq!(next(&mut updates).await, Ok(ServingStatus::Serving));
    silent(&mut updates);
}

#[tokio::test]
async fn shutting_down_is_said_and_ends_watch_streams() {
    let (health, mut client) = books();
    health.serving();
    let mut known = watch(&mut client, BOOKS).await;
    let mut unknown = watch(&mut client, "shop.Films").await;
    assert_eq!(next(&mut known).await, Ok(ServingStatus::Serving));
    assert_eq!(next(&mut unknown).await, Ok(ServingStatus::ServiceUnknown));
    health.shut_down();
    assert_eq!(next(&mut known).await, Ok(ServingStatus::NotServing));
    let end = known.message().await.unwrap_err();
    assert_eq!((end.code(), end.message()), (Code::Unavailable, "the server is stopping"));
    assert_eq!(known.message().await.unwrap(), None);
    assert_eq!(next(&mut unknown).await, Err(Code::Unavailable));
}

#[tokio::test]
async fn nothing_serves_again_after_shutting_down() {
    let (health, mut client) = books();
    health.serving();
    health.shut_down();
    health.serving();
    health.set(BOOKS, Status::Serving);
    health.set("shop.Films", Status::Serving);
    health.shut_down();
    for service in ["", BOOKS] {
        assert_eq!(check(&mut client, service).await, Ok(ServingStatus::NotServing));
    }
    assert_eq!(check(&mut client, "shop.Films").await, Err(Code::NotFound));
    let mut updates = watch(&mut client, BOOKS).await;
    assert_eq!(next(&mut updates).await, Ok(ServingStatus::NotServing));
    assert_eq!(next(&mut updates).await, Err(Code::Unavailable));
}

#[tokio::test]
async fn watch_streams_end_with_the_last_handle() {
    let (health, mut client) = books();
    let mut updates = watch(&mut client, BOOKS).await;
    assert_eq!(next(&mut updates).await, Ok(ServingStatus::NotServing));
    drop((health, client));
    assert_eq!(next(&mut updates).await, Err(Code::Unavailable));
}

#[tokio::test]
async fn a_name_longer_than_any_path_is_refused() {
    let (_, mut client) = books();
    let name = "s".repeat(REQUEST_BYTES_MAX);
    let error = client.watch(request(&name)).await.unwrap_err();
    assert_eq!(error.code(), Code::OutOfRange);
}

#[tokio::test]
async fn a_watch_stream_wakes_from_another_thread() {
    let (health, mut client) = books();
    let mut updates = watch(&mut client, BOOKS).await;
    assert_eq!(next(&mut updates).await, Ok(ServingStatus::NotServing));
    let waiting = tokio::spawn(async move { next(&mut updates).await });
    tokio::task::yield_now().await;
    tokio::task::spawn_blocking(move || health.serving()).await.unwrap();
    let update = tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap();
    assert_eq!(update.unwrap(), Ok(ServingStatus::Serving));
}

#[tokio::test]
async fn a_busy_service_holds_up_no_health_call() {
    let (health, _) = books();
    health.serving();
    // Says yes to nobody.
    let busy = tower::service_fn(|_| future::pending::<Result<Response<Body>, Infallible>>());
    let mut client = HealthClient::new(health.layer().layer(busy));
    let answer = client.check(request(BOOKS)).now_or_never().unwrap().unwrap();
    assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
}

#[tokio::test]
async fn other_calls_are_handed_on() {
    let (health, _) = books();
    let service = health.layer().layer(Routes::default());
    for (path, status) in [
        ("/grpc.health.v1.Health/Check", None),
        ("/grpc.health.v1.HealthCheck/Check", Some("12")),
        ("/grpc.health.v1.Health", Some("12")),
        ("/shop.Books/Recommend", Some("12")),
    ] {
        let request = Request::post(path).header("content-type", "application/grpc");
        let request = request.body(Body::new(Full::from(&[0u8; 5][..]))).unwrap();
        let answer = service.clone().oneshot(request).await.unwrap();
        let found = answer.headers().get("grpc-status").map(|status| status.to_str().unwrap());
        assert_eq!(found, status, "{path}");
    }
}

fn books() -> (Health, Client) {
    let health = Health::new([BOOKS]);
    let client = HealthClient::new(Routes::new(health.service()));
    (health, client)
}

fn request(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

async fn check(client: &mut Client, service: &str) -> Result<ServingStatus, Code> {
    let answer = client.check(request(service)).await.map_err(|status| status.code())?;
    Ok(answer.into_inner().status())
}

async fn watch(client: &mut Client, service: &str) -> Streaming<HealthCheckResponse> {
    client.watch(request(service)).await.unwrap().into_inner()
}

async fn next(updates: &mut Streaming<HealthCheckResponse>) -> Result<ServingStatus, Code> {
    match updates.message().await {
        Ok(update) => Ok(update.expect("the stream goes on").status()),
        Err(status) => Err(status.code()),
    }
}

/// Asserts that there is nothing to read now.
fn silent(updates: &mut Streaming<HealthCheckResponse>) {
    assert!(updates.message().now_or_never().is_none());
}
