//! The contract's edge: protobuf messages come in and go out here and nowhere else.
//!
//! Invalid input never gets past this module; it is answered with the fields at fault.

mod book;
mod catalog;
mod category;
mod events;
mod insight;
mod models;
mod pages;
mod rules;
pub(crate) mod status;
mod time;
mod tutorial;
mod user_book;
mod users;
mod v1;
mod violations;

use std::sync::Arc;

use api::tutorial::recommendations_server::RecommendationsServer;
use api::v1::catalog_service_server::CatalogServiceServer;
use api::v1::event_service_server::EventServiceServer;
use api::v1::insight_service_server::InsightServiceServer;
use api::v1::model_service_server::ModelServiceServer;
use api::v1::recommendation_service_server::RecommendationServiceServer;
use api::v1::rule_service_server::RuleServiceServer;
use api::v1::user_service_server::UserServiceServer;
use tonic::codec::CompressionEncoding;
use tonic::server::NamedService;
use tonic::service::Routes;

use crate::admin::Shown;
use crate::ingest::Ingest;
use crate::recommend::Recommender;
use crate::retrain::Trainer;
use crate::settings::LiveSettings;

pub use v1::to_message;

/// The names of the contract's services, as health calls ask for them.
pub const SERVICES: [&str; 8] = [
    <RecommendationsServer<tutorial::Tutorial> as NamedService>::NAME,
    <RecommendationServiceServer<v1::V1> as NamedService>::NAME,
    <CatalogServiceServer<catalog::Catalog> as NamedService>::NAME,
    <EventServiceServer<events::EventKeeper> as NamedService>::NAME,
    <RuleServiceServer<rules::RuleKeeper> as NamedService>::NAME,
    <UserServiceServer<users::UserKeeper> as NamedService>::NAME,
    <ModelServiceServer<models::ModelKeeper> as NamedService>::NAME,
    <InsightServiceServer<insight::Insight> as NamedService>::NAME,
];

/// What requests are held to, as one call finds it.
#[derive(Clone, Debug)]
struct Bounds {
    results_default: usize,
    results_max: usize,
    list_entries_max: usize,
}

impl Bounds {
    fn of(settings: &LiveSettings) -> Self {
        let serve = &settings.current().serve;
        Self {
            results_default: serve.results_default.get() as usize,
            results_max: serve.results_max.get() as usize,
            list_entries_max: serve.list_entries_max,
        }
    }
}

/// Every service of the contract, with server reflection.
///
/// # Errors
///
/// If the descriptor of the contract, which is built in, cannot be read.
pub fn routes(
    recommender: &Arc<Recommender>,
    ingest: &Arc<Ingest>,
    live: &LiveSettings,
    shown: &Shown,
    trainer: &Arc<Trainer>,
) -> Result<Routes, tonic_reflection::server::Error> {
    let settings = live.current();
    let tutorial =
        tutorial::Tutorial::new(Arc::clone(recommender), live.clone(), &settings.categories);
    let v1 = v1::V1::new(Arc::clone(recommender), live.clone());
    let books = Arc::clone(recommender.live());
    let events = events::EventKeeper::new(Arc::clone(ingest), books, live.clone());
    let rules = rules::RuleKeeper::new(Arc::clone(recommender));
    let catalog = catalog::Catalog::new(Arc::clone(recommender), live.clone());
    let insight = insight::Insight::new(Arc::clone(recommender), Arc::clone(ingest), shown.clone());
    let models =
        models::ModelKeeper::new(Arc::clone(recommender), live.clone(), Arc::clone(trainer));
    let users = users::UserKeeper::new(Arc::clone(recommender), Arc::clone(ingest), live.clone());
    let message_bytes_max = settings.transport.message_bytes_max.get();
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(api::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(transport::health::FILE_DESCRIPTOR_SET)
    };
    // The transport holds messages as sent to this size; here it bounds them unpacked.
    macro_rules! packed {
        ($server:expr) => {
            $server
                .max_decoding_message_size(message_bytes_max)
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Zstd)
                .send_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Zstd)
        };
    }
    Ok(Routes::default()
        .add_service(packed!(RecommendationsServer::new(tutorial)))
        .add_service(packed!(RecommendationServiceServer::new(v1)))
        .add_service(packed!(EventServiceServer::new(events)))
        .add_service(packed!(RuleServiceServer::new(rules)))
        .add_service(packed!(CatalogServiceServer::new(catalog)))
        .add_service(packed!(UserServiceServer::new(users)))
        .add_service(packed!(ModelServiceServer::new(models)))
        .add_service(packed!(InsightServiceServer::new(insight)))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}
