//! A shop's own layer, as the example `choose_model` has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::v1::RecommendRequest;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use server::data_folder::DataFolder;
use server::grpc;
use server::serve::{Openness, Service};
use tokio::sync::oneshot;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::running;

#[path = "../../examples/choose_model/layer.rs"]
mod layer;

use layer::ChooseModelLayer;

/// The version that answers a call with this header.
async fn ask(channel: &Channel, model: Option<&str>) -> Result<String, Status> {
    let mut request =
        Request::new(RecommendRequest { user_id: "1".to_owned(), ..Default::default() });
    if let Some(model) = model {
        request.metadata_mut().insert("x-model", model.parse().unwrap());
    }
    let answer = RecommendationServiceClient::new(channel.clone()).recommend(request).await?;
    Ok(answer.into_inner().model_version)
}

#[tokio::test]
async fn a_header_chooses_the_model() {
    let folder = running::full_shop().await;
    let second = running::train_once(folder.path()).await;
    let data = DataFolder::new(folder.path());
    let mut settings = running::settings();
    settings.serve.listen = vec!["127.0.0.1:0".parse().unwrap()];
    let service = Service::start(&data, &settings, Openness::LoopbackOnly).await.unwrap();
    let mut versions = BTreeMap::new();
    for version in data.models().unwrap().versions().unwrap() {
        let recommender = Arc::new(service.recommender().with_model(version).await.unwrap());
        versions.insert(
            version.0,
            grpc::routes(
                &recommender,
                service.ingest(),
                service.settings(),
                service.shown(),
                service.trainer(),
            )
            .unwrap(),
        );
    }
    let address = format!("http://{}", service.plaintext_addresses()[0]);
    let (stop, stopped) = oneshot::channel();
    let running =
        service.run_with(ChooseModelLayer::new(versions), async { stopped.await.unwrap() });
    let running = tokio::spawn(running);

    let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
    assert_eq!(ask(&channel, None).await.unwrap(), second);
    assert_eq!(ask(&channel, Some(&second)).await.unwrap(), second);
    let first = (second.parse::<u64>().unwrap() - 1).to_string();
    assert_eq!(ask(&channel, Some(&first)).await.unwrap(), first);
    for unknown in ["99", "newest"] {
        let status = ask(&channel, Some(unknown)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        let violation = &details.bad_request().unwrap().field_violations[0];
        assert_eq!(violation.field, "x-model");
        assert_eq!(
            violation.description,
            format!("found {unknown}, expected one of {first}, {second}")
        );
    }
    drop(channel);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
