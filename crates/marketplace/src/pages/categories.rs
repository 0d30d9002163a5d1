//! `/categories`: all of them, and the books of one, in an order and by conditions.

use std::ops::RangeInclusive;

use api::v1::{BookFilter, BookOrder, Category, ListBooksRequest, Price, ShelfKind, ShelfRequest};
use askama::Template;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::home::CATEGORY_BOOKS;
use super::wrong::{self, Wrong};
use crate::frame::{self, Frame, Link};
use crate::language::{BOOK_LANGUAGES, Words, fill};
use crate::links;
use crate::remembered::Place;
use crate::service::{Failure, Waiting};
use crate::shelves::{self, Shelves, of_kind};
use crate::view::{BookView, ShelfView, read_price};
use crate::visitor::{Asked, Visitor};

/// The ages that the contract knows.
const AGES: RangeInclusive<i32> = 0..=120;

/// What the address says.
#[derive(Clone, Default, Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    order: String,
    #[serde(default)]
    language: String,
    /// The most that a book may cost.
    #[serde(default)]
    price: String,
    /// The age of who is to read it.
    #[serde(default)]
    age: String,
    #[serde(default)]
    sold_out: String,
    /// Asks for the next page.
    #[serde(default)]
    after: String,
}

#[derive(Template)]
#[template(path = "categories.html")]
struct All {
    frame: Frame,
    categories: Vec<(Link, String)>,
}

#[derive(Template)]
#[template(path = "category.html")]
struct One {
    frame: Frame,
    name: String,
    count: Option<String>,
    action: String,
    orders: Vec<(&'static str, String, bool)>,
    languages: Vec<(&'static str, &'static str, bool)>,
    /// Names the field of the price; `None` while it is not known what prices are in.
    price_label: Option<String>,
    price: String,
    age: String,
    sold_out: bool,
    is_empty: bool,
    books: Vec<BookView>,
    first: Option<String>,
    next: Option<String>,
    shelves: Vec<ShelfView>,
}

/// `GET /categories`.
pub(crate) async fn all(mut visitor: Visitor) -> Response {
    let shop = visitor.shop.clone();
    let asked = shop.service.list_categories(Waiting::Page).await;
    let is_away = asked.is_err();
    if let Ok(asked) = asked {
        shop.remembered.keep_categories(asked.categories);
    }
    let words = visitor.words();
    let tile = |category: &Category| {
        let text = words.category(&category.slug, &category.title).to_owned();
        let link = Link { text, href: links::category(&category.slug) };
        (link, words.books(category.book_count))
    };
    let categories = shop.remembered.categories().iter().map(tile).collect();
    let mut frame = Frame::of(&mut visitor, &words.category.all);
    frame.is_away = is_away;
    frame::show(visitor, StatusCode::OK, &All { frame, categories })
}

/// `GET /categories/{slug}`.
pub(crate) async fn one(
    mut visitor: Visitor,
    slug: Result<Path<String>, PathRejection>,
    Asked(query): Asked<Query>,
) -> Response {
    let Ok(Path(slug)) = slug else { return wrong::page(visitor, &Wrong::NotFound) };
    let shop = visitor.shop.clone();
    let currency = shop.remembered.currency();
    let query = query.checked(currency.as_deref());
    let request = ListBooksRequest {
        filter: Some(query.filter(&slug, currency.as_deref())),
        order: query.order().into(),
        page_size: shop.settings.page_size(),
        page_token: query.after.clone(),
    };
    // What fits the visitor stands above the first page of all, as it is found first.
    let is_first = query.after.is_empty();
    let wanted =
        ShelfRequest { category: slug.clone(), ..of_kind(ShelfKind::Category, CATEGORY_BOOKS) };
    let picked = async {
        if !is_first || !query.is_plain() {
            return Ok(Shelves { shelves: Vec::new(), is_away: false });
        }
        shelves::shelves(&mut visitor, Place::Category(slug.clone()), vec![wanted]).await
    };
    let (listed, picked) = tokio::join!(shop.service.list_books(request, Waiting::Page), picked);
    let picked = picked.unwrap_or(Shelves { shelves: Vec::new(), is_away: false });
    let words = visitor.words();
    let title = links::spoken(&slug);
    let known = shop.remembered.categories();
    let known = known.iter().find(|category| category.slug == slug);
    let title = known.map_or(title, |category| category.title.clone());
    let name = words.category(&slug, &title).to_owned();
    let (books, total, next, is_away) = match listed {
        Ok(listed) if listed.total_count == 0 && query.is_all() && known.is_none() => {
            return wrong::page(visitor, &Wrong::NotFound);
        }
        Ok(mut listed) => {
            shop.remembered.keep_books(&listed.books);
            let token = listed.next_page_token;
            let next = (!token.is_empty()).then(|| query.address(&slug, &token));
            // What stands above is not repeated.
            listed.books.retain(|book| !picked.has(&book.id));
            (listed.books, Some(listed.total_count), next, picked.is_away)
        }
        Err(Failure::Away(_)) => (Vec::new(), None, None, true),
        // A page that there is not any more, or a slug that nobody would give.
        Err(_) => return wrong::page(visitor, &Wrong::NotFound),
    };
    let label = |currency: &String| fill(&words.category.price, &[("currency", currency)]);
    let price_label = currency.as_ref().map(label);
    let mut frame = Frame::of(&mut visitor, &name);
    frame.is_away = is_away;
    if !picked.is_away {
        shelves::tell_what_is_shown(&visitor, &picked.shelves);
    }
    let page = One {
        count: total.map(|total| words.books(total)),
        action: links::category(&slug),
        orders: orders(words, &query),
        languages: BOOK_LANGUAGES.map(|(tag, name)| (tag, name, tag == query.language)).to_vec(),
        price_label,
        price: query.price.clone(),
        age: query.age.clone(),
        sold_out: !query.sold_out.is_empty(),
        is_empty: total.is_some() && books.is_empty() && picked.shelves.is_empty(),
        books: books.iter().map(|book| BookView::new(&shop, words, book, "")).collect(),
        first: (!is_first).then(|| query.address(&slug, "")),
        next,
        shelves: picked.shelves,
        name,
        frame,
    };
    frame::show(visitor, StatusCode::OK, &page)
}

impl Query {
    fn order(&self) -> BookOrder {
        match self.order.as_str() {
            "title" => BookOrder::Title,
            "newest" => BookOrder::Newest,
            "price" => BookOrder::Cheapest,
            _ => BookOrder::Popular,
        }
    }

    /// Without what is no condition: an amount or an age that cannot be read.
    fn checked(mut self, currency: Option<&str>) -> Self {
        if self.max_price(currency).is_none() {
            self.price.clear();
        }
        if self.reader_age().is_none() {
            self.age.clear();
        }
        self
    }

    fn max_price(&self, currency: Option<&str>) -> Option<Price> {
        read_price(&self.price, currency?)
    }

    fn reader_age(&self) -> Option<i32> {
        self.age.trim().parse().ok().filter(|age| AGES.contains(age))
    }

    /// Whether nothing but the category is asked for.
    fn is_all(&self) -> bool {
        self.language.is_empty() && self.price.is_empty() && self.age.is_empty()
    }

    /// Whether no order or condition is chosen.
    fn is_plain(&self) -> bool {
        self.order() == BookOrder::Popular && self.is_all() && self.sold_out.is_empty()
    }

    fn filter(&self, slug: &str, currency: Option<&str>) -> BookFilter {
        let known = BOOK_LANGUAGES.iter().find(|(tag, _)| *tag == self.language);
        BookFilter {
            any_categories: vec![slug.to_owned()],
            languages: known.map(|(tag, _)| (*tag).to_owned()).into_iter().collect(),
            max_price: self.max_price(currency),
            reader_age: self.reader_age(),
            include_sold_out: !self.sold_out.is_empty(),
            ..BookFilter::default()
        }
    }

    /// The page with the same conditions that begins after a token.
    fn address(&self, slug: &str, after: &str) -> String {
        let query = [
            ("order", self.order.as_str()),
            ("language", self.language.as_str()),
            ("price", self.price.as_str()),
            ("age", self.age.as_str()),
            ("sold_out", self.sold_out.as_str()),
            ("after", after),
        ];
        links::with_query(links::category(slug), &query)
    }
}

fn orders(words: &Words, query: &Query) -> Vec<(&'static str, String, bool)> {
    let words = &words.category;
    let all = [
        ("popular", &words.order_popular, BookOrder::Popular),
        ("title", &words.order_title, BookOrder::Title),
        ("newest", &words.order_newest, BookOrder::Newest),
        ("price", &words.order_cheapest, BookOrder::Cheapest),
    ];
    all.map(|(value, text, order)| (value, text.clone(), order == query.order())).to_vec()
}
