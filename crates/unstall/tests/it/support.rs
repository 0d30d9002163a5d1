//! A gRPC server on loopback whose handlers are closures, a client without a clock of its own,
//! and what handlers do to hold their threads.

use std::convert::Infallible;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, mpsc};

use api::tutorial::{BookRecommendation, RecommendationRequest};
use axum::Router;
use axum::body::Body;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::service_fn;
use unstall::{Executor, GrpcLayer, Observer, Settings, Stage, StallKind, StallReport};

use crate::{PATIENCE, eventually};

pub(crate) type Ask = RecommendationRequest;
pub(crate) type Book = BookRecommendation;

/// Fails the test if the future takes for ever.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes no more than a minute")
}

pub(crate) fn settings() -> Settings {
    Settings::for_cores(NonZeroUsize::MIN)
}

pub(crate) fn executor() -> Executor {
    executor_with(settings(), ())
}

pub(crate) fn executor_with(settings: Settings, observer: impl Observer) -> Executor {
    Executor::start(settings, observer).unwrap()
}

/// A book by number alone.
pub(crate) fn book(id: i32) -> Book {
    Book { id, title: String::new() }
}

/// Holds the threads of handlers until it is dropped.
pub(crate) struct Held(#[expect(dead_code, reason = "its drop is what counts")] mpsc::Sender<()>);

/// What a handler waits at, without awaiting.
pub(crate) struct Wall(Mutex<mpsc::Receiver<()>>);

pub(crate) fn wall() -> (Held, Wall) {
    let (sender, receiver) = mpsc::channel();
    (Held(sender), Wall(Mutex::new(receiver)))
}

impl Wall {
    /// Blocks the thread until [`Held`] is dropped.
    pub(crate) fn block(&self) {
        let _ = self.0.lock().unwrap().recv_timeout(PATIENCE);
    }
}

/// Keeps all reports but those of a machine that paused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reports(Arc<Mutex<Vec<StallReport>>>);

impl Observer for Reports {
    fn report(&self, report: &StallReport) {
        if report.kind != StallKind::HostStarved {
            self.0.lock().unwrap().push(report.clone());
        }
    }
}

impl Reports {
    pub(crate) fn all(&self) -> Vec<StallReport> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn of(&self, method: &str) -> Vec<StallReport> {
        self.all().into_iter().filter(|report| report.method == method).collect()
    }

    /// The first reports of stalls.
    pub(crate) fn begun(&self) -> Vec<StallReport> {
        self.all().into_iter().filter(|report| report.stage == Stage::Begun).collect()
    }

    /// Waits for the report of a method at a stage.
    #[track_caller]
    pub(crate) fn wait(&self, method: &str, stage: Stage) -> StallReport {
        let mut found = None;
        eventually(&format!("a report of {method}"), || {
            found = self.of(method).into_iter().find(|report| report.stage == stage);
            found.is_some()
        });
        found.unwrap()
    }
}

/// Tells when it is dropped.
pub(crate) struct Guard(Option<tokio::sync::oneshot::Sender<()>>);

pub(crate) fn guard() -> (Guard, tokio::sync::oneshot::Receiver<()>) {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    (Guard(Some(sender)), receiver)
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.take().unwrap().send(());
    }
}

/// RPCs by path.
pub(crate) struct Rpcs(pub(crate) Router);

impl Rpcs {
    pub(crate) fn new() -> Self {
        // An axum router answers 404; tonic's own answers UNIMPLEMENTED, as it should.
        Self(Routes::default().into_axum_router())
    }

    pub(crate) fn unary<H, F>(self, path: &str, handler: H) -> Self
    where
        H: Fn(Ask) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Book, Status>> + Send + 'static,
    {
        let service = service_fn(move |request: http::Request<Body>| {
            let handler = handler.clone();
            let unary = service_fn(move |request: Request<Ask>| {
                let answer = handler(request.into_inner());
                async move { answer.await.map(Response::new) }
            });
            async move {
                let mut grpc = tonic::server::Grpc::new(ProstCodec::<Book, Ask>::default());
                Ok::<_, Infallible>(grpc.unary(unary, request).await)
            }
        });
        Self(self.0.route_service(path, service))
    }

    /// RPCs of all other kinds.
    pub(crate) fn stream<H, S>(self, path: &str, handler: H) -> Self
    where
        H: Fn(Streaming<Ask>) -> S + Clone + Send + Sync + 'static,
        S: Stream<Item = Result<Book, Status>> + Send + 'static,
    {
        let service = service_fn(move |request: http::Request<Body>| {
            let handler = handler.clone();
            let streaming = service_fn(move |request: Request<Streaming<Ask>>| {
                let stream = handler(request.into_inner());
                async move { Ok::<_, Status>(Response::new(stream)) }
            });
            async move {
                let mut grpc = tonic::server::Grpc::new(ProstCodec::<Book, Ask>::default());
                Ok::<_, Infallible>(grpc.streaming(streaming, request).await)
            }
        });
        Self(self.0.route_service(path, service))
    }

    /// Serves them by tonic's own server, in the test's own thread.
    pub(crate) async fn serve(self, executor: &Executor) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder()
            .layer(GrpcLayer::new(executor.clone()))
            .add_routes(self.0.into())
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        Peer::new(&format!("http://{address}"))
    }
}

/// A client. Not tonic's channel, which would race the server with its own deadline.
#[derive(Clone)]
pub(crate) struct Peer(tonic::client::Grpc<Client<HttpConnector, tonic::body::Body>>);

impl Peer {
    fn new(origin: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
        Self(tonic::client::Grpc::with_origin(client, origin.parse().unwrap()))
    }

    pub(crate) async fn call(&self, path: &'static str) -> Result<Book, Status> {
        self.ask(path, Request::new(Ask::default())).await
    }

    /// A call with a `grpc-timeout`.
    pub(crate) async fn call_within(
        &self,
        path: &'static str,
        timeout: &'static str,
    ) -> Result<Book, Status> {
        let mut request = Request::new(Ask::default());
        request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
        self.ask(path, request).await
    }

    pub(crate) async fn ask(&self, path: &'static str, ask: Request<Ask>) -> Result<Book, Status> {
        let mut grpc = self.0.clone();
        soon(async {
            grpc.ready().await.unwrap();
            let codec = ProstCodec::<Ask, Book>::default();
            let path = http::uri::PathAndQuery::from_static(path);
            grpc.unary(ask, path, codec).await.map(Response::into_inner)
        })
        .await
    }

    /// A stream of answers to a stream of questions.
    pub(crate) async fn stream(
        &self,
        path: &'static str,
        asks: impl Stream<Item = Ask> + Send + 'static,
    ) -> Result<Streaming<Book>, Status> {
        self.stream_request(path, Request::new(asks)).await
    }

    pub(crate) async fn stream_within(
        &self,
        path: &'static str,
        timeout: &'static str,
    ) -> Result<Streaming<Book>, Status> {
        let mut request = Request::new(tokio_stream::once(Ask::default()));
        request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
        self.stream_request(path, request).await
    }

    async fn stream_request(
        &self,
        path: &'static str,
        request: Request<impl Stream<Item = Ask> + Send + 'static>,
    ) -> Result<Streaming<Book>, Status> {
        let mut grpc = self.0.clone();
        soon(async {
            grpc.ready().await.unwrap();
            let codec = ProstCodec::<Ask, Book>::default();
            let path = http::uri::PathAndQuery::from_static(path);
            grpc.streaming(request, path, codec).await.map(Response::into_inner)
        })
        .await
    }
}

/// Reads a stream to its end; returns the books' numbers and how it ended.
pub(crate) async fn read(mut books: Streaming<Book>) -> (Vec<i32>, Result<(), Status>) {
    let mut numbers = Vec::new();
    loop {
        match soon(books.next()).await {
            Some(Ok(book)) => numbers.push(book.id),
            Some(Err(status)) => return (numbers, Err(status)),
            None => return (numbers, Ok(())),
        }
    }
}
