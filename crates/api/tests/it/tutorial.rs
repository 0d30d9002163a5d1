//! The tutorial's contract never changes on the wire.

use prost::Message as _;

use crate::descriptor::{describe, file};

#[test]
fn the_contract_is_the_tutorials() {
    let file = file("recommendations.proto");
    assert_eq!((file.package(), file.syntax()), ("", "proto3"));
    assert_eq!(
        describe(&file),
        [
            "BookCategory MYSTERY = 0",
            "BookCategory SCIENCE_FICTION = 1",
            "BookCategory SELF_HELP = 2",
            "RecommendationRequest user_id = 1 int32",
            "RecommendationRequest category = 2 .BookCategory",
            "RecommendationRequest max_results = 3 int32",
            "BookRecommendation id = 1 int32",
            "BookRecommendation title = 2 string",
            "RecommendationResponse recommendations = 1 repeated .BookRecommendation",
            "/Recommendations/Recommend .RecommendationRequest -> .RecommendationResponse",
        ]
    );
}

#[test]
fn a_request_has_the_bytes_that_the_tutorials_client_sends() {
    let request = api::tutorial::RecommendationRequest {
        user_id: 1,
        category: api::tutorial::BookCategory::SelfHelp.into(),
        max_results: 300,
    };
    // Key (field number × 8 + wire type) and value, three times; 300 takes two bytes.
    assert_eq!(request.encode_to_vec(), [0x08, 1, 0x10, 2, 0x18, 0xac, 0x02]);
}

#[test]
fn the_generated_service_has_the_tutorials_name() {
    use api::tutorial::recommendations_server::SERVICE_NAME;
    assert_eq!(SERVICE_NAME, "Recommendations");
}
