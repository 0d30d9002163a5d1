//! Health of the service, as balancers ask for it.

use server::data_folder::DataFolder;
use server::serve::{Openness, Service};
use tokio::sync::oneshot;
use tonic::Code;
use tonic::transport::Channel;
use transport::health::v1::health_check_response::ServingStatus;
use transport::health::v1::health_client::HealthClient;
use transport::health::v1::{HealthCheckRequest, HealthListRequest};

use crate::running::{self, Running};

const SERVICES: [&str; 9] = [
    "",
    "Recommendations",
    "foreword.v1.CatalogService",
    "foreword.v1.EventService",
    "foreword.v1.InsightService",
    "foreword.v1.ModelService",
    "foreword.v1.RecommendationService",
    "foreword.v1.RuleService",
    "foreword.v1.UserService",
];

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test]
async fn every_service_of_the_contract_is_serving_after_the_start() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut client = HealthClient::new(running.channel.clone());
    let listed = client.list(HealthListRequest {}).await.unwrap().into_inner().statuses;
    let mut listed: Vec<_> =
        listed.iter().map(|(name, answer)| (name.as_str(), answer.status())).collect();
    listed.sort_unstable();
    assert_eq!(listed, SERVICES.map(|name| (name, ServingStatus::Serving)));
    for service in SERVICES {
        let answer = client.check(about(service)).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service:?}");
    }
    let error = client.check(about("shop.Films")).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    drop(client);
    running.stop().await;
}

#[tokio::test]
async fn watchers_are_told_of_the_stop_and_do_not_hold_it_up() {
    let folder = running::full_shop().await;
    let mut settings = running::settings();
    settings.serve.listen = vec!["127.0.0.1:0".parse().unwrap()];
    let data = DataFolder::new(folder.path());
    let service = Service::start(&data, &settings, Openness::LoopbackOnly).await.unwrap();
    let address = format!("http://{}", service.plaintext_addresses()[0]);
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(service.run(async { stopped.await.unwrap() }));
    let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
    let mut updates = HealthClient::new(channel).watch(about("")).await.unwrap().into_inner();
    assert_eq!(updates.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    stop.send(()).unwrap();
    assert_eq!(updates.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert_eq!(updates.message().await.unwrap_err().code(), Code::Unavailable);
    ended.await.unwrap().unwrap();
}
