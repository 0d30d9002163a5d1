//! The end of a server.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use api::tutorial::recommendations_server::{Recommendations, RecommendationsServer};
use api::tutorial::{RecommendationRequest, RecommendationResponse};
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};
use tower::Layer as _;
use transport::health::Health;
use transport::health::v1::HealthCheckRequest;
use transport::health::v1::health_check_response::ServingStatus;
use transport::health::v1::health_client::HealthClient;
use transport::{Address, Drained, Listeners, Server, Settings};
use unstall::GrpcLayer;

use crate::connections::asking_for;
use crate::frames::{DUPLEX, call, data, kind, last_data};
use crate::support::{
    Client, Open, Running, Wire, ask, executor, grpc, millis, settings, start, start_routes,
    start_service, start_testing, within,
};

/// The longest drain that there is: nothing ends by itself.
const PATIENT: Duration = Duration::from_secs(600);

fn patient() -> Settings {
    Settings { stream_grace: PATIENT, drain_timeout: PATIENT, ..settings() }
}

/// A stream whose response has begun.
async fn open_stream(client: &Client) -> Open {
    let mut call = client.begin(grpc(DUPLEX)).await;
    call.say(asking_for(3));
    let mut open = call.open().await.unwrap();
    assert!(!open.piece().await.is_empty());
    open
}

#[tokio::test]
async fn a_stream_that_goes_on_is_told_after_its_grace() {
    let limits = Settings { stream_grace: millis(50), drain_timeout: PATIENT, ..settings() };
    let running = start_testing(limits);
    let client = Client::connect(running.address()).await;
    let open = open_stream(&client).await;
    let drained = within(running.server.drain()).await;
    assert_eq!(drained, Drained { ended: 1, cut: 0 });
    let answer = open.answer().await.unwrap();
    assert_eq!(answer.trailers.as_ref().unwrap()["grpc-status"], "14");
}

#[tokio::test]
async fn a_stream_may_end_well_within_its_grace() {
    let running = start_testing(patient());
    let client = Client::connect(running.address()).await;
    let mut open = open_stream(&client).await;
    let Running { server, executor: _executor } = running;
    let draining = tokio::spawn(server.drain());
    open.say(asking_for(3));
    assert!(!open.piece().await.is_empty());
    open.send.send_data(bytes::Bytes::new(), true).unwrap();
    assert_eq!(open.answer().await.unwrap().code(), Code::Ok);
    assert_eq!(within(draining).await.unwrap(), Drained::default());
}

#[tokio::test]
async fn watchers_of_health_do_not_hold_a_drain_up() {
    let health = Health::new(["shop.Books"]);
    health.serving();
    let executor = executor();
    let rpcs = GrpcLayer::new(executor.clone()).layer(Routes::default());
    let running = start_service(patient(), None, executor, health.layer().layer(rpcs));
    let mut client = HealthClient::new(running.channel().await);
    let about = HealthCheckRequest { service: "shop.Books".to_owned() };
    let mut updates = client.watch(about).await.unwrap().into_inner();
    let mut next = async || within(updates.message()).await.map(|update| update.unwrap().status());
    assert_eq!(next().await.unwrap(), ServingStatus::Serving);
    health.shut_down();
    let drained = within(running.server.drain()).await;
    assert_eq!(drained, Drained::default());
    assert_eq!(next().await.unwrap(), ServingStatus::NotServing);
    assert_eq!(next().await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn peers_are_told_and_what_they_still_send_is_not_worked_on() {
    let running = start_testing(patient());
    let mut wire = Wire::open(running.address(), &call(1, DUPLEX)).await;
    running.has_streams(1).await;
    let Running { server, executor: _executor } = running;
    let draining = tokio::spawn(server.drain());
    // A first one that warns, and a second one that names the last stream that is worked on.
    let last = loop {
        let goaway = wire.next_of(kind::GOAWAY).await;
        assert_eq!(goaway.goaway_code(), 0);
        if goaway.number(0) < i32::MAX.unsigned_abs() {
            break goaway.number(0);
        }
    };
    assert_eq!(last, 1);
    let late = [call(3, DUPLEX), data(3, &asking_for(3))].concat();
    wire.say(&[late, data(1, &asking_for(3)), last_data(1, &[])].concat()).await;
    let rest = wire.rest().await;
    assert!(rest.iter().any(|frame| frame.stream == 1 && frame.ends_stream()), "{rest:?}");
    let answered = [kind::HEADERS, kind::DATA];
    let is_late = |frame: &&crate::support::Frame| frame.stream == 3;
    assert!(!rest.iter().filter(is_late).any(|frame| answered.contains(&frame.kind)), "{rest:?}");
    assert_eq!(within(draining).await.unwrap(), Drained::default());
}

#[tokio::test]
async fn a_client_goes_on_with_whoever_listens_next() {
    let running = start(settings());
    let address = running.address();
    let channel = running.channel().await;
    assert_eq!(ask(&channel, 1, 0).await.unwrap(), "for 1");
    running.server.drain().await;
    let listeners = Listeners::bind(&[Address::Tcp(address)]).unwrap();
    let rpcs = GrpcLayer::new(running.executor.clone()).layer(crate::service::routes());
    let _next = Server::start(settings(), listeners, None, &running.executor, rpcs).unwrap();
    assert_eq!(ask(&channel, 1, 0).await.unwrap(), "Book 1");
}

#[tokio::test]
async fn a_server_that_is_dropped_closes_all_at_once() {
    let running = start_testing(patient());
    let wire = Wire::open(running.address(), &call(1, DUPLEX)).await;
    let address = running.address();
    let silent = Wire::silent(address).await;
    running.has_streams(1).await;
    running.has_connections(2).await;
    drop(running.server);
    wire.rest().await;
    assert_eq!(silent.rest().await, []);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

/// Holds its thread until it is let go.
struct Stuck(Arc<Mutex<mpsc::Receiver<()>>>);

#[tonic::async_trait]
impl Recommendations for Stuck {
    async fn recommend(
        &self,
        _: Request<RecommendationRequest>,
    ) -> Result<Response<RecommendationResponse>, Status> {
        // Ends when the sender is dropped.
        let _ = self.0.lock().unwrap().recv();
        Ok(Response::new(RecommendationResponse::default()))
    }
}

#[tokio::test]
async fn a_handler_that_is_stuck_does_not_hold_a_drain_up() {
    let (let_go, stuck) = mpsc::channel();
    let stuck = Stuck(Arc::new(Mutex::new(stuck)));
    let limits = Settings { stream_grace: millis(20), drain_timeout: millis(100), ..settings() };
    let running = start_routes(limits, Routes::new(RecommendationsServer::new(stuck)));
    let channel = running.channel().await;
    let call = tokio::spawn(async move { ask(&channel, 1, 0).await });
    running.has_streams(1).await;
    let started = Instant::now();
    let drained = within(running.server.drain()).await;
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(drained, Drained { ended: 1, cut: 0 });
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Unavailable);
    drop(let_go);
}

#[tokio::test]
async fn a_peer_that_does_not_answer_does_not_hold_a_drain_up() {
    let limits = Settings { stream_grace: millis(20), drain_timeout: millis(50), ..settings() };
    let running = start_testing(limits);
    // A peer that is asked to confirm, and never answers.
    let mut wire = Wire::open(running.address(), &[]).await.deaf();
    // Before that, the server would close what has not begun yet.
    wire.next_of(kind::SETTINGS).await;
    within(running.server.drain()).await;
    let frames = wire.rest().await;
    assert!(frames.iter().any(|frame| frame.kind == kind::GOAWAY), "{frames:?}");
}
