//! `/`: the shelves.

use api::v1::{ShelfKind, ShelfRequest};
use askama::Template;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::frame::{self, Frame};
use crate::remembered::Place;
use crate::shelves::{of_kind, shelves, tell_what_is_shown};
use crate::view::ShelfView;
use crate::visitor::{Asked, Visitor};

/// Books on a shelf of a category.
pub(crate) const CATEGORY_BOOKS: u32 = 3;

/// Shelves of a reader's favourite categories, and of what they read.
const FAVOURITES: i32 = 3;
const BECAUSES: i32 = 2;

/// What the address says.
#[derive(Default, Deserialize)]
pub(crate) struct Query {
    /// A revision that the shelves have to reflect: that of an import, whose answer had begun
    /// before it was known.
    #[serde(default)]
    seen: i64,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    shelves: Vec<ShelfView>,
}

/// `GET /`.
pub(crate) async fn page(mut visitor: Visitor, Asked(query): Asked<Query>) -> Response {
    // For this page only: whoever has the address could write a number into it.
    if visitor.reader().is_some() {
        visitor.seen = query.seen;
    }
    let wanted = wanted(&visitor);
    // None of these shelves is about a book that there may not be.
    let shelves = shelves(&mut visitor, Place::Home, wanted).await;
    let mut frame = Frame::of(&mut visitor, "");
    let shelves = match shelves {
        Ok(shelves) => {
            frame.is_away = shelves.is_away;
            if !shelves.is_away {
                tell_what_is_shown(&visitor, &shelves.shelves);
            }
            shelves.shelves
        }
        Err(_) => Vec::new(),
    };
    frame::show(visitor, StatusCode::OK, &Home { frame, shelves })
}

/// For a reader, what fits them; for a visitor, what fits what they looked at, and a choice.
fn wanted(visitor: &Visitor) -> Vec<ShelfRequest> {
    let settings = &visitor.shop.settings;
    let books = settings.shelf_books.get();
    let several = |kind, count, books| ShelfRequest { max_shelves: count, ..of_kind(kind, books) };
    let mut wanted = Vec::new();
    let is_reader = visitor.reader().is_some();
    if is_reader || !visitor.session.visit.is_empty() {
        wanted.push(of_kind(ShelfKind::PickedForYou, books));
        wanted.push(of_kind(ShelfKind::NextInSeries, books));
    }
    if is_reader {
        wanted.push(several(ShelfKind::Category, FAVOURITES, CATEGORY_BOOKS));
    } else {
        wanted.extend(settings.home_categories.iter().map(|slug| ShelfRequest {
            category: slug.clone(),
            ..of_kind(ShelfKind::Category, CATEGORY_BOOKS)
        }));
    }
    if is_reader || !visitor.session.visit.is_empty() {
        wanted.push(several(ShelfKind::BecauseYouRead, BECAUSES, books));
    }
    wanted.push(of_kind(ShelfKind::Trending, books));
    if !is_reader {
        wanted.push(of_kind(ShelfKind::Popular, books));
    }
    wanted
}
