//! `/library`: a reader's books, with what they did to each.

use api::v1::{EventKind, ListUserBooksRequest, UserAction, UserBook};
use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::acts::Act;
use crate::frame::{self, Frame, Link};
use crate::language::{Words, fill};
use crate::links;
use crate::service::Failure;
use crate::shop::Shop;
use crate::view::{self, BookView, stars};
use crate::visitor::{Asked, Visitor};

/// What the address says.
#[derive(Default, Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    show: String,
    /// Asks for the next page.
    #[serde(default)]
    after: String,
}

/// A part of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    All,
    Want,
    Bought,
    Finished,
    Rated,
    Dismissed,
}

#[derive(Template)]
#[template(path = "library.html")]
struct Page {
    frame: Frame,
    tabs: Vec<(Link, bool)>,
    books: Vec<Owned>,
    next: Option<String>,
}

/// A book of a reader.
struct Owned {
    book: BookView,
    acts: Vec<Did>,
}

/// What a reader did, and what takes it back.
struct Did {
    text: String,
    undo: Option<(String, String)>,
}

/// `GET /library`.
pub(crate) async fn page(mut visitor: Visitor, Asked(query): Asked<Query>) -> Response {
    let words = visitor.words();
    let shop = visitor.shop.clone();
    let part = Part::named(&query.show);
    let listed = match visitor.reader() {
        None => None,
        Some(reader) => Some(
            shop.service
                .list_user_books(ListUserBooksRequest {
                    user_id: reader.to_owned(),
                    any_kinds: part.any_kinds(),
                    no_kinds: part.no_kinds(),
                    page_size: shop.settings.page_size(),
                    page_token: query.after.clone(),
                })
                .await,
        ),
    };
    let mut frame = Frame::of(&mut visitor, &words.library.title);
    let (mut books, mut next) = (Vec::new(), None);
    match listed {
        None | Some(Err(Failure::NotFound)) => {}
        Some(Ok(listed)) => {
            shop.remembered.keep_books(listed.books.iter().filter_map(|one| one.book.as_ref()));
            books.extend(listed.books.iter().filter_map(|one| owned(&shop, words, one)));
            let token = listed.next_page_token;
            next = (!token.is_empty()).then(|| part.address(&token));
        }
        Some(Err(_)) => frame.is_away = true,
    }
    let tab = |one: Part| {
        let link = Link { text: one.text(words).to_owned(), href: one.address("") };
        (link, one == part)
    };
    let page = Page { frame, tabs: Part::EVERY.map(tab).to_vec(), books, next };
    frame::show(visitor, StatusCode::OK, &page)
}

fn owned(shop: &Shop, words: &Words, one: &UserBook) -> Option<Owned> {
    let book = one.book.as_ref()?;
    let acts = one.actions.iter().filter_map(|action| did(action, &book.id, words)).collect();
    Some(Owned { book: BookView::new(shop, words, book, ""), acts })
}

fn did(action: &UserAction, book: &str, words: &Words) -> Option<Did> {
    let text = match action.kind() {
        EventKind::Rating => fill(&words.book.your_rating, &[("stars", &stars(action.rating))]),
        other => view::did(other, words)?.to_owned(),
    };
    let act = Act::of(action.kind()).filter(|_| !action.event_id.is_empty());
    let undo = act.map(|act| (format!("undo-{} {book}", act.name()), action.event_id.clone()));
    Some(Did { text, undo })
}

impl Part {
    const EVERY: [Self; 6] =
        [Self::All, Self::Want, Self::Bought, Self::Finished, Self::Rated, Self::Dismissed];

    fn named(name: &str) -> Self {
        Self::EVERY.into_iter().find(|part| part.name() == name).unwrap_or(Self::All)
    }

    /// Its name in addresses.
    fn name(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Want => "want",
            Self::Bought => "bought",
            Self::Finished => "finished",
            Self::Rated => "rated",
            Self::Dismissed => "dismissed",
        }
    }

    fn text(self, words: &Words) -> &str {
        let words = &words.library;
        match self {
            Self::All => &words.all,
            Self::Want => &words.want,
            Self::Bought => &words.bought,
            Self::Finished => &words.finished,
            Self::Rated => &words.rated,
            Self::Dismissed => &words.dismissed,
        }
    }

    /// What was done to its books: to all of them, more than to look at them.
    fn any_kinds(self) -> Vec<i32> {
        let kinds: &[EventKind] = match self {
            Self::All => &[
                EventKind::WantToRead,
                EventKind::Cart,
                EventKind::Purchase,
                EventKind::Finish,
                EventKind::Rating,
                EventKind::Dismiss,
                EventKind::Abandon,
                EventKind::Return,
            ],
            Self::Want => &[EventKind::WantToRead],
            Self::Bought => &[EventKind::Purchase],
            Self::Finished => &[EventKind::Finish],
            Self::Rated => &[EventKind::Rating],
            Self::Dismissed => &[EventKind::Dismiss],
        };
        kinds.iter().map(|kind| i32::from(*kind)).collect()
    }

    /// What was not: who has a book or has read it wants it no more.
    fn no_kinds(self) -> Vec<i32> {
        let kinds: &[EventKind] = match self {
            Self::Want => &[EventKind::Purchase, EventKind::Finish],
            _ => &[],
        };
        kinds.iter().map(|kind| i32::from(*kind)).collect()
    }

    fn address(self, after: &str) -> String {
        links::with_query("/library".to_owned(), &[("show", self.name()), ("after", after)])
    }
}
