//! The contract's edge: protobuf messages come in and go out here and nowhere else.
//!
//! Invalid input never gets past this module; it is answered with the fields at fault.

mod status;
mod tutorial;
mod v1;
mod violations;

use std::sync::Arc;

use api::tutorial::recommendations_server::RecommendationsServer;
use api::v1::recommendation_service_server::RecommendationServiceServer;
use tonic::service::Routes;

use crate::recommend::Recommender;
use crate::settings::Settings;

pub use v1::to_message;

/// What requests are held to.
#[derive(Clone, Debug)]
struct Bounds {
    results_default: usize,
    results_max: usize,
    list_entries_max: usize,
}

/// Every service of the contract, with server reflection.
///
/// # Errors
///
/// If the descriptor of the contract, which is built in, cannot be read.
pub fn routes(
    recommender: &Arc<Recommender>,
    settings: &Settings,
) -> Result<Routes, tonic_reflection::server::Error> {
    let bounds = Bounds {
        results_default: settings.serve.results_default.get() as usize,
        results_max: settings.serve.results_max.get() as usize,
        list_entries_max: settings.serve.list_entries_max,
    };
    let tutorial =
        tutorial::Tutorial::new(Arc::clone(recommender), bounds.clone(), &settings.categories);
    let v1 = v1::V1::new(Arc::clone(recommender), bounds);
    let request_bytes_max = settings.serve.request_bytes_max.get();
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(api::FILE_DESCRIPTOR_SET)
    };
    Ok(Routes::default()
        .add_service(
            RecommendationsServer::new(tutorial).max_decoding_message_size(request_bytes_max),
        )
        .add_service(
            RecommendationServiceServer::new(v1).max_decoding_message_size(request_bytes_max),
        )
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}
