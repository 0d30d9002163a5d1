//! Books are found by their words, and no longer once they are gone or renamed.

use recommender::ItemNumber;
use storage::{Book, Store};

use crate::support::{Kind, book};

fn titled(number: u32, title: &str, author: &str, series: Option<&str>) -> Book {
    let (authors, series) = (vec![author.to_owned()], series.map(str::to_owned));
    Book { authors, series, ..book(number, title) }
}

async fn put(store: &Store, books: &[Book]) {
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.put_books(books).await.expect("the books fit");
    writer.commit().await.expect("the commit succeeds");
}

async fn found(store: &Store, query: &str) -> Vec<u32> {
    let books = store.search_books(query, 0, 100).await.expect("it reads");
    books.iter().map(|book| book.number.0).collect()
}

async fn books_are_found_by_all_words_the_last_one_also_begun(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let dune = titled(7, "Dune", "Frank Herbert", Some("Dune"));
    put(
        &store,
        &[
            dune.clone(),
            titled(8, "Dune Messiah", "Frank Herbert", Some("Dune")),
            titled(9, "Les Misérables", "Victor Hugo", None),
            titled(10, "三体", "刘慈欣", None),
            titled(11, "The Sand Dunes of Herbert Island", "Ann Author", None),
        ],
    )
    .await;
    for (query, expected) in [
        ("messiah", vec![8]),
        ("dune mess", vec![8]),
        ("mess dune", vec![]),
        ("FRANK, dune", vec![7, 8]),
        ("miserables hugo", vec![9]),
        ("MISÉ", vec![9]),
        ("体", vec![10]),
        ("刘慈", vec![10]),
        ("dunes", vec![11]),
        ("une", vec![]),
        ("\"dune\" OR NEAR(", vec![]),
        ("title:dune*", vec![]),
        ("", vec![]),
        (" -- ", vec![]),
    ] {
        let mut numbers = found(&store, query).await;
        numbers.sort_unstable();
        assert_eq!(numbers, expected, "{query:?}");
    }
    assert_eq!(store.search_books("frank dune", 0, 1).await.expect("it reads"), [dune]);
}

async fn a_word_of_the_title_counts_for_more_and_equals_come_by_number(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    put(
        &store,
        &[
            titled(1, "Collected Works", "Emma Bull", None),
            titled(3, "Emma", "Jane Austen", None),
            titled(2, "Emma", "Jane Austen", None),
        ],
    )
    .await;
    assert_eq!(found(&store, "emma").await, [2, 3, 1]);
    let second = store.search_books("emma", 1, 1).await.expect("it reads");
    assert_eq!(second.first().map(|book| book.number), Some(ItemNumber(3)));
    assert_eq!(store.search_books("emma", 3, 10).await.expect("it reads"), []);
}

async fn a_renamed_book_is_found_by_its_new_name_only(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    put(&store, &[titled(1, "Northern Lights", "Philip Pullman", None)]).await;
    put(&store, &[titled(1, "The Golden Compass", "Philip Pullman", None)]).await;
    assert_eq!(found(&store, "northern").await, [0; 0]);
    assert_eq!(found(&store, "golden pullman").await, [1]);
    // Another price is no other name.
    let mut cheaper = titled(1, "The Golden Compass", "Philip Pullman", None);
    cheaper.offer.stock = Some(1);
    put(&store, &[cheaper.clone()]).await;
    assert_eq!(store.search_books("compass", 0, 9).await.expect("it reads"), [cheaper]);
}

async fn a_deleted_book_is_not_found_until_it_returns(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    put(&store, &[titled(1, "Emma", "Jane Austen", None)]).await;
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.delete_books(&[ItemNumber(1)]).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    assert_eq!(found(&store, "emma").await, [0; 0]);
    put(&store, &[titled(1, "Emma", "Jane Austen", None)]).await;
    assert_eq!(found(&store, "emma").await, [1]);
}

on_every_kind!(
    books_are_found_by_all_words_the_last_one_also_begun,
    a_word_of_the_title_counts_for_more_and_equals_come_by_number,
    a_renamed_book_is_found_by_its_new_name_only,
    a_deleted_book_is_not_found_until_it_returns,
);
