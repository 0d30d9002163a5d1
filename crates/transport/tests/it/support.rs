//! A small service behind a real server, and ways to ask it.

use std::time::Duration;

use api::tutorial::recommendations_server::{Recommendations, RecommendationsServer};
use api::tutorial::{BookRecommendation, RecommendationRequest, RecommendationResponse};
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use tower::Layer as _;
use transport::{Address, Listeners, Server, Settings};
use unstall::{Executor, GrpcLayer};

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
        request: Request<RecommendationRequest>,
    ) -> Result<Response<RecommendationResponse>, Status> {
        let RecommendationRequest { user_id, max_results, .. } = request.into_inner();
        tokio::time::sleep(Duration::from_millis(max_results.unsigned_abs().into())).await;
        let book = BookRecommendation { id: user_id, title: format!("for {user_id}") };
        Ok(Response::new(RecommendationResponse { recommendations: vec![book] }))
    }
}

pub(crate) fn executor() -> Executor {
    Executor::start(unstall::Settings::for_this_machine(), ()).unwrap()
}

/// Production's limits, with one loop.
pub(crate) fn settings() -> Settings {
    Settings { loops: std::num::NonZeroUsize::MIN, ..Settings::for_this_machine() }
}

pub(crate) fn start(settings: Settings) -> Running {
    start_routes(settings, Routes::new(RecommendationsServer::new(Books)))
}

pub(crate) fn start_routes(settings: Settings, routes: Routes) -> Running {
    let executor = executor();
    let listeners = Listeners::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let service = GrpcLayer::new(executor.clone()).layer(routes);
    let server = Server::start(settings, listeners, None, &executor, service).unwrap();
    Running { server, executor }
}

impl Running {
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        match &self.server.addresses()[0] {
            Address::Tcp(address) => *address,
            other => panic!("{other} is no TCP address"),
        }
    }

    pub(crate) async fn channel(&self) -> Channel {
        let uri = format!("http://{}", self.address());
        Channel::from_shared(uri).unwrap().connect().await.unwrap()
    }
}

/// Asks for a user, to be answered after so many milliseconds.
pub(crate) async fn ask(channel: &Channel, user: i32, after_ms: i32) -> Result<String, Status> {
    let mut client =
        api::tutorial::recommendations_client::RecommendationsClient::new(channel.clone());
    let request = RecommendationRequest { user_id: user, category: 0, max_results: after_ms };
    let answer = client.recommend(request).await?.into_inner();
    Ok(answer.recommendations.into_iter().map(|book| book.title).collect())
}
