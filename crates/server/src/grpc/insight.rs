//! `foreword.v1.InsightService`.

mod acceptance;
mod explanation;
mod replicas;
mod sample;
mod stalls;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use api::v1::insight_service_server::InsightService;
use api::v1::{
    ExplainRecommendRequest, ExplainRecommendResponse, GetAcceptanceRequest, GetAcceptanceResponse,
    ListReplicasRequest, ListReplicasResponse, ListStallsRequest, ListStallsResponse,
    WatchMetricsRequest, WatchMetricsResponse,
};
use futures_util::{Stream, StreamExt as _, stream};
use storage::replica_name;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use transport::Deadline;

use super::violations::Violations;
use super::{Bounds, status, time, v1};
use crate::acceptance::Acceptances;
use crate::admin::Shown;
use crate::ingest::Ingest;
use crate::layers::Permit;
use crate::recommend::{Fresh, Recommender};

/// How many may watch at one time.
const WATCHERS_MAX: usize = 16;

/// How many explanations are made at one time. Each looks at every book of the history for every
/// candidate, and may resolve a thousand rules: far more than an answer costs.
const EXPLANATIONS_MAX: usize = 2;

/// Shows what the service does.
pub(super) struct Insight {
    sources: Arc<Sources>,
    acceptances: Acceptances,
    watchers: Arc<Semaphore>,
    /// Turns to explain.
    explaining: Arc<Semaphore>,
}

/// Where figures come from.
struct Sources {
    recommender: Arc<Recommender>,
    ingest: Arc<Ingest>,
    shown: Shown,
    started: SystemTime,
}

impl Insight {
    pub(super) fn new(recommender: Arc<Recommender>, ingest: Arc<Ingest>, shown: Shown) -> Self {
        let started = SystemTime::now();
        let sources = Arc::new(Sources { recommender, ingest, shown, started });
        Self {
            acceptances: Acceptances::new(sources.recommender.store().clone()),
            sources,
            watchers: Arc::new(Semaphore::new(WATCHERS_MAX)),
            explaining: Arc::new(Semaphore::new(EXPLANATIONS_MAX)),
        }
    }
}

#[tonic::async_trait]
impl InsightService for Insight {
    type WatchMetricsStream =
        Pin<Box<dyn Stream<Item = Result<WatchMetricsResponse, Status>> + Send + 'static>>;

    async fn watch_metrics(
        &self,
        request: Request<WatchMetricsRequest>,
    ) -> Result<Response<Self::WatchMetricsStream>, Status> {
        let permit = Permit::of(&request);
        let mut violations = Violations::new();
        let interval = sample::interval(request.get_ref().interval, &mut violations);
        violations.check()?;
        let place = Arc::clone(&self.watchers).try_acquire_owned();
        let place = place.map_err(|_| status::too_many_watchers(WATCHERS_MAX))?;
        let watch = (Arc::clone(&self.sources), permit, place, Instant::now());
        let answers = stream::unfold(Some(watch), move |watch| async move {
            let (sources, permit, place, next_at) = watch?;
            tokio::select! {
                biased;
                status = permit.ended() => return Some((Err(status), None)),
                () = sources.ingest.stopping() => return Some((Err(status::stopping()), None)),
                () = tokio::time::sleep_until(next_at) => {}
            }
            let answer = WatchMetricsResponse { sample: Some(sample::take(&sources)) };
            // From now on: who reads slowly misses some.
            let next_at = Instant::now() + interval;
            Some((Ok(answer), Some((sources, permit, place, next_at))))
        });
        Ok(Response::new(answers.boxed()))
    }

    async fn list_stalls(
        &self,
        _request: Request<ListStallsRequest>,
    ) -> Result<Response<ListStallsResponse>, Status> {
        let stalls = self.sources.shown.stalls.newest_first();
        let stalls = stalls.iter().map(stalls::to_message).collect();
        Ok(Response::new(ListStallsResponse { stalls }))
    }

    async fn list_replicas(
        &self,
        _request: Request<ListReplicasRequest>,
    ) -> Result<Response<ListReplicasResponse>, Status> {
        let sources = &self.sources;
        let found = sources.recommender.store().replicas().await.map_err(|error| {
            tracing::error!(%error, "the replicas cannot be read");
            status::store_unavailable()
        })?;
        Ok(Response::new(replicas::to_message(&found, &replica_name(), sources.started)))
    }

    async fn explain_recommend(
        &self,
        request: Request<ExplainRecommendRequest>,
    ) -> Result<Response<ExplainRecommendResponse>, Status> {
        let deadline = request.extensions().get::<Deadline>().copied();
        let request = request.into_inner();
        let bounds = Bounds::of(&self.sources.shown.settings);
        let mut violations = Violations::new();
        let fresh = Fresh { revision: request.user_revision, deadline };
        let history = &request.history;
        let reader = v1::reader(request.user_id, fresh, history, &bounds, &mut violations);
        let filter = v1::filter(request.filter, "", &bounds, &mut violations);
        let results = v1::results_wanted(request.max_results, &bounds, &mut violations);
        violations.check()?;
        let draft = request.draft_rules.map(explanation::draft).transpose()?;
        // Whoever waits for a turn has a deadline.
        let (recommender, turns) = (&self.sources.recommender, &self.explaining);
        let explained = recommender.explain(&reader, filter.clone(), results, draft, turns).await;
        Ok(Response::new(explanation::to_message(&explained, &filter.filter)))
    }

    async fn get_acceptance(
        &self,
        request: Request<GetAcceptanceRequest>,
    ) -> Result<Response<GetAcceptanceResponse>, Status> {
        let mut violations = Violations::new();
        let start = request.into_inner().start_time;
        let from_ms = time::milliseconds("start_time", start, &mut violations);
        violations.check()?;
        let counted = self.acceptances.since(from_ms.unwrap_or(i64::MIN)).await;
        let counted = counted.map_err(|error| {
            tracing::error!(%error, "what was shown cannot be read");
            status::store_unavailable()
        })?;
        Ok(Response::new(acceptance::to_message(&counted)))
    }
}

/// The shortest and the longest time between two samples.
const INTERVALS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(200)..=Duration::from_secs(60);
