//! The service is slow, away, takes connections and says nothing, breaks off or talks nonsense:
//! pages come all the same, in time.

use std::time::{Duration, Instant};

use api::v1::EventKind;
use http::StatusCode;
use marketplace::settings::SignIn;
use tonic::Code;

use crate::browser::{Browser, Page};
use crate::faults::Fault;
use crate::proxy::Weather;
use crate::shop::{PAGE_TIMEOUT, Shop};
use crate::signing_in::{signed, with_single_sign_on};

/// What an answer may take, whatever the service does: one such wait, and not two.
const PATIENCE: Duration =
    PAGE_TIMEOUT.saturating_mul(2).saturating_sub(Duration::from_millis(200));

/// Longer than anybody waits.
const AN_HOUR: Duration = Duration::from_secs(3600);

/// A demo in which pages do not wait, and all else does.
async fn demo() -> Shop {
    Shop::with(|settings| {
        settings.sign_in = SignIn::Demo;
        settings.act_timeout_ms = 60_000.try_into().unwrap();
    })
    .await
}

/// A page that comes in time, whatever the service does.
pub(crate) async fn in_time(browser: &mut Browser, path: &str) -> Page {
    let asked = Instant::now();
    let page = browser.get(path).await.found();
    let took = asked.elapsed();
    assert!(took < PATIENCE, "{path}: {took:?}");
    page
}

/// Waits until the home page is that of the service again.
pub(crate) async fn is_back(browser: &mut Browser) {
    for _ in 0..200 {
        if !browser.get("/").await.found().has("taking a break") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the shop did not find the service again");
}

#[tokio::test]
async fn pages_come_in_time_with_what_was_shown_last() {
    let shop = demo().await;
    let mut reader = shop.reader("3").await;
    let mut visitor = shop.visitor();
    let before = reader.get("/").await.found().books("want");
    reader.get("/books/9").await.found();
    visitor.get("/").await.found();
    for weather in [
        Weather::Slow(AN_HOUR),
        Weather::HalfOpen,
        Weather::Torn(300),
        Weather::Rubbish,
        Weather::Down,
    ] {
        shop.proxy.make(weather);
        for _ in 0..3 {
            let page = in_time(&mut reader, "/").await;
            assert!(page.has("Our recommendations are taking a break"), "{}", page.text);
            assert_eq!(page.books("want"), before, "{weather:?}");
        }
        assert!(visitor.get("/").await.found().has("Mystery books you may like"));
        assert!(in_time(&mut reader, "/books/9").await.has("Book 9"));
        shop.proxy.make(Weather::Fair);
        is_back(&mut reader).await;
    }
}

#[tokio::test]
async fn whatever_the_service_says_instead_of_an_answer_the_page_comes() {
    let shop = demo().await;
    let mut reader = shop.reader("3").await;
    let before = reader.get("/").await.found().books("want");
    for code in [
        Code::Cancelled,
        Code::Unknown,
        Code::DeadlineExceeded,
        Code::PermissionDenied,
        Code::ResourceExhausted,
        Code::Aborted,
        Code::Unimplemented,
        Code::Internal,
        Code::Unavailable,
        Code::DataLoss,
        Code::Unauthenticated,
    ] {
        shop.faults.set("RecommendPage", Fault::Refused(code));
        let page = in_time(&mut reader, "/").await;
        assert!(page.has("Our recommendations are taking a break"), "{code:?}: {}", page.text);
        assert_eq!(page.books("want"), before, "{code:?}");
    }
    shop.faults.end();
    is_back(&mut reader).await;
}

#[tokio::test]
async fn what_was_never_shown_comes_from_the_catalogue() {
    let shop = Shop::demo().await;
    shop.proxy.make(Weather::Down);
    let page = shop.reader("nobody ever saw").await.get("/").await.found();
    assert!(page.has("taking a break"), "{}", page.text);
    assert!(page.books("want").len() >= 3, "{}", page.text);
    let mut visitor = shop.visitor();
    for path in ["/search?q=book", "/categories/mystery", "/library", "/sign-in", "/categories"] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
    }
    assert!(visitor.get("/search?q=book").await.has("From our catalogue"));
    // Books that the shop has met are there, others are not.
    assert_eq!(visitor.get("/books/no-such-book").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn one_visitors_shelves_are_never_anothers() {
    let shop = Shop::demo().await;
    let mut ann = shop.visitor();
    for book in [21, 22, 23] {
        ann.get(&format!("/books/{book}")).await.found();
    }
    assert!(ann.get("/").await.found().has("because you looked at"));
    shop.proxy.make(Weather::Down);
    assert!(ann.get("/").await.found().has("because you looked at"));
    let mut bob = shop.visitor();
    assert!(!bob.get("/").await.found().has("because you looked at"));
    let mut cora = shop.reader("3").await;
    assert!(!cora.get("/").await.found().has("because you looked at"));
}

#[tokio::test]
async fn nobody_waits_for_what_somebody_did_before_they_signed_in() {
    let shop = Shop::with(|settings| {
        with_single_sign_on(settings);
        settings.act_timeout_ms = 60_000.try_into().unwrap();
    })
    .await;
    let mut visitor = shop.visitor();
    visitor.get("/books/11").await.found();
    shop.proxy.make(Weather::HalfOpen);
    visitor.headers.push(("x-shop-reader", signed("somebody new", 60)));
    let page = in_time(&mut visitor, "/").await;
    assert!(page.has("Reading as somebody new"), "{}", page.text);
    shop.proxy.make(Weather::Fair);
    shop.has_events("somebody new", EventKind::View, 1).await;
}

#[tokio::test]
async fn what_takes_longer_does_not_take_for_ever() {
    let shop = Shop::with(|settings| {
        settings.sign_in = SignIn::Demo;
        settings.act_timeout_ms = settings.page_timeout_ms;
    })
    .await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/books/7").await.found();
    shop.proxy.make(Weather::HalfOpen);
    let asked = Instant::now();
    let data = reader.get("/library/data").await;
    assert_eq!(data.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(data.has("Your data cannot be had right now"), "{}", data.text);
    assert!(asked.elapsed() < PATIENCE, "{:?}", asked.elapsed());
    let (token, id) = (page.field("token"), page.field("page"));
    let fields = [("token", token.as_str()), ("page", &id), ("do", "buy 7")];
    let asked = Instant::now();
    let next = reader.post_only("/acts", &fields).await.leads_to().unwrap();
    assert!(asked.elapsed() < PATIENCE, "{:?}", asked.elapsed());
    in_time(&mut reader, &next).await.tells_failed("That could not be saved just now");
}

#[tokio::test]
async fn a_cover_that_nobody_remembers_is_a_plain_one_meanwhile() {
    let shop = Shop::with(|settings| settings.remembered_books = 1.try_into().unwrap()).await;
    shop.proxy.make(Weather::Down);
    let cover = shop.visitor().get("/covers/17?v=1").await.found();
    assert_eq!(cover.headers["content-type"], "image/svg+xml");
    assert_eq!(cover.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn an_act_that_the_service_refuses_does_not_stay_in_the_way() {
    let shop = Shop::demo().await;
    let mut visitor = shop.visitor();
    visitor.get("/books/11").await.found();
    shop.faults.set("RecommendPage", Fault::Refused(Code::InvalidArgument));
    assert!(visitor.get("/").await.found().has("taking a break"));
    shop.faults.end();
    let page = visitor.get("/").await.found();
    assert!(!page.has("taking a break") && !page.has("Picked from what you looked at"));
}

#[tokio::test]
async fn what_may_not_be_of_this_moment_is_shown_with_a_notice() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    for (method, path) in [("RecommendPage", "/"), ("GetBook", "/books/9")] {
        assert!(!reader.get(path).await.found().has("taking a break"));
        shop.faults.set(method, Fault::Stale);
        let page = reader.get(path).await.found();
        assert!(page.has("taking a break"), "{path}: {}", page.text);
        assert!(page.books("want").len() >= 3, "{path}: {}", page.text);
        shop.faults.end();
    }
}
