//! Foreword's own contract: what files, stores and shops have come to rely on.

use api::v1::EventKind;

use crate::descriptor::{describe, file, not_repeatable};

fn methods(path: &str) -> Vec<String> {
    let mut lines = describe(&file(path));
    lines.retain(|line| line.starts_with('/'));
    lines
}

/// Clients try all others again by themselves: events and changes of stock have ids, and what is stored
/// as it is to be may be stored twice.
#[test]
fn requests_of_these_methods_alone_may_not_be_sent_twice() {
    let mut found = not_repeatable();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "ActivateModel",
            "DeleteBook",
            "DeleteRule",
            "DeleteUser",
            "ImportBooks",
            "ImportReadingList",
            "MergeUsers",
            "RollBackModel",
            "StreamEvents",
            "Train",
        ]
    );
}

#[test]
fn the_services_have_the_published_methods() {
    assert_eq!(
        methods("foreword/v1/rule_service.proto"),
        [
            "/foreword.v1.RuleService/ListRules \
             .foreword.v1.ListRulesRequest -> .foreword.v1.ListRulesResponse",
            "/foreword.v1.RuleService/PutRule \
             .foreword.v1.PutRuleRequest -> .foreword.v1.PutRuleResponse",
            "/foreword.v1.RuleService/DeleteRule \
             .foreword.v1.DeleteRuleRequest -> .foreword.v1.DeleteRuleResponse",
        ]
    );
    assert_eq!(
        methods("foreword/v1/recommendation_service.proto"),
        [
            "/foreword.v1.RecommendationService/Recommend \
             .foreword.v1.RecommendRequest -> .foreword.v1.RecommendResponse",
            "/foreword.v1.RecommendationService/SimilarBooks \
             .foreword.v1.SimilarBooksRequest -> .foreword.v1.SimilarBooksResponse",
            "/foreword.v1.RecommendationService/Trending \
             .foreword.v1.TrendingRequest -> .foreword.v1.TrendingResponse",
            "/foreword.v1.RecommendationService/RecommendPage \
             .foreword.v1.RecommendPageRequest -> .foreword.v1.RecommendPageResponse",
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
