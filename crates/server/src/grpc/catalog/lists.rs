//! Lists of books and categories, as messages.

use api::v1::{
    Book as BookMessage, BookOrder as OrderMessage, ListBooksRequest, ListBooksResponse,
    ListCategoriesRequest, ListCategoriesResponse,
};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tonic::Status;

use crate::blocking::blocking;
use crate::book_list;
use crate::book_order::{BookOrder, Place};
use crate::categories;
use crate::generation::Generation;
use crate::grpc::violations::Violations;
use crate::grpc::{Bounds, book, category, pages, v1};
use crate::live::Live;

/// How many books one answer holds.
const BOOKS: pages::Size = pages::Size { default: 20, max: 100 };

/// How many categories one answer holds.
const CATEGORIES: pages::Size = pages::Size { default: 100, max: 1_000 };

/// More categories than any shop has.
const CATEGORIES_BOUND: u32 = 1 << 30;

/// How many pages of books are made at one time. One may look at every book, or put all of them in
/// order first.
pub(super) const PAGES_AT_ONCE: usize = 2;

/// A page of the books that meet a filter. Waits for one of `turns`, and keeps it to its end, also if
/// its caller has gone. They are never closed.
pub(super) async fn books(
    live: &Live,
    request: ListBooksRequest,
    bounds: &Bounds,
    turns: &Arc<Semaphore>,
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
    // Whoever waits for a turn has a deadline.
    let turn = Arc::clone(turns).acquire_owned().await;
    let generation = live.generation();
    let list = move || {
        let _turn = turn;
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use futures_util::poll;
    use tokio::runtime::Builder;
    use tokio::task::spawn_blocking;

    use super::*;
    use crate::data_folder::DataFolder;
    use crate::settings::{LiveSettings, Settings};

    #[test]
    fn a_page_keeps_its_turn_when_its_caller_has_gone() {
        // Work that blocks is done by one thread, one after the other.
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
        runtime.unwrap().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let settings = Settings::read(None).unwrap();
            let data = DataFolder::new(folder.path());
            let store = data.store(&settings).await.unwrap();
            let live = Live::load(store.clone(), data.models().unwrap()).await.unwrap();
            let bounds = Bounds::of(&LiveSettings::new(settings));
            let turns = Arc::new(Semaphore::new(1));
            let (release, held) = channel::<()>();
            let busy = spawn_blocking(move || held.recv().is_err());
            let mut asked = Box::pin(books(&live, ListBooksRequest::default(), &bounds, &turns));
            assert!(poll!(&mut asked).is_pending());
            drop(asked);
            assert_eq!(turns.available_permits(), 0);
            drop(release);
            busy.await.unwrap();
            drop(turns.acquire().await.unwrap());
            store.close().await;
        });
    }
}
