//! The shelves of one page: asked for in one call, and remembered for when there is no answer.

use std::sync::Arc;

use api::v1::{
    Event, EventKind, RecommendPageRequest, RecommendPageResponse, Shelf, ShelfKind, ShelfRequest,
};

use crate::acts::event_id;
use crate::random;
use crate::remembered::Place;
use crate::service::Failure;
use crate::shop::Shop;
use crate::view::ShelfView;
use crate::visitor::Visitor;

/// What a page puts up.
pub(crate) struct Shelves {
    pub(crate) shelves: Vec<ShelfView>,
    /// They are not of this moment.
    pub(crate) is_away: bool,
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
        user_revision: session.revision,
    };
    match shop.service.recommend_page(request).await {
        Ok(page) => {
            let page = Arc::new(page);
            shop.remembered.keep_page(who, place, &page);
            visitor.session.has_seen(page.user_revision);
            tell_what_is_shown(&shop, visitor.reader(), &page);
            Ok(Shelves { shelves: views(visitor, &page), is_away: false })
        }
        Err(Failure::NotFound) => Err(Failure::NotFound),
        Err(_) => {
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
    page.shelves.iter().map(|shelf| ShelfView::new(shop, words, shelf, is_reader)).collect()
}

/// Has it told what a reader was shown, so that the shop can see what its shelves bring. Of
/// somebody anonymous nothing is told.
fn tell_what_is_shown(shop: &Shop, reader: Option<&str>, page: &RecommendPageResponse) {
    let Some(reader) = reader else { return };
    let id = random::id();
    let books = |shelf: &Shelf| {
        let token = shelf.attribution_token.clone();
        let ids = shelf.books.iter().filter_map(|one| Some(one.book.as_ref()?.id.clone()));
        ids.map(move |book| (book, token.clone())).collect::<Vec<_>>()
    };
    shop.outbox.put(page.shelves.iter().flat_map(books).map(|(book, token)| Event {
        event_id: event_id("shown", id.as_str(), &book),
        user_id: reader.to_owned(),
        book_id: book,
        kind: EventKind::Impression.into(),
        rating: 0.0,
        event_time: None,
        attribution_token: token,
    }));
}
