//! `foreword.v1.ModelService`.

use std::pin::Pin;

use api::v1::model_service_server::ModelService;
use api::v1::{
    ActivateModelRequest, ActivateModelResponse, GetModelRequest, GetModelResponse,
    ListModelsRequest, ListModelsResponse, RollBackModelRequest, RollBackModelResponse,
    TrainRequest, TrainResponse,
};
use futures_util::Stream;
use tonic::{Request, Response, Status};

use super::status;

/// Keeps the shop's models.
pub(super) struct ModelKeeper;

#[tonic::async_trait]
impl ModelService for ModelKeeper {
    async fn list_models(
        &self,
        _request: Request<ListModelsRequest>,
    ) -> Result<Response<ListModelsResponse>, Status> {
        Err(status::not_yet())
    }

    async fn get_model(
        &self,
        _request: Request<GetModelRequest>,
    ) -> Result<Response<GetModelResponse>, Status> {
        Err(status::not_yet())
    }

    type TrainStream = Pin<Box<dyn Stream<Item = Result<TrainResponse, Status>> + Send + 'static>>;

    async fn train(
        &self,
        _request: Request<TrainRequest>,
    ) -> Result<Response<Self::TrainStream>, Status> {
        Err(status::not_yet())
    }

    async fn activate_model(
        &self,
        _request: Request<ActivateModelRequest>,
    ) -> Result<Response<ActivateModelResponse>, Status> {
        Err(status::not_yet())
    }

    async fn roll_back_model(
        &self,
        _request: Request<RollBackModelRequest>,
    ) -> Result<Response<RollBackModelResponse>, Status> {
        Err(status::not_yet())
    }
}
