//! Who visitors are: chosen in a demo, said by a single sign-on elsewhere.

use std::time::{SystemTime, UNIX_EPOCH};

use api::v1::EventKind;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Method, StatusCode};
use marketplace::settings::{Secret, Settings, SignIn};
use marketplace::{Marketplace, Openness};
use ring::hmac;

use crate::shop::Shop;

const KEY: &str = "a key of the single sign-on, 32 bytes and more";

pub(crate) fn signed(reader: &str, seconds: i64) -> String {
    signed_as(reader, "reader", seconds)
}

pub(crate) fn signed_as(reader: &str, role: &str, seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let expires = i64::try_from(now).unwrap() + seconds;
    let signed = format!("{}.{role}.{expires}", URL_SAFE_NO_PAD.encode(reader));
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes())))
}

/// Has a proxy say who visitors are.
pub(crate) fn with_single_sign_on(settings: &mut Settings) {
    settings.sign_in = SignIn::Header;
    settings.sign_in_key = Secret::from(KEY.to_owned());
}

#[tokio::test]
async fn in_a_demo_a_reader_is_chosen_and_left() {
    let shop = Shop::demo().await;
    let mut visitor = shop.visitor();
    let page = visitor.get("/sign-in").await.found();
    assert!(page.has("Read as 1<") && page.has("10 books"), "{}", page.text);
    let token = page.field("token");
    let page = visitor.post("/sign-in", &[("token", &token), ("reader", "1")]).await.found();
    page.tells_done("Welcome, 1.");
    assert!(page.has("Reading as 1"), "{}", page.text);
    let token = page.field("token");
    let page = visitor.post("/sign-out", &[("token", &token)]).await.found();
    page.tells_done("You are signed out.");
    assert!(!page.has("Reading as"), "{}", page.text);
}

#[tokio::test]
async fn a_signed_header_says_who_it_is() {
    let shop = Shop::with(with_single_sign_on).await;
    let mut visitor = shop.visitor();
    visitor.get("/books/11").await.found();
    visitor.headers.push(("x-shop-reader", signed("3", 60)));
    assert!(visitor.get("/").await.found().has("Reading as 3"));
    visitor.headers[0].1 = signed("4", 60);
    assert!(visitor.get("/").await.found().has("Reading as 4"));
    visitor.headers.clear();
    assert!(!visitor.get("/").await.found().has("Reading as"));
}

#[tokio::test]
async fn a_header_that_proves_nothing_is_refused() {
    let shop = Shop::with(with_single_sign_on).await;
    let good = signed("3", 60);
    for bad in [signed("3", -1), good.replacen('.', "x.", 1), "3".to_owned(), String::new()] {
        let mut visitor = shop.visitor();
        visitor.headers.push(("x-shop-reader", bad.clone()));
        let page = visitor.get("/").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{bad:?}");
        assert!(page.has("We could not check who you are") && !page.has("Reading as"));
    }
}

#[tokio::test]
async fn elsewhere_nobody_can_choose_who_they_are() {
    for shop in [Shop::with(with_single_sign_on).await, Shop::with(|_| {}).await] {
        let mut visitor = shop.visitor();
        let token = visitor.get("/").await.field("token");
        let page = visitor.post("/sign-in", &[("token", &token), ("reader", "3")]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert!(!visitor.get("/").await.has("Reading as"));
    }
}

#[tokio::test]
async fn whoever_has_to_sign_in_is_told_how() {
    const ELSEWHERE: &str = "Sign in at the shop that you came from";
    const LIBRARY: &str = "Sign in to see your library";
    const LINK: &str = "<a class=\"button\" href=\"https://login.example/?to=shop\">Sign in</a>";
    let linked = |settings: &mut Settings| {
        with_single_sign_on(settings);
        settings.sign_in_url = "https://login.example/?to=shop".to_owned();
    };
    for (shop, library, console) in [
        (Shop::with(|_| {}).await, "Nobody can sign in here", "Nobody can sign in here"),
        (Shop::with(with_single_sign_on).await, ELSEWHERE, ELSEWHERE),
        (Shop::with(linked).await, LINK, LINK),
        (Shop::demo().await, LIBRARY, "href=\"/sign-in\">Sign in</a>"),
    ] {
        let mut visitor = shop.visitor();
        let page = visitor.get("/library").await.found();
        assert!(page.has(library), "{library}: {}", page.text);
        let has_way = [LINK, "class=\"button\" href=\"/sign-in\""].iter().any(|way| page.has(way));
        assert_eq!(page.has(LIBRARY), has_way, "{}", page.text);
        let page = visitor.get("/console").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(page.has(console), "{console}: {}", page.text);
        assert_eq!(page.has("Sign in as the bookseller"), has_way, "{}", page.text);
    }
}

#[tokio::test]
async fn what_a_visitor_did_goes_with_them_when_a_header_says_who_they_are() {
    let shop = Shop::with(with_single_sign_on).await;
    let mut visitor = shop.visitor();
    visitor.get("/books/11").await.found();
    visitor.headers.push(("x-shop-reader", signed("somebody new", 60)));
    visitor.get("/").await.found();
    assert_eq!(
        shop.has_events("somebody new", EventKind::View, 1).await[0].book_id,
        "11",
        "what was looked at"
    );
}

#[tokio::test]
async fn who_is_forgotten_stays_forgotten_though_they_are_signed_in_again() {
    let shop = Shop::with(with_single_sign_on).await;
    let mut reader = shop.visitor();
    reader.headers.push(("x-shop-reader", signed("5", 60)));
    let token = reader.get("/library/forget").await.found().field("token");
    let fields = [("token", token.as_str()), ("sure", "yes")];
    let page = reader.post_only("/library/forget", &fields).await.found();
    page.tells_done("Everything about you is deleted: 10 entries");
    for path in ["/", "/books/9", "/categories/mystery"] {
        assert!(reader.get(path).await.found().has("Reading as 5"));
    }
    let mut witness = shop.visitor();
    witness.headers.push(("x-shop-reader", signed("a witness", 60)));
    witness.get("/books/9").await.found();
    shop.has_events("a witness", EventKind::View, 1).await;
    assert!(shop.stored("5").await.is_none());
    // Until they do something.
    let page = reader.get("/books/9").await.found();
    let (token, id) = (page.field("token"), page.field("page"));
    let fields = [("token", token.as_str()), ("page", &id), ("do", "want 9")];
    reader.post("/acts", &fields).await.found();
    reader.get("/books/13").await.found();
    shop.has_events("5", EventKind::View, 1).await;
}

#[tokio::test]
async fn whom_somebody_was_in_a_demo_they_are_nowhere_else() {
    let key = || Secret::from("a key of the cookies, 32 bytes and more".to_owned());
    let demo = Shop::with(|settings| {
        settings.sign_in = SignIn::Demo;
        settings.cookie_key = key();
    })
    .await;
    let cookies = demo.reader("3").await.cookies;
    let shop = Shop::with(|settings| settings.cookie_key = key()).await;
    let mut visitor = shop.visitor();
    visitor.cookies = cookies;
    assert!(!visitor.get("/").await.found().has("Reading as"));
    assert_eq!(
        visitor.send(Method::GET, "/library/data", "", Bytes::new()).await.leads_to().as_deref(),
        Some("/library")
    );
}

#[tokio::test]
async fn a_demo_is_not_opened_to_others_by_mistake() {
    let mut settings = Settings::reference();
    settings.listen = vec!["0.0.0.0:0".to_owned()];
    settings.sign_in = SignIn::Demo;
    let refused = Marketplace::start(&settings, None, Openness::LocalDemo).unwrap_err();
    assert!(refused.to_string().contains("add --insecure"), "{refused}");
    // Whoever has much to do before knows it before.
    assert!(Marketplace::check(&settings, Openness::LocalDemo).is_err());
    assert!(Marketplace::check(&settings, Openness::Insecure).is_ok());
    assert!(Marketplace::start(&settings, None, Openness::Insecure).is_ok());
}
