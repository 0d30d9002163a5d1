//! What visitors do to books: it counts at once, still agrees after a reload, and is taken back.

use api::v1::user_service_client::UserServiceClient;
use api::v1::{EventKind, ExportUserRequest};
use http::StatusCode;

use crate::browser::{Browser, Page, ids};
use crate::shop::Shop;

/// Sends what a form of the page sends, with a button of it.
async fn press(browser: &mut Browser, page: &Page, button: &str, more: &[(&str, &str)]) -> Page {
    let (token, id, back) = (page.field("token"), page.field("page"), page.field("back"));
    let mut fields =
        vec![("token", token.as_str()), ("page", &id), ("back", &back), ("do", button)];
    fields.extend(more);
    browser.post("/acts", &fields).await.is_ok()
}

#[tokio::test]
async fn a_book_that_is_not_for_a_reader_is_gone_at_once_and_after_a_reload() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/").await.is_ok();
    let first = ids(page.section("Books picked for you"), "dismiss")[0].clone();
    let after = press(&mut reader, &page, &format!("dismiss {first}"), &[]).await;
    assert!(after.has("We will not show you Book"), "{}", after.text);
    assert!(!after.books("want").contains(&first));
    let again = reader.get("/").await.is_ok();
    assert!(!again.has("We will not show you"));
    assert!(!again.books("want").contains(&first));
    // The same form, sent again, is the same event.
    press(&mut reader, &page, &format!("dismiss {first}"), &[]).await;
    assert_eq!(events(&shop, "3", EventKind::Dismiss).await, 1);
}

#[tokio::test]
async fn what_was_done_can_be_taken_back() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/").await.is_ok();
    let first = ids(page.section("Books picked for you"), "dismiss")[0].clone();
    let after = press(&mut reader, &page, &format!("dismiss {first}"), &[]).await;
    let event = after.field("event");
    let undo = format!("undo-dismiss {first}");
    assert!(after.has(&format!("value=\"{undo}\"")), "{}", after.text);
    let back = press(&mut reader, &after, &undo, &[("event", &event)]).await;
    assert!(back.has("Taken back: Book"), "{}", back.text);
    assert!(back.books("want").contains(&first));
}

#[tokio::test]
async fn buying_takes_a_unit_and_taking_it_back_gives_it_once() {
    let shop = Shop::demo().await;
    for mut browser in [shop.reader("55").await, shop.visitor()] {
        let page = browser.get("/books/7").await.is_ok();
        let after = press(&mut browser, &page, "buy 7", &[]).await;
        assert!(after.has("Bought: Book 7"), "{}", after.text);
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
async fn what_is_sold_out_is_not_sold() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/books/8").await.is_ok();
    assert!(page.has("class=\"main\" disabled"), "{}", page.text);
    let after = press(&mut reader, &page, "buy 8", &[]).await;
    assert!(after.has("has just sold out. Nothing was bought."), "{}", after.text);
    assert!(!after.has("You bought it"));
    assert_eq!(events(&shop, "3", EventKind::Purchase).await, 0);
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
        let page = reader.get(&format!("/books/{book}")).await.is_ok();
        press(&mut reader, &page, button, more.as_slice()).await;
    }
    let all = reader.get("/library").await.is_ok();
    for text in ["Book 21", "Book 22", "Book 23", "Book 24", "Book 25", "You gave it ★★★★"]
    {
        assert!(all.has(text), "no {text:?} in {}", all.text);
    }
    for (part, there) in
        [("want", "21"), ("bought", "22"), ("finished", "23"), ("rated", "24"), ("dismissed", "25")]
    {
        let page = reader.get(&format!("/library?show={part}")).await.is_ok();
        for book in 21..=25 {
            let is_there = page.has(&format!("/books/{book}\""));
            assert_eq!(is_there, book.to_string() == there, "{part}, book {book}");
        }
    }
    let page = reader.get("/library?show=rated").await.is_ok();
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
        visitor.get(&format!("/books/{book}")).await.is_ok();
    }
    let page = visitor.get("/").await.is_ok();
    assert!(page.has("Picked from what you looked at"), "{}", page.text);
    assert!(page.has("because you looked at Book 1"), "{}", page.text);
    let before = visitor.cookies["foreword"].clone();
    let token = visitor.get("/sign-in").await.field("token");
    let fields = [("token", token.as_str()), ("reader", "somebody new")];
    let page = visitor.post("/sign-in", &fields).await.is_ok();
    assert!(page.has("Books picked for you"), "{}", page.text);
    assert_ne!(visitor.cookies["foreword"], before);
    assert_eq!(events(&shop, "somebody new", EventKind::View).await, 3);
}

#[tokio::test]
async fn a_reader_can_take_their_data_along_and_be_forgotten() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("5").await;
    let data = reader.get("/library/data").await.is_ok();
    assert!(data.headers["content-disposition"].to_str().unwrap().contains("attachment"));
    let lines: Vec<serde_json::Value> =
        data.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["reader"], "5");
    assert!(lines.iter().filter(|line| line["kind"] == "EVENT_KIND_RATING").count() == 10);
    let page = reader.get("/library/forget").await.is_ok();
    let token = page.field("token");
    let unsure = reader.post("/library/forget", &[("token", &token)]).await.is_ok();
    assert!(unsure.has("Yes, delete everything"));
    let page = reader.post("/library/forget", &[("token", &token), ("sure", "yes")]).await.is_ok();
    assert!(page.has("Everything about you is deleted: 10 notes"), "{}", page.text);
    assert!(!page.has("Reading as"));
    let mut users = UserServiceClient::new(shop.channel.clone());
    let request = ExportUserRequest { user_id: "5".to_owned() };
    let known = match users.export_user(request).await {
        Ok(answers) => answers.into_inner().message().await,
        Err(status) => Err(status),
    };
    assert_eq!(known.unwrap_err().code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn an_act_without_a_service_says_so_and_can_be_tried_again() {
    let shop = Shop::demo().await;
    let mut reader = shop.reader("3").await;
    let page = reader.get("/").await.is_ok();
    let first = page.books("dismiss")[0].clone();
    shop.proxy.make(crate::proxy::Weather::Down);
    let after = press(&mut reader, &page, &format!("dismiss {first}"), &[]).await;
    assert!(after.has("That could not be saved just now"), "{}", after.text);
    assert_eq!(after.status, StatusCode::OK);
}

/// How many events of one kind the service holds of a user.
async fn events(shop: &Shop, user: &str, kind: EventKind) -> usize {
    let request = ExportUserRequest { user_id: user.to_owned() };
    let mut users = UserServiceClient::new(shop.channel.clone());
    let mut answers = users.export_user(request).await.unwrap().into_inner();
    let mut count = 0;
    while let Some(answer) = answers.message().await.unwrap() {
        let events = answer.events.iter().filter_map(|stored| stored.event.as_ref());
        count += events.filter(|event| event.kind() == kind).count();
    }
    count
}
