//! Foreword's own contract: what files, stores and shops have come to rely on.

use api::v1::EventKind;

use crate::descriptor::{describe, file};

#[test]
fn the_service_has_the_published_methods() {
    let lines = describe(&file("foreword/v1/recommendation_service.proto"));
    let methods: Vec<&str> =
        lines.iter().filter(|line| line.starts_with('/')).map(String::as_str).collect();
    assert_eq!(
        methods,
        [
            "/foreword.v1.RecommendationService/Recommend \
             .foreword.v1.RecommendRequest -> .foreword.v1.RecommendResponse",
            "/foreword.v1.RecommendationService/SimilarBooks \
             .foreword.v1.SimilarBooksRequest -> .foreword.v1.SimilarBooksResponse",
            "/foreword.v1.RecommendationService/Trending \
             .foreword.v1.TrendingRequest -> .foreword.v1.TrendingResponse",
        ]
    );
}

#[test]
fn event_kinds_keep_the_numbers_that_stores_hold() {
    let names = [
        "UNSPECIFIED",
        "VIEW",
        "WANT_TO_READ",
        "CART",
        "PURCHASE",
        "FINISH",
        "RATING",
        "DISMISS",
        "ABANDON",
        "RETURN",
    ];
    for (name, number) in names.into_iter().zip(0..) {
        let kind = EventKind::from_str_name(&format!("EVENT_KIND_{name}"));
        assert_eq!(kind.map(i32::from), Some(number), "{name}");
    }
}

#[test]
fn the_descriptor_set_carries_no_source_information() {
    for path in ["recommendations.proto", "foreword/v1/recommendation_service.proto"] {
        assert_eq!(file(path).source_code_info, None, "{path}");
    }
}
