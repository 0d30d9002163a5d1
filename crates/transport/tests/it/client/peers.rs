//! Peers good and bad, and channels to them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::tutorial::RecommendationRequest;
use api::tutorial::recommendations_client::RecommendationsClient;
use api::tutorial::recommendations_server::{Recommendations, RecommendationsServer};
use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Status};
use tower::Layer as _;
use transport::client::{Channel, Ejection, EndpointState, Settings};
use transport::{Deadline, Listeners, Server};
use unstall::GrpcLayer;

use crate::support::{Running, executor, settings};

/// The tutorial's only method.
pub(crate) const RECOMMEND: &str = "/Recommendations/Recommend";

/// Production's limits.
pub(crate) fn limits() -> Settings {
    Settings::for_a_nearby_service()
}

/// Production's limits, with the tutorial's method for an idempotent one.
pub(crate) fn idempotent() -> Settings {
    let mut settings = limits();
    settings.retries.idempotent_methods = vec![RECOMMEND.to_owned()];
    settings
}

/// Limits under which ejected endpoints come back soon.
pub(crate) fn forgiving(settings: Settings) -> Settings {
    let backoff_first = Duration::from_millis(20);
    let ejection = Ejection { backoff_first, backoff_max: backoff_first, ..settings.ejection };
    Settings { ejection, ..settings }
}

/// A channel to addresses in plaintext.
pub(crate) fn channel(addresses: &[SocketAddr], settings: Settings) -> Channel {
    let places: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
    Channel::new(places.join(",").parse().unwrap(), settings, None).unwrap()
}

/// A request that begins, and is never written to its end.
pub(crate) fn endless(timeout: &'static str) -> http::Request<Body> {
    let pieces = tokio_stream::pending::<Result<http_body::Frame<Bytes>, Status>>();
    let body = Body::new(http_body_util::StreamBody::new(pieces));
    let request = http::Request::post(RECOMMEND).header("te", "trailers");
    request.header("grpc-timeout", timeout).body(body).unwrap()
}

/// Asks for a user, to be answered after so many milliseconds.
pub(crate) async fn ask(channel: &Channel, after_ms: i32) -> Result<String, Status> {
    ask_within(channel, after_ms, None).await
}

/// Asks, and waits for no longer than the timeout.
pub(crate) async fn ask_within(
    channel: &Channel,
    after_ms: i32,
    timeout: Option<Duration>,
) -> Result<String, Status> {
    let question = RecommendationRequest { user_id: 7, category: 0, max_results: after_ms };
    let mut request = tonic::Request::new(question);
    if let Some(timeout) = timeout {
        request.set_timeout(timeout);
    }
    let answer = RecommendationsClient::new(channel.clone()).recommend(request).await?.into_inner();
    Ok(answer.recommendations.into_iter().map(|book| book.title).collect())
}

/// The states of a channel's endpoints.
pub(crate) fn states(channel: &Channel) -> Vec<EndpointState> {
    channel.figures().endpoints.iter().map(|endpoint| endpoint.state).collect()
}

/// Serves the tutorial's call at an address.
pub(crate) fn serve_at(address: SocketAddr) -> Running {
    serve_service_at(address, crate::support::books())
}

fn serve_service_at(address: SocketAddr, routes: Routes) -> Running {
    let executor = executor();
    let service = GrpcLayer::new(executor.clone()).layer(routes);
    let listeners = Listeners::bind(&[address.to_string().parse().unwrap()]).unwrap();
    let server = Server::start(settings(), listeners, None, &executor, service).unwrap();
    Running { server, executor }
}

/// A service whose handlers ask another one, within the deadlines of their own calls.
struct Asking {
    channel: Channel,
    handlers: Arc<AtomicUsize>,
}

/// A handler that runs.
struct Handling(Arc<AtomicUsize>);

impl Handling {
    fn new(handlers: &Arc<AtomicUsize>) -> Self {
        handlers.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(handlers))
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[tonic::async_trait]
impl Recommendations for Asking {
    async fn recommend(
        &self,
        request: tonic::Request<RecommendationRequest>,
    ) -> Result<tonic::Response<api::tutorial::RecommendationResponse>, Status> {
        let _handling = Handling::new(&self.handlers);
        let deadline = request.extensions().get::<Deadline>().copied();
        let mut question = tonic::Request::new(request.into_inner());
        if let Some(deadline) = deadline {
            question.extensions_mut().insert(deadline);
        }
        RecommendationsClient::new(self.channel.clone()).recommend(question).await
    }
}

/// Serves the tutorial's call by asking through a channel; the number of handlers that run.
pub(crate) fn serve_asking(channel: Channel) -> (Running, Arc<AtomicUsize>) {
    let handlers = Arc::new(AtomicUsize::new(0));
    let asking = Asking { channel, handlers: Arc::clone(&handlers) };
    let routes = Routes::new(RecommendationsServer::new(asking));
    (serve_service_at("127.0.0.1:0".parse().unwrap(), routes), handlers)
}

/// A peer that accepts connections and does something with each of them.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Peer {
    async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                connections.spawn(serve(socket));
            }
        });
        Self { address, accepted, task }
    }

    /// Accepts, and never says or reads anything.
    pub(crate) async fn silent() -> Self {
        Self::start(|socket| async move {
            let _open = socket;
            std::future::pending::<()>().await;
        })
        .await
    }

    /// Speaks HTTP/2 until both sides have greeted, then stops reading.
    pub(crate) async fn stuck() -> Self {
        Self::start(|socket| async move {
            let _open = h2::server::handshake(socket).await;
            std::future::pending::<()>().await;
        })
        .await
    }

    /// Speaks HTTP/2 until both sides have greeted, and then says that it goes.
    pub(crate) async fn leaving() -> Self {
        Self::start(|socket| async move {
            let Ok(mut connection) = h2::server::handshake(socket).await else {
                return;
            };
            connection.abrupt_shutdown(h2::Reason::NO_ERROR);
            let _ = std::future::poll_fn(|cx| connection.poll_closed(cx)).await;
        })
        .await
    }

    /// Answers in HTTP/1, whatever it is sent.
    pub(crate) async fn http1() -> Self {
        Self::start(|socket| async move {
            socket.writable().await.unwrap();
            socket.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            std::future::pending::<()>().await;
        })
        .await
    }

    /// Hands all bytes on to another address until it is told to swallow them, as a network
    /// does that loses every packet.
    pub(crate) async fn relay(to: SocketAddr) -> (Self, tokio::sync::watch::Sender<bool>) {
        let (swallow, swallowing) = tokio::sync::watch::channel(false);
        let peer = Self::start(move |mut near| {
            let mut swallowing = swallowing.clone();
            async move {
                let mut far = TcpStream::connect(to).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    () = async { drop(swallowing.wait_for(|swallow| *swallow).await) } => {
                        std::future::pending::<()>().await;
                    }
                }
            }
        })
        .await;
        (peer, swallow)
    }

    /// Connections so far.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a scripted peer does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Reaction {
    /// An empty message, and then this status.
    Answer(Code),
    /// A status without a message, with this `grpc-retry-pushback-ms`.
    Refuse(Code, Option<&'static str>),
    /// The head of a response, and then nothing.
    Begin,
    /// The stream is reset.
    Reset(h2::Reason),
    /// Nothing ever.
    Nothing,
}

/// A gRPC server that does as it is told.
pub(crate) struct Scripted {
    pub(crate) peer: Peer,
    seen: Arc<Mutex<Vec<HeaderMap>>>,
    resets: Arc<Mutex<Vec<h2::Reason>>>,
}

impl Scripted {
    /// Reacts to each request by its number, which counts from 0.
    pub(crate) async fn start(react: impl Fn(usize) -> Reaction + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let resets = Arc::new(Mutex::new(Vec::new()));
        let (react, log, noted) = (Arc::new(react), Arc::clone(&seen), Arc::clone(&resets));
        let peer = Peer::start(move |socket| {
            let (react, log, noted) = (Arc::clone(&react), Arc::clone(&log), Arc::clone(&noted));
            async move {
                let Ok(mut connection) = h2::server::handshake(socket).await else { return };
                let mut open = Vec::new();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    let number = {
                        let mut log = log.lock().unwrap();
                        log.push(request.headers().clone());
                        log.len() - 1
                    };
                    let (respond, stream) = act(react(number), respond);
                    tokio::spawn(note_reset(stream, Arc::clone(&noted)));
                    open.push((respond, request));
                }
            }
        })
        .await;
        Self { peer, seen, resets }
    }

    /// Why streams were reset after a response had begun.
    pub(crate) fn resets(&self) -> Vec<h2::Reason> {
        self.resets.lock().unwrap().clone()
    }

    /// The headers of all requests so far.
    pub(crate) fn seen(&self) -> Vec<HeaderMap> {
        self.seen.lock().unwrap().clone()
    }
}

/// Keeps a stream until it ends, and notes why it was reset.
async fn note_reset(stream: Option<h2::SendStream<Bytes>>, noted: Arc<Mutex<Vec<h2::Reason>>>) {
    let Some(mut stream) = stream else { return };
    if let Ok(reason) = std::future::poll_fn(|cx| stream.poll_reset(cx)).await {
        noted.lock().unwrap().push(reason);
    }
}

/// Does it, and gives back what must stay open.
fn act(
    reaction: Reaction,
    mut respond: SendResponse<Bytes>,
) -> (SendResponse<Bytes>, Option<h2::SendStream<Bytes>>) {
    let head = |code: Option<Code>| {
        let response = Response::builder().header("content-type", "application/grpc");
        match code {
            Some(code) => response.header("grpc-status", code as i32),
            None => response,
        }
    };
    let stream = match reaction {
        Reaction::Nothing => None,
        Reaction::Reset(reason) => {
            respond.send_reset(reason);
            None
        }
        Reaction::Refuse(code, pushback) => {
            let mut head = head(Some(code));
            if let Some(pushback) = pushback {
                head = head.header("grpc-retry-pushback-ms", pushback);
            }
            respond.send_response(head.body(()).unwrap(), true).ok()
        }
        Reaction::Begin => respond.send_response(head(None).body(()).unwrap(), false).ok(),
        Reaction::Answer(code) => {
            let mut stream = respond.send_response(head(None).body(()).unwrap(), false).unwrap();
            stream.send_data(Bytes::from_static(&[0; 5]), false).unwrap();
            let status = (http::HeaderName::from_static("grpc-status"), (code as i32).into());
            stream.send_trailers(HeaderMap::from_iter([status])).unwrap();
            Some(stream)
        }
    };
    (respond, stream)
}

/// An address that nobody listens on.
pub(crate) async fn closed() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}
