//! Examples of requests, one or two for each method.
//!
//! `crates/server/tests/it/json.rs` holds a server to them.

use super::json::{Json, list, object, text};

/// Examples by name.
type Examples = Vec<(&'static str, Json)>;

/// Requests that the demo shop answers, by name; `None` if there is none for the method.
pub(super) fn examples(method: &str) -> Option<Examples> {
    let (service, name) = method.strip_prefix("foreword.v1.")?.split_once('.')?;
    let examples = match service {
        "RecommendationService" => recommendations(name),
        "EventService" => (name == "RecordEvents").then(record_events_examples),
        "CatalogService" => catalog(name),
        "UserService" => users(name),
        "RuleService" => rules(name),
        "ModelService" => models(name),
        "InsightService" => insight(name),
        _ => None,
    };
    let named = |(name, value)| (name, object([("value", value)]));
    Some(examples?.into_iter().map(named).collect())
}

fn nothing_asked(name: &'static str) -> Examples {
    vec![(name, object::<&str>([]))]
}

fn three_results() -> (&'static str, Json) {
    ("maxResults", Json::Whole(3))
}

fn recommendations(name: &str) -> Option<Examples> {
    Some(match name {
        "Recommend" => {
            let rated = object([
                ("bookId", text("41")),
                ("kind", text("EVENT_KIND_RATING")),
                ("rating", Json::Whole(5)),
            ]);
            let categories = object([("anyCategories", list([text("mystery")]))]);
            let anonymous = [("history", list([rated])), ("filter", categories), three_results()];
            vec![
                ("user", object([("userId", text("1")), three_results()])),
                ("anonymous", object(anonymous)),
            ]
        }
        "SimilarBooks" => vec![("book", object([("bookId", text("1")), three_results()]))],
        "Trending" => vec![("all", object([three_results()]))],
        "RecommendPage" => recommend_page_examples(),
        _ => return None,
    })
}

fn catalog(name: &str) -> Option<Examples> {
    let book = || object([("bookId", text("1"))]);
    Some(match name {
        "GetBook" => {
            let page = [
                ("bookId", text("1")),
                ("includeRelated", Json::Flag(true)),
                ("userId", text("1")),
            ];
            vec![("book", book()), ("page", object(page))]
        }
        "DeleteBook" => vec![("book", book())],
        "SearchBooks" => vec![("words", object([("query", text("the"))]))],
        "ListBooks" => {
            let filter = object([("anyCategories", list([text("mystery")]))]);
            let order = text("BOOK_ORDER_TITLE");
            vec![("category", object([("filter", filter), ("order", order)]))]
        }
        "ListCategories" => nothing_asked("first"),
        "UpsertBooks" => {
            let book = object([
                ("id", text("9780441172719")),
                ("title", text("Dune")),
                ("authors", list([text("Frank Herbert")])),
                ("categories", list([text("science-fiction")])),
            ]);
            vec![("new", object([("books", list([book]))]))]
        }
        "UpdateOffers" => {
            let offer = object([("bookId", text("1")), ("stock", Json::Whole(3))]);
            vec![("stock", object([("offers", list([offer]))]))]
        }
        "AdjustStock" => {
            let purchase = [
                ("requestId", text("order-4711-1")),
                ("bookId", text("1")),
                ("change", Json::Whole(-1)),
            ];
            vec![("purchase", object(purchase))]
        }
        _ => return None,
    })
}

fn users(name: &str) -> Option<Examples> {
    Some(match name {
        "ListUsers" => nothing_asked("first"),
        "ListUserBooks" => {
            let wishes = [
                ("userId", text("1")),
                ("anyKinds", list([text("EVENT_KIND_WANT_TO_READ")])),
                ("noKinds", list([text("EVENT_KIND_PURCHASE"), text("EVENT_KIND_FINISH")])),
            ];
            vec![("all", object([("userId", text("1"))])), ("wishes", object(wishes))]
        }
        "DeleteUser" => vec![("user", object([("userId", text("visitor-1"))]))],
        "MergeUsers" => {
            let merge = [("sourceUserId", text("visitor-2")), ("targetUserId", text("ann"))];
            vec![("session", object(merge))]
        }
        _ => return None,
    })
}

fn rules(name: &str) -> Option<Examples> {
    Some(match name {
        "ListRules" => nothing_asked("first"),
        "PutRule" => put_rule_examples(),
        "DeleteRule" => vec![("campaign", object([("ruleId", text("mystery-autumn"))]))],
        _ => return None,
    })
}

fn models(name: &str) -> Option<Examples> {
    let version = |version: &str| object([("version", text(version))]);
    Some(match name {
        "ListModels" => nothing_asked("all"),
        "GetModel" => nothing_asked("active"),
        "ActivateModel" => vec![("first", version("1"))],
        // Another one is active, and stays so.
        "RollBackModel" => vec![("again", version("2"))],
        _ => return None,
    })
}

fn insight(name: &str) -> Option<Examples> {
    Some(match name {
        "ListStalls" | "ListReplicas" | "GetAcceptance" => nothing_asked("all"),
        "ExplainRecommend" => {
            vec![("user", object([("userId", text("1")), three_results()]))]
        }
        _ => return None,
    })
}

/// The shelves of a shop's first page, and those of a book's.
fn recommend_page_examples() -> Examples {
    let shelf = |kind: &str, more: &[(&'static str, Json)]| {
        let kind = ("kind", text(format!("SHELF_KIND_{kind}")));
        object(std::iter::once(kind).chain(more.iter().cloned()))
    };
    let three = ("maxResults", Json::Whole(3));
    let first = [
        shelf("PICKED_FOR_YOU", &[]),
        shelf("CATEGORY", &[("category", text("mystery")), three]),
        shelf("CATEGORY", &[("maxShelves", Json::Whole(2))]),
        shelf("BECAUSE_YOU_READ", &[]),
        shelf("NEXT_IN_SERIES", &[]),
        shelf("TRENDING", &[]),
    ];
    let of_book = [shelf("SIMILAR_TO", &[("bookId", text("1"))])];
    vec![
        ("first", object([("userId", text("1")), ("shelves", list(first))])),
        ("book", object([("shelves", list(of_book))])),
    ]
}

/// A purchase, and what takes it back.
fn record_events_examples() -> Examples {
    let bought = object([
        ("eventId", text("order-4711-1")),
        ("userId", text("visitor-1")),
        ("bookId", text("1")),
        ("kind", text("EVENT_KIND_PURCHASE")),
    ]);
    let cancelled = object([("userId", text("visitor-1")), ("eventId", text("order-4711-1"))]);
    let entries =
        |name: &'static str, entry: Json| object([("entries", list([object([(name, entry)])]))]);
    vec![("purchase", entries("event", bought)), ("cancelled", entries("retraction", cancelled))]
}

/// A pin of one book, and a campaign for a category.
fn put_rule_examples() -> Examples {
    let pin = object([
        ("ruleId", text("window")),
        ("bookId", text("1")),
        ("pin", object([("place", Json::Whole(1))])),
        ("note", text("as in the shop window")),
    ]);
    let campaign = object([
        ("ruleId", text("mystery-autumn")),
        ("category", text("mystery")),
        ("boost", object([("factor", Json::Number(1.5))])),
        ("surfaces", list([text("SURFACE_RECOMMEND"), text("SURFACE_TRENDING")])),
        ("startTime", text("2026-09-01T00:00:00Z")),
        ("endTime", text("2026-12-01T00:00:00Z")),
    ]);
    vec![("pin", object([("rule", pin)])), ("campaign", object([("rule", campaign)]))]
}
