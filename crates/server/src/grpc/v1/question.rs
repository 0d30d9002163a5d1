//! From messages to questions, with everything checked.

use api::v1::{BookFilter as FilterMessage, EventKind as KindMessage, HistoryItem};
use recommender::offer::{OfferFilter, Stock, UnknownAge};
use recommender::{Event, EventKind, Filter, ItemNumber, Rating, id};
use storage::book::AGES;

use super::{Bounds, Violations};
use crate::grpc::book;
use crate::recommend::{BadToken, BookFilter, Fresh, Reader, Shown};

/// How many results are wanted: 0 stands for the default.
pub(crate) fn results_wanted(max_results: i32, bounds: &Bounds, found: &mut Violations) -> usize {
    results_wanted_at("max_results", max_results, bounds, found)
}

/// The same of a field of another name.
pub(super) fn results_wanted_at(
    field: &str,
    max_results: i32,
    bounds: &Bounds,
    found: &mut Violations,
) -> usize {
    match usize::try_from(max_results) {
        Ok(0) => bounds.results_default,
        Ok(wanted) if wanted <= bounds.results_max => wanted,
        _ => {
            let expected = format!("0 to {}", bounds.results_max);
            found.add(field, max_results, &expected);
            0
        }
    }
}

pub(crate) fn check_id(field: &str, text: &str, found: &mut Violations) {
    let fits = id::check_id(text).is_ok();
    found.expect(fits, field, format_args!("{text:?}"), "1 to 64 bytes of printable text");
}

/// The reader that a request is about: a user, or whoever has this history.
pub(crate) fn reader(
    user_id: String,
    fresh: Fresh,
    history: &[HistoryItem],
    bounds: &Bounds,
    found: &mut Violations,
) -> Reader {
    let revision = fresh.revision;
    found.expect(revision >= 0, "user_revision", revision, "0 or more");
    if user_id.is_empty() {
        found.expect(revision <= 0, "user_revision", revision, "0, since there is no user_id");
        return Reader::Anonymous(inline_history(history, bounds, found));
    }
    check_id("user_id", &user_id, found);
    found.expect(history.is_empty(), "history", "a user_id and a history", "one of them");
    Reader::User { id: user_id, fresh }
}

fn inline_history(
    history: &[HistoryItem],
    bounds: &Bounds,
    found: &mut Violations,
) -> Vec<(String, Event)> {
    if !fits("history", history.len(), bounds.list_entries_max, found) {
        return Vec::new();
    }
    let mut events = Vec::with_capacity(history.len());
    for (place, item) in history.iter().enumerate() {
        let field = |name: &str| format!("history[{place}].{name}");
        check_id(&field("book_id"), &item.book_id, found);
        let kind = match KindMessage::try_from(item.kind) {
            Ok(KindMessage::Unspecified) if item.rating != 0.0 => Some(EventKind::Rating),
            Ok(KindMessage::Unspecified) => Some(EventKind::Finish),
            Ok(kind) => u8::try_from(kind as i32).ok().and_then(EventKind::from_number),
            Err(_) => None,
        };
        let Some(kind) = kind else {
            found.add(&field("kind"), item.kind, "a kind of event");
            continue;
        };
        let rating = Rating::from_stars(item.rating).ok();
        let rated = kind == EventKind::Rating;
        let valid = if rated { rating.is_some() } else { item.rating == 0.0 };
        let expected = if rated { "1 to 5 in steps of 0.5" } else { "0 for this kind of event" };
        found.expect(valid, &field("rating"), item.rating, expected);
        // The number is filled in once the book is looked up.
        let event = Event { item: ItemNumber(0), kind, rating, time_ms: None };
        events.push((item.book_id.clone(), event));
    }
    events
}

/// Which books may be returned.
pub(crate) fn filter(
    message: Option<FilterMessage>,
    shown_token: &str,
    bounds: &Bounds,
    found: &mut Violations,
) -> BookFilter {
    let message = message.unwrap_or_default();
    for (field, list) in [
        ("filter.any_categories", &message.any_categories),
        ("filter.all_categories", &message.all_categories),
        ("filter.no_categories", &message.no_categories),
        ("filter.languages", &message.languages),
        ("filter.excluded_book_ids", &message.excluded_book_ids),
    ] {
        let ids = field.ends_with("_ids");
        let entries_max = bounds.list_entries_max.min(if ids { usize::MAX } else { TAGS_MAX });
        if !fits(field, list.len(), entries_max, found) {
            continue;
        }
        for (place, entry) in list.iter().enumerate() {
            check_id(&format!("{field}[{place}]"), entry, found);
        }
    }
    let shown = Shown::read(shown_token).unwrap_or_else(|BadToken| {
        let what = format_args!("{} bytes that are no such token", shown_token.len());
        found.add("shown_token", what, "the shown_token of an earlier answer, or none");
        Shown::default()
    });
    let offer = offer(&message, found);
    let languages = message.languages.iter().map(|tag| tag.to_ascii_lowercase()).collect();
    let FilterMessage { any_categories, all_categories, no_categories, .. } = message;
    BookFilter {
        filter: Filter { any_categories, all_categories, no_categories, languages, offer },
        excluded: message.excluded_book_ids,
        shown,
    }
}

/// How books may be offered.
fn offer(message: &FilterMessage, found: &mut Violations) -> OfferFilter {
    let stock = if message.include_sold_out { Stock::Any } else { Stock::Available };
    let unknown_age = match message.require_known_age {
        true => UnknownAge::Fails,
        false => UnknownAge::Passes,
    };
    let reader_age = message.reader_age.and_then(|age| {
        let years = u8::try_from(age).ok().filter(|years| AGES.contains(years));
        if years.is_none() {
            let expected = format!("{} to {}", AGES.start(), AGES.end());
            found.add("filter.reader_age", age, &expected);
        }
        years
    });
    let price_max =
        message.max_price.as_ref().and_then(|price| book::price("filter.max_price", price, found));
    OfferFilter { stock, price_max, reader_age, unknown_age }
}

/// The most categories or languages in one list.
const TAGS_MAX: usize = 100;

fn fits(field: &str, entries: usize, entries_max: usize, found: &mut Violations) -> bool {
    let expected = format!("at most {entries_max}");
    found.expect(entries <= entries_max, field, format_args!("{entries} entries"), &expected);
    entries <= entries_max
}
