//! What the protos cannot say: limits that every server holds fields to, and examples.
//!
//! Limits that a server may be set to differently are not here; comments tell their defaults.
//! `crates/server/tests/it/json.rs` holds a server to the examples, and schemathesis to the
//! limits.

use anyhow::{Context as _, ensure};
use prost_reflect::DescriptorPool;

use super::json::{Json, list, object, text};

/// Text that can be an id, or the name of something, but for its length in bytes: no control
/// characters.
const PRINTABLE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// The longest id, in bytes and so in characters.
const ID_CHARACTERS_MAX: i64 = 64;

/// The most categories or languages in one list.
const TAGS_MAX: i64 = 100;

/// What a field is held to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// 1 to 64 bytes; must be there.
    RequiredId,
    /// At most 64 bytes, or empty.
    OptionalId,
    /// Ids, as many as the server is set to.
    Ids,
    /// Categories or languages.
    Tags,
    /// 0 or more, up to what the server is set to.
    Count,
    /// Half stars, or 0.
    Stars,
    /// Years that a reader has.
    Age,
    /// An amount of money of at most 12 digits.
    Amount,
    /// The code of a currency; must be there.
    Currency,
}

const LIMITS: [(&str, Limit); 17] = [
    ("foreword.v1.HistoryItem.book_id", Limit::RequiredId),
    ("foreword.v1.HistoryItem.rating", Limit::Stars),
    ("foreword.v1.BookFilter.any_categories", Limit::Tags),
    ("foreword.v1.BookFilter.all_categories", Limit::Tags),
    ("foreword.v1.BookFilter.no_categories", Limit::Tags),
    ("foreword.v1.BookFilter.languages", Limit::Tags),
    ("foreword.v1.BookFilter.excluded_book_ids", Limit::Ids),
    ("foreword.v1.BookFilter.reader_age", Limit::Age),
    ("foreword.v1.Book.min_age", Limit::Age),
    ("foreword.v1.Price.minor_units", Limit::Amount),
    ("foreword.v1.Price.currency", Limit::Currency),
    ("foreword.v1.RecommendRequest.user_id", Limit::OptionalId),
    ("foreword.v1.RecommendRequest.max_results", Limit::Count),
    ("foreword.v1.SimilarBooksRequest.book_id", Limit::RequiredId),
    ("foreword.v1.SimilarBooksRequest.max_results", Limit::Count),
    ("foreword.v1.TrendingRequest.max_results", Limit::Count),
    ("foreword.v1.Reason.rating", Limit::Stars),
];

/// Whether a field must be there.
pub(super) fn is_required(field: &str) -> bool {
    matches!(limit(field), Some(Limit::RequiredId | Limit::Currency))
}

/// Keywords for the schema of a field, or of its entries.
pub(super) fn of_value(field: &str) -> Vec<(&'static str, Json)> {
    let id = |shortest: i64| {
        let (shortest, longest) = (Json::Whole(shortest), Json::Whole(ID_CHARACTERS_MAX));
        vec![("minLength", shortest), ("maxLength", longest), ("pattern", text(PRINTABLE))]
    };
    match limit(field) {
        None => Vec::new(),
        Some(Limit::RequiredId | Limit::Ids | Limit::Tags) => id(1),
        Some(Limit::OptionalId) => id(0),
        Some(Limit::Count) => vec![("minimum", Json::Whole(0))],
        Some(Limit::Age) => vec![("minimum", Json::Whole(0)), ("maximum", Json::Whole(120))],
        Some(Limit::Amount) => vec![("pattern", text("^[0-9]{1,12}$"))],
        Some(Limit::Currency) => vec![("pattern", text("^[A-Za-z]{3}$"))],
        Some(Limit::Stars) => vec![
            ("minimum", Json::Whole(0)),
            ("maximum", Json::Whole(5)),
            ("multipleOf", Json::Number(0.5)),
        ],
    }
}

/// Keywords for the schema of a list.
pub(super) fn of_list(field: &str) -> Vec<(&'static str, Json)> {
    match limit(field) {
        Some(Limit::Tags) => vec![("maxItems", Json::Whole(TAGS_MAX))],
        _ => Vec::new(),
    }
}

fn limit(field: &str) -> Option<Limit> {
    LIMITS.iter().find(|(name, _)| *name == field).map(|(_, limit)| *limit)
}

/// Checks that every limit is one of a field that there is.
pub(super) fn check(pool: &DescriptorPool) -> anyhow::Result<()> {
    for (name, _) in LIMITS {
        let (message, field) = name.rsplit_once('.').context("a field has a message")?;
        let field = pool.get_message_by_name(message).and_then(|it| it.get_field_by_name(field));
        ensure!(field.is_some(), "there is a limit for {name}, which is no field");
    }
    Ok(())
}

/// Requests that the demo shop answers, by name; `None` if there is none for the method.
pub(super) fn examples(method: &str) -> Option<Vec<(&'static str, Json)>> {
    let results = || ("maxResults", Json::Whole(3));
    let examples = match method {
        "foreword.v1.RecommendationService.Recommend" => {
            let rated = object([
                ("bookId", text("41")),
                ("kind", text("EVENT_KIND_RATING")),
                ("rating", Json::Whole(5)),
            ]);
            let categories = object([("anyCategories", list([text("mystery")]))]);
            let anonymous = [
                ("history", list([rated])),
                ("filter", categories),
                ("maxResults", Json::Whole(3)),
            ];
            vec![
                ("user", object([("userId", text("1")), results()])),
                ("anonymous", object(anonymous)),
            ]
        }
        "foreword.v1.RecommendationService.SimilarBooks" => {
            vec![("book", object([("bookId", text("1")), results()]))]
        }
        "foreword.v1.RecommendationService.Trending" => vec![("all", object([results()]))],
        _ => return None,
    };
    let named = |(name, value)| (name, object([("value", value)]));
    Some(examples.into_iter().map(named).collect())
}
