//! A handler that blocks: others go on, and operators are told who it was.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use server::data_folder::DataFolder;
use server::serve::{Openness, Service};
use server::settings::Sources;
use server::telemetry::log;
use tonic::body::Body;
use tower::Layer;

use super::deployment::Deployment;
use super::load::{Load, Plan};
use super::replica::Replica;
use super::storefront::Storefront;
use crate::process::until;

/// One call in so many blocks; 0: none does.
const EVERY: &str = "TEST_BLOCKS_EVERY";

/// For how long.
const TIME: Duration = Duration::from_secs(5);

/// Less than a call that blocks takes, and more than any other.
const OTHERS: Duration = Duration::from_secs(4);

/// Blocked calls are seen by everybody, and no other call fails.
pub(super) async fn is_seen(test: &str, plan: Plan) -> Option<String> {
    let deployment = Deployment::new(test)?;
    let mut replica = replica(&deployment, Deployment::ip(1), 50);
    replica.until_ready().await;
    deployment.announce([&replica]);
    let shop = Storefront::open(&deployment).await;
    let mut load = Load::start(&deployment, &[], plan);
    let method = "foreword.v1.RecommendationService/Recommend";
    let counted = format!("foreword_stalls_total{{rpc_method=\"{method}\",kind=\"blocked\"}}");
    until("a stall in /metrics", async || replica.metric(&counted).await > 0.0).await;
    until("a stall with its stack", async || {
        let stalls = replica.tells("/debug/stalls?format=text").await.text;
        stalls.contains(method) && stalls.contains("blocking::Blocked")
    })
    .await;
    until("a stall in the log", async || replica.process.log().contains(method)).await;
    let bookseller = shop.sign_in_as_bookseller().await;
    until("a stall in the console", async || {
        let page = shop.page("/console/stalls", &bookseller).await.text;
        page.contains(method) && page.contains("<details class=\"stack\">")
    })
    .await;
    let outcomes = load.end().await;
    let blocked = outcomes.slower_than(OTHERS);
    assert!(blocked.count() > 0, "no call was blocked");
    Some(format!("{} calls blocked; {}", blocked.count(), outcomes.none_failed()))
}

/// How much slower the p99 of calls is where every 50th of them blocks, the others aside: the
/// median of so many pairs of runs.
pub(super) async fn slows_nobody_down(test: &str, plan: Plan, pairs: usize) -> Option<String> {
    let deployment = Deployment::new(test)?;
    let mut replicas = [(1, 0), (2, 50)]
        .map(|(number, every)| replica(&deployment, Deployment::ip(number), every));
    let mut moved = Vec::new();
    for _ in 0..pairs {
        let mut p99 = Vec::new();
        for replica in &mut replicas {
            replica.until_ready().await;
            deployment.announce([&*replica]);
            let mut load = Load::start(&deployment, &[], plan);
            tokio::time::sleep(Duration::from_secs(15)).await;
            let outcomes = load.end().await;
            outcomes.none_failed();
            let calls = outcomes.of("Recommend");
            let (blocked, every) = (calls.slower_than(OTHERS).count(), p99.len() * 50);
            // Of those that did not block none was as slow.
            let expected = calls.count().checked_div(every).unwrap_or(0);
            assert!(blocked.abs_diff(expected) <= 2, "{blocked} were slow, {expected} blocked");
            p99.push(calls.faster_than(OTHERS).p99());
        }
        moved.push(p99[1].as_secs_f64() / p99[0].as_secs_f64() - 1.0);
    }
    moved.sort_by(f64::total_cmp);
    let median = moved[moved.len() / 2];
    let report = format!("p99 of the others moves by {:.1} % ({moved:.3?})", 100.0 * median);
    assert!(median < 0.2, "{report}");
    Some(report)
}

/// A replica whose handlers block: this program, as [`serves`].
fn replica(deployment: &Deployment, ip: Ipv4Addr, every: u32) -> Replica {
    let this = std::env::current_exe().unwrap();
    let arguments = ["--exact", "together::blocking::serves", "--ignored", "--nocapture"];
    let mut command = deployment.program(ip).command_by(this, arguments);
    command.env(EVERY, every.to_string());
    Replica::start_as(deployment, ip, &mut command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a service that other tests start"]
async fn serves() {
    let Ok(every) = std::env::var(EVERY) else { return };
    let settings = Sources::of_process(None).read().unwrap();
    log::start(settings.log.format, settings.log.levels());
    let folder = std::env::var_os("FOREWORD_DATA_DIR").unwrap();
    let data = DataFolder::new(folder.as_ref());
    let service = Service::start(&data, &settings, Openness::LoopbackOnly).await.unwrap();
    let blocking = Blocking { every: every.parse().unwrap(), calls: Arc::default() };
    // Whoever started it kills it.
    service.run_with(blocking, std::future::pending()).await.unwrap();
}

/// Blocks the thread of every n-th call to `Recommend`.
#[derive(Clone)]
struct Blocking {
    every: u32,
    calls: Arc<AtomicU32>,
}

impl<S> Layer<S> for Blocking {
    type Service = Blocked<S>;

    fn layer(&self, inner: S) -> Blocked<S> {
        Blocked { inner, blocking: self.clone() }
    }
}

#[derive(Clone)]
struct Blocked<S> {
    inner: S,
    blocking: Blocking,
}

impl<S> tower::Service<Request<Body>> for Blocked<S>
where
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    #[expect(clippy::disallowed_methods, reason = "that is what must not hold others up")]
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Blocking { every, calls } = &self.blocking;
        let is_asked = *every > 0 && request.uri().path().ends_with("/Recommend");
        let blocks = is_asked && (calls.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(*every);
        let answer = self.inner.call(request);
        Box::pin(async move {
            if blocks {
                std::thread::sleep(TIME);
            }
            answer.await
        })
    }
}
