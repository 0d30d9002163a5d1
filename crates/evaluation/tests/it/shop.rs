//! A server of the tutorial's contract that answers as a test wants it to.

use std::collections::HashSet;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::tutorial::recommendations_server::{Recommendations, RecommendationsServer};
use api::tutorial::{BookRecommendation, RecommendationRequest, RecommendationResponse};
use evaluation::load::{Draw, Outcome, Plan, Question, Questions, Target};
use tokio::runtime::Runtime;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

pub(crate) type Answer = Pin<Box<dyn Future<Output = Result<Vec<i32>, Status>> + Send>>;

/// What a server saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: Mutex<Vec<RecommendationRequest>>,
    pub(crate) peers: Mutex<HashSet<SocketAddr>>,
    open: AtomicUsize,
    pub(crate) open_max: AtomicUsize,
}

struct Service<F> {
    answer: F,
    seen: Arc<Seen>,
}

#[tonic::async_trait]
impl<F> Recommendations for Service<F>
where
    F: Fn(RecommendationRequest) -> Answer + Send + Sync + 'static,
{
    async fn recommend(
        &self,
        request: Request<RecommendationRequest>,
    ) -> Result<Response<RecommendationResponse>, Status> {
        let open = self.seen.open.fetch_add(1, Ordering::SeqCst) + 1;
        let closing = Closing(&self.seen.open);
        self.seen.open_max.fetch_max(open, Ordering::SeqCst);
        self.seen.peers.lock().unwrap().extend(request.remote_addr());
        let request = request.into_inner();
        self.seen.requests.lock().unwrap().push(request);
        let ids = (self.answer)(request).await?;
        drop(closing);
        let title = String::new();
        let books = ids.into_iter().map(|id| BookRecommendation { id, title: title.clone() });
        Ok(Response::new(RecommendationResponse { recommendations: books.collect() }))
    }
}

/// Counts a call as over even if it is dropped half-way.
struct Closing<'a>(&'a AtomicUsize);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A running server, on a runtime of its own.
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    runtime: Option<Runtime>,
}

impl Shop {
    pub(crate) fn start(
        answer: impl Fn(RecommendationRequest) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(None, answer)
    }

    pub(crate) fn start_with(
        tls: Option<ServerTlsConfig>,
        answer: impl Fn(RecommendationRequest) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let seen = Arc::new(Seen::default());
        let service = RecommendationsServer::new(Service { answer, seen: Arc::clone(&seen) });
        let entered = runtime.enter();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(listener).unwrap());
        let mut server = Server::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls).unwrap();
        }
        runtime.spawn(server.add_service(service).serve_with_incoming(incoming));
        drop(entered);
        Self { address, seen, runtime: Some(runtime) }
    }

    /// One that answers every question at once, with as many books as were asked for.
    pub(crate) fn good() -> Self {
        Self::start(|request| Box::pin(async move { Ok((1..=request.max_results).collect()) }))
    }

    /// One that never answers.
    pub(crate) fn silent() -> Self {
        Self::start(|_| Box::pin(pending()))
    }

    pub(crate) fn target(&self) -> Target {
        Target::plaintext(&self.address.to_string())
    }

    /// Ends it, with all its connections.
    pub(crate) fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.end();
    }
}

/// Three books for each of the users 1 to 50.
pub(crate) fn questions() -> Arc<Questions> {
    Arc::new(Questions {
        question: Question::Tutorial,
        ids: 1..=50,
        draw: Draw::Evenly,
        results_max: 3,
        seed: 1,
        deadline: Duration::from_secs(60),
        authorization: None,
        fallbacks: AtomicU64::new(0),
    })
}

/// Asks them.
pub(crate) fn ask()
-> impl Fn(Channel, u64) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Clone + Send + Sync {
    let questions = questions();
    move |channel, number| {
        let questions = Arc::clone(&questions);
        Box::pin(async move { questions.ask(channel, number).await })
    }
}

/// A plan without warm-up.
pub(crate) fn plan(arrivals: evaluation::load::Arrivals, duration_ms: u64) -> Plan {
    Plan {
        warm_up: Duration::ZERO,
        duration: Duration::from_millis(duration_ms),
        deadline: Duration::from_secs(60),
        ..Plan::new(arrivals)
    }
}

/// So many.
pub(crate) fn some(count: usize) -> std::num::NonZeroUsize {
    count.try_into().unwrap()
}
