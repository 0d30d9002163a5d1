//! Server reflection over the descriptor sets that this crate and the contract bring.

use prost::Message as _;
use prost_types::FileDescriptorProto;
use tonic::service::Routes;
use tonic_reflection::server::Builder;
use transport::health;

const SERVICES: [&str; 2] = ["grpc.health.v1.Health", "foreword.v1.RecommendationService"];
const SYMBOL: &str = "grpc.health.v1.Health.Watch";

/// The two versions differ in nothing but the package, so that one text serves both.
macro_rules! test_version {
    ($version:ident, $build:ident, $title:ident) => {
        #[tokio::test]
        async fn $title() {
            use pb::server_reflection_client::ServerReflectionClient;
            use pb::server_reflection_request::MessageRequest;
            use pb::server_reflection_response::MessageResponse;
            use tonic_reflection::pb::$version as pb;

            let reflection = builder().$build().unwrap();
            let mut client = ServerReflectionClient::new(Routes::new(reflection));
            let questions = [
                MessageRequest::ListServices(String::new()),
                MessageRequest::FileContainingSymbol(SYMBOL.to_owned()),
            ];
            let questions = questions.map(|question| pb::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(question),
            });
            let questions = tokio_stream::iter(questions);
            let answers = client.server_reflection_info(questions).await.unwrap();
            let mut answers = answers.into_inner();
            let mut answer = async || answers.message().await.unwrap().unwrap().message_response;

            let Some(MessageResponse::ListServicesResponse(list)) = answer().await else {
                panic!("expected a list of services");
            };
            let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
            assert!(SERVICES.iter().all(|service| names.contains(service)), "{names:?}");

            let Some(MessageResponse::FileDescriptorResponse(files)) = answer().await else {
                panic!("expected a file");
            };
            let file = FileDescriptorProto::decode(&*files.file_descriptor_proto[0]).unwrap();
            assert_eq!(file.package(), "grpc.health.v1");
        }
    };
}

test_version!(v1, build_v1, reflection_v1_knows_health_and_the_contract);
test_version!(v1alpha, build_v1alpha, reflection_v1alpha_knows_health_and_the_contract);

fn builder() -> Builder<'static> {
    Builder::configure()
        .register_encoded_file_descriptor_set(health::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(api::FILE_DESCRIPTOR_SET)
}
