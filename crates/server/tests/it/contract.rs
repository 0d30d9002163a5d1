//! Both contracts, through real clients over a real connection.

use api::tutorial::RecommendationRequest;
use api::v1::{
    BookFilter, EventKind, Fallback, HistoryItem, ReasonCode, RecommendRequest, RecommendResponse,
    SimilarBooksRequest, TrendingRequest, source,
};
use recommender::offer::{Offer, Price};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::running::{self, Running};

fn tutorial(user_id: i32, category: i32, max_results: i32) -> RecommendationRequest {
    RecommendationRequest { user_id, category, max_results }
}

fn for_user(user: &str) -> RecommendRequest {
    RecommendRequest { user_id: user.to_owned(), ..RecommendRequest::default() }
}

fn numbers(response: &RecommendResponse) -> Vec<i32> {
    response.books.iter().flat_map(|book| &book.book).map(|book| book.number).collect()
}

/// The fields that a status names.
fn fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_details_bad_request().unwrap();
    details.field_violations.into_iter().map(|one| one.field).collect()
}

#[tokio::test]
async fn the_tutorials_call_is_answered_from_its_category() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut client = running.tutorial();
    for (category, parity) in [(0, 1), (1, 0)] {
        let answer = client.recommend(tutorial(3, category, 3)).await.unwrap().into_inner();
        assert_eq!(answer.recommendations.len(), 3);
        for book in answer.recommendations {
            assert_eq!(book.id % 2, parity);
            assert_eq!(book.title, format!("Book {}", book.id));
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn the_tutorials_call_has_its_defaults_and_refusals() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut client = running.tutorial();
    let default = client.recommend(tutorial(3, 0, 0)).await.unwrap().into_inner();
    assert_eq!(default.recommendations.len(), 10);
    let nobody = client.recommend(tutorial(0, 0, 5)).await.unwrap().into_inner();
    let negative = client.recommend(tutorial(-7, 0, 5)).await.unwrap().into_inner();
    assert_eq!(nobody.recommendations.len(), 5);
    assert_eq!(nobody, negative);
    let none = client.recommend(tutorial(3, 2, 5)).await.unwrap().into_inner();
    assert!(none.recommendations.is_empty());
    let unknown = client.recommend(tutorial(3, 3, 5)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    for max_results in [-1, 101, i32::MIN, i32::MAX] {
        let refused = client.recommend(tutorial(3, 0, max_results)).await.unwrap_err();
        assert_eq!(fields(&refused), ["max_results"]);
    }
    running.stop().await;
}

#[tokio::test]
async fn a_personal_answer_has_scores_reasons_and_a_source() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let answer = running.v1().recommend(for_user("3")).await.unwrap().into_inner();
    assert_eq!(answer.fallback(), Fallback::Unspecified);
    assert_eq!(answer.model_version, "1");
    assert!(answer.attribution_token.starts_with("1."));
    assert_eq!(answer.books.len(), 10);
    let best = &answer.books[0];
    assert!(best.score > 0.0);
    let source = best.source.unwrap();
    assert_eq!((source.kind(), source.simulated), (source::Kind::Personal, false));
    assert!((1..=3).contains(&best.reasons.len()));
    let strongest = best.reasons[0].clone();
    assert_eq!(strongest.code(), ReasonCode::History);
    for reason in &best.reasons {
        assert_eq!(reason.event_kind(), EventKind::Rating);
        assert_eq!(reason.rating, 5.0);
        match reason.code() {
            ReasonCode::History => assert!(reason.share > 0.0 && reason.share <= strongest.share),
            code => assert_eq!(
                (code, reason.author.starts_with("Author ")),
                (ReasonCode::ByAuthor, true)
            ),
        }
        assert_eq!(reason.book_title, format!("Book {}", reason.book_id));
    }
    let had: Vec<i32> = (4..14).collect();
    assert!(numbers(&answer).iter().all(|number| !had.contains(number)));
    running.stop().await;
}

#[tokio::test]
async fn pages_and_shelves_that_hand_the_token_on_never_repeat_a_book() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut shown_token = String::new();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let page = RecommendRequest { max_results: 5, shown_token, ..for_user("3") };
        let answer = running.v1().recommend(page).await.unwrap().into_inner();
        assert_eq!(answer.books.len(), 5);
        assert!(numbers(&answer).into_iter().all(|number| seen.insert(number)));
        shown_token = answer.shown_token;
    }
    let shelf = TrendingRequest { shown_token, max_results: 100, ..TrendingRequest::default() };
    let answer = running.v1().trending(shelf).await.unwrap().into_inner();
    let books = answer.books.into_iter().filter_map(|one| one.book);
    assert!(books.map(|book| book.number).all(|number| seen.insert(number)));
    assert!(seen.len() > 30, "{}", seen.len());
    running.stop().await;
}

#[tokio::test]
async fn no_edition_of_a_work_the_user_has_is_returned() {
    let folder = running::full_shop().await;
    let store = running::store(folder.path()).await;
    running::add_ratings(&store, 100, &[39, 38], 9).await;
    store.close().await;
    let running = Running::start(folder.path()).await;
    let everything = RecommendRequest { max_results: 100, ..for_user("100") };
    let answer = running.v1().recommend(everything).await.unwrap().into_inner();
    assert_eq!(answer.books.len(), 37);
    assert!(!numbers(&answer).contains(&40));
    running.stop().await;
}

#[tokio::test]
async fn an_inline_history_answers_like_a_user_with_that_history() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let history = (4..14)
        .map(|book: i32| HistoryItem { book_id: book.to_string(), kind: 0, rating: 5.0 })
        .collect();
    let inline = RecommendRequest { history, ..RecommendRequest::default() };
    let anonymous = running.v1().recommend(inline).await.unwrap().into_inner();
    let user = running.v1().recommend(for_user("3")).await.unwrap().into_inner();
    assert_eq!(anonymous.books, user.books);
    assert_ne!(anonymous.attribution_token, user.attribution_token);
    running.stop().await;
}

#[tokio::test]
async fn filters_hold_for_every_book() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let filter = BookFilter {
        any_categories: vec!["sci-fi".to_owned(), "none-such".to_owned()],
        languages: vec!["EN-us".to_owned()],
        excluded_book_ids: vec!["40".to_owned(), "not in the shop".to_owned()],
        ..BookFilter::default()
    };
    let request = RecommendRequest { filter: Some(filter), max_results: 100, ..for_user("3") };
    let answer = running.v1().recommend(request).await.unwrap().into_inner();
    let mut found = numbers(&answer);
    found.sort_unstable();
    assert_eq!(found, [20, 30]);
    running.stop().await;
}

#[tokio::test]
async fn books_come_with_their_offer_and_are_filtered_by_it() {
    let folder = running::full_shop().await;
    let store = running::store(folder.path()).await;
    let offer = |number: u32| Offer {
        stock: (number != 21).then_some(number % 2),
        price: (number != 23).then(|| euros(u64::from(number) * 100)),
        age_min: (number != 25).then_some(number as u8 / 2),
    };
    running::put_offers(&store, 21..=30, offer).await;
    store.close().await;
    let running = Running::start(folder.path()).await;
    let check = async |filter: BookFilter, expected: &[i32]| {
        let request = RecommendRequest { filter: Some(filter), max_results: 100, ..for_user("3") };
        let answer = running.v1().recommend(request).await.unwrap().into_inner();
        let mut found = numbers(&answer);
        found.retain(|number| (21..=30).contains(number));
        found.sort_unstable();
        assert_eq!(found, expected);
        answer
    };
    let any = BookFilter::default();
    let answer = check(any.clone(), &[21, 23, 25, 27, 29]).await;
    let mut books = answer.books.iter().filter_map(|book| book.book.as_ref());
    let book = books.find(|book| book.number == 27).unwrap();
    let price = |minor_units| api::v1::Price { minor_units, currency: "EUR".to_owned() };
    assert_eq!((book.stock, book.min_age), (Some(1), Some(13)));
    assert_eq!(book.price, Some(price(2700)));
    let sold_out = BookFilter { include_sold_out: true, ..any.clone() };
    check(sold_out, &[21, 22, 23, 24, 25, 26, 27, 28, 29, 30]).await;
    check(BookFilter { max_price: Some(price(2700)), ..any.clone() }, &[21, 25, 27]).await;
    check(BookFilter { reader_age: Some(11), ..any.clone() }, &[21, 23, 25]).await;
    let certain = BookFilter { reader_age: Some(11), require_known_age: true, ..any.clone() };
    check(certain, &[21, 23]).await;
    let wrong = BookFilter {
        max_price: Some(api::v1::Price { minor_units: -1, currency: "euro".to_owned() }),
        reader_age: Some(121),
        ..any
    };
    let request = RecommendRequest { filter: Some(wrong), ..for_user("3") };
    let status = running.v1().recommend(request).await.unwrap_err();
    assert_eq!(
        fields(&status),
        ["filter.reader_age", "filter.max_price.minor_units", "filter.max_price.currency"]
    );
    running.stop().await;
}

fn euros(minor_units: u64) -> Price {
    Price { minor_units, currency: "EUR".parse().unwrap() }
}

#[tokio::test]
async fn everything_wrong_with_a_request_is_named_at_once() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let item = |book_id: &str, kind: i32, rating: f64| HistoryItem {
        book_id: book_id.to_owned(),
        kind,
        rating,
    };
    let request = RecommendRequest {
        user_id: String::new(),
        history: vec![item("", 0, 0.0), item("1", 77, 0.0), item("1", 6, 0.0), item("1", 5, 3.0)],
        filter: Some(BookFilter {
            any_categories: vec!["x".to_owned(); 101],
            languages: vec!["e\nn".to_owned()],
            ..BookFilter::default()
        }),
        max_results: -1,
        shown_token: "no token".to_owned(),
    };
    let status = running.v1().recommend(request).await.unwrap_err();
    assert!(status.message().contains("(and 7 more)"), "{}", status.message());
    assert_eq!(
        fields(&status),
        [
            "history[0].book_id",
            "history[1].kind",
            "history[2].rating",
            "history[3].rating",
            "filter.any_categories",
            "filter.languages[0]",
            "shown_token",
            "max_results",
        ]
    );
    let both = RecommendRequest { history: vec![item("1", 0, 0.0)], ..for_user("3") };
    assert_eq!(fields(&running.v1().recommend(both).await.unwrap_err()), ["history"]);
    let long = for_user(&"x".repeat(500_000));
    let refused = running.v1().recommend(long).await.unwrap_err();
    assert_eq!(fields(&refused), ["user_id"]);
    assert!(refused.message().len() < 200, "{}", refused.message().len());
    let history = vec![item("", 0, 9.0); 900];
    let many = RecommendRequest { history, ..RecommendRequest::default() };
    let refused = running.v1().recommend(many).await.unwrap_err();
    assert_eq!(fields(&refused).len(), 10);
    assert!(refused.message().ends_with("(and 1799 more)"), "{}", refused.message());
    running.stop().await;
}

#[tokio::test]
async fn nobody_and_strangers_get_popular_books_and_are_told_so() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    for user in ["", "999", "somebody new"] {
        let filter =
            BookFilter { any_categories: vec!["mystery".to_owned()], ..BookFilter::default() };
        let request = RecommendRequest { filter: Some(filter), ..for_user(user) };
        let answer = running.v1().recommend(request).await.unwrap().into_inner();
        assert_eq!(answer.fallback(), Fallback::UnknownUser, "{user:?}");
        assert_eq!(answer.books.len(), 10);
        for book in answer.books {
            assert_eq!(book.source.unwrap().kind(), source::Kind::Popular);
            assert_eq!(book.reasons[0].code(), ReasonCode::PopularInCategory);
            assert_eq!(book.reasons[0].category, "mystery");
        }
    }
    running.stop().await;
}

#[tokio::test]
async fn similar_books_name_the_book_and_unknown_ones_are_not_found() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let of = |book_id: &str| SimilarBooksRequest {
        book_id: book_id.to_owned(),
        max_results: 5,
        ..SimilarBooksRequest::default()
    };
    let answer = running.v1().similar_books(of("10")).await.unwrap().into_inner();
    assert_eq!(answer.books.len(), 5);
    assert_eq!(answer.fallback(), Fallback::Unspecified);
    let best = &answer.books[0];
    assert_eq!(best.source.unwrap().kind(), source::Kind::Similar);
    assert_eq!(best.reasons[0].code(), ReasonCode::SimilarTo);
    assert_eq!(best.reasons[0].book_title, "Book 10");
    let unknown = running.v1().similar_books(of("41")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert_eq!(fields(&running.v1().similar_books(of("")).await.unwrap_err()), ["book_id"]);
    running.stop().await;
}

#[tokio::test]
async fn without_times_trending_falls_back_to_popular_and_says_so() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let answer = running.v1().trending(TrendingRequest::default()).await.unwrap().into_inner();
    assert_eq!(answer.books.len(), 10);
    assert_eq!(answer.fallback(), Fallback::NoTrend);
    running.stop().await;
}

#[tokio::test]
async fn a_shop_without_a_model_answers_and_says_that_it_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = running::store(folder.path()).await;
    running::add_books(&store).await;
    running::add_readers(&store).await;
    store.close().await;
    let running = Running::start(folder.path()).await;
    let answer = running.v1().recommend(for_user("3")).await.unwrap().into_inner();
    assert_eq!(answer.fallback(), Fallback::NoModel);
    assert_eq!(answer.model_version, "");
    for book in &answer.books {
        assert_eq!(book.source.unwrap().kind(), source::Kind::Unranked);
        assert!(book.reasons.is_empty());
    }
    assert_eq!(numbers(&answer), [1, 2, 3, 14, 15, 16, 17, 18, 19, 20]);
    running.stop().await;
}

#[tokio::test]
async fn a_reader_of_thousands_of_books_never_gets_one_they_have() {
    let folder = running::full_shop().await;
    let store = running::store(folder.path()).await;
    // More events than are read for one request; the books are among the oldest.
    running::add_ratings(&store, 100, &(1..=30).collect::<Vec<_>>(), 10).await;
    running::add_views(&store, 100, 2_500).await;
    store.close().await;
    let running = Running::start(folder.path()).await;
    let everything = RecommendRequest { max_results: 100, ..for_user("100") };
    let answer = running.v1().recommend(everything).await.unwrap().into_inner();
    let mut found = numbers(&answer);
    found.sort_unstable();
    assert_eq!(found, [31, 32, 33, 34, 35, 36, 37, 38, 39]);
    running.stop().await;
}

#[tokio::test]
async fn a_filter_that_nothing_meets_is_no_fallback() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let nothing = BookFilter { any_categories: vec!["none".to_owned()], ..BookFilter::default() };
    let request = RecommendRequest { filter: Some(nothing.clone()), ..for_user("3") };
    let answer = running.v1().recommend(request).await.unwrap().into_inner();
    assert_eq!((answer.books.len(), answer.fallback()), (0, Fallback::Unspecified));
    let request = SimilarBooksRequest {
        book_id: "10".to_owned(),
        filter: Some(nothing),
        ..SimilarBooksRequest::default()
    };
    let answer = running.v1().similar_books(request).await.unwrap().into_inner();
    assert_eq!((answer.books.len(), answer.fallback()), (0, Fallback::Unspecified));
    running.stop().await;
}

#[tokio::test]
async fn a_history_and_a_book_that_say_nothing_are_called_so() {
    let folder = running::full_shop().await;
    let store = running::store(folder.path()).await;
    running::add_ratings(&store, 100, &[5], 2).await;
    running::add_book(&store, 41).await;
    store.close().await;
    let running = Running::start(folder.path()).await;
    let answer = running.v1().recommend(for_user("100")).await.unwrap().into_inner();
    assert_eq!(answer.fallback(), Fallback::NoHistory);
    let request =
        SimilarBooksRequest { book_id: "41".to_owned(), ..SimilarBooksRequest::default() };
    let answer = running.v1().similar_books(request).await.unwrap().into_inner();
    assert_eq!(answer.fallback(), Fallback::NoNeighbours);
    running.stop().await;
}

#[tokio::test]
async fn without_a_readable_store_there_are_popular_books_and_the_answer_says_why() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    running.close_store().await;
    let answer = running.v1().recommend(for_user("3")).await.unwrap().into_inner();
    assert_eq!(answer.fallback(), Fallback::StoreUnavailable);
    assert_eq!(answer.books.len(), 10);
    running.stop().await;
}
