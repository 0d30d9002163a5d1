//! Serves a shop with a layer of its own: `x-model` in a call's headers chooses the model.
//!
//! ```console
//! $ foreword --data-dir shop demo                # and Ctrl-C; makes version 1
//! $ foreword --data-dir shop train               # makes version 2
//! $ cargo run --release -p server --example choose_model -- shop
//! $ buf curl --protocol grpc --http2-prior-knowledge -H 'x-model: 1' \
//!     -d '{"user_id": "1"}' http://localhost:50051/foreword.v1.RecommendationService/Recommend
//! ```

mod layer;

use std::collections::BTreeMap;
use std::error::Error;
use std::future::pending;
use std::path::Path;
use std::sync::Arc;

use server::data_folder::DataFolder;
use server::grpc;
use server::serve::{Openness, Service};
use server::settings::Settings;
use tonic::service::Routes;

use layer::ChooseModelLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("expected the data folder of a shop")?;
    let data = DataFolder::new(Path::new(&folder));
    let settings = Settings::read(None)?;
    let service = Service::start(&data, &settings, Openness::LoopbackOnly).await?;
    let layer = ChooseModelLayer::new(versions(&data, &service).await?);
    let stop = async {
        // Without a handler of signals there is no end but the process's.
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    };
    Ok(service.run_with(layer, stop).await?)
}

/// What answers for each version that is kept, with books and rules as current as the service's own.
async fn versions(
    data: &DataFolder,
    service: &Service,
) -> Result<BTreeMap<u64, Routes>, Box<dyn Error>> {
    let mut versions = BTreeMap::new();
    for version in data.models()?.versions()? {
        let recommender = Arc::new(service.recommender().with_model(version).await?);
        versions.insert(
            version.0,
            grpc::routes(
                &recommender,
                service.ingest(),
                service.settings(),
                service.shown(),
                service.trainer(),
            )?,
        );
        let live = Arc::clone(recommender.live());
        let poll = service.settings().current().serve.poll();
        tokio::spawn(async move {
            tokio::join!(
                live.keep_current(poll, pending()),
                live.keep_rules_current(poll, pending())
            )
        });
    }
    Ok(versions)
}
