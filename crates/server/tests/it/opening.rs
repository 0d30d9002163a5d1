//! Where the service may listen.

use api::v1::TrendingRequest;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use server::data_folder::DataFolder;
use server::serve::{Openness, ServeError, Service};
use tonic::transport::Channel;

use crate::running;

async fn refused(listen: &str) -> ServeError {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = running::settings();
    settings.serve.listen = vec![listen.parse().unwrap()];
    let data = DataFolder::new(folder.path());
    Service::start(&data, &settings, Openness::LoopbackOnly).await.unwrap_err()
}

#[tokio::test]
async fn an_address_beyond_this_machine_needs_to_be_meant() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let error = refused(address).await;
        assert!(matches!(error, ServeError::Open { .. }), "{error}");
        assert!(error.to_string().contains("--insecure"), "{error}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = refused(&address).await;
    assert!(error.to_string().contains(&address), "{error}");
}

#[tokio::test]
async fn a_service_of_all_addresses_answers_over_ipv4_too() {
    let folder = running::full_shop().await;
    let mut settings = running::settings();
    settings.serve.listen = vec!["[::]:0".parse().unwrap()];
    let data = DataFolder::new(folder.path());
    let service = Service::start(&data, &settings, Openness::Insecure).await.unwrap();
    let port = service.plaintext_addresses()[0].port();
    let asking = async {
        for host in ["127.0.0.1", "[::1]"] {
            let channel = Channel::from_shared(format!("http://{host}:{port}")).unwrap();
            let mut client = RecommendationServiceClient::new(channel.connect_lazy());
            let answer = client.trending(TrendingRequest::default()).await.unwrap();
            assert_eq!(answer.into_inner().books.len(), 10);
        }
    };
    service.run(asking).await.unwrap();
}
