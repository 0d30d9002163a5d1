//! `foreword.v1.InsightService`.

use std::pin::Pin;

use api::v1::insight_service_server::InsightService;
use api::v1::{
    ExplainRecommendRequest, ExplainRecommendResponse, GetAcceptanceRequest, GetAcceptanceResponse,
    ListReplicasRequest, ListReplicasResponse, ListStallsRequest, ListStallsResponse,
    WatchMetricsRequest, WatchMetricsResponse,
};
use futures_util::Stream;
use tonic::{Request, Response, Status};

use super::status;

/// Shows what the service does.
pub(super) struct Insight;

#[tonic::async_trait]
impl InsightService for Insight {
    type WatchMetricsStream =
        Pin<Box<dyn Stream<Item = Result<WatchMetricsResponse, Status>> + Send + 'static>>;

    async fn watch_metrics(
        &self,
        _request: Request<WatchMetricsRequest>,
    ) -> Result<Response<Self::WatchMetricsStream>, Status> {
        Err(status::not_yet())
    }

    async fn list_stalls(
        &self,
        _request: Request<ListStallsRequest>,
    ) -> Result<Response<ListStallsResponse>, Status> {
        Err(status::not_yet())
    }

    async fn list_replicas(
        &self,
        _request: Request<ListReplicasRequest>,
    ) -> Result<Response<ListReplicasResponse>, Status> {
        Err(status::not_yet())
    }

    async fn explain_recommend(
        &self,
        _request: Request<ExplainRecommendRequest>,
    ) -> Result<Response<ExplainRecommendResponse>, Status> {
        Err(status::not_yet())
    }

    async fn get_acceptance(
        &self,
        _request: Request<GetAcceptanceRequest>,
    ) -> Result<Response<GetAcceptanceResponse>, Status> {
        Err(status::not_yet())
    }
}
