//! Several shelves of one page in one call.

use std::collections::HashSet;

use api::v1::{
    BookFilter, Event, EventEntry, EventKind, Fallback, HistoryItem, RecommendPageRequest,
    RecommendPageResponse, RecordEventsRequest, Shelf, ShelfKind, ShelfRequest, event_entry,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use storage::Book;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::running::{self, Running};

fn shelf(kind: ShelfKind) -> ShelfRequest {
    ShelfRequest { kind: kind.into(), max_results: 3, ..ShelfRequest::default() }
}

fn category(slug: &str) -> ShelfRequest {
    ShelfRequest { category: slug.to_owned(), ..shelf(ShelfKind::Category) }
}

fn about(kind: ShelfKind, book: &str) -> ShelfRequest {
    ShelfRequest { book_id: book.to_owned(), ..shelf(kind) }
}

fn several(kind: ShelfKind, max_shelves: i32) -> ShelfRequest {
    ShelfRequest { max_shelves, ..shelf(kind) }
}

fn page_of(user: &str, shelves: Vec<ShelfRequest>) -> RecommendPageRequest {
    RecommendPageRequest { user_id: user.to_owned(), shelves, ..RecommendPageRequest::default() }
}

async fn ask(
    running: &Running,
    request: RecommendPageRequest,
) -> Result<RecommendPageResponse, Status> {
    Ok(running.v1().recommend_page(request).await?.into_inner())
}

fn ids(shelf: &Shelf) -> Vec<String> {
    shelf.books.iter().filter_map(|one| Some(one.book.as_ref()?.id.clone())).collect()
}

fn kinds(page: &RecommendPageResponse) -> Vec<ShelfKind> {
    page.shelves.iter().map(Shelf::kind).collect()
}

/// The shop whose books 1 to 6 are the volumes of a series.
async fn shop_with_a_series() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = running::store(folder.path()).await;
    running::add_books(&store).await;
    let volume = |number: u32| Book {
        series: Some("Saga".to_owned()),
        volume: Some(f64::from(number)),
        ..running::book(number)
    };
    let mut writer = store.begin().await.unwrap();
    writer.put_books(&(1..=6).map(volume).collect::<Vec<_>>()).await.unwrap();
    writer.commit().await.unwrap();
    running::add_readers(&store).await;
    store.close().await;
    running::train_once(folder.path()).await;
    folder
}

/// A token as full as they get: of books 1 to 10, and of 990 others, which the shop does not have.
fn full_token() -> String {
    // The format; ten times one more than before; 1,001; and so on.
    let bytes = [&[1][..], &[2; 10], &[0xbe, 0x0f], &[2; 989]].concat();
    URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn no_shelf_repeats_what_a_full_token_says() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let wanted = |shelf: ShelfRequest| ShelfRequest { max_results: 15, ..shelf };
    let shelves = vec![wanted(category("sci-fi")), wanted(shelf(ShelfKind::Popular))];
    let request = RecommendPageRequest { shown_token: full_token(), ..page_of("1", shelves) };
    let page = ask(&running, request).await.unwrap();
    let [first, second] = &page.shelves[..] else { panic!("{page:?}") };
    assert!(first.books.len() >= 10 && !second.books.is_empty());
    for id in ids(first).into_iter().chain(ids(second)) {
        assert!(id.parse::<u32>().unwrap() > 10, "{id}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_page_has_its_shelves_in_order_and_no_book_twice() {
    let folder = shop_with_a_series().await;
    let store = running::store(folder.path()).await;
    running::add_ratings(&store, 100, &[1, 2, 20, 22], 10).await;
    store.close().await;
    let running = Running::start(folder.path()).await;
    let shelves = vec![
        shelf(ShelfKind::PickedForYou),
        category("mystery"),
        several(ShelfKind::Category, 3),
        several(ShelfKind::BecauseYouRead, 2),
        shelf(ShelfKind::Trending),
        shelf(ShelfKind::NextInSeries),
        about(ShelfKind::SimilarTo, "30"),
        shelf(ShelfKind::Popular),
    ];
    let page = ask(&running, page_of("100", shelves)).await.unwrap();
    use ShelfKind::{BecauseYouRead, Category, NextInSeries, PickedForYou, Popular, SimilarTo};
    // There are two categories, of which one is asked for by name.
    assert_eq!(
        kinds(&page),
        [
            PickedForYou,
            Category,
            Category,
            BecauseYouRead,
            BecauseYouRead,
            ShelfKind::Trending,
            NextInSeries,
            SimilarTo,
            Popular
        ]
    );
    let places: Vec<i32> = page.shelves.iter().map(|shelf| shelf.request_index).collect();
    assert_eq!(places, [0, 1, 2, 3, 3, 4, 5, 6, 7]);
    // What the reader has, what shelves are about, and the other edition of 39 or 40.
    let mut seen: HashSet<String> = ["1", "2", "20", "22", "30"].map(str::to_owned).into();
    for shelf in &page.shelves {
        assert_eq!(shelf.books.len(), if shelf.kind() == NextInSeries { 1 } else { 3 });
        for id in ids(shelf) {
            assert!(seen.insert(id.clone()), "{id} on {:?}", shelf.kind());
        }
    }
    assert!(!(seen.contains("39") && seen.contains("40")));
    let [mystery, other] = [&page.shelves[1], &page.shelves[2]].map(|shelf| {
        let category = shelf.category.as_ref().unwrap();
        let has = |one: &api::v1::RecommendedBook| {
            one.book.as_ref().unwrap().categories.contains(&category.slug)
        };
        assert!(shelf.books.iter().all(has), "{category:?}");
        (category.slug.as_str(), category.title.as_str(), category.book_count)
    });
    assert_eq!((mystery, other), (("mystery", "Mystery", 20), ("sci-fi", "Sci fi", 20)));
    let because = &page.shelves[3];
    assert!(["1", "2", "20", "22"].contains(&because.book.as_ref().unwrap().id.as_str()));
    assert_eq!((because.event_kind(), because.rating), (EventKind::Rating, 5.0));
    assert_eq!(ids(&page.shelves[6]), ["3"]);
    assert_eq!(page.shelves[7].book.as_ref().unwrap().id, "30");
    let tokens: HashSet<&str> =
        page.shelves.iter().map(|shelf| shelf.attribution_token.as_str()).collect();
    assert_eq!(tokens.len(), page.shelves.len());
    assert_eq!(page.model_version, "1");
    // The next page goes on.
    let request = RecommendPageRequest {
        shown_token: page.shown_token,
        ..page_of("100", vec![shelf(PickedForYou)])
    };
    let next = ask(&running, request).await.unwrap();
    assert!(ids(&next.shelves[0]).iter().all(|id| !seen.contains(id)), "{next:?}");
    running.stop().await;
}

#[tokio::test]
async fn what_was_just_done_shows_on_the_next_page() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let page = page_of("3", vec![shelf(ShelfKind::PickedForYou)]);
    let before = ask(&running, page.clone()).await.unwrap();
    let best = ids(&before.shelves[0])[0].clone();
    let event = Event {
        event_id: "not-for-me".to_owned(),
        user_id: "3".to_owned(),
        book_id: best.clone(),
        kind: EventKind::Dismiss.into(),
        attribution_token: before.shelves[0].attribution_token.clone(),
        ..Event::default()
    };
    let entries = vec![EventEntry { entry: Some(event_entry::Entry::Event(event)) }];
    let results = running.events().record_events(RecordEventsRequest { entries }).await.unwrap();
    let user_revision = results.into_inner().results[0].user_revision;
    let after = ask(&running, RecommendPageRequest { user_revision, ..page }).await.unwrap();
    assert!(after.user_revision >= user_revision);
    assert!(!ids(&after.shelves[0]).contains(&best));
    running.stop().await;
}

#[tokio::test]
async fn visitors_get_shelves_from_what_they_clicked_and_strangers_popular_ones() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let shelves = vec![
        shelf(ShelfKind::PickedForYou),
        category("mystery"),
        shelf(ShelfKind::BecauseYouRead),
        shelf(ShelfKind::NextInSeries),
        category("none-such"),
    ];
    let view = |book: &str| HistoryItem {
        book_id: book.to_owned(),
        kind: EventKind::View.into(),
        rating: 0.0,
    };
    let visitor = RecommendPageRequest {
        history: vec![view("10"), view("11")],
        ..page_of("", shelves.clone())
    };
    let page = ask(&running, visitor).await.unwrap();
    use ShelfKind::{BecauseYouRead, Category, PickedForYou};
    assert_eq!(kinds(&page), [PickedForYou, Category, BecauseYouRead]);
    assert!(page.shelves.iter().all(|shelf| shelf.fallback() == Fallback::Unspecified));
    assert_eq!(page.shelves[2].event_kind(), EventKind::View);
    let page = ask(&running, page_of("", shelves)).await.unwrap();
    assert_eq!(kinds(&page), [PickedForYou, Category]);
    for shelf in &page.shelves {
        assert_eq!((shelf.fallback(), shelf.books.len()), (Fallback::UnknownUser, 3));
    }
    running.stop().await;
}

#[tokio::test]
async fn without_a_store_the_page_still_comes_and_says_so() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    running.close_store().await;
    let shelves = vec![shelf(ShelfKind::PickedForYou), category("mystery")];
    let page = ask(&running, page_of("7", shelves)).await.unwrap();
    assert!(page.stale);
    for shelf in &page.shelves {
        assert_eq!((shelf.fallback(), shelf.books.len()), (Fallback::StoreUnavailable, 3));
    }
    running.stop().await;
}

#[tokio::test]
async fn filters_hold_on_every_shelf() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let filter = BookFilter { languages: vec!["en-us".to_owned()], ..BookFilter::default() };
    let shelves = vec![
        shelf(ShelfKind::PickedForYou),
        category("sci-fi"),
        shelf(ShelfKind::Trending),
        about(ShelfKind::SimilarTo, "30"),
        shelf(ShelfKind::Popular),
    ];
    let request = RecommendPageRequest { filter: Some(filter), ..page_of("3", shelves) };
    let page = ask(&running, request).await.unwrap();
    let books =
        page.shelves.iter().flat_map(|shelf| &shelf.books).filter_map(|one| one.book.as_ref());
    let numbers: Vec<i32> = books.map(|book| book.number).collect();
    assert!(numbers.len() > 3 && numbers.iter().all(|number| number % 5 == 0), "{numbers:?}");
    running.stop().await;
}

#[tokio::test]
async fn everything_wrong_with_a_page_is_named() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let check = async |shelves: Vec<ShelfRequest>, expected: &[&str]| {
        let status = ask(&running, page_of("3", shelves)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        let details = status.get_details_bad_request().unwrap();
        let found: Vec<String> =
            details.field_violations.into_iter().map(|one| one.field).collect();
        assert_eq!(found, expected, "{status:?}");
    };
    check(Vec::new(), &["shelves"]).await;
    check(vec![shelf(ShelfKind::Popular); 21], &["shelves"]).await;
    check(vec![shelf(ShelfKind::Unspecified)], &["shelves[0].kind"]).await;
    check(vec![category("mystery"), category("mystery")], &["shelves[1]"]).await;
    let with = ShelfRequest {
        category: "mystery".to_owned(),
        book_id: "1".to_owned(),
        max_shelves: 2,
        max_results: -1,
        ..shelf(ShelfKind::Popular)
    };
    check(
        vec![with],
        &[
            "shelves[0].max_results",
            "shelves[0].category",
            "shelves[0].book_id",
            "shelves[0].max_shelves",
        ],
    )
    .await;
    check(vec![several(ShelfKind::BecauseYouRead, 11)], &["shelves[0].max_shelves"]).await;
    check(vec![shelf(ShelfKind::SimilarTo)], &["shelves[0].book_id"]).await;
    let ten = |kind| ShelfRequest { max_results: 100, ..several(kind, 10) };
    check(
        vec![ten(ShelfKind::BecauseYouRead), ten(ShelfKind::Category), category("mystery")],
        &["shelves", "shelves"],
    )
    .await;
    let unknown = page_of("3", vec![about(ShelfKind::SimilarTo, "999")]);
    assert_eq!(ask(&running, unknown).await.unwrap_err().code(), Code::NotFound);
    running.stop().await;
}

/// The shop where readers of books 1 to 10 read none of 11 to 20, and the other way round.
async fn shop_of_two_tastes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = running::store(folder.path()).await;
    running::add_books(&store).await;
    for user in 1..=40 {
        let first = if user % 2 == 0 { 1 } else { 11 };
        let books: Vec<u32> = (0..6).map(|step| first + (user / 2 + step) % 10).collect();
        running::add_ratings(&store, user, &books, 10).await;
    }
    store.close().await;
    // Nothing but who read them brings books together.
    running::train_with(folder.path(), &running::settings_of("[content]\nscale = 0.0\n")).await;
    folder
}

#[tokio::test]
async fn a_liked_book_that_nothing_goes_with_leaves_its_shelf_to_the_next() {
    let folder = shop_of_two_tastes().await;
    let running = Running::start(folder.path()).await;
    let liked = |book: &str| HistoryItem {
        book_id: book.to_owned(),
        kind: EventKind::View.into(),
        rating: 0.0,
    };
    for (excluded, expected) in [(12..=20, "1"), (2..=10, "11")] {
        let filter = BookFilter {
            excluded_book_ids: excluded.map(|number: u32| number.to_string()).collect(),
            ..BookFilter::default()
        };
        let request = RecommendPageRequest {
            history: vec![liked("1"), liked("11")],
            filter: Some(filter),
            ..page_of("", vec![shelf(ShelfKind::BecauseYouRead)])
        };
        let page = ask(&running, request).await.unwrap();
        let [because] = &page.shelves[..] else { panic!("{page:?}") };
        assert_eq!(because.book.as_ref().unwrap().id, expected, "{page:?}");
    }
    running.stop().await;
}
