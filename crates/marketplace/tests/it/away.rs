//! The service is slow, away, or takes connections and says nothing: pages come all the same, in
//! time.

use std::time::{Duration, Instant};

use http::StatusCode;

use crate::proxy::Weather;
use crate::shop::Shop;

/// What a page may take, whatever the service does.
const PATIENCE: Duration = Duration::from_millis(400);

/// Two cores are busy with other tests.
const BUSY: Duration = Duration::from_millis(150);

#[tokio::test]
async fn pages_come_in_time_with_what_was_shown_last() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let mut visitor = shop.visitor();
    let before = reader.get("/").await.is_ok().books("want");
    reader.get("/books/9").await.is_ok();
    visitor.get("/").await.is_ok();
    for weather in [Weather::Slow(Duration::from_secs(2)), Weather::HalfOpen, Weather::Down] {
        shop.proxy.make(weather);
        for _ in 0..3 {
            let asked = Instant::now();
            let page = reader.get("/").await.is_ok();
            let took = asked.elapsed();
            assert!(took < PATIENCE + BUSY, "{weather:?}: {took:?}");
            assert!(page.has("Our recommendations are taking a break"), "{}", page.text);
            assert_eq!(page.books("want"), before, "{weather:?}");
        }
        assert!(visitor.get("/").await.is_ok().has("Mystery books you may like"));
        assert!(reader.get("/books/9").await.is_ok().has("Book 9"));
    }
    shop.proxy.make(Weather::Fair);
    for _ in 0..200 {
        if !reader.get("/").await.is_ok().has("taking a break") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the shop did not find the service again");
}

#[tokio::test]
async fn what_was_never_shown_comes_from_the_catalogue() {
    let shop = Shop::demo().await;
    shop.proxy.make(Weather::Down);
    let page = shop.reader("nobody ever saw").await.get("/").await.is_ok();
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
        ann.get(&format!("/books/{book}")).await.is_ok();
    }
    assert!(ann.get("/").await.is_ok().has("because you looked at"));
    shop.proxy.make(Weather::Down);
    assert!(ann.get("/").await.is_ok().has("because you looked at"));
    let mut bob = shop.visitor();
    assert!(!bob.get("/").await.is_ok().has("because you looked at"));
    let mut cora = shop.reader("3").await;
    assert!(!cora.get("/").await.is_ok().has("because you looked at"));
}
