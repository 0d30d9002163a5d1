//! The shop's books, changed by one client and seen by others in the next answer.

use api::v1::catalog_service_client::CatalogServiceClient;
use api::v1::{
    Book, DeleteBookRequest, GetBookRequest, ImportBooksRequest, ImportBooksResponse, OfferUpdate,
    Price, RecommendRequest, SearchBooksRequest, SearchBooksResponse, UpdateOffersRequest,
    UpsertBooksRequest, UpsertBooksResponse,
};
use futures_util::stream;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::running::{self, Running};

fn client(running: &Running) -> CatalogServiceClient<Channel> {
    CatalogServiceClient::new(running.channel.clone())
}

fn book(id: &str, title: &str) -> Book {
    Book {
        id: id.to_owned(),
        title: title.to_owned(),
        authors: vec!["Ann Author".to_owned()],
        categories: vec!["mystery".to_owned()],
        isbn13: "9780441172719".to_owned(),
        price: Some(Price { minor_units: 1290, currency: "EUR".to_owned() }),
        ..Book::default()
    }
}

async fn upsert(running: &Running, books: Vec<Book>) -> Result<UpsertBooksResponse, Status> {
    Ok(client(running).upsert_books(UpsertBooksRequest { books }).await?.into_inner())
}

async fn get(running: &Running, id: &str) -> Result<Book, Status> {
    let request = GetBookRequest { book_id: id.to_owned(), ..GetBookRequest::default() };
    Ok(client(running).get_book(request).await?.into_inner().book.unwrap())
}

async fn delete(running: &Running, id: &str) -> Result<(), Status> {
    let request = DeleteBookRequest { book_id: id.to_owned() };
    client(running).delete_book(request).await.map(|_| ())
}

async fn offer(running: &Running, offers: Vec<OfferUpdate>) -> Result<Vec<String>, Status> {
    let answer = client(running).update_offers(UpdateOffersRequest { offers }).await?;
    Ok(answer.into_inner().unknown_book_ids)
}

async fn search(
    running: &Running,
    query: &str,
    page_size: i32,
    page_token: &str,
) -> Result<SearchBooksResponse, Status> {
    let (query, page_token) = (query.to_owned(), page_token.to_owned());
    let request = SearchBooksRequest { query, page_size, page_token };
    Ok(client(running).search_books(request).await?.into_inner())
}

fn stock(book_id: &str, stock: u32) -> OfferUpdate {
    OfferUpdate { book_id: book_id.to_owned(), stock: Some(stock), price: None }
}

/// The ids of the whole shelf of a reader who is nobody.
async fn shelf(running: &Running) -> Vec<String> {
    let request = RecommendRequest { max_results: 100, ..RecommendRequest::default() };
    let books = running.v1().recommend(request).await.unwrap().into_inner().books;
    books.into_iter().map(|one| one.book.unwrap().id).collect()
}

#[tokio::test]
async fn books_come_change_and_go_with_the_next_answer() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let put = upsert(&running, vec![book("new", "The Lamp"), book("7", "Seven")]).await.unwrap();
    assert_eq!((put.created_count, put.changed_count, put.unchanged_count), (1, 1, 0));
    assert_eq!(put.numbers[1], 7);
    assert!(shelf(&running).await.contains(&"new".to_owned()));
    let found = get(&running, "new").await.unwrap();
    assert_eq!(found, Book { number: put.numbers[0], ..book("new", "The Lamp") });

    let again = upsert(&running, vec![book("new", "The Lamp")]).await.unwrap();
    assert_eq!((again.created_count, again.unchanged_count), (0, 1));
    assert_eq!(again.numbers[..], put.numbers[..1]);

    delete(&running, "new").await.unwrap();
    assert!(!shelf(&running).await.contains(&"new".to_owned()));
    assert_eq!(get(&running, "new").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(delete(&running, "new").await.unwrap_err().code(), Code::NotFound);

    // It comes back as the same book.
    let back = upsert(&running, vec![book("new", "The Lamp")]).await.unwrap();
    assert_eq!((back.created_count, back.numbers[0]), (1, put.numbers[0]));
    running.stop().await;

    let running = Running::start(folder.path()).await;
    assert_eq!(get(&running, "new").await.unwrap().title, "The Lamp");
    running.stop().await;
}

#[tokio::test]
async fn stock_counts_from_the_next_answer() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let everything = shelf(&running).await;
    for round in 0..5 {
        let unknown = offer(&running, vec![stock("12", 0), stock("nobody", 1)]).await.unwrap();
        assert_eq!(unknown, ["nobody"]);
        let left = shelf(&running).await;
        assert!(!left.contains(&"12".to_owned()), "round {round}");
        assert_eq!(left.len() + 1, everything.len());
        offer(&running, vec![stock("12", 0), stock("12", 3)]).await.unwrap();
        assert_eq!(shelf(&running).await, everything);
    }
    let price = Some(Price { minor_units: 990, currency: "EUR".to_owned() });
    let change = OfferUpdate { book_id: "12".to_owned(), stock: None, price: price.clone() };
    offer(&running, vec![change]).await.unwrap();
    let found = get(&running, "12").await.unwrap();
    assert_eq!((found.stock, &found.price, &*found.title), (None, &price, "Book 12"));
    offer(&running, vec![stock("12", 5)]).await.unwrap();
    assert_eq!(get(&running, "12").await.unwrap().price, price);
    running.stop().await;
}

#[tokio::test]
async fn words_find_books_page_by_page() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    upsert(&running, vec![book("e", "Émile, or the Lamp"), book("f", "Lampshade")]).await.unwrap();
    for (query, expected) in [
        ("emile", &["e"][..]),
        ("LAMP the", &["e"]),
        ("the lam", &["e"]),
        ("ann lampsh", &["f"]),
        ("nothing of the kind", &[]),
    ] {
        let found = search(&running, query, 0, "").await.unwrap();
        let ids: Vec<&str> = found.books.iter().map(|book| &*book.id).collect();
        assert_eq!(ids, expected, "{query}");
        assert_eq!(found.next_page_token, "");
    }
    let (mut token, mut found) = (String::new(), Vec::new());
    loop {
        let page = search(&running, "book", 9, &token).await.unwrap();
        assert!(page.books.len() <= 9);
        found.extend(page.books.into_iter().map(|book| book.id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 40);
    delete(&running, "e").await.unwrap();
    assert!(search(&running, "emile", 0, "").await.unwrap().books.is_empty());
    running.stop().await;
}

/// Sends books in requests of these, and returns every answer.
async fn import(
    running: &Running,
    requests: Vec<Vec<Book>>,
) -> Result<Vec<ImportBooksResponse>, Status> {
    let requests = requests.into_iter().map(|books| ImportBooksRequest { books });
    let mut answers = client(running).import_books(stream::iter(requests)).await?.into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await? {
        all.push(answer);
    }
    Ok(all)
}

#[tokio::test]
async fn a_stream_of_books_is_stored_but_for_those_that_are_not_valid() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let many = |from: u32| (from..from + 500).map(|n| book(&format!("b{n}"), "A Book")).collect();
    let bad = vec![book("good", "Good"), book("bad", ""), book("", "No id")];
    let answers = import(&running, vec![many(0), many(500), bad]).await.unwrap();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[1].created_count, 1000);
    assert_eq!(answers[2].created_count, 1001);
    let refusals: Vec<(i32, &str)> =
        answers[2].refusals.iter().map(|one| (one.index, &*one.field)).collect();
    assert_eq!(refusals, [(1, "title"), (2, "id")]);
    assert_eq!(get(&running, "b999").await.unwrap().title, "A Book");

    let none = import(&running, vec![many(2000), vec![]]).await.unwrap_err();
    assert_eq!(none.code(), Code::InvalidArgument);
    // The first request was answered before.
    running::until(async || get(&running, "b2000").await.is_ok()).await;
    running.stop().await;
}

#[tokio::test]
async fn requests_that_are_not_valid_name_each_field_and_store_nothing() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let fields = |status: Status| -> Vec<String> {
        assert_eq!(status.code(), Code::InvalidArgument);
        let found = status.get_details_bad_request().unwrap().field_violations;
        found.into_iter().map(|one| one.field).collect()
    };
    let bad = Book { categories: vec!["No Slug".to_owned()], ..book("y", "") };
    let refused = upsert(&running, vec![book("x", "X"), bad]).await.unwrap_err();
    assert_eq!(fields(refused), ["books[1].title", "books[1].categories"]);
    assert_eq!(get(&running, "x").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(fields(upsert(&running, vec![]).await.unwrap_err()), ["books"]);
    let many = vec![book("x", "X"); 1001];
    assert_eq!(fields(upsert(&running, many).await.unwrap_err()), ["books"]);
    assert_eq!(
        fields(offer(&running, vec![stock("", 1)]).await.unwrap_err()),
        ["offers[0].book_id"]
    );
    assert_eq!(fields(search(&running, "", 0, "").await.unwrap_err()), ["query"]);
    let refused = search(&running, "a", -1, "x").await.unwrap_err();
    assert_eq!(fields(refused), ["page_size", "page_token"]);
    assert_eq!(fields(get(&running, "").await.unwrap_err()), ["book_id"]);
    running.stop().await;
}
