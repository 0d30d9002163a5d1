//! The bookseller's console: figures that move, models that are switched, numbers that add up; for
//! nobody else.

use std::time::Duration;

use api::v1::event_entry::Entry;
use api::v1::event_service_client::EventServiceClient;
use api::v1::insight_service_client::InsightServiceClient;
use api::v1::recommendation_service_client::RecommendationServiceClient;
use api::v1::{
    Event, EventEntry, EventKind, RecommendPageRequest, RecordEventsRequest, ShelfKind,
    ShelfRequest, WatchMetricsRequest,
};
use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, COOKIE};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::browser::{Browser, Page};
use crate::proxy::Weather;
use crate::shop::Shop;
use crate::signing_in::{signed_as, with_single_sign_on};

/// Every page of the bookseller.
const PAGES: [&str; 7] = [
    "/console",
    "/console/stalls",
    "/console/models",
    "/console/acceptance",
    "/console/try",
    "/console/try?user=3",
    "/console/live",
];

/// Every form of the bookseller.
const FORMS: [&str; 5] = [
    "/console/models/activate",
    "/console/models/roll-back",
    "/console/models/train",
    "/console/models/stop",
    "/console/try",
];

/// A stream of parts of a page.
async fn follow(shop: &Shop, browser: &Browser, path: &str) -> Response<Body> {
    let cookies = browser.cookies.iter().map(|(name, value)| format!("{name}={value}"));
    let request = Request::builder()
        .uri(format!("{}{path}", shop.url))
        .header(COOKIE, cookies.collect::<Vec<_>>().join("; "))
        .header(ACCEPT_ENCODING, "gzip")
        .body(Empty::<Bytes>::new());
    let client = Client::builder(TokioExecutor::new()).build_http();
    client.request(request.unwrap()).await.unwrap().map(Body::new)
}

/// What a stream sends next.
async fn next(stream: &mut Response<Body>) -> Option<String> {
    let frame = tokio::time::timeout(Duration::from_secs(20), stream.frame()).await;
    let frame = frame.unwrap()?.unwrap();
    Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
}

/// A page, once it is as it should be.
pub(crate) async fn until(
    browser: &mut Browser,
    path: &str,
    is_there: impl Fn(&Page) -> bool,
) -> Page {
    for _ in 0..200 {
        let page = browser.get(path).await.found();
        if is_there(&page) {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it never came: {}", browser.get(path).await.text);
}

/// How many calls of the method that fills pages the console tells.
fn pages_filled(text: &str) -> u32 {
    let row = "<th scope=\"row\">RecommendationService/RecommendPage</th><td>";
    let found = text.split_once(row).map(|(_, rest)| rest.split('<').next().unwrap());
    found.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test]
async fn figures_are_there_at_once_and_move() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    let page = bookseller.get("/console?live=off").await.found();
    for text in [
        "Requests per second",
        "How long calls take",
        "<desc id=\"chart-latency-desc\">",
        "Calls since the start",
        "<th scope=\"row\">events</th>",
        "The model that answers",
        "<dt>Version</dt><dd>1</dd>",
        "Stalls since the start",
        "Servers of the shop",
        "As of ",
    ] {
        assert!(page.has(text), "no {text:?} in {}", page.text);
    }
    assert!(!page.has("hx-sse") && !page.has("does not answer"));
    let before = pages_filled(&page.text);
    assert!(before >= 1, "{}", page.text);
    let mut reader = shop.reader("3").await;
    for _ in 0..5 {
        reader.get("/").await.found();
    }
    // Signing in shows the home page, too.
    until(&mut bookseller, "/console", |page| pages_filled(&page.text) == before + 6).await;
    assert!(bookseller.get("/console").await.has("hx-sse:connect=\"/console/live\""));
}

#[tokio::test]
async fn an_open_console_is_kept_current() {
    let shop = Shop::demo().await;
    let bookseller = shop.bookseller().await;
    let mut stream = follow(&shop, &bookseller, "/console/live").await;
    assert_eq!(stream.status(), StatusCode::OK);
    assert_eq!(stream.headers()[CONTENT_TYPE], "text/event-stream");
    assert!(!stream.headers().contains_key(CONTENT_ENCODING));
    let mut reader = shop.reader("3").await;
    let (mut text, mut moments) = (String::new(), Vec::new());
    while moments.last().is_none_or(|calls| *calls < 3) {
        reader.get("/").await.found();
        text.push_str(&next(&mut stream).await.unwrap());
        while let Some((moment, rest)) = text.split_once("\n\n") {
            assert!(moment.lines().all(|line| line.starts_with("data:")), "{moment}");
            moments.push(pages_filled(moment));
            text = rest.to_owned();
        }
        assert!(moments.len() < 60, "{moments:?}");
    }
    assert!(moments.len() >= 2 && moments.is_sorted(), "{moments:?}");
}

#[tokio::test]
async fn only_so_many_consoles_follow() {
    let shop = Shop::demo().await;
    let bookseller = shop.bookseller().await;
    let mut streams = Vec::new();
    for _ in 0..16 {
        let mut stream = follow(&shop, &bookseller, "/console/live").await;
        assert_eq!(stream.status(), StatusCode::OK);
        next(&mut stream).await.unwrap();
        streams.push(stream);
    }
    let refused = follow(&shop, &bookseller, "/console/live").await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    streams.clear();
    for _ in 0..200 {
        if follow(&shop, &bookseller, "/console/live").await.status() == StatusCode::OK {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the places were never free again");
}

#[tokio::test]
async fn all_consoles_share_one_call() {
    let shop = Shop::demo().await;
    // Of the places that the service has, one is left.
    let mut insight = InsightServiceClient::new(shop.channel.clone());
    let mut others = Vec::new();
    for _ in 0..15 {
        let mut other = insight.watch_metrics(WatchMetricsRequest::default()).await.unwrap();
        other.get_mut().message().await.unwrap().unwrap();
        others.push(other);
    }
    let bookseller = shop.bookseller().await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(follow(&shop, &bookseller, "/console/live").await);
    }
    for stream in &mut streams {
        let mut text = String::new();
        while !text.contains("\n\n") {
            text.push_str(&next(stream).await.unwrap());
        }
        assert!(text.contains("Requests per second"), "{text}");
    }
    let refused = insight.watch_metrics(WatchMetricsRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
}

#[tokio::test]
async fn a_training_goes_on_without_its_page_and_is_stopped() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    let token = bookseller.get("/console/models").await.found().field("token");
    shop.proxy.make(Weather::HalfOpen);
    let page = bookseller.post("/console/models/train", &[("token", &token)]).await.found();
    for text in ["Training: beginning", "hx-sse:close=\"over\"", "Stop the training"] {
        assert!(page.has(text), "no {text:?} in {}", page.text);
    }
    drop(follow(&shop, &bookseller, "/console/models/training").await);
    assert!(bookseller.get("/console/models").await.found().has("Training: beginning"));
    let page = bookseller.post("/console/models/stop", &[("token", &token)]).await.found();
    assert!(page.has("The training was stopped."), "{}", page.text);
    assert!(!page.has("hx-sse:connect") && page.has("Train a model"));
}

#[tokio::test]
async fn nobody_but_the_bookseller_gets_in() {
    let shop = Shop::demo().await;
    for mut browser in [shop.visitor(), shop.reader("3").await] {
        let token = browser.get("/").await.found().field("token");
        assert!(!browser.get("/").await.has("href=\"/console\""));
        for path in PAGES {
            let page = browser.get(path).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
            assert!(page.has("This page is for the bookseller"), "{}", page.text);
            assert!(page.has("href=\"/sign-in\""));
        }
        for path in FORMS {
            let page = browser.post_only(path, &[("token", &token), ("do", "save")]).await;
            assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
            assert!(page.has("This page is for the bookseller"), "{}", page.text);
        }
    }
    let mut bookseller = shop.bookseller().await;
    let page = bookseller.get("/").await.found();
    assert!(page.has("href=\"/console\"") && page.has("You are the bookseller"), "{}", page.text);
    for path in FORMS {
        let page = bookseller.post_only(path, &[("do", "save")]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.has("This page was open for too long"), "{}", page.text);
    }
    let token = page.field("token");
    bookseller.post("/sign-out", &[("token", &token)]).await.found();
    assert_eq!(bookseller.get("/console").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_single_sign_on_says_who_is_the_bookseller() {
    let shop = Shop::with(with_single_sign_on).await;
    let mut visitor = shop.visitor();
    visitor.headers.push(("x-shop-reader", signed_as("ann", "reader", 60)));
    assert_eq!(visitor.get("/console").await.status, StatusCode::FORBIDDEN);
    visitor.headers[0].1 = signed_as("ann", "admin", 60);
    assert!(visitor.get("/console").await.found().has("Requests per second"));
    visitor.headers[0].1 = signed_as("ann", "reader", 60);
    assert_eq!(visitor.get("/console").await.status, StatusCode::FORBIDDEN);
    visitor.headers.clear();
    let token = visitor.get("/").await.field("token");
    let page = visitor.post("/sign-in", &[("token", &token), ("role", "admin")]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(visitor.get("/console").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_model_is_trained_switched_and_rolled_back() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    let page = bookseller.get("/console/models").await.found();
    assert!(page.has("<th scope=\"row\">1</th><td>active, answers</td>"), "{}", page.text);
    assert!(page.has("Settings of model 1") && !page.has("Roll back"), "{}", page.text);
    let token = page.field("token");
    bookseller.post("/console/models/train", &[("token", &token)]).await.found();
    let mut stream = follow(&shop, &bookseller, "/console/models/training").await;
    let mut told = String::new();
    while let Some(part) = next(&mut stream).await {
        told.push_str(&part);
    }
    assert!(told.contains("Trained: model 2 is active now."), "{told}");
    assert!(told.ends_with("event: over\ndata: over\n\n"), "{told}");
    let page = bookseller.get("/console/models").await.found();
    assert!(page.has("<th scope=\"row\">2</th><td>active, answers</td>"), "{}", page.text);
    assert!(page.has("Goes from model 2 back to the one before it."), "{}", page.text);
    let mut change = async |path: &str, version: &str| {
        let fields = [("token", token.as_str()), ("version", version)];
        bookseller.post(path, &fields).await.found()
    };
    let page = change("/console/models/roll-back", "2").await;
    page.tells_done("Model 1 is active now.");
    // Sent again, it does not go back twice.
    let page = change("/console/models/roll-back", "2").await;
    page.tells_done("Model 1 is active now.");
    let page = change("/console/models/roll-back", "1").await;
    page.tells_failed("The service refused: ");
    let page = change("/console/models/activate", "2").await;
    page.tells_done("Model 2 is active now.");
    let page = change("/console/models/activate", "two").await;
    page.tells_failed("The service refused: ");
}

#[tokio::test]
async fn acceptance_counts_what_was_told() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    let shelf = ShelfRequest {
        kind: ShelfKind::PickedForYou.into(),
        max_results: 6,
        ..ShelfRequest::default()
    };
    let request = RecommendPageRequest {
        user_id: "3".to_owned(),
        shelves: vec![shelf],
        ..RecommendPageRequest::default()
    };
    let mut recommendations = RecommendationServiceClient::new(shop.channel.clone());
    let answer = recommendations.recommend_page(request).await.unwrap().into_inner();
    let shelf = &answer.shelves[0];
    let books: Vec<&str> =
        shelf.books.iter().map(|one| one.book.as_ref().unwrap().id.as_str()).collect();
    assert_eq!(books.len(), 6);
    let event = |kind: EventKind, book: &str| {
        let event = Event {
            event_id: format!("{kind:?}-{book}"),
            user_id: "3".to_owned(),
            book_id: book.to_owned(),
            kind: kind.into(),
            attribution_token: shelf.attribution_token.clone(),
            ..Event::default()
        };
        EventEntry { entry: Some(Entry::Event(event)) }
    };
    let mut entries: Vec<EventEntry> =
        books.iter().map(|book| event(EventKind::Impression, book)).collect();
    entries.extend(books[..2].iter().map(|book| event(EventKind::View, book)));
    entries.push(event(EventKind::Purchase, books[0]));
    let mut events = EventServiceClient::new(shop.channel.clone());
    events.record_events(RecordEventsRequest { entries }).await.unwrap();
    for path in ["/console/acceptance", "/console/acceptance?since=day"] {
        let page = bookseller.get(path).await.found();
        let row = "<th scope=\"row\">Picked for you</th><td>1</td><td>6</td><td>2</td>\
                   <td>33.3 % (9.68 to 70 %)</td><td>1</td><td>16.7 % (3.01 to 56.4 %)</td>";
        assert!(page.has(row), "{}", page.text);
        assert!(page.has("Picked for you, model 1: 33.3 % (9.68 to 70 %)"), "{}", page.text);
        assert!(page.has("class=\"line\"") && page.has("The first of them was shown at"));
    }
}

#[tokio::test]
async fn a_stall_is_shown_with_its_method_and_stack() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    assert!(bookseller.get("/console/stalls").await.found().has("There were none."));
    let (release, held) = std::sync::mpsc::channel::<()>();
    // A handler that waits for something without letting others run, with a name that is a trap.
    let stalled = shop.executor.spawn("/foreword.v1.BookService/<b>Block</b>", async move {
        let _ = held.recv();
    });
    let named = "foreword.v1.BookService/&#60;b&#62;Block&#60;/b&#62;";
    let page = until(&mut bookseller, "/console/stalls", |page| {
        page.has(named) && page.has("<details class=\"stack\">")
    })
    .await;
    assert!(!page.has("<b>Block"), "{}", page.text);
    let (_, stack) = page.text.split_once("<details class=\"stack\">").unwrap();
    assert!(stack.split("</summary>").next().unwrap().contains(named), "{stack}");
    assert!(stack.matches("<li><code>").count() > 1, "{stack}");
    release.send(()).unwrap();
    stalled.await.unwrap();
}

#[tokio::test]
async fn without_a_service_every_page_comes_and_says_so() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    shop.proxy.make(Weather::Down);
    for (path, text) in [
        ("/console", "and nothing was seen of it yet"),
        ("/console/stalls", "Stalls cannot be shown right now"),
        ("/console/models", "Models cannot be shown right now"),
        ("/console/acceptance", "Acceptance cannot be shown right now"),
        ("/console/try", "The list of readers cannot be shown right now"),
        ("/console/try?user=3", "Rules cannot be read right now"),
    ] {
        let page = bookseller.get(path).await.found();
        assert!(page.has(text), "no {text:?} in {}", page.text);
    }
    shop.proxy.make(Weather::Fair);
    until(&mut bookseller, "/console", |page| page.has("Calls since the start")).await;
    shop.proxy.make(Weather::HalfOpen);
    let page = until(&mut bookseller, "/console", |page| page.has("does not answer")).await;
    assert!(page.has("What is shown is what was seen last"), "{}", page.text);
    assert!(page.has("Calls since the start"));
}

#[tokio::test]
async fn the_pages_are_whole_in_both_languages_and_hold_nothing_inline() {
    let shop = Shop::demo().await;
    let mut bookseller = shop.bookseller().await;
    for language in ["en", "zh-CN"] {
        bookseller.headers = vec![("accept-language", language.to_owned())];
        for path in PAGES.into_iter().filter(|path| *path != "/console/live") {
            let page = bookseller.get(path).await.found();
            assert!(page.has(&format!("<html lang=\"{language}\">")), "{path}: {}", page.text);
            for bad in ["style=", "<style", "onclick", "{count}", "{value}", "{time}"] {
                assert!(!page.has(bad), "{bad} in {path}: {}", page.text);
            }
            let (_, body) = page.text.split_once("<main").unwrap();
            assert!(!body.contains("<script"), "{path}");
            assert_eq!(body.matches("<h1>").count(), 1, "{path}");
            let ids: Vec<&str> =
                body.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
            let mut distinct = ids.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), ids.len(), "{path}: {ids:?}");
        }
    }
}
