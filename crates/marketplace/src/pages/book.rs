//! `/books/{id}`: one book, what the visitor did to it, and what goes with it.

mod details;

use api::v1::{
    Book, Event, EventKind, GetBookRequest, GetBookResponse, ShelfKind, ShelfRequest, UserBook,
};
use askama::Template;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use self::details::details;
use super::wrong::{self, Wrong};
use crate::acts::{Act, attribution, event_id};
use crate::frame::{self, Frame, Link};
use crate::language::{Words, fill};
use crate::links;
use crate::remembered::Place;
use crate::service::Failure;
use crate::shelves::{Shelves, of_kind, shelves, tell_what_is_shown};
use crate::shop::now;
use crate::view::{BookView, ShelfView, reason_with_share, stars};
use crate::visitor::{Asked, Visitor};

/// How many more similar books are asked for than shown: some stand on another shelf already.
const SPARE_BOOKS: u32 = 6;

/// Books of a series or editions of a work that are shown.
const RELATED_MAX: usize = 12;

const SECONDS_A_DAY: i64 = 24 * 60 * 60;

/// What the address says.
#[derive(Default, Deserialize)]
pub(crate) struct Query {
    /// The shelf that led here.
    #[serde(default)]
    from: String,
}

#[derive(Template)]
#[template(path = "book.html")]
struct Page {
    frame: Frame,
    book: BookView,
    cover_text: String,
    by: String,
    volume: Option<String>,
    reasons: Vec<String>,
    acts: Vec<ActView>,
    /// Numbers of stars with their names.
    stars: Vec<(i32, String)>,
    /// Those that the visitor gave; 0 if none.
    rated: i32,
    from: String,
    details: Vec<(String, String)>,
    categories: Vec<Link>,
    shelves: Vec<ShelfView>,
}

/// An act as the page offers it, or says that it was done.
struct ActView {
    act: Act,
    offer: String,
    did: String,
    /// The event, if it was done; empty if it cannot be taken back.
    event: Option<String>,
}

impl ActView {
    fn is_main(&self) -> bool {
        self.act == Act::Buy
    }
}

/// `GET /books/{id}`.
pub(crate) async fn page(
    mut visitor: Visitor,
    id: Result<Path<String>, PathRejection>,
    Asked(query): Asked<Query>,
) -> Response {
    let Ok(Path(id)) = id else { return wrong::page(visitor, &Wrong::NotFound) };
    let shop = visitor.shop.clone();
    let request = GetBookRequest {
        book_id: id.clone(),
        include_related: true,
        user_id: visitor.reader().unwrap_or_default().to_owned(),
    };
    let similar = ShelfRequest {
        book_id: id.clone(),
        ..of_kind(ShelfKind::SimilarTo, shop.settings.shelf_books.get() + SPARE_BOOKS)
    };
    let place = Place::Book(id.clone());
    let (found, similar) =
        tokio::join!(shop.service.get_book(request), shelves(&mut visitor, place, vec![similar]));
    let (found, is_away) = match found {
        Ok(found) => {
            let is_stale = found.stale;
            (found, is_stale)
        }
        Err(Failure::Away(_)) => match shop.remembered.book(&id) {
            Some(book) => (remembered(&book), true),
            None => return wrong::page(visitor, &Wrong::Away),
        },
        Err(_) => return wrong::page(visitor, &Wrong::NotFound),
    };
    let Some(book) = found.book.clone() else { return wrong::page(visitor, &Wrong::NotFound) };
    shop.remembered
        .keep_books([&book].into_iter().chain(&found.editions).chain(&found.series_books));
    let similar = similar.unwrap_or(Shelves { shelves: Vec::new(), is_away: true });
    let acts = acts(&visitor, &found);
    let rated = rated(&visitor, &found);
    let suggested = shop.remembered.suggested(&visitor.who(), &book.id);
    let reasons = suggested.map(|one| one.reasons).unwrap_or_default();
    let from = attribution(&query.from);
    was_looked_at(&mut visitor, &book.id, from);
    let words = visitor.words();
    let mut frame = Frame::of(&mut visitor, &book.title);
    frame.is_away = is_away || similar.is_away;
    let shelves = beside(&visitor, &found, similar.shelves);
    if !similar.is_away {
        tell_what_is_shown(&visitor, &shelves);
    }
    let page = Page {
        cover_text: fill(&words.book.cover, &[("title", &book.title)]),
        by: fill(&words.book.by, &[("authors", &words.list(&book.authors))]),
        volume: volume(&book, words),
        reasons: reasons.iter().filter_map(|one| reason_with_share(one, words)).collect(),
        acts,
        stars: (1..=5).map(|number| (number, star_text(number, words))).collect(),
        rated,
        from: from.to_owned(),
        details: details(&book, words),
        categories: book.categories.iter().map(|slug| category(&visitor, slug)).collect(),
        shelves,
        book: BookView::new(&shop, words, &book, ""),
        frame,
    };
    frame::show(visitor, StatusCode::OK, &page)
}

fn remembered(book: &Book) -> GetBookResponse {
    GetBookResponse { book: Some(book.clone()), stale: true, ..GetBookResponse::default() }
}

/// Keeps that the visitor looked at it: with the reader, else in the visit.
fn was_looked_at(visitor: &mut Visitor, book: &str, from: &str) {
    if !visitor.is_looking() {
        return;
    }
    let Some(reader) = visitor.reader() else {
        visitor.session.visit.add(book, EventKind::View, 0.0, "");
        return;
    };
    // Once a day: who goes back and forth does not like it more.
    let day = now() / SECONDS_A_DAY;
    let event = Event {
        event_id: event_id("view", &format!("{day}-{}", visitor.session.id), book),
        user_id: reader.to_owned(),
        book_id: book.to_owned(),
        kind: EventKind::View.into(),
        rating: 0.0,
        event_time: None,
        attribution_token: from.to_owned(),
    };
    visitor.tell(vec![event]);
}

/// The series, the other editions, and then what others liked, without a book twice.
fn beside(visitor: &Visitor, found: &GetBookResponse, similar: Vec<ShelfView>) -> Vec<ShelfView> {
    let (shop, words) = (&visitor.shop, visitor.words());
    let id = found.book.as_ref().map_or("", |book| book.id.as_str());
    let mut shelves = Vec::new();
    let mut seen = vec![id.to_owned()];
    let series = found.book.as_ref().map_or("", |book| book.series.as_str());
    let headings = [
        (&found.series_books, fill(&words.book.series, &[("series", series)])),
        (&found.editions, words.book.editions.clone()),
    ];
    for (books, heading) in headings {
        let books = books.iter().filter(|book| book.id != id).take(RELATED_MAX);
        let shelf = ShelfView::of_books(shop, words, heading, books);
        seen.extend(shelf.cards.iter().map(|card| card.book.id.clone()));
        shelves.push(shelf);
    }
    shelves.extend(similar.into_iter().map(|mut shelf| {
        shelf.cards.retain(|card| !seen.contains(&card.book.id));
        shelf.cards.truncate(shop.settings.shelf_books.get() as usize);
        shelf
    }));
    shelves.retain(|shelf| !shelf.cards.is_empty());
    shelves
}

/// What can be done to the book, and what was.
fn acts(visitor: &Visitor, found: &GetBookResponse) -> Vec<ActView> {
    let words = &visitor.words().book;
    let book = found.book.as_ref().map_or("", |book| book.id.as_str());
    let event = |act: Act| {
        let kind = act.kind();
        match visitor.reader() {
            Some(_) => action(found.user_book.as_ref(), kind).map(|(_, event)| event),
            // What takes back a purchase is in the cookie; of the others, the book is enough.
            None => visitor.session.visit.did(book, kind).map(|_| "visit".to_owned()),
        }
    };
    let view = |act: Act| {
        let (offer, did) = match act {
            Act::Buy => (words.buy.clone(), words.bought.clone()),
            Act::Want => (words.want.clone(), words.wanted.clone()),
            Act::Finish => (words.finish.clone(), words.finished.clone()),
            Act::Dismiss => (words.dismiss.clone(), words.dismissed.clone()),
            // Stars are given by a form of their own.
            Act::Rate => {
                let rating = rating(visitor, found).filter(|_| event(act).is_some())?;
                let text = fill(&words.your_rating, &[("stars", &stars(rating))]);
                (String::new(), text)
            }
        };
        Some(ActView { act, offer, did, event: event(act) })
    };
    Act::ALL.into_iter().filter_map(view).collect()
}

/// What a reader did last of one kind: its stars and its event.
fn action(user_book: Option<&UserBook>, kind: EventKind) -> Option<(f64, String)> {
    let mut actions = user_book?.actions.iter();
    let action = actions.find(|action| action.kind() == kind)?;
    Some((action.rating, action.event_id.clone()))
}

/// The stars that the visitor gave.
fn rating(visitor: &Visitor, found: &GetBookResponse) -> Option<f64> {
    let book = found.book.as_ref().map_or("", |book| book.id.as_str());
    match visitor.reader() {
        Some(_) => action(found.user_book.as_ref(), EventKind::Rating).map(|(rating, _)| rating),
        None => visitor.session.visit.did(book, EventKind::Rating).map(|did| did.rating),
    }
}

fn rated(visitor: &Visitor, found: &GetBookResponse) -> i32 {
    rating(visitor, found).map_or(0, |rating| rating.round() as i32)
}

fn star_text(number: i32, words: &Words) -> String {
    fill(&words.book.stars, &[("stars", &number.to_string())])
}

fn volume(book: &Book, words: &Words) -> Option<String> {
    if book.series.is_empty() {
        return None;
    }
    let Some(volume) = book.volume else { return Some(book.series.clone()) };
    let values = [("series", book.series.as_str()), ("volume", &volume.to_string())];
    Some(fill(&words.book.volume, &values))
}

fn category(visitor: &Visitor, slug: &str) -> Link {
    let categories = visitor.shop.remembered.categories();
    let known = categories.iter().find(|category| category.slug == slug);
    let title = known.map_or_else(|| links::spoken(slug), |category| category.title.clone());
    let text = visitor.words().category(slug, &title).to_owned();
    Link { text, href: links::category(slug) }
}
