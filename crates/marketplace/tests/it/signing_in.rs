//! Who visitors are: chosen in a demo, said by a single sign-on elsewhere.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use marketplace::settings::{Secret, Settings, SignIn};
use marketplace::{Marketplace, Openness};
use ring::hmac;

use crate::shop::Shop;

const KEY: &str = "a key of the single sign-on, 32 bytes and more";

fn signed(reader: &str, seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let expires = i64::try_from(now).unwrap() + seconds;
    let signed = format!("{}.{expires}", URL_SAFE_NO_PAD.encode(reader));
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes())))
}

async fn with_single_sign_on() -> Shop {
    Shop::with(|settings| {
        settings.sign_in = SignIn::Header;
        settings.sign_in_key = Secret::from(KEY.to_owned());
    })
    .await
}

#[tokio::test]
async fn in_a_demo_a_reader_is_chosen_and_left() {
    let shop = Shop::demo().await;
    let mut visitor = shop.visitor();
    let page = visitor.get("/sign-in").await.is_ok();
    assert!(page.has("Read as 1<") && page.has("10 books"), "{}", page.text);
    let token = page.field("token");
    let page = visitor.post("/sign-in", &[("token", &token), ("reader", "1")]).await.is_ok();
    assert!(page.has("Welcome, 1.") && page.has("Reading as 1"), "{}", page.text);
    let token = page.field("token");
    let page = visitor.post("/sign-out", &[("token", &token)]).await.is_ok();
    assert!(page.has("You are signed out.") && !page.has("Reading as"), "{}", page.text);
}

#[tokio::test]
async fn a_signed_header_says_who_it_is() {
    let shop = with_single_sign_on().await;
    let mut visitor = shop.visitor();
    visitor.get("/books/11").await.is_ok();
    visitor.headers.push(("x-shop-reader", signed("3", 60)));
    assert!(visitor.get("/").await.is_ok().has("Reading as 3"));
    visitor.headers[0].1 = signed("4", 60);
    assert!(visitor.get("/").await.is_ok().has("Reading as 4"));
    visitor.headers.clear();
    assert!(!visitor.get("/").await.is_ok().has("Reading as"));
}

#[tokio::test]
async fn a_header_that_proves_nothing_is_refused() {
    let shop = with_single_sign_on().await;
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
    for shop in [with_single_sign_on().await, Shop::with(|_| {}).await] {
        let mut visitor = shop.visitor();
        let token = visitor.get("/").await.field("token");
        let page = visitor.post("/sign-in", &[("token", &token), ("reader", "3")]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert!(!visitor.get("/").await.has("Reading as"));
    }
}

#[tokio::test]
async fn a_demo_is_not_opened_to_others_by_mistake() {
    let mut settings = Settings::reference();
    settings.listen = vec!["0.0.0.0:0".to_owned()];
    settings.sign_in = SignIn::Demo;
    let refused = Marketplace::start(&settings, None, Openness::LocalDemo).unwrap_err();
    assert!(refused.to_string().contains("add --insecure"), "{refused}");
    assert!(Marketplace::start(&settings, None, Openness::Insecure).is_ok());
}
