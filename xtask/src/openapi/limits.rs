//! What the protos cannot say: limits that every server holds fields to.
//!
//! Limits that a server may be set to differently are not here; comments tell their defaults.
//! Schemathesis holds a server to the limits.

use anyhow::{Context as _, ensure};
use prost_reflect::DescriptorPool;

use super::json::{Json, object, text};

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
    /// 1 to 64 bytes, if it is there.
    Id,
    /// At most 64 bytes, or empty.
    OptionalId,
    /// Ids, as many as the server is set to.
    Ids,
    /// Categories or languages.
    Tags,
    /// Shelves, no more than there are.
    Surfaces,
    /// What is told at once: 1 to 1,000 things; must be there.
    Entries,
    /// The shelves of a page: 1 to 20; must be there.
    Shelves,
    /// So many shelves: 0 to 10.
    ShelfCount,
    /// Kinds of events, no more than there are.
    Kinds,
    /// Units that are added or taken; must be there, and not 0.
    StockChange,
    /// All rules of a shop, at most 1,000.
    Rules,
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
    /// A message or an enum; must be there.
    Required,
    /// The name of an author.
    Author,
    /// The name of a series.
    Series,
    /// A place on a shelf; must be there.
    Place,
    /// What scores are multiplied by; must be there.
    Factor,
    /// A line for people.
    Note,
}

const LIMITS: &[(&str, Limit)] = &[
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
    ("foreword.v1.RecordEventsRequest.entries", Limit::Entries),
    ("foreword.v1.Event.rating", Limit::Stars),
    ("foreword.v1.StreamEventsRequest.entries", Limit::Entries),
    ("foreword.v1.SimilarBooksRequest.book_id", Limit::RequiredId),
    ("foreword.v1.SimilarBooksRequest.max_results", Limit::Count),
    ("foreword.v1.TrendingRequest.max_results", Limit::Count),
    ("foreword.v1.RecommendPageRequest.user_id", Limit::OptionalId),
    ("foreword.v1.RecommendPageRequest.shelves", Limit::Shelves),
    ("foreword.v1.ShelfRequest.kind", Limit::Required),
    ("foreword.v1.ShelfRequest.category", Limit::OptionalId),
    ("foreword.v1.ShelfRequest.book_id", Limit::OptionalId),
    ("foreword.v1.ShelfRequest.max_shelves", Limit::ShelfCount),
    ("foreword.v1.ShelfRequest.max_results", Limit::Count),
    ("foreword.v1.GetBookRequest.user_id", Limit::OptionalId),
    ("foreword.v1.ListBooksRequest.page_size", Limit::Count),
    ("foreword.v1.ListCategoriesRequest.page_size", Limit::Count),
    ("foreword.v1.AdjustStockRequest.request_id", Limit::RequiredId),
    ("foreword.v1.AdjustStockRequest.book_id", Limit::RequiredId),
    ("foreword.v1.AdjustStockRequest.change", Limit::StockChange),
    ("foreword.v1.ListUsersRequest.page_size", Limit::Count),
    ("foreword.v1.ListUserBooksRequest.user_id", Limit::RequiredId),
    ("foreword.v1.ListUserBooksRequest.any_kinds", Limit::Kinds),
    ("foreword.v1.ListUserBooksRequest.no_kinds", Limit::Kinds),
    ("foreword.v1.ListUserBooksRequest.page_size", Limit::Count),
    ("foreword.v1.ActivateModelRequest.version", Limit::Required),
    ("foreword.v1.ExplainRecommendRequest.user_id", Limit::OptionalId),
    ("foreword.v1.ExplainRecommendRequest.max_results", Limit::Count),
    ("foreword.v1.DraftRules.rules", Limit::Rules),
    ("foreword.v1.Reason.rating", Limit::Stars),
    ("foreword.v1.Rule.rule_id", Limit::RequiredId),
    ("foreword.v1.Rule.book_id", Limit::Id),
    ("foreword.v1.Rule.author", Limit::Author),
    ("foreword.v1.Rule.series", Limit::Series),
    ("foreword.v1.Rule.category", Limit::Id),
    ("foreword.v1.Rule.surfaces", Limit::Surfaces),
    ("foreword.v1.Rule.note", Limit::Note),
    ("foreword.v1.Pin.place", Limit::Place),
    ("foreword.v1.Boost.factor", Limit::Factor),
    ("foreword.v1.Bury.depth", Limit::Required),
    ("foreword.v1.PutRuleRequest.rule", Limit::Required),
    ("foreword.v1.DeleteRuleRequest.rule_id", Limit::RequiredId),
    ("foreword.v1.ListRulesRequest.page_size", Limit::Count),
];

/// Whether a field must be there.
pub(super) fn is_required(field: &str) -> bool {
    use Limit::{Currency, Entries, Factor, Place, Required, RequiredId, Shelves, StockChange};
    matches!(
        limit(field),
        Some(RequiredId | Currency | Required | Place | Factor | Entries | Shelves | StockChange)
    )
}

/// Keywords for the schema of a field, or of its entries.
pub(super) fn of_value(field: &str) -> Vec<(&'static str, Json)> {
    let line = |shortest: i64, longest: i64| {
        let (shortest, longest) = (Json::Whole(shortest), Json::Whole(longest));
        vec![("minLength", shortest), ("maxLength", longest), ("pattern", text(PRINTABLE))]
    };
    match limit(field) {
        None
        | Some(
            Limit::Required
            | Limit::Surfaces
            | Limit::Kinds
            | Limit::Entries
            | Limit::Shelves
            | Limit::Rules,
        ) => Vec::new(),
        Some(Limit::RequiredId | Limit::Id | Limit::Ids | Limit::Tags) => {
            line(1, ID_CHARACTERS_MAX)
        }
        Some(Limit::OptionalId) => line(0, ID_CHARACTERS_MAX),
        Some(Limit::Author) => line(1, 200),
        Some(Limit::Series) => line(1, 500),
        Some(Limit::Note) => line(0, 500),
        Some(Limit::Place) => vec![("minimum", Json::Whole(1)), ("maximum", Json::Whole(100))],
        Some(Limit::ShelfCount) => {
            vec![("minimum", Json::Whole(0)), ("maximum", Json::Whole(10))]
        }
        Some(Limit::StockChange) => vec![
            ("minimum", Json::Whole(-10_000)),
            ("maximum", Json::Whole(10_000)),
            ("not", object([("const", Json::Whole(0))])),
        ],
        Some(Limit::Factor) => {
            vec![("exclusiveMinimum", Json::Whole(0)), ("maximum", Json::Whole(100))]
        }
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
        Some(Limit::Entries) => {
            vec![("minItems", Json::Whole(1)), ("maxItems", Json::Whole(1000))]
        }
        Some(Limit::Surfaces) => vec![("maxItems", Json::Whole(3))],
        Some(Limit::Kinds) => vec![("maxItems", Json::Whole(9))],
        Some(Limit::Shelves) => {
            vec![("minItems", Json::Whole(1)), ("maxItems", Json::Whole(20))]
        }
        Some(Limit::Rules) => vec![("maxItems", Json::Whole(1000))],
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
