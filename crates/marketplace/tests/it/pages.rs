//! Every page: what is on it, for whom, in which language.

use std::collections::BTreeSet;

use api::v1::EventKind;
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::browser::{Browser, Page, ids};
use crate::console::until;
use crate::routes::routes;
use crate::shop::Shop;

#[tokio::test]
async fn the_tutorials_own_check_holds_on_the_home_page() {
    let shop = Shop::with(|settings| settings.home_categories = vec!["mystery".to_owned()]).await;
    let page = shop.visitor().get("/").await.found();
    assert!(page.has("<title>Online Books For You</title>"), "{}", page.text);
    let section = page.section("Mystery books you may like");
    assert_eq!(section.matches("<li>").count(), 3, "{section}");
    // The tutorial counts on the whole page.
    assert_eq!(page.text.matches("<li>").count(), 3);
    let shelf = ids(section, "want");
    assert_eq!(shelf.len(), 3);
    assert!(shelf.iter().all(|id| id.parse::<u32>().unwrap() % 2 == 1), "{shelf:?}");
}

#[tokio::test]
async fn no_book_is_twice_on_a_page() {
    let shop = Shop::demo().await;
    for mut browser in [shop.visitor(), shop.reader("3").await] {
        for path in ["/", "/books/9"] {
            let page = browser.get(path).await.found();
            let (_, shelves) = page.text.split_once("class=\"shelf").unwrap();
            let books = ids(shelves, "dismiss");
            assert!(books.len() >= 6, "{path}: {books:?}");
            let distinct: BTreeSet<&String> = books.iter().collect();
            assert_eq!(distinct.len(), books.len(), "{path}: {books:?}");
        }
    }
}

#[tokio::test]
async fn a_reader_gets_shelves_of_their_own_with_reasons() {
    let shop = Shop::demo().await;
    let page = shop.reader("3").await.get("/").await.found();
    let picked = page.section("Books picked for you");
    assert_eq!(ids(picked, "want").len(), 6, "{picked}");
    for text in ["because you rated", "Because you rated", "Reading as 3", "This shop is a demo"] {
        assert!(page.has(text), "no {text:?} in {}", page.text);
    }
}

#[tokio::test]
async fn the_page_of_a_book_tells_all_of_it() {
    let shop = Shop::with(|_| {}).await;
    let mut visitor = shop.visitor();
    let page = visitor.get("/books/9").await.found();
    for text in [
        "<title>Book 9 · Online Books For You</title>",
        "<h1 lang=\"en\">Book 9</h1>",
        "by Author 2",
        "The Odd Ones, volume 1",
        "9.99 EUR",
        "1909",
        "In stock",
    ] {
        assert!(page.has(text), "no {text:?} in {}", page.text);
    }
    assert_eq!(ids(page.section("The series The Odd Ones"), "want"), ["11", "13"]);
    assert!(ids(page.section("Readers also enjoyed"), "want").len() >= 3);
    let editions = visitor.get("/books/39").await.found();
    assert_eq!(ids(editions.section("Other editions"), "want"), ["40"]);
    assert!(visitor.get("/books/7").await.has("Only 3 left"));
    assert!(visitor.get("/books/8").await.has("Sold out"));
}

#[tokio::test]
async fn books_are_found_by_title_author_series_and_isbn() {
    let shop = Shop::with(|_| {}).await;
    let mut visitor = shop.visitor();
    for (query, expected) in [
        ("book 17", vec!["17"]),
        ("odd ones", vec!["9", "11", "13"]),
        ("978-0-306-40615-7", vec!["1"]),
    ] {
        let path = format!("/search?q={}", query.replace(' ', "+"));
        let mut found = visitor.get(&path).await.found().books("want");
        found.sort_by_key(|id| id.parse::<u32>().unwrap());
        assert_eq!(found, expected, "{query}");
    }
    assert!(visitor.get("/search?q=author+3").await.books("want").len() >= 5);
    assert!(visitor.get("/search?q=nothing+like+it").await.found().has("Nothing found for"));
    assert!(visitor.get("/search").await.found().has("Type a title"));
}

#[tokio::test]
async fn while_one_types_the_address_follows() {
    let shop = Shop::with(|_| {}).await;
    let mut visitor = shop.visitor();
    visitor.headers.push(("hx-request", "true".to_owned()));
    visitor.headers.push(("hx-current-url", format!("{}/", shop.url)));
    let page = visitor.get("/search?q=book+1").await.found();
    assert_eq!(page.headers["hx-push-url"], "/search?q=book%201");
    visitor.headers[1].1 = format!("{}/search?q=book", shop.url);
    let page = visitor.get("/search?q=book+1").await.found();
    assert_eq!(page.headers["hx-replace-url"], "/search?q=book%201");
}

#[tokio::test]
async fn pages_of_a_category_do_not_repeat_a_book() {
    let shop = Shop::with(|settings| settings.page_books = 6.try_into().unwrap()).await;
    let mut visitor = shop.visitor();
    let mut address = Some("/categories/mystery?order=title".to_owned());
    let mut seen = Vec::new();
    while let Some(path) = address {
        let page = visitor.get(&path).await.found();
        let (_, list) = page.text.split_once("class=\"books grid\"").unwrap();
        seen.extend(ids(list, "want"));
        let next = list.split_once("rel=\"next\" href=\"");
        address = next.map(|(_, rest)| rest.split('"').next().unwrap().replace("&#38;", "&"));
    }
    let distinct: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(seen.len(), distinct.len(), "{seen:?}");
    // Of the twenty, none is an edition of another.
    assert_eq!(seen.len(), 20, "{seen:?}");
}

#[tokio::test]
async fn what_stands_above_a_category_is_not_repeated_and_not_in_the_way_of_a_filter() {
    let shop = Shop::with(|_| {}).await;
    let mut visitor = shop.visitor();
    let page = visitor.get("/categories/mystery").await.found();
    let above = ids(page.section("Mystery books you may like"), "want");
    assert_eq!(above.len(), 3);
    let all = page.books("want");
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (20, 20), "{all:?}");
    for chosen in ["language=fr", "order=title", "sold_out=yes"] {
        let page = visitor.get(&format!("/categories/mystery?{chosen}")).await.found();
        assert!(!page.has("Mystery books you may like"), "{chosen}: {}", page.text);
    }
}

#[tokio::test]
async fn a_book_says_why_it_was_suggested_wherever_that_was() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/categories/science-fiction").await.found();
    let picked = ids(page.section("Science fiction books you may like"), "want")[0].clone();
    let book = reader.get(&format!("/books/{picked}")).await.found();
    assert!(book.has("Why we suggest it"), "{}", book.text);
    let similar = ids(book.section("Readers also enjoyed"), "want")[0].clone();
    let book = reader.get(&format!("/books/{similar}")).await.found();
    assert!(book.has("Why we suggest it"), "{}", book.text);
    // Of a book that was on no shelf, nothing is made up.
    let book = shop.reader("4").await.get("/books/8").await.found();
    assert!(!book.has("Why we suggest it"), "{}", book.text);
}

#[tokio::test]
async fn what_is_shown_is_told_and_nothing_else() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("a reader").await;
    shop.has_told_all().await;
    let before = shop.events("a reader", EventKind::Impression).await.len();
    let page = reader.get("/books/9").await.found();
    let shelf = page.section("Readers also enjoyed");
    let (_, token) = shelf.split_once("name=\"from\" value=\"").unwrap();
    let token = token.split('"').next().unwrap();
    let shown: BTreeSet<String> = ids(shelf, "want").into_iter().collect();
    let all = before + shown.len();
    let events = shop.has_events("a reader", EventKind::Impression, all).await;
    let told = events.iter().filter(|event| event.attribution_token == token);
    assert_eq!(told.map(|event| event.book_id.clone()).collect::<BTreeSet<_>>(), shown);
}

#[tokio::test]
async fn nothing_comes_of_a_page_that_nobody_looks_at() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("a reader").await;
    shop.has_told_all().await;
    let before = shop.stored("a reader").await.unwrap().len();
    let downloads = shop.faults.count("ExportUser");
    for path in ["/", "/books/9", "/categories/mystery", "/library/data"] {
        let page = reader.send(Method::HEAD, path, "", Bytes::new()).await.found();
        assert!(!page.headers.contains_key("set-cookie") && page.text.is_empty(), "{path}");
    }
    assert_eq!(shop.faults.count("ExportUser"), downloads);
    reader.headers.push(("sec-purpose", "prefetch".to_owned()));
    for path in ["/", "/books/9", "/categories/mystery"] {
        reader.get(path).await.found();
    }
    shop.has_told_all().await;
    assert_eq!(shop.stored("a reader").await.unwrap().len(), before);
    // What was done is told to whoever looks.
    reader.headers.clear();
    let page = reader.get("/books/9").await.found();
    let (token, id) = (page.field("token"), page.field("page"));
    let fields = [("token", token.as_str()), ("page", &id), ("do", "want 9")];
    reader.post_only("/acts", &fields).await;
    reader.send(Method::HEAD, "/", "", Bytes::new()).await.found();
    assert!(reader.get("/").await.found().has("you want to read Book 9"));
}

#[tokio::test]
async fn looking_at_pages_leaves_a_readers_session_as_it_is() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    reader.get("/").await.found();
    for path in ["/", "/books/9", "/?seen=9223372036854775807", "/library"] {
        let page = reader.get(path).await.found();
        assert!(!page.headers.contains_key("set-cookie"), "{path}: {:?}", page.headers);
    }
}

/// Addresses that are followed for as long as somebody looks: no pages, but parts of one. All
/// share what is asked for them.
const FOLLOWED: [&str; 2] = ["/console/live", "/console/models/training"];

/// Addresses with what is asked for after them, and one that there is not.
const ASKED: [&str; 14] = [
    "/search?q=book",
    "/search?q=nothing+like+it",
    "/categories/mystery?order=title&language=en",
    "/categories/mystery?sold_out=yes",
    "/categories/no-such",
    "/books/39?from=x",
    "/books/no-such-book",
    "/library?show=rated",
    "/?seen=1",
    "/nothing",
    "/console/try?user=3&count=5",
    "/console/try?user=nobody",
    "/console/acceptance?since=day",
    "/console/stalls?x=y",
];

/// Every page of the shop, or of the bookseller.
fn pages(is_of_bookseller: bool) -> Vec<String> {
    let pages = routes().into_iter().filter(|route| route.is_page).map(|route| route.path);
    let pages = pages.filter(|path| !FOLLOWED.contains(&path.as_str()));
    let named = |path: String| {
        path.replace("{id}", "9").replace("{slug}", "mystery").replace("{name}", "x.css")
    };
    let all = pages.map(named).chain(ASKED.map(str::to_owned));
    all.filter(|path| path.starts_with("/console") == is_of_bookseller).collect()
}

/// Counts what a page asks; no page waits for what was looked at to be told.
async fn calls(shop: &Shop, browser: &mut Browser, path: &str) -> usize {
    let calls = || shop.faults.count_of_pages() - shop.faults.count("RecordEvents");
    let before = calls();
    let page = browser.get(path).await;
    assert!(!page.status.is_server_error() && page.status != StatusCode::FORBIDDEN, "{path}");
    calls() - before
}

#[tokio::test]
async fn no_page_asks_more_than_twice() {
    let shop = Shop::demo().await;
    let paths = pages(false);
    assert!(paths.iter().all(|path| !path.contains('{')), "{paths:?}");
    assert_eq!(calls(&shop, &mut shop.visitor(), "/categories").await, 1, "a page's call is seen");
    for mut browser in [shop.visitor(), shop.reader("3").await] {
        for path in &paths {
            let calls = calls(&shop, &mut browser, path).await;
            assert!(calls <= 2, "{path}: {calls} calls");
        }
    }
}

#[tokio::test]
async fn no_page_of_the_bookseller_asks_more_than_twice() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    // What all consoles share begins with the first of them.
    let (shared, paths): (Vec<_>, Vec<_>) =
        pages(true).into_iter().partition(|path| path == "/console");
    assert!(paths.len() > 6, "{paths:?}");
    for path in paths {
        let calls = calls(&shop, &mut bookseller, &path).await;
        assert!((1..=2).contains(&calls), "{path}: {calls} calls");
    }
    assert_eq!(shared, ["/console"]);
    bookseller.get("/console").await.found();
    let watching = shop.faults.count("WatchMetrics");
    for _ in 0..5 {
        bookseller.get("/console").await.found();
    }
    assert_eq!((watching, shop.faults.count("WatchMetrics")), (1, 1));
}

#[tokio::test]
async fn categories_and_filters_are_there_and_unknown_ones_are_not() {
    let shop = Shop::with(|_| {}).await;
    let mut visitor = shop.visitor();
    let page = visitor.get("/categories").await.found();
    assert!(page.has("/categories/mystery") && page.has("20 books"), "{}", page.text);
    let all = visitor.get("/categories/science-fiction?sold_out=yes").await.found();
    assert!(all.books("want").contains(&"8".to_owned()));
    let sold = visitor.get("/categories/science-fiction").await.found();
    assert!(!sold.books("want").contains(&"8".to_owned()));
    let page = visitor.get("/categories/mystery?language=fr").await.found();
    assert!(page.has("No book here meets these conditions"), "{}", page.text);
    assert_eq!(visitor.get("/categories/no-such").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn books_are_filtered_by_what_they_cost_and_whom_they_are_for() {
    let shop = Shop::with(|_| {}).await;
    let mut visitor = shop.visitor();
    // What prices are in is known once the plain shelf is.
    let has_price = |page: &Page| page.has("name=\"price\"") && page.has("At most (EUR)");
    until(&mut visitor, "/categories/science-fiction", has_price).await;
    let mut shown = async |query: &str| {
        let path = format!("/categories/science-fiction?order=price&{query}");
        let page = visitor.get(&path).await.found();
        (page.books("want"), page)
    };
    // Book N costs 9.90 EUR and N cents; book 10 is for those of 16 and older.
    let (books, page) = shown("price=9.96").await;
    assert_eq!(books, ["2", "4", "6"]);
    assert!(page.has("name=\"price\" min=\"0\" step=\"any\" inputmode=\"decimal\" value=\"9.96\""));
    assert!(!shown("age=15").await.0.contains(&"10".to_owned()));
    assert!(shown("age=16").await.0.contains(&"10".to_owned()));
    assert!(shown("price=9.95&age=40").await.0 == ["2", "4"]);
    // What is no amount and no age is no condition, and is not shown as one.
    let (books, page) = shown("price=cheap&age=old").await;
    assert!(
        books.len() > 3 && !page.has("value=\"cheap\"") && !page.has("value=\"old\""),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn both_languages_and_both_colours_can_be_had() {
    let shop = Shop::with(|_| {}).await;
    let mut visitor = shop.visitor();
    visitor.headers.push(("accept-language", "zh-CN,zh;q=0.9".to_owned()));
    let page = visitor.get("/").await.found();
    assert!(page.has("<html lang=\"zh-CN\">") && page.has("您可能喜欢的推理图书"), "{}", page.text);
    let (token, back) = (page.field("token"), page.field("back"));
    let fields =
        [("token", token.as_str()), ("back", &back), ("language", "en"), ("theme", "dark")];
    let page = visitor.post("/preferences", &fields).await.found();
    assert!(page.has("<html lang=\"en\" data-theme=\"dark\">"), "{}", page.text);
    assert!(page.has("Mystery books you may like"));
}

#[tokio::test]
async fn covers_are_drawn_and_kept() {
    let shop = Shop::with(|_| {}).await;
    let mut visitor = shop.visitor();
    let page = visitor.get("/books/9").await.found();
    let (_, rest) = page.text.split_once("src=\"/covers/").unwrap();
    let path = format!("/covers/{}", rest.split('"').next().unwrap());
    let cover = visitor.get(&path).await.found();
    assert_eq!(cover.headers["content-type"], "image/svg+xml");
    assert_eq!(cover.headers["cache-control"], "public, max-age=31536000, immutable");
    assert!(cover.has(">Book</text>") && cover.has(">9</text>"), "{}", cover.text);
    // An old address is not kept.
    let other = visitor.get("/covers/33?v=1").await.found();
    assert_eq!(other.headers["cache-control"], "no-cache");
    assert_eq!(visitor.get("/covers/none?v=1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn unknown_pages_and_books_say_what_to_do() {
    let shop = Shop::with(|_| {}).await;
    let mut visitor = shop.visitor();
    for path in ["/nothing", "/books/999", "/books/%FF", "/library/nothing"] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.has("There is nothing at this address"), "{path}: {}", page.text);
        assert!(page.has("To the start page"));
    }
    let page = visitor.get("/acts").await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(page.has("To the start page"));
}

#[tokio::test]
async fn a_page_with_all_that_it_needs_is_light() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let assets = reader.get("/").await.found();
    reader.headers.push(("accept-encoding", "gzip".to_owned()));
    let page = reader.get("/").await.found();
    assert_eq!(page.headers["content-encoding"], "gzip");
    let mut bytes = page.bytes;
    let assets = assets.text.split('"').filter(|part| part.starts_with("/assets/"));
    for path in assets.collect::<BTreeSet<_>>() {
        let asset = reader.get(path).await.found();
        assert!(asset.headers["cache-control"].to_str().unwrap().contains("immutable"), "{path}");
        bytes += asset.bytes;
    }
    assert!(bytes <= 60_000, "{bytes}");
}
