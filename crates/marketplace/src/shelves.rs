//! The shelves of one page: asked for in one call, and remembered for when there is no answer.

use std::sync::Arc;

use api::v1::{
    Event, EventKind, RecommendPageRequest, RecommendPageResponse, ShelfKind, ShelfRequest,
};

use crate::acts::event_id;
use crate::random;
use crate::remembered::Place;
use crate::service::Failure;
use crate::view::ShelfView;
use crate::visit::Visit;
use crate::visitor::Visitor;

/// What a page puts up.
pub(crate) struct Shelves {
    pub(crate) shelves: Vec<ShelfView>,
    /// They are not of this moment.
    pub(crate) is_away: bool,
}

impl Shelves {
    /// Whether a book stands on one of them.
    pub(crate) fn has(&self, book: &str) -> bool {
        self.shelves.iter().any(|shelf| shelf.cards.iter().any(|card| card.book.id == book))
    }
}

/// Asks for shelves; without an answer in time, takes what is remembered, else books of the
/// catalogue.
///
/// # Errors
///
/// [`Failure::NotFound`] if there is no such book as one of them is about.
pub(crate) async fn shelves(
    visitor: &mut Visitor,
    place: Place,
    requests: Vec<ShelfRequest>,
) -> Result<Shelves, Failure> {
    let (shop, session) = (visitor.shop.clone(), &visitor.session);
    let who = visitor.who();
    let request = RecommendPageRequest {
        user_id: session.reader.clone().unwrap_or_default(),
        history: if session.reader.is_some() { Vec::new() } else { session.visit.history() },
        filter: None,
        shelves: requests,
        shown_token: String::new(),
        user_revision: visitor.revision(),
    };
    match shop.service.recommend_page(request).await {
        Ok(page) => {
            let page = Arc::new(page);
            shop.remembered.keep_page(who, place, &page);
            Ok(Shelves { shelves: views(visitor, &page), is_away: page.stale })
        }
        Err(Failure::NotFound) => Err(Failure::NotFound),
        Err(failure) => {
            // What a cookie holds is all that somebody anonymous can have made up.
            if matches!(failure, Failure::Invalid(_)) {
                visitor.session.visit = Visit::default();
            }
            let remembered = shop.remembered.page(&who, &place);
            let shelves = match remembered {
                Some(page) => views(visitor, &page),
                None => plain(visitor),
            };
            Ok(Shelves { shelves, is_away: true })
        }
    }
}

/// A shelf of the catalogue, if anything of it is known.
pub(crate) fn plain(visitor: &Visitor) -> Vec<ShelfView> {
    let books = visitor.shop.remembered.plain();
    if books.is_empty() {
        return Vec::new();
    }
    vec![ShelfView::plain(&visitor.shop, visitor.words(), &books)]
}

/// A request for shelves of one kind.
pub(crate) fn of_kind(kind: ShelfKind, books: u32) -> ShelfRequest {
    ShelfRequest {
        kind: kind.into(),
        max_results: i32::try_from(books).unwrap_or(i32::MAX),
        ..ShelfRequest::default()
    }
}

fn views(visitor: &Visitor, page: &RecommendPageResponse) -> Vec<ShelfView> {
    let (shop, words) = (&visitor.shop, visitor.words());
    let is_reader = visitor.reader().is_some();
    let view = |(place, shelf)| ShelfView {
        is_first: place == 0,
        ..ShelfView::new(shop, words, shelf, is_reader)
    };
    page.shelves.iter().enumerate().map(view).collect()
}

/// Has it told what a reader is shown, so that the shop can see what its shelves bring. Of
/// somebody anonymous nothing is told, nor of a page that nobody looks at.
pub(crate) fn tell_what_is_shown(visitor: &Visitor, shelves: &[ShelfView]) {
    let Some(reader) = visitor.reader().filter(|_| visitor.is_looking()) else { return };
    let id = random::id();
    let impression = |(token, book): (&str, &str)| Event {
        event_id: event_id("shown", id.as_str(), book),
        user_id: reader.to_owned(),
        book_id: book.to_owned(),
        kind: EventKind::Impression.into(),
        rating: 0.0,
        event_time: None,
        attribution_token: token.to_owned(),
    };
    // What the shop has put up by itself is nobody's recommendation.
    let shelves = shelves.iter().filter(|shelf| !shelf.token.is_empty());
    let books = shelves.flat_map(|shelf| {
        shelf.cards.iter().map(|card| (shelf.token.as_str(), card.book.id.as_str()))
    });
    visitor.tell(books.map(impression).collect());
}
