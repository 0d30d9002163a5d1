//! `RecommendPage`: from requested shelves to wanted ones, and from a page to its message.

use std::collections::HashSet;

use api::v1::{
    RecommendPageResponse, Shelf as ShelfMessage, ShelfKind as KindMessage, ShelfRequest,
};
use recommender::{Filter, Rating};

use super::answer::{books, fallback};
use super::question::{check_id, results_wanted_at};
use super::{Bounds, Violations};
use crate::categories;
use crate::grpc::{book, category};
use crate::recommend::{About, Page, PageShelf, ShelfKind, Subject, WantedShelf};

/// The most shelves of one page, as requested and as answered.
const SHELVES_MAX: usize = 20;

/// The most books of one page: as many as a token of what was shown holds.
const BOOKS_MAX: usize = 1_000;

/// The most shelves that one request is for.
const SHELVES_OF_ONE_MAX: usize = 10;

/// The shelves that a page wants.
pub(super) fn wanted(
    messages: Vec<ShelfRequest>,
    bounds: &Bounds,
    found: &mut Violations,
) -> Vec<WantedShelf> {
    let count = messages.len();
    if !(1..=SHELVES_MAX).contains(&count) {
        found.add("shelves", format_args!("{count} entries"), "1 to 20");
        return Vec::new();
    }
    let (mut shelves, mut books) = (0, 0);
    let mut known = HashSet::new();
    let mut wanted = Vec::with_capacity(count);
    for (place, message) in messages.into_iter().enumerate() {
        let field = |name: &str| format!("shelves[{place}].{name}");
        let results = results_wanted_at(&field("max_results"), message.max_results, bounds, found);
        let subject = (message.kind, message.category.clone(), message.book_id.clone());
        let is_new = known.insert(subject);
        let expected = "another kind, category or book than each shelf before";
        found.expect(is_new, &format!("shelves[{place}]"), "the same as one before", expected);
        let Some(about) = about(message, field, found) else { continue };
        let of_one = match &about {
            About::FavouriteCategories(count) | About::BecauseOfLiked(count) => *count,
            _ => 1,
        };
        shelves += of_one;
        books += of_one * results;
        wanted.push(WantedShelf { about, results });
    }
    let expected = "at most 20 on one page";
    found.expect(shelves <= SHELVES_MAX, "shelves", format_args!("{shelves} shelves"), expected);
    let expected = "at most 1000 on one page";
    found.expect(books <= BOOKS_MAX, "shelves", format_args!("{books} books"), expected);
    wanted
}

/// What a shelf is to be about; `None` for what is no kind of shelf.
fn about(
    message: ShelfRequest,
    field: impl Fn(&str) -> String,
    found: &mut Violations,
) -> Option<About> {
    let kind = match message.kind() {
        KindMessage::Unspecified => {
            found.add(&field("kind"), message.kind, "a kind of shelf");
            return None;
        }
        kind => kind,
    };
    let ShelfRequest { category, book_id, max_shelves, .. } = message;
    let may_have_category = kind == KindMessage::Category;
    let may_have_book = matches!(kind, KindMessage::BecauseYouRead | KindMessage::SimilarTo);
    check_optional(&field("category"), &category, may_have_category, found);
    check_optional(&field("book_id"), &book_id, may_have_book, found);
    let chooses = match kind {
        KindMessage::Category => category.is_empty(),
        KindMessage::BecauseYouRead => book_id.is_empty(),
        _ => false,
    };
    let count = usize::try_from(max_shelves).ok().filter(|count| *count <= SHELVES_OF_ONE_MAX);
    let count = if chooses { count } else { count.filter(|count| *count == 0) };
    let expected = if chooses { "0 to 10" } else { "0, since the shelf is given" };
    found.expect(count.is_some(), &field("max_shelves"), max_shelves, expected);
    let count = count.unwrap_or(0).max(1);
    Some(match kind {
        KindMessage::Unspecified => return None,
        KindMessage::PickedForYou => About::PickedForYou,
        KindMessage::Category if chooses => About::FavouriteCategories(count),
        KindMessage::Category => About::Category(category),
        KindMessage::BecauseYouRead if chooses => About::BecauseOfLiked(count),
        KindMessage::BecauseYouRead => About::BecauseOf(book_id),
        KindMessage::Trending => About::Trending,
        KindMessage::NextInSeries => About::NextInSeries,
        KindMessage::SimilarTo => {
            found.expect(!book_id.is_empty(), &field("book_id"), "no book", "a book's id");
            About::SimilarTo(book_id)
        }
        KindMessage::Popular => About::Popular,
    })
}

/// Checks an id that may be left out, and must be where it means nothing.
fn check_optional(field: &str, id: &str, may_be: bool, found: &mut Violations) {
    match (id.is_empty(), may_be) {
        (true, _) => {}
        (false, true) => check_id(field, id, found),
        (false, false) => {
            found.add(field, format_args!("{id:?}"), "nothing for this kind of shelf");
        }
    }
}

/// A page, as the contract has it.
pub(super) fn to_message(page: &Page, filter: &Filter) -> RecommendPageResponse {
    RecommendPageResponse {
        shelves: page.shelves.iter().map(|shelf| shelf_message(page, shelf, filter)).collect(),
        model_version: page
            .generation
            .model()
            .map_or_else(String::new, |model| model.version.to_string()),
        shown_token: page.shown.token(),
        user_revision: page.user_revision,
        stale: page.is_stale,
    }
}

fn shelf_message(page: &Page, shelf: &PageShelf, filter: &Filter) -> ShelfMessage {
    let PageShelf { place, kind, subject, answer } = shelf;
    let mut filter = filter.clone();
    let (mut of_category, mut of_book) = (None, None);
    match subject {
        Subject::Nothing => {}
        Subject::Category(slug) => {
            of_category = Some(category::to_message(&categories::find(&page.generation, slug)));
            filter.any_categories = vec![slug.clone()];
        }
        Subject::Book(index) => of_book = Some(*index),
    }
    let subject = of_book.and_then(|index| page.generation.book(index));
    let done = subject
        .filter(|_| *kind == ShelfKind::BecauseYouRead)
        .and_then(|book| answer.evidence.iter().find(|one| one.item == book.number));
    ShelfMessage {
        kind: kind_message(*kind).into(),
        // One of twenty.
        request_index: *place as i32,
        category: of_category,
        book: subject.map(book::to_message),
        event_kind: done.map_or(0, |evidence| evidence.kind.number().into()),
        rating: done.and_then(|evidence| evidence.rating).map_or(0.0, Rating::stars),
        books: books(answer, &filter, of_book),
        attribution_token: answer.attribution_token.clone(),
        fallback: fallback(answer).into(),
    }
}

/// A kind of shelf, as the contract has it.
pub(in crate::grpc) fn kind_message(kind: ShelfKind) -> KindMessage {
    match kind {
        ShelfKind::PickedForYou => KindMessage::PickedForYou,
        ShelfKind::Category => KindMessage::Category,
        ShelfKind::BecauseYouRead => KindMessage::BecauseYouRead,
        ShelfKind::Trending => KindMessage::Trending,
        ShelfKind::NextInSeries => KindMessage::NextInSeries,
        ShelfKind::SimilarTo => KindMessage::SimilarTo,
        ShelfKind::Popular => KindMessage::Popular,
    }
}
