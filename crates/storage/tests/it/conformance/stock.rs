//! Stock: never below zero, and each request once.

use std::sync::atomic::{AtomicI64, Ordering};

use recommender::ItemNumber;
use recommender::offer::Offer;
use storage::{Book, StockChange, StockMemory, StockOutcome, Store};

use crate::support::{Kind, book};

const BOOK: ItemNumber = ItemNumber(7);

/// Which requests are remembered here.
const MEMORY: StockMemory = StockMemory { latest: 3, recent_ms: 100, most: 5, now_ms: 0 };

async fn store_with(kind: Kind, stock: Option<u32>) -> (Store, crate::support::Place) {
    let (store, place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let offered = Book { offer: Offer { stock, ..Offer::default() }, ..book(BOOK.0, "Seven") };
    writer.put_books(&[offered]).await.expect("it is within bounds");
    writer.commit().await.expect("the commit succeeds");
    (store, place)
}

async fn adjust(store: &Store, request_id: &str, change: i32) -> StockOutcome {
    adjust_of(store, request_id, BOOK, change).await
}

async fn adjust_of(store: &Store, request_id: &str, item: ItemNumber, change: i32) -> StockOutcome {
    // Every request comes long after the one before.
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    let now_ms = CLOCK.fetch_add(1_000, Ordering::Relaxed);
    adjust_at(store, request_id, item, change, now_ms).await
}

async fn adjust_at(
    store: &Store,
    request_id: &str,
    item: ItemNumber,
    change: i32,
    now_ms: i64,
) -> StockOutcome {
    let wanted = StockChange { request_id: request_id.to_owned(), item, change };
    let mut writer = store.begin().await.expect("nobody else writes");
    let memory = StockMemory { now_ms, ..MEMORY };
    let outcome = writer.adjust_stock(&wanted, &memory).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    outcome
}

async fn stock(store: &Store) -> Option<u32> {
    store.books_by_number(&[BOOK]).await.expect("it reads")[0].offer.stock
}

async fn stock_goes_down_to_zero_and_no_further(kind: Kind) {
    let (store, _place) = store_with(kind, Some(2)).await;
    let before = store.catalogue_revision().await.expect("it reads");
    assert_eq!(adjust(&store, "a", -1).await, StockOutcome::Changed(1));
    assert!(store.catalogue_revision().await.expect("it reads") > before);
    assert_eq!(adjust(&store, "b", -2).await, StockOutcome::SoldOut(1));
    assert_eq!(adjust(&store, "c", -1).await, StockOutcome::Changed(0));
    assert_eq!(adjust(&store, "d", -1).await, StockOutcome::SoldOut(0));
    // What was refused was not done, and may be asked for again.
    assert_eq!(adjust(&store, "e", 5).await, StockOutcome::Changed(5));
    assert_eq!(adjust(&store, "b", -2).await, StockOutcome::Changed(3));
    assert_eq!(stock(&store).await, Some(3));
    assert_eq!(adjust(&store, "f", i32::MIN).await, StockOutcome::SoldOut(3));
}

async fn a_request_counts_once_and_its_id_names_nothing_else(kind: Kind) {
    let (store, _place) = store_with(kind, Some(2)).await;
    assert_eq!(adjust(&store, "a", -1).await, StockOutcome::Changed(1));
    assert_eq!(adjust(&store, "a", -1).await, StockOutcome::Repeated(Some(1)));
    assert_eq!(adjust(&store, "a", -2).await, StockOutcome::Conflicting);
    assert_eq!(stock(&store).await, Some(1));
    // As long as it is among the latest.
    adjust(&store, "b", 1).await;
    adjust(&store, "c", 1).await;
    assert_eq!(adjust(&store, "a", -1).await, StockOutcome::Repeated(Some(3)));
    adjust(&store, "d", 1).await;
    assert_eq!(adjust(&store, "a", -1).await, StockOutcome::Changed(3));
}

async fn what_is_recent_is_remembered_up_to_a_bound(kind: Kind) {
    let (store, _place) = store_with(kind, Some(2)).await;
    let adjust = async |id: &str, now_ms| adjust_at(&store, id, BOOK, 1, now_ms).await;
    for (id, now_ms) in [("a", 0), ("b", 10), ("c", 20), ("d", 30), ("e", 100)] {
        assert!(matches!(adjust(id, now_ms).await, StockOutcome::Changed(_)), "{id}");
    }
    assert!(matches!(adjust("a", 100).await, StockOutcome::Repeated(_)));
    // The first of six is one too many; of the others, those that are old by then go.
    assert!(matches!(adjust("f", 100).await, StockOutcome::Changed(_)));
    assert!(matches!(adjust("b", 100).await, StockOutcome::Repeated(_)));
    assert!(matches!(adjust("g", 121).await, StockOutcome::Changed(_)));
    assert!(matches!(adjust("d", 121).await, StockOutcome::Repeated(_)));
    for id in ["a", "b", "c"] {
        assert!(matches!(adjust(id, 121).await, StockOutcome::Changed(_)), "{id}");
    }
}

async fn what_is_not_counted_or_not_there_does_not_change(kind: Kind) {
    let (store, _place) = store_with(kind, None).await;
    assert_eq!(adjust(&store, "a", -1).await, StockOutcome::NotCounted);
    assert_eq!(stock(&store).await, None);
    let other = adjust_of(&store, "b", ItemNumber(8), -1).await;
    assert_eq!(other, StockOutcome::UnknownBook);
    // What was answered is answered, and takes no unit of those that come later.
    let mut writer = store.begin().await.expect("nobody else writes");
    let offered = Book { offer: Offer { stock: Some(5), ..Offer::default() }, ..book(7, "Seven") };
    writer.put_books(&[offered]).await.expect("it is within bounds");
    writer.commit().await.expect("the commit succeeds");
    assert_eq!(adjust(&store, "a", -1).await, StockOutcome::Repeated(Some(5)));
    assert_eq!(stock(&store).await, Some(5));
}

async fn a_request_is_known_after_its_book_is_gone(kind: Kind) {
    let (store, _place) = store_with(kind, Some(2)).await;
    assert_eq!(adjust(&store, "a", -1).await, StockOutcome::Changed(1));
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.delete_books(&[BOOK]).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    assert_eq!(adjust(&store, "a", -1).await, StockOutcome::Repeated(None));
    assert_eq!(adjust(&store, "a", -2).await, StockOutcome::Conflicting);
    assert_eq!(adjust(&store, "b", -1).await, StockOutcome::UnknownBook);
}

on_every_kind!(
    stock_goes_down_to_zero_and_no_further,
    a_request_counts_once_and_its_id_names_nothing_else,
    what_is_recent_is_remembered_up_to_a_bound,
    what_is_not_counted_or_not_there_does_not_change,
    a_request_is_known_after_its_book_is_gone,
);
