//! Users as lists: who there is, and what books each of them did something to.

use std::sync::Arc;
use std::time::Duration;

use api::v1::catalog_service_client::CatalogServiceClient;
use api::v1::user_service_client::UserServiceClient;
use api::v1::{
    Event, EventEntry, EventKind, GetBookRequest, GetBookResponse, ListUserBooksRequest,
    ListUserBooksResponse, ListUsersRequest, RecordEventsRequest, Retraction, UserSummary,
    event_entry,
};
use prost_types::Timestamp;
use server::data_folder::DataFolder;
use testbed::postgres::database_or_skip;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::running::{self, Running};

fn client(running: &Running) -> UserServiceClient<Channel> {
    UserServiceClient::new(running.channel.clone())
}

async fn record(running: &Running, entries: Vec<event_entry::Entry>) {
    let entries = entries.into_iter().map(|entry| EventEntry { entry: Some(entry) }).collect();
    running.events().record_events(RecordEventsRequest { entries }).await.unwrap();
}

/// Something that ann did, at a second.
fn did(seconds: i64, book: &str, kind: EventKind) -> event_entry::Entry {
    event_entry::Entry::Event(Event {
        event_id: format!("{book}-{}", kind.as_str_name()),
        user_id: "ann".to_owned(),
        book_id: book.to_owned(),
        kind: kind.into(),
        rating: if kind == EventKind::Rating { 4.5 } else { 0.0 },
        event_time: Some(Timestamp { seconds: 1_760_000_000 + seconds, nanos: 0 }),
        ..Event::default()
    })
}

async fn books(
    running: &Running,
    request: ListUserBooksRequest,
) -> Result<ListUserBooksResponse, Status> {
    let request = ListUserBooksRequest { user_id: "ann".to_owned(), ..request };
    Ok(client(running).list_user_books(request).await?.into_inner())
}

/// A page as ids with the kinds of what was done.
fn told(page: &ListUserBooksResponse) -> Vec<(String, Vec<EventKind>)> {
    let one = |book: &api::v1::UserBook| {
        let kinds = book.actions.iter().map(api::v1::UserAction::kind).collect();
        (book.book.as_ref().unwrap().id.clone(), kinds)
    };
    page.books.iter().map(one).collect()
}

async fn shop_of_ann() -> (tempfile::TempDir, Running) {
    use EventKind::{Finish, Purchase, Rating, View, WantToRead};
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let entries = vec![
        did(1, "1", WantToRead),
        did(2, "1", Purchase),
        did(9, "1", Rating),
        did(3, "2", WantToRead),
        did(4, "3", Finish),
        did(5, "not-yet", View),
        did(6, "4", WantToRead),
        did(7, "5", View),
    ];
    record(&running, entries).await;
    let taken_back =
        Retraction { user_id: "ann".to_owned(), event_id: "5-EVENT_KIND_VIEW".to_owned() };
    record(&running, vec![event_entry::Entry::Retraction(taken_back)]).await;
    (folder, running)
}

#[tokio::test]
async fn a_library_has_what_was_done_to_each_book_the_latest_first() {
    use EventKind::{Finish, Purchase, Rating, View, WantToRead};
    let (_folder, running) = shop_of_ann().await;
    let page = books(&running, ListUserBooksRequest::default()).await.unwrap();
    let expected = [
        ("1".to_owned(), vec![Rating, Purchase, WantToRead]),
        ("4".to_owned(), vec![WantToRead]),
        ("not-yet".to_owned(), vec![View]),
        ("3".to_owned(), vec![Finish]),
        ("2".to_owned(), vec![WantToRead]),
    ];
    assert_eq!((told(&page), page.total_count), (expected.to_vec(), 5));
    let rating = &page.books[0].actions[0];
    assert_eq!((rating.rating, rating.event_id.as_str()), (4.5, "1-EVENT_KIND_RATING"));
    assert_eq!(rating.event_time.unwrap().seconds, 1_760_000_009);
    assert_eq!(page.books[0].book.as_ref().unwrap().title, "Book 1");
    // A wish list.
    let wishes = ListUserBooksRequest {
        any_kinds: vec![WantToRead.into()],
        no_kinds: vec![Purchase.into(), Finish.into()],
        ..ListUserBooksRequest::default()
    };
    let page = books(&running, wishes).await.unwrap();
    assert_eq!(
        told(&page),
        [("4".to_owned(), vec![WantToRead]), ("2".to_owned(), vec![WantToRead])]
    );
    // Page by page.
    let mut request = ListUserBooksRequest { page_size: 2, ..ListUserBooksRequest::default() };
    let mut found = Vec::new();
    loop {
        let page = books(&running, request.clone()).await.unwrap();
        assert_eq!(page.total_count, 5);
        found.extend(told(&page));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(found, expected);
    running.stop().await;
}

#[tokio::test]
async fn strangers_and_what_is_no_kind_of_a_history_are_refused() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let stranger = books(&running, ListUserBooksRequest::default()).await.unwrap_err();
    assert_eq!(stranger.code(), Code::NotFound);
    let wrong = ListUserBooksRequest {
        any_kinds: vec![EventKind::Impression.into(), 77],
        no_kinds: vec![0],
        page_size: -1,
        page_token: "?".to_owned(),
        ..ListUserBooksRequest::default()
    };
    let status = books(&running, wrong).await.unwrap_err();
    let violations = status.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<String> = violations.into_iter().map(|one| one.field).collect();
    assert_eq!(fields, ["any_kinds[0]", "any_kinds[1]", "no_kinds[0]", "page_size", "page_token"]);
    let many = ListUserBooksRequest {
        any_kinds: vec![EventKind::View.into(); 10],
        no_kinds: vec![0; 1_000],
        ..ListUserBooksRequest::default()
    };
    let status = books(&running, many).await.unwrap_err();
    let violations = status.get_details_bad_request().unwrap().field_violations;
    let told: Vec<(&str, &str)> =
        violations.iter().map(|one| (one.field.as_str(), one.description.as_str())).collect();
    let expected = [
        ("any_kinds", "found 10 kinds, expected at most 9"),
        ("no_kinds", "found 1000 kinds, expected at most 9"),
    ];
    assert_eq!(told, expected);
    running.stop().await;
}

#[tokio::test]
async fn a_book_comes_with_what_its_reader_did() {
    let (_folder, running) = shop_of_ann().await;
    let ask = async |book: &str, user: &str| -> GetBookResponse {
        let (book_id, user_id) = (book.to_owned(), user.to_owned());
        let request = GetBookRequest { book_id, user_id, ..GetBookRequest::default() };
        let mut client = CatalogServiceClient::new(running.channel.clone());
        client.get_book(request).await.unwrap().into_inner()
    };
    let kinds = |answer: &GetBookResponse| -> Option<Vec<EventKind>> {
        let done = answer.user_book.as_ref()?;
        Some(done.actions.iter().map(api::v1::UserAction::kind).collect())
    };
    assert_eq!(kinds(&ask("3", "ann").await), Some(vec![EventKind::Finish]));
    for (book, user) in [("5", "ann"), ("6", "ann"), ("3", "nobody"), ("3", "")] {
        let answer = ask(book, user).await;
        assert_eq!((kinds(&answer), answer.stale), (None, false), "{book} {user}");
    }
    running.close_store().await;
    let answer = ask("3", "ann").await;
    assert_eq!((kinds(&answer), answer.stale), (None, true));
    running.stop().await;
}

#[tokio::test]
async fn a_book_comes_in_time_while_the_store_hangs() {
    let Some(database) = database_or_skip("a book while the store hangs") else { return };
    let (database, folder) = (Arc::new(database), tempfile::tempdir().unwrap());
    let mut settings = running::settings();
    settings.store.database = database.url().to_owned().into();
    let store = DataFolder::new(folder.path()).store(&settings).await.unwrap();
    running::add_books(&store).await;
    store.close().await;
    let running = Running::start_with(folder.path(), settings).await;
    record(&running, vec![did(4, "3", EventKind::Finish)]).await;
    let ask = async || {
        let (book_id, user_id) = ("3".to_owned(), "ann".to_owned());
        let message = GetBookRequest { book_id, user_id, ..GetBookRequest::default() };
        let mut request = Request::new(message);
        request.set_timeout(Duration::from_secs(4));
        let mut client = CatalogServiceClient::new(running.channel.clone());
        client.get_book(request).await.unwrap().into_inner()
    };
    let answer = ask().await;
    assert!(answer.user_book.is_some() && !answer.stale);
    // Who reads events waits for this one, which is cut off in the end.
    let holder = Arc::clone(&database);
    let holding = tokio::task::spawn_blocking(move || {
        holder.query("BEGIN; LOCK TABLE foreword.events; SELECT pg_sleep(50)")
    });
    let held = "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock'
        AND relation = 'foreword.events'::regclass";
    running::until(async || database.query(held).unwrap() == "1").await;
    let answer = ask().await;
    assert!(answer.user_book.is_none() && answer.stale);
    assert_eq!(answer.book.unwrap().title, "Book 3");
    let cut_off = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'BEGIN; LOCK%'";
    database.query(cut_off).unwrap();
    assert!(holding.await.unwrap().is_err());
    running::until(async || !ask().await.stale).await;
    running.stop().await;
}

/// All pages of the list of users.
async fn users(running: &Running, page_size: i32) -> Vec<UserSummary> {
    let mut request = ListUsersRequest { page_size, ..ListUsersRequest::default() };
    let mut users = Vec::new();
    loop {
        let page = client(running).list_users(request.clone()).await.unwrap().into_inner();
        assert!(page.users.len() <= page_size as usize);
        users.extend(page.users);
        if page.next_page_token.is_empty() {
            return users;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test]
async fn users_are_listed_with_what_they_like() {
    let (_folder, running) = shop_of_ann().await;
    let users = users(&running, 25).await;
    let ids: Vec<String> = users.iter().map(|user| user.user_id.clone()).collect();
    let expected: Vec<String> =
        (1..=60).map(|user: i32| user.to_string()).chain(["ann".to_owned()]).collect();
    assert_eq!(ids, expected);
    assert!(users.iter().take(60).all(|user| user.book_count == 10 && !user.simulated));
    let ann = &users[60];
    assert_eq!((ann.book_count, ann.simulated), (5, false));
    assert_eq!(ann.last_event_time.unwrap().seconds, 1_760_000_009);
    // Books 1 and 3, of which one is rated and one read, against 2 and 4, which are wished for.
    let slugs: Vec<&str> = ann.favourite_categories.iter().map(|one| one.slug.as_str()).collect();
    assert_eq!(slugs, ["sci-fi", "mystery"]);
    running.stop().await;
}
