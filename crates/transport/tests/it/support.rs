//! Services behind a real server, and ways to ask them.

mod client;
mod http1;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use api::tutorial::recommendations_server::{Recommendations, RecommendationsServer};
use api::tutorial::{BookRecommendation, RecommendationRequest, RecommendationResponse};
use bytes::Bytes;
use http::{Request, Response};
use tonic::Status;
use tonic::service::Routes;
use tonic::transport::Channel;
use tower::{Layer as _, Service};
use transport::tls::Tls;
use transport::{Address, Ending, Listeners, RequestBody, Server, Settings};
use unstall::{Executor, GrpcLayer};

pub(crate) use client::{Client, Open, grpc};
pub(crate) use http1::{Http1, Told};
pub(crate) use wire::{Frame, Wire};

/// The longest that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// An error of any kind.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A server with its executor.
pub(crate) struct Running {
    pub(crate) server: Server,
    pub(crate) executor: Executor,
}

/// Answers with one book, whose title tells the user's number, after so many milliseconds.
#[derive(Debug)]
struct Books;

#[tonic::async_trait]
impl Recommendations for Books {
    async fn recommend(
        &self,
        request: tonic::Request<RecommendationRequest>,
    ) -> Result<tonic::Response<RecommendationResponse>, Status> {
        let RecommendationRequest { user_id, max_results, .. } = request.into_inner();
        tokio::time::sleep(Duration::from_millis(max_results.unsigned_abs().into())).await;
        let book = BookRecommendation { id: user_id, title: format!("for {user_id}") };
        Ok(tonic::Response::new(RecommendationResponse { recommendations: vec![book] }))
    }
}

pub(crate) fn executor() -> Executor {
    Executor::start(unstall::Settings::for_this_machine(), ()).unwrap()
}

/// Production's limits, with one loop.
pub(crate) fn settings() -> Settings {
    Settings { loops: std::num::NonZeroUsize::MIN, ..Settings::for_this_machine() }
}

pub(crate) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Serves the tutorial's call.
pub(crate) fn start(settings: Settings) -> Running {
    start_routes(settings, books())
}

/// The tutorial's call.
pub(crate) fn books() -> Routes {
    Routes::new(RecommendationsServer::new(Books))
}

/// Serves the calls of the test service, whose messages may be large and may stream.
pub(crate) fn start_testing(settings: Settings) -> Running {
    start_routes(settings, crate::service::routes())
}

pub(crate) fn start_routes(settings: Settings, routes: Routes) -> Running {
    let executor = executor();
    let service = GrpcLayer::new(executor.clone()).layer(routes);
    start_service(settings, None, executor, service)
}

/// Serves anything on a port of the system's choosing.
pub(crate) fn start_service<S, B>(
    settings: Settings,
    tls: Option<Tls>,
    executor: Executor,
    service: S,
) -> Running
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let listeners = Listeners::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let server = Server::start(settings, listeners, tls, &executor, service).unwrap();
    Running { server, executor }
}

impl Running {
    pub(crate) fn address(&self) -> SocketAddr {
        match &self.server.addresses()[0] {
            Address::Tcp(address) => *address,
            other => panic!("{other} is no TCP address"),
        }
    }

    pub(crate) async fn channel(&self) -> Channel {
        let uri = format!("http://{}", self.address());
        Channel::from_shared(uri).unwrap().connect().await.unwrap()
    }

    /// Waits until so many connections have ended for a reason.
    pub(crate) async fn ended(&self, reason: Ending, count: u64) {
        until(|| self.server.ended(reason) >= count).await;
        let counts: Vec<_> =
            Ending::ALL.iter().map(|one| (one.name(), self.server.ended(*one))).collect();
        assert_eq!(self.server.ended(reason), count, "{counts:?}");
    }

    /// Waits until so many connections are open.
    pub(crate) async fn has_connections(&self, count: usize) {
        until(|| self.server.figures().connections == count).await;
    }

    /// Waits until so many streams are open.
    pub(crate) async fn has_streams(&self, count: usize) {
        until(|| self.server.figures().streams == count).await;
    }
}

/// Waits until the condition holds.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    within(async {
        while !holds() {
            tokio::time::sleep(millis(2)).await;
        }
    })
    .await;
}

/// Waits for something that is to happen soon.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it never came true")
}

/// Asks for a user, to be answered after so many milliseconds.
pub(crate) async fn ask(channel: &Channel, user: i32, after_ms: i32) -> Result<String, Status> {
    let mut client =
        api::tutorial::recommendations_client::RecommendationsClient::new(channel.clone());
    let request = RecommendationRequest { user_id: user, category: 0, max_results: after_ms };
    let answer = client.recommend(request).await?.into_inner();
    Ok(answer.recommendations.into_iter().map(|book| book.title).collect())
}
