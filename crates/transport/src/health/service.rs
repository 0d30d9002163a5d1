//! The three methods of `grpc.health.v1.Health`.

use tonic::{Request, Response};

use super::v1::health_check_response::ServingStatus;
use super::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse, health_server,
};
use super::watch::{self, Updates};
use super::{Health, Status};

/// How many services List returns: the specification leaves the limit to the server, and asks
/// for `RESOURCE_EXHAUSTED` above it; 100 is what grpc-go has.
const LIST_LEN_MAX: usize = 100;

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, tonic::Status> {
        let service = request.into_inner().service;
        match self.statuses.borrow().of(&service) {
            Some(status) => Ok(Response::new(status.into())),
            None => Err(tonic::Status::not_found("unknown service")),
        }
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, tonic::Status> {
        let statuses = self.statuses.borrow();
        let services = statuses.by_service.len();
        if services > LIST_LEN_MAX {
            return Err(tonic::Status::resource_exhausted(format!(
                "{services} services, at most {LIST_LEN_MAX} are listed; check them one by one"
            )));
        }
        let statuses = statuses.by_service.iter();
        let statuses = statuses.map(|(name, status)| (name.clone(), (*status).into())).collect();
        Ok(Response::new(HealthListResponse { statuses }))
    }

    type WatchStream = Updates;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Updates>, tonic::Status> {
        let service = request.into_inner().service;
        Ok(Response::new(watch::updates(self.statuses.subscribe(), service)))
    }
}

impl From<ServingStatus> for HealthCheckResponse {
    fn from(status: ServingStatus) -> Self {
        Self { status: status.into() }
    }
}

impl From<Status> for HealthCheckResponse {
    fn from(status: Status) -> Self {
        ServingStatus::from(status).into()
    }
}
