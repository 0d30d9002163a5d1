//! Leafing through the catalogue: lists, categories, related books, and stock that is bought from.

use api::v1::catalog_service_client::CatalogServiceClient;
use api::v1::{
    AdjustStockRequest, AdjustStockResponse, BookFilter, BookOrder, GetBookRequest,
    ListBooksRequest, ListBooksResponse, ListCategoriesRequest, OfferUpdate, Price,
    SearchBooksRequest, UpdateOffersRequest,
};
use futures_util::future::join_all;
use recommender::offer::Offer;
use storage::Book;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::running::{self, Running};

fn client(running: &Running) -> CatalogServiceClient<Channel> {
    CatalogServiceClient::new(running.channel.clone())
}

/// Volumes 1 to 3 of a series, of which the second has two editions; otherwise books that differ in
/// title, year and price.
async fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = running::store(folder.path()).await;
    let volume = |number: u32, place: f64, work: Option<&str>| Book {
        series: Some("Saga".to_owned()),
        volume: Some(place),
        work: work.map(str::to_owned),
        isbn13: (number == 3).then_some(9_780_441_172_719),
        ..running::book(number)
    };
    let titled = |number: u32, title: &str, year: i32, price: Option<(u64, &str)>| Book {
        title: title.to_owned(),
        published_year: Some(year),
        categories: vec!["travel".to_owned(), "science-fiction".to_owned()],
        offer: Offer {
            price: price.map(|(minor_units, currency)| recommender::offer::Price {
                minor_units,
                currency: currency.parse().unwrap(),
            }),
            ..Offer::default()
        },
        ..running::book(number)
    };
    let books = [
        volume(1, 1.0, None),
        volume(2, 2.0, Some("two")),
        volume(3, 2.0, Some("two")),
        volume(4, 3.0, None),
        titled(11, "Éclair", 1950, Some((500, "USD"))),
        titled(12, "apple", 1999, Some((900, "EUR"))),
        titled(13, "Zebra", 2005, None),
        titled(14, "Banana", 1950, Some((100, "EUR"))),
        titled(15, "banana", 2010, Some((100, "EUR"))),
    ];
    let mut writer = store.begin().await.unwrap();
    writer.put_books(&books).await.unwrap();
    writer.commit().await.unwrap();
    store.close().await;
    folder
}

async fn list(running: &Running, request: ListBooksRequest) -> Result<ListBooksResponse, Status> {
    Ok(client(running).list_books(request).await?.into_inner())
}

fn of_category(slug: &str, order: BookOrder) -> ListBooksRequest {
    let filter = BookFilter { any_categories: vec![slug.to_owned()], ..BookFilter::default() };
    ListBooksRequest { filter: Some(filter), order: order.into(), ..ListBooksRequest::default() }
}

/// All pages of a list, and how many books each says there are.
async fn pages(running: &Running, mut request: ListBooksRequest) -> (Vec<i32>, i32) {
    let mut numbers = Vec::new();
    loop {
        let page = list(running, request.clone()).await.unwrap();
        assert!(request.page_size == 0 || page.books.len() <= request.page_size as usize);
        numbers.extend(page.books.iter().map(|book| book.number));
        if page.next_page_token.is_empty() {
            return (numbers, page.total_count);
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn a_category_is_listed_in_each_order_page_by_page() {
    let folder = shop().await;
    let running = Running::start(folder.path()).await;
    for (order, expected) in [
        // Without a model all are as popular.
        (BookOrder::Popular, [11, 12, 13, 14, 15]),
        (BookOrder::Title, [12, 14, 15, 11, 13]),
        (BookOrder::Newest, [15, 13, 12, 11, 14]),
        (BookOrder::Cheapest, [14, 15, 12, 11, 13]),
    ] {
        for page_size in [0, 2] {
            let request = ListBooksRequest { page_size, ..of_category("travel", order) };
            assert_eq!(pages(&running, request).await, (expected.to_vec(), 5), "{order:?}");
        }
    }
    // Of the two editions, one.
    let all = ListBooksRequest { page_size: 2, ..ListBooksRequest::default() };
    assert_eq!(pages(&running, all).await, (vec![1, 2, 4, 11, 12, 13, 14, 15], 8));
    let none = of_category("none-such", BookOrder::Title);
    assert_eq!(pages(&running, none).await, (Vec::new(), 0));
    running.stop().await;
}

#[tokio::test]
async fn pages_go_on_where_they_were_while_offers_change() {
    let folder = shop().await;
    let running = Running::start(folder.path()).await;
    let mut request = ListBooksRequest { page_size: 2, ..of_category("travel", BookOrder::Title) };
    let first = list(&running, request.clone()).await.unwrap();
    let numbers = |page: &ListBooksResponse| -> Vec<i32> {
        page.books.iter().map(|book| book.number).collect()
    };
    assert_eq!((numbers(&first), first.total_count), (vec![12, 14], 5));
    // One that was shown and the next are sold out, and the one after that costs something else.
    let offer = |book: u32, stock, price| OfferUpdate { book_id: book.to_string(), stock, price };
    let cheap = Price { minor_units: 1, currency: "EUR".to_owned() };
    let offers =
        vec![offer(14, Some(0), None), offer(15, Some(0), None), offer(11, None, Some(cheap))];
    client(&running).update_offers(UpdateOffersRequest { offers }).await.unwrap();
    request.page_token = first.next_page_token;
    let second = list(&running, request).await.unwrap();
    assert_eq!((numbers(&second), second.total_count), (vec![11, 13], 3));
    assert_eq!(second.next_page_token, "");
    let cheapest = of_category("travel", BookOrder::Cheapest);
    assert_eq!(pages(&running, cheapest).await, (vec![11, 12, 13], 3));
    running.stop().await;
}

#[tokio::test]
async fn of_each_work_the_edition_that_comes_first_is_on_one_page() {
    let folder = shop().await;
    let store = running::store(folder.path()).await;
    let edition = |number: u32, title: &str| Book {
        title: title.to_owned(),
        work: Some(format!("work-{}", number % 2)),
        categories: vec!["poetry".to_owned()],
        ..running::book(number)
    };
    let titles = [(20, "D"), (21, "A"), (22, "B"), (23, "C"), (24, "E"), (25, "F")];
    let editions = titles.map(|(number, title)| edition(number, title));
    let mut writer = store.begin().await.unwrap();
    writer.put_books(&editions).await.unwrap();
    writer.commit().await.unwrap();
    store.close().await;
    let running = Running::start(folder.path()).await;
    for (order, expected) in [
        (BookOrder::Popular, [20, 21]),
        (BookOrder::Title, [21, 22]),
        (BookOrder::Newest, [25, 24]),
        (BookOrder::Cheapest, [20, 21]),
    ] {
        for page_size in [1, 2, 5] {
            let request = ListBooksRequest { page_size, ..of_category("poetry", order) };
            assert_eq!(pages(&running, request).await, (expected.to_vec(), 2), "{order:?}");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn what_is_liked_most_is_listed_first() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let request = ListBooksRequest { page_size: 7, ..of_category("mystery", BookOrder::Popular) };
    let (numbers, total) = pages(&running, request).await;
    assert_eq!((numbers.len(), total), (20, 20));
    let generation = running.live.generation();
    let model = &generation.model().unwrap().model;
    let popularity = |number: &i32| {
        let index = generation.index_of(recommender::ItemNumber(*number as u32)).unwrap();
        model.popularity()[index as usize]
    };
    assert!(numbers.is_sorted_by(|left, right| popularity(left) >= popularity(right)));
    drop(generation);
    running.stop().await;
}

#[tokio::test]
async fn pages_of_another_list_and_what_is_no_page_are_refused() {
    let folder = shop().await;
    let running = Running::start(folder.path()).await;
    let request = ListBooksRequest { page_size: 1, ..of_category("travel", BookOrder::Title) };
    let page_token = list(&running, request).await.unwrap().next_page_token;
    for (request, field) in [
        (ListBooksRequest { page_token, ..of_category("travel", BookOrder::Newest) }, "page_token"),
        (ListBooksRequest { page_token: "?".to_owned(), ..Default::default() }, "page_token"),
        (ListBooksRequest { page_size: -1, ..Default::default() }, "page_size"),
        (ListBooksRequest { order: 9, ..Default::default() }, "order"),
    ] {
        let status = list(&running, request).await.unwrap_err();
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field, "{status:?}");
    }
    running.stop().await;
}

#[tokio::test]
async fn categories_are_counted_and_named() {
    let folder = shop().await;
    let running = Running::start(folder.path()).await;
    let mut request = ListCategoriesRequest { page_size: 3, ..Default::default() };
    let mut found = Vec::new();
    loop {
        let page = client(&running).list_categories(request.clone()).await.unwrap().into_inner();
        found.extend(page.categories.into_iter().map(|one| (one.slug, one.title, one.book_count)));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let expected = [
        ("science-fiction", "Science fiction", 5),
        ("travel", "Travel", 5),
        ("mystery", "Mystery", 2),
        ("sci-fi", "Sci fi", 2),
    ];
    let owned =
        |(slug, title, count): (&str, &str, i32)| (slug.to_owned(), title.to_owned(), count);
    assert_eq!(found, expected.map(owned));
    running.stop().await;
}

#[tokio::test]
async fn a_book_comes_with_its_editions_and_its_series() {
    let folder = shop().await;
    let running = Running::start(folder.path()).await;
    let numbers =
        |books: Vec<api::v1::Book>| books.into_iter().map(|book| book.number).collect::<Vec<_>>();
    for (book, editions, series) in
        [("3", &[2][..], &[1, 3, 4][..]), ("1", &[], &[1, 2, 4]), ("11", &[], &[])]
    {
        let mut request = GetBookRequest { book_id: book.to_owned(), ..GetBookRequest::default() };
        let plain = client(&running).get_book(request.clone()).await.unwrap().into_inner();
        assert!(plain.editions.is_empty() && plain.series_books.is_empty());
        request.include_related = true;
        let found = client(&running).get_book(request).await.unwrap().into_inner();
        assert_eq!(found.book, plain.book);
        assert_eq!(numbers(found.editions), editions, "{book}");
        assert_eq!(numbers(found.series_books), series, "{book}");
    }
    running.stop().await;
}

#[tokio::test]
async fn an_isbn_finds_its_book() {
    let folder = shop().await;
    let running = Running::start(folder.path()).await;
    for (query, expected) in [
        ("978-0-441-17271-9", &[3][..]),
        ("0441172717", &[3]),
        // An ISBN that no book has.
        ("9780439023481", &[]),
        ("apple", &[12]),
    ] {
        let request = SearchBooksRequest { query: query.to_owned(), ..Default::default() };
        let found = client(&running).search_books(request).await.unwrap().into_inner().books;
        let numbers: Vec<i32> = found.into_iter().map(|book| book.number).collect();
        assert_eq!(numbers, expected, "{query}");
    }
    running.stop().await;
}

async fn adjust(
    running: &Running,
    request_id: &str,
    book_id: &str,
    change: i32,
) -> Result<AdjustStockResponse, Status> {
    let (request_id, book_id) = (request_id.to_owned(), book_id.to_owned());
    let request = AdjustStockRequest { request_id, book_id, change };
    Ok(client(running).adjust_stock(request).await?.into_inner())
}

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().unwrap().reason)
}

/// A shop that has five of the first book, and does not count the others.
async fn shop_with_five() -> tempfile::TempDir {
    let folder = running::full_shop().await;
    let store = running::store(folder.path()).await;
    running::put_offers(&store, 1..=1, |_| Offer { stock: Some(5), ..Offer::default() }).await;
    store.close().await;
    folder
}

#[tokio::test]
async fn whoever_buys_at_once_no_more_are_sold_than_there_are() {
    let folder = shop_with_five().await;
    let running = Running::start(folder.path()).await;
    let ids: Vec<String> = (0..12).map(|buyer| format!("order-{buyer}")).collect();
    let buying = ids.iter().map(|id| adjust(&running, id, "1", -1));
    let (sold, refused): (Vec<_>, Vec<_>) =
        join_all(buying).await.into_iter().partition(Result::is_ok);
    let mut left: Vec<u32> = sold.into_iter().filter_map(|one| one.unwrap().stock).collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
    for status in refused.into_iter().map(Result::unwrap_err) {
        assert_eq!(reason(&status), (Code::FailedPrecondition, "SOLD_OUT".to_owned()));
        assert_eq!(status.get_details_error_info().unwrap().metadata["stock"], "0");
    }
    let request = GetBookRequest { book_id: "1".to_owned(), ..GetBookRequest::default() };
    let book = client(&running).get_book(request).await.unwrap().into_inner().book.unwrap();
    assert_eq!(book.stock, Some(0));
    running.stop().await;
}

#[tokio::test]
async fn a_purchase_that_is_sent_again_takes_nothing() {
    let folder = shop_with_five().await;
    let running = Running::start(folder.path()).await;
    for applied_before in [false, true, true] {
        let answer = adjust(&running, "order", "1", -1).await.unwrap();
        assert_eq!(answer, AdjustStockResponse { stock: Some(4), applied_before });
    }
    let conflict = adjust(&running, "order", "1", -2).await.unwrap_err();
    assert_eq!(reason(&conflict), (Code::AlreadyExists, "REQUEST_CONFLICTING".to_owned()));
    for applied_before in [false, true] {
        let uncounted = adjust(&running, "other", "2", -1).await.unwrap();
        assert_eq!(uncounted, AdjustStockResponse { stock: None, applied_before });
    }
    let unknown = adjust(&running, "third", "999", -1).await.unwrap_err();
    assert_eq!(reason(&unknown), (Code::NotFound, "BOOK_UNKNOWN".to_owned()));
    for change in [0, 10_001, -10_001, i32::MIN] {
        let refused = adjust(&running, "fourth", "1", change).await.unwrap_err();
        assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, "change");
    }
    running.stop().await;
}
