//! Lists of books and categories, as messages.

use api::v1::{
    Book as BookMessage, BookOrder as OrderMessage, ListBooksRequest, ListBooksResponse,
    ListCategoriesRequest, ListCategoriesResponse,
};
use std::sync::Arc;
use tonic::Status;

use crate::blocking::blocking;
use crate::book_list::{self, BookOrder, Place};
use crate::categories;
use crate::generation::Generation;
use crate::grpc::violations::Violations;
use crate::grpc::{Bounds, book, category, pages, v1};

/// How many books one answer holds.
const BOOKS: pages::Size = pages::Size { default: 20, max: 100 };

/// How many categories one answer holds.
const CATEGORIES: pages::Size = pages::Size { default: 100, max: 1_000 };

/// More categories than any shop has.
const CATEGORIES_BOUND: u32 = 1 << 30;

/// A page of the books that meet a filter.
pub(super) async fn books(
    generation: Arc<Generation>,
    request: ListBooksRequest,
    bounds: &Bounds,
) -> Result<ListBooksResponse, Status> {
    let mut violations = Violations::new();
    let order = match request.order() {
        OrderMessage::Unspecified | OrderMessage::Popular => BookOrder::Popular,
        OrderMessage::Title => BookOrder::Title,
        OrderMessage::Newest => BookOrder::Newest,
        OrderMessage::Cheapest => BookOrder::Cheapest,
    };
    let is_known = OrderMessage::try_from(request.order).is_ok();
    violations.expect(is_known, "order", request.order, "an order of books");
    let wanted = v1::filter(request.filter, "", bounds, &mut violations);
    let size = pages::size(request.page_size, BOOKS, &mut violations) as usize;
    let after = place(&request.page_token, order, &mut violations);
    violations.check()?;
    let list = move || {
        let page = book_list::page(&generation, &wanted, order, after.as_ref(), size);
        ListBooksResponse {
            books: messages(&generation, &page.books),
            next_page_token: page.next.map(|next| token(order, &next)).unwrap_or_default(),
            // A shop has fewer than 2³¹ books.
            total_count: page.total as i32,
        }
    };
    Ok(blocking(list).await)
}

/// Books by their indexes.
pub(super) fn messages(generation: &Generation, indexes: &[u32]) -> Vec<BookMessage> {
    indexes.iter().filter_map(|index| generation.book(*index)).map(book::to_message).collect()
}

/// A page of the categories.
pub(super) fn categories(
    generation: &Generation,
    request: &ListCategoriesRequest,
) -> Result<ListCategoriesResponse, Status> {
    let mut violations = Violations::new();
    let size = pages::size(request.page_size, CATEGORIES, &mut violations);
    let offset = pages::offset(&request.page_token, CATEGORIES_BOUND, &mut violations);
    violations.check()?;
    let all = categories::all(generation);
    let next = offset + size;
    let page = all.iter().skip(offset as usize).take(size as usize);
    Ok(ListCategoriesResponse {
        categories: page.map(category::to_message).collect(),
        next_page_token: match (next as usize) < all.len() {
            true => pages::token_of_offset(next),
            false => String::new(),
        },
    })
}

/// The letter that stands for an order in tokens.
fn letter(order: BookOrder) -> char {
    match order {
        BookOrder::Popular => 'p',
        BookOrder::Title => 't',
        BookOrder::Newest => 'n',
        BookOrder::Cheapest => 'c',
    }
}

/// Asks for what follows a place: the order's letter, rank, number and text.
fn token(order: BookOrder, place: &Place) -> String {
    let Place { text, rank, number } = place;
    pages::token(&format!("{}{rank:x}.{number:x}.{text}", letter(order)))
}

/// The place that a page begins after; `None` for the first.
fn place(token: &str, order: BookOrder, found: &mut Violations) -> Option<Place> {
    pages::read(token, found, |text| {
        let mut parts = text.strip_prefix(letter(order))?.splitn(3, '.');
        let rank = u64::from_str_radix(parts.next()?, 16).ok()?;
        let number = u32::from_str_radix(parts.next()?, 16).ok()?;
        Some(Place { text: parts.next()?.to_owned(), rank, number })
    })
}
