//! What visitors do to books: it counts at once, still agrees after a reload, and is taken back.

use std::time::{Duration, SystemTime};

use api::v1::EventKind;
use http::StatusCode;
use tonic::Code;

use crate::away::is_back;
use crate::browser::{Browser, Page, ids};
use crate::faults::Fault;
use crate::shop::Shop;

/// Sends what a form of the page sends, with a button of it.
async fn press(browser: &mut Browser, page: &Page, button: &str, more: &[(&str, &str)]) -> Page {
    let (token, id, back) = (page.field("token"), page.field("page"), page.field("back"));
    let mut fields =
        vec![("token", token.as_str()), ("page", &id), ("back", &back), ("do", button)];
    fields.extend(more);
    browser.post("/acts", &fields).await.found()
}

#[tokio::test]
async fn a_book_that_is_not_for_a_reader_is_gone_at_once_and_after_a_reload() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/").await.found();
    let first = ids(page.section("Books picked for you"), "dismiss")[0].clone();
    let after = press(&mut reader, &page, &format!("dismiss {first}"), &[]).await;
    after.tells_done("We will not show you Book");
    assert!(!after.books("want").contains(&first));
    let again = reader.get("/").await.found();
    assert!(!again.has("We will not show you"));
    assert!(!again.books("want").contains(&first));
    // The same form, sent again, is the same event.
    press(&mut reader, &page, &format!("dismiss {first}"), &[]).await;
    assert_eq!(shop.events("3", EventKind::Dismiss).await.len(), 1);
}

#[tokio::test]
async fn what_was_done_can_be_taken_back() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/").await.found();
    let first = ids(page.section("Books picked for you"), "dismiss")[0].clone();
    let after = press(&mut reader, &page, &format!("dismiss {first}"), &[]).await;
    let event = after.field("event");
    let undo = format!("undo-dismiss {first}");
    assert!(after.has(&format!("value=\"{undo}\"")), "{}", after.text);
    let back = press(&mut reader, &after, &undo, &[("event", &event)]).await;
    back.tells_done("Taken back: Book");
    assert!(back.books("want").contains(&first));
}

#[tokio::test]
async fn buying_takes_a_unit_and_taking_it_back_gives_it_once() {
    let shop = Shop::demo().await;
    for mut browser in [shop.reader("55").await, shop.visitor()] {
        let page = browser.get("/books/7").await.found();
        let after = press(&mut browser, &page, "buy 7", &[]).await;
        after.tells_done("Bought: Book 7");
        assert!(after.has("Only 2 left") && after.has("You bought it"), "{}", after.text);
        assert_eq!(shop.stock("7").await, Some(2));
        press(&mut browser, &page, "buy 7", &[]).await;
        assert_eq!(shop.stock("7").await, Some(2), "a form that is sent again takes nothing");
        let cookies = browser.cookies.clone();
        let event = after.field("event");
        press(&mut browser, &after, "undo-buy 7", &[("event", &event)]).await;
        assert_eq!(shop.stock("7").await, Some(3));
        browser.cookies = cookies;
        press(&mut browser, &after, "undo-buy 7", &[("event", &event)]).await;
        assert_eq!(shop.stock("7").await, Some(3), "nothing is given back twice");
    }
}

#[tokio::test]
async fn what_somebody_anonymous_bought_goes_with_them_and_is_given_back_once() {
    let shop = Shop::demo().await;
    let mut browser = shop.visitor();
    let page = browser.get("/books/7").await.found();
    press(&mut browser, &page, "buy 7", &[]).await;
    assert_eq!(shop.stock("7").await, Some(2));
    let (anonymous, token) =
        (browser.cookies.clone(), browser.get("/sign-in").await.field("token"));
    browser.post("/sign-in", &[("token", &token), ("reader", "buyer")]).await.found();
    let library = browser.get("/library?show=bought").await.found();
    assert!(library.has("/books/7\""), "{}", library.text);
    let event = library.field("event");
    let after = press(&mut browser, &library, "undo-buy 7", &[("event", &event)]).await;
    after.tells_done("Taken back: Book 7");
    assert_eq!(shop.stock("7").await, Some(3));
    // The old cookie says that it is bought, and is believed; but its unit is back already.
    browser.cookies = anonymous;
    let page = browser.get("/books/7").await.found();
    press(&mut browser, &page, "undo-buy 7", &[("event", "visit")]).await;
    assert_eq!(shop.stock("7").await, Some(3));
}

#[tokio::test]
async fn a_purchase_gives_back_a_unit_of_its_own_book_only() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/books/9").await.found();
    let after = press(&mut reader, &page, "buy 9", &[]).await;
    let event = after.field("event");
    press(&mut reader, &after, "undo-buy 7", &[("event", &event)]).await;
    assert_eq!(shop.stock("7").await, Some(3));
    // Nor is anything given back that was never bought.
    let (token, id) = (page.field("token"), page.field("page"));
    for event in ["buy-x", "buy-AAAAAAAAAAAAAAAAAAAAAA-0000000000000000"] {
        let fields =
            [("token", token.as_str()), ("page", &id), ("do", "undo-buy 7"), ("event", event)];
        let answer = reader.post("/acts", &fields).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
    }
    assert_eq!(shop.stock("7").await, Some(3));
}

#[tokio::test]
async fn a_purchase_that_cannot_be_told_is_told_later_as_of_when_it_was() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("buyer").await;
    let page = reader.get("/books/7").await.found();
    shop.faults.set("RecordEvents", Fault::Refused(Code::Unavailable));
    let after = press(&mut reader, &page, "buy 7", &[]).await;
    after.tells_done("Bought: Book 7");
    let bought = prost_types::Timestamp::from(SystemTime::now());
    assert_eq!(shop.stock("7").await, Some(2));
    shop.faults.end();
    let events = shop.has_events("buyer", EventKind::Purchase, 1).await;
    let time = events[0].event_time.unwrap();
    assert!((time.seconds, time.nanos) <= (bought.seconds, bought.nanos), "{time} {bought}");
}

#[tokio::test]
async fn a_purchase_that_is_not_told_yet_can_be_taken_back() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("buyer").await;
    let page = reader.get("/books/7").await.found();
    shop.faults.set("RecordEvents", Fault::Refused(Code::Unavailable));
    let after = press(&mut reader, &page, "buy 7", &[]).await;
    let event = after.field("event");
    // After some failures, the shop waits longer than this test.
    let before = shop.faults.count("RecordEvents");
    while shop.faults.count("RecordEvents") < before + 6 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let failed = press(&mut reader, &after, "undo-buy 7", &[("event", &event)]).await;
    failed.tells_failed("That could not be saved just now");
    assert_eq!(shop.stock("7").await, Some(2));
    shop.faults.end();
    let back = press(&mut reader, &failed, "undo-buy 7", &[("event", &event)]).await;
    back.tells_done("Taken back: Book 7");
    assert_eq!(shop.stock("7").await, Some(3));
    shop.has_told_all().await;
    assert!(shop.events("buyer", EventKind::Purchase).await.is_empty());
}

#[tokio::test]
async fn a_unit_whose_purchase_is_refused_is_given_back() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/books/7").await.found();
    shop.faults.set("RecordEvents", Fault::Refused(Code::InvalidArgument));
    let (token, id) = (page.field("token"), page.field("page"));
    let fields = [("token", token.as_str()), ("page", &id), ("do", "buy 7")];
    let answer = reader.post("/acts", &fields).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
    assert_eq!(shop.stock("7").await, Some(3));
    shop.faults.end();
    // What a form says of the shelf is no reason to refuse it.
    let page = reader.get("/books/7").await.found();
    let after = press(&mut reader, &page, "buy 7", &[("from", "a\u{7}b")]).await;
    after.tells_done("Bought: Book 7");
    assert_eq!(shop.events("3", EventKind::Purchase).await[0].attribution_token, "");
}

#[tokio::test]
async fn a_purchase_whose_answer_was_lost_takes_one_unit_when_it_is_tried_again() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/books/7").await.found();
    shop.faults.set("AdjustStock", Fault::Lost);
    let failed = press(&mut reader, &page, "buy 7", &[]).await;
    failed.tells_failed("That could not be saved just now");
    shop.faults.end();
    let after = press(&mut reader, &failed, "buy 7", &[]).await;
    after.tells_done("Bought: Book 7");
    assert_eq!(shop.stock("7").await, Some(2));
    // And another purchase is another.
    let after = press(&mut reader, &after, "buy 7", &[]).await;
    after.tells_done("Bought: Book 7");
    assert_eq!(shop.stock("7").await, Some(1));
}

#[tokio::test]
async fn other_stars_from_the_same_page_count() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/books/24").await.found();
    press(&mut reader, &page, "rate 24", &[("stars", "4")]).await;
    let after = press(&mut reader, &page, "rate 24", &[("stars", "2.5")]).await;
    assert!(after.has("You gave it ★★½"), "{}", after.text);
}

#[tokio::test]
async fn what_is_sold_out_is_not_sold() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/books/8").await.found();
    assert!(page.has("class=\"main\" disabled"), "{}", page.text);
    let after = press(&mut reader, &page, "buy 8", &[]).await;
    after.tells_failed("has just sold out. Nothing was bought.");
    assert!(!after.has("You bought it"));
    assert!(shop.events("3", EventKind::Purchase).await.is_empty());
}

#[tokio::test]
async fn all_that_a_reader_does_is_in_their_library() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("newcomer").await;
    for (book, button, more) in [
        ("21", "want 21", None),
        ("22", "buy 22", None),
        ("23", "finish 23", None),
        ("24", "rate 24", Some(("stars", "4"))),
        ("25", "dismiss 25", None),
    ] {
        let page = reader.get(&format!("/books/{book}")).await.found();
        press(&mut reader, &page, button, more.as_slice()).await;
    }
    let all = reader.get("/library").await.found();
    for text in ["Book 21", "Book 22", "Book 23", "Book 24", "Book 25", "You gave it ★★★★"]
    {
        assert!(all.has(text), "no {text:?} in {}", all.text);
    }
    for (part, there) in
        [("want", "21"), ("bought", "22"), ("finished", "23"), ("rated", "24"), ("dismissed", "25")]
    {
        let page = reader.get(&format!("/library?show={part}")).await.found();
        for book in 21..=25 {
            let is_there = page.has(&format!("/books/{book}\""));
            assert_eq!(is_there, book.to_string() == there, "{part}, book {book}");
        }
    }
    let page = reader.get("/library?show=rated").await.found();
    let event = page.field("event");
    let after = press(&mut reader, &page, "undo-rate 24", &[("event", &event)]).await;
    assert!(!after.has("/books/24\""), "{}", after.text);
}

#[tokio::test]
async fn what_a_visitor_looks_at_makes_their_shelves_and_goes_with_them() {
    let shop = Shop::demo().await;
    let mut visitor = shop.visitor();
    assert!(!visitor.get("/").await.has("Picked from what you looked at"));
    for book in [11, 12, 13] {
        visitor.get(&format!("/books/{book}")).await.found();
    }
    let page = visitor.get("/").await.found();
    assert!(page.has("Picked from what you looked at"), "{}", page.text);
    assert!(page.has("because you looked at Book 1"), "{}", page.text);
    let before = visitor.cookies["foreword"].clone();
    let token = visitor.get("/sign-in").await.field("token");
    let fields = [("token", token.as_str()), ("reader", "somebody new")];
    let page = visitor.post("/sign-in", &fields).await.found();
    assert!(page.has("Books picked for you"), "{}", page.text);
    assert_ne!(visitor.cookies["foreword"], before);
    assert_eq!(shop.events("somebody new", EventKind::View).await.len(), 3);
}

#[tokio::test]
async fn a_reader_can_take_their_data_along_and_be_forgotten() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("5").await;
    let data = reader.get("/library/data").await.found();
    assert!(data.headers["content-disposition"].to_str().unwrap().contains("attachment"));
    let lines: Vec<serde_json::Value> =
        data.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["reader"], "5");
    assert!(lines.iter().filter(|line| line["kind"] == "EVENT_KIND_RATING").count() == 10);
    let page = reader.get("/library/forget").await.found();
    let token = page.field("token");
    let unsure = reader.post("/library/forget", &[("token", &token)]).await.found();
    assert!(unsure.has("Yes, delete everything"));
    let page = reader.post("/library/forget", &[("token", &token), ("sure", "yes")]).await.found();
    page.tells_done("Everything about you is deleted: 10 entries");
    assert!(!page.has("Reading as"));
    assert!(shop.stored("5").await.is_none());
}

#[tokio::test]
async fn an_act_without_a_service_says_so_and_can_be_tried_again() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/").await.found();
    let first = page.books("dismiss")[0].clone();
    shop.proxy.make(crate::proxy::Weather::Down);
    let after = press(&mut reader, &page, &format!("dismiss {first}"), &[]).await;
    after.tells_failed("That could not be saved just now");
    assert_eq!(after.status, StatusCode::OK);
    shop.proxy.make(crate::proxy::Weather::Fair);
    is_back(&mut reader).await;
    // The page that told of the failure is of the same name, so it is the same act.
    for _ in 0..2 {
        let again = press(&mut reader, &after, &format!("dismiss {first}"), &[]).await;
        again.tells_done("We will not show you Book");
        assert!(!again.books("want").contains(&first));
    }
    assert_eq!(shop.events("3", EventKind::Dismiss).await.len(), 1);
}
