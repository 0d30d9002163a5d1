//! Books are stored, replaced and read.

use recommender::ItemNumber;
use recommender::id::FIRST_ASSIGNED;
use recommender::offer::Offer;
use storage::{Book, PutBooks, Store, StoreError};

use crate::support::{Kind, book};

async fn put(store: &Store, books: &[Book]) -> PutBooks {
    let mut writer = store.begin().await.expect("nobody else writes");
    let put = writer.put_books(books).await.expect("the books fit");
    writer.commit().await.expect("the commit succeeds");
    put
}

async fn a_book_reads_as_it_was_put(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let bare = Book {
        authors: Vec::new(),
        published_year: None,
        language: None,
        categories: Vec::new(),
        series: None,
        volume: None,
        work: None,
        isbn13: None,
        publisher: None,
        offer: Offer::default(),
        ..book(9, "Anonymous")
    };
    let full = book(7, "Dune");
    put(&store, &[bare.clone(), full.clone()]).await;
    let read = store.books_after(None, 10).await.expect("it reads");
    assert_eq!(read, [full.clone(), bare.clone()]);
    let wanted = [9, 8, 7, 9].map(ItemNumber);
    let read = store.books_by_number(&wanted).await.expect("it reads");
    assert_eq!(read, [full, bare]);
    assert_eq!(store.books_by_number(&[]).await.expect("it reads"), []);
}

async fn an_assigned_id_comes_back_with_its_book(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.assign_items(&["sku-1"]).await.expect("an id");
    writer.put_books(&[book(FIRST_ASSIGNED, "Dune")]).await.expect("it fits");
    writer.commit().await.expect("the commit succeeds");
    let read = store.books_after(None, 10).await.expect("it reads");
    assert_eq!(read.first().map(|book| book.id.as_str()), Some("sku-1"));
}

async fn putting_tells_new_changed_and_unchanged_apart(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let done = put(&store, &[book(1, "Dune"), book(2, "Emma")]).await;
    assert_eq!(done, PutBooks { stored: 2, changed: 0, unchanged: 0 });
    let retitled = Book { volume: Some(2.0), ..book(2, "Emma") };
    // The id is read only: another one is no change.
    let same = Book { id: "other".to_owned(), ..book(1, "Dune") };
    let done = put(&store, &[same, retitled, book(3, "Ulysses")]).await;
    assert_eq!(done, PutBooks { stored: 1, changed: 1, unchanged: 1 });
    // Twice in a batch: the last one stays.
    let done = put(&store, &[book(3, "A"), book(3, "B"), book(3, "B")]).await;
    assert_eq!(done, PutBooks { stored: 0, changed: 2, unchanged: 1 });
    let read = store.books_by_number(&[ItemNumber(3)]).await.expect("it reads");
    assert_eq!(read.first().map(|book| book.title.as_str()), Some("B"));
}

async fn the_catalogue_revision_counts_commits_that_changed_a_book(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    assert_eq!(store.catalogue_revision().await.expect("it reads"), 0);
    put(&store, &[book(1, "Dune"), book(2, "Emma")]).await;
    assert_eq!(store.catalogue_revision().await.expect("it reads"), 1);
    put(&store, &[book(1, "Dune")]).await;
    assert_eq!(store.catalogue_revision().await.expect("it reads"), 1);
    put(&store, &[book(1, "Dune Messiah")]).await;
    assert_eq!(store.catalogue_revision().await.expect("it reads"), 2);
}

async fn books_are_paged_by_number(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let books: Vec<Book> = (1..=1_200).rev().map(|number| book(number, "Dune")).collect();
    assert_eq!(put(&store, &books).await.stored, 1_200);
    assert_eq!(put(&store, &books).await.unchanged, 1_200);
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = store.books_after(after, 500).await.expect("it reads");
        let Some(last) = page.last() else { break };
        after = Some(last.number);
        seen.extend(page.iter().map(|book| book.number.0));
    }
    assert_eq!(seen, (1..=1_200).collect::<Vec<_>>());
    let all: Vec<ItemNumber> = (1..=2_000).map(ItemNumber).collect();
    assert_eq!(store.books_by_number(&all).await.expect("it reads").len(), 1_200);
}

async fn a_book_out_of_bounds_is_refused_and_nothing_of_its_batch_is_stored(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let refused = writer.put_books(&[book(1, "Dune"), book(2, "")]).await;
    assert!(matches!(refused, Err(StoreError::Book(error)) if error.field == "title"));
    writer.commit().await.expect("the commit succeeds");
    assert_eq!(store.counts().await.expect("it counts").books, 0);
}

/// The numbers of the books changed after this revision.
async fn changed(store: &Store, revision: i64, after: Option<u32>, limit: u32) -> Vec<u32> {
    let after = after.map(ItemNumber);
    let books = store.books_changed_after(revision, after, limit).await.expect("it reads");
    books.iter().map(|book| book.number.0).collect()
}

async fn a_book_has_the_revision_of_the_commit_that_last_changed_it(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    put(&store, &[book(1, "Dune"), book(2, "Emma"), book(3, "Ulysses")]).await;
    let first = store.catalogue_revision().await.expect("it reads");
    assert_eq!(changed(&store, 0, None, 10).await, [1, 2, 3]);
    assert_eq!(changed(&store, first, None, 10).await, [0; 0]);
    // Unchanged keeps its revision; in two calls, which are one commit.
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.put_books(&[book(1, "Dune"), book(2, "Emma, again")]).await.expect("they fit");
    writer.put_books(&[book(4, "Walden")]).await.expect("it fits");
    let committed = writer.commit().await.expect("the commit succeeds");
    assert_eq!(committed.catalogue_revision, first + 1);
    assert_eq!(changed(&store, first, None, 10).await, [2, 4]);
    assert_eq!(changed(&store, committed.catalogue_revision, None, 10).await, [0; 0]);
    let read = store.books_changed_after(first, None, 1).await.expect("it reads");
    assert_eq!(read, [book(2, "Emma, again")]);
    // What was taken back has no revision.
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.put_books(&[book(1, "Dune Messiah")]).await.expect("it fits");
    writer.rollback().await.expect("it rolls back");
    put(&store, &[book(3, "Finnegans Wake")]).await;
    assert_eq!(changed(&store, committed.catalogue_revision, None, 10).await, [3]);
}

async fn changed_books_are_paged_by_number(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let books: Vec<Book> = (1..=1_200).map(|number| book(number, "Dune")).collect();
    put(&store, &books).await;
    // Higher numbers change first, so that the order of revisions is another one.
    let third = |from: u32| (from..=1_200).step_by(3).map(|number| book(number, "Emma"));
    put(&store, &third(3).collect::<Vec<_>>()).await;
    put(&store, &third(2).collect::<Vec<_>>()).await;
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = changed(&store, 1, after, 70).await;
        let Some(last) = page.last() else { break };
        after = Some(*last);
        seen.extend(page);
    }
    let expected: Vec<u32> = (1..=1_200).filter(|number| number % 3 != 1).collect();
    assert_eq!(seen, expected);
}

async fn delete(store: &Store, numbers: &[u32]) -> Vec<u32> {
    let numbers: Vec<ItemNumber> = numbers.iter().copied().map(ItemNumber).collect();
    let mut writer = store.begin().await.expect("nobody else writes");
    let deleted = writer.delete_books(&numbers).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    deleted.iter().map(|item| item.0).collect()
}

async fn gone(store: &Store, revision: i64, after: Option<u32>, limit: u32) -> Vec<u32> {
    let after = after.map(ItemNumber);
    let items = store.books_deleted_after(revision, after, limit).await.expect("it reads");
    items.iter().map(|item| item.0).collect()
}

async fn deleted_books_are_told_by_revision_until_they_return(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let books: Vec<Book> = (1..=9).map(|number| book(number, "Dune")).collect();
    put(&store, &books).await;
    assert_eq!(delete(&store, &[5, 3, 5, 77]).await, [3, 5]);
    assert_eq!(store.catalogue_revision().await.expect("it reads"), 2);
    // Nothing was there, so nothing changed.
    assert_eq!(delete(&store, &[3, 77]).await, [0; 0]);
    assert_eq!(store.catalogue_revision().await.expect("it reads"), 2);
    assert_eq!(delete(&store, &[1, 8, 9]).await, [1, 8, 9]);
    assert_eq!(store.counts().await.expect("it counts").books, 4);
    assert_eq!(store.item_number("5").await.expect("an id"), None);

    assert_eq!(gone(&store, 0, None, 10).await, [1, 3, 5, 8, 9]);
    assert_eq!(gone(&store, 0, Some(1), 2).await, [3, 5]);
    assert_eq!(gone(&store, 2, None, 10).await, [1, 8, 9]);
    assert_eq!(gone(&store, 3, None, 10).await, [0; 0]);
    assert_eq!(put(&store, &[book(8, "Dune")]).await.stored, 1);
    assert_eq!(gone(&store, 0, None, 10).await, [1, 3, 5, 9]);
    assert_eq!(changed(&store, 3, None, 10).await, [8]);
}

on_every_kind!(
    deleted_books_are_told_by_revision_until_they_return,
    a_book_reads_as_it_was_put,
    an_assigned_id_comes_back_with_its_book,
    putting_tells_new_changed_and_unchanged_apart,
    the_catalogue_revision_counts_commits_that_changed_a_book,
    books_are_paged_by_number,
    a_book_out_of_bounds_is_refused_and_nothing_of_its_batch_is_stored,
    a_book_has_the_revision_of_the_commit_that_last_changed_it,
    changed_books_are_paged_by_number,
);
