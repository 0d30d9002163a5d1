//! The shop's rules, put by one client and seen by others in the next answer.

use api::v1::bury::Depth;
use api::v1::rule::{Effect, Target};
use api::v1::rule_service_client::RuleServiceClient;
use api::v1::source::Kind;
use api::v1::{
    BookFilter, Boost, Bury, DeleteRuleRequest, ListRulesRequest, ListRulesResponse, Pin,
    PutRuleRequest, RecommendRequest, RecommendedBook, Rule, SimilarBooksRequest, Surface,
    TrendingRequest,
};
use http_body_util::{BodyExt as _, Full};
use prost_types::Timestamp;
use serde_json::{Value, json};
use server::settings::Settings;
use storage::book::{AUTHOR_BYTES_MAX, SERIES_BYTES_MAX};
use storage::{FACTOR_MAX, NOTE_BYTES_MAX, PLACE_MAX, RULES_MAX, RuleEffect, RuleTarget};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

use crate::access::now_ms;
use crate::running::{self, Running};

fn client(running: &Running) -> RuleServiceClient<Channel> {
    RuleServiceClient::new(running.channel.clone())
}

async fn put(running: &Running, rule: Rule) -> Result<Rule, Status> {
    let answer = client(running).put_rule(PutRuleRequest { rule: Some(rule) }).await?;
    Ok(answer.into_inner().rule.unwrap())
}

async fn delete(running: &Running, rule_id: &str) -> Result<(), Status> {
    let request = DeleteRuleRequest { rule_id: rule_id.to_owned() };
    client(running).delete_rule(request).await.map(|_| ())
}

async fn list(
    running: &Running,
    page_size: i32,
    page_token: &str,
) -> Result<ListRulesResponse, Status> {
    let request = ListRulesRequest { page_size, page_token: page_token.to_owned() };
    Ok(client(running).list_rules(request).await?.into_inner())
}

fn rule(rule_id: &str, target: Target, effect: Effect) -> Rule {
    let (target, effect) = (Some(target), Some(effect));
    Rule { rule_id: rule_id.to_owned(), target, effect, ..Rule::default() }
}

fn book(id: &str) -> Target {
    Target::BookId(id.to_owned())
}

fn category(slug: &str) -> Target {
    Target::Category(slug.to_owned())
}

fn pin(place: i32) -> Effect {
    Effect::Pin(Pin { place })
}

fn boost(factor: f64) -> Effect {
    Effect::Boost(Boost { factor })
}

fn bury(depth: Depth) -> Effect {
    Effect::Bury(Bury { depth: depth.into() })
}

fn in_ms(ahead_ms: i64) -> Option<Timestamp> {
    let time_ms = now_ms() + ahead_ms;
    Some(Timestamp { seconds: time_ms / 1000, nanos: (time_ms % 1000) as i32 * 1_000_000 })
}

fn at_nanos(nanos: i32) -> Option<Timestamp> {
    Some(Timestamp { seconds: 0, nanos })
}

/// What a user is recommended.
async fn recommended(running: &Running, user: u32, results: i32) -> Vec<RecommendedBook> {
    filtered(running, user, results, BookFilter::default()).await
}

async fn filtered(
    running: &Running,
    user: u32,
    results: i32,
    filter: BookFilter,
) -> Vec<RecommendedBook> {
    let request = RecommendRequest {
        user_id: user.to_string(),
        max_results: results,
        filter: Some(filter),
        ..RecommendRequest::default()
    };
    running.v1().recommend(request).await.unwrap().into_inner().books
}

async fn similar(running: &Running) -> Vec<RecommendedBook> {
    let request = SimilarBooksRequest { book_id: "20".to_owned(), ..Default::default() };
    running.v1().similar_books(request).await.unwrap().into_inner().books
}

async fn trending(running: &Running) -> Vec<RecommendedBook> {
    running.v1().trending(TrendingRequest::default()).await.unwrap().into_inner().books
}

fn ids(books: &[RecommendedBook]) -> Vec<String> {
    books.iter().map(|one| one.book.as_ref().unwrap().id.clone()).collect()
}

/// The place of a book, counted from 1, and whether it was put there.
fn place(books: &[RecommendedBook], id: &str) -> Option<(usize, bool)> {
    let place = ids(books).iter().position(|found| found == id)?;
    Some((place + 1, books[place].source.unwrap().kind() == Kind::Pinned))
}

/// The ids of user 1's whole shelf.
async fn whole_shelf(running: &Running) -> Vec<String> {
    ids(&recommended(running, 1, 40).await)
}

#[tokio::test]
async fn a_pin_stands_at_its_place_wherever_it_may_be_shown() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let stored = put(&running, rule("window", book("25"), pin(2))).await.unwrap();
    assert_eq!(stored.matches, 1);

    let pinned = Some((2, true));
    assert_eq!(place(&recommended(&running, 1, 10).await, "25"), pinned);
    assert_eq!(place(&similar(&running).await, "25"), pinned);
    assert_eq!(place(&trending(&running).await, "25"), pinned);
    let tutorial = api::tutorial::RecommendationRequest {
        user_id: 1,
        category: api::tutorial::BookCategory::Mystery.into(),
        max_results: 3,
    };
    let books = running.tutorial().recommend(tutorial).await.unwrap().into_inner();
    assert_eq!(books.recommendations[1].id, 25);

    // User 20 has it; and it is a mystery.
    assert_eq!(place(&recommended(&running, 20, 40).await, "25"), None);
    let any_categories = vec!["sci-fi".to_owned()];
    let filter = BookFilter { any_categories, ..BookFilter::default() };
    assert_eq!(place(&filtered(&running, 1, 40, filter).await, "25"), None);
    running.stop().await;
}

#[tokio::test]
async fn boosts_and_burying_change_the_order_and_what_is_out_does_not_come() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let before = whole_shelf(&running).await;
    let id = &before[4];

    let stored = put(&running, rule("one", book(id), boost(100.0))).await.unwrap();
    assert_eq!(stored.matches, 1);
    assert_eq!(whole_shelf(&running).await.first(), Some(id));

    put(&running, rule("one", book(id), bury(Depth::Last))).await.unwrap();
    let found = whole_shelf(&running).await;
    assert_eq!((found.last(), found.len()), (Some(id), before.len()));

    put(&running, rule("one", book(id), bury(Depth::Out))).await.unwrap();
    let found = whole_shelf(&running).await;
    // Popular books that fill the shelf up may change places.
    assert!(!found.contains(id) && found.len() == before.len() - 1, "{found:?}");

    put(&running, rule("one", Target::Author("Author 3".to_owned()), bury(Depth::Out)))
        .await
        .unwrap();
    let is_by_author = |id: &String| id.parse::<u32>().unwrap() % 7 == 3;
    assert!(
        before.iter().any(is_by_author) && !whole_shelf(&running).await.iter().any(is_by_author)
    );

    let stored = put(&running, rule("one", category("mystery"), bury(Depth::Last))).await.unwrap();
    assert_eq!(stored.matches, 20);
    let found = whole_shelf(&running).await;
    let is_mystery = |id: &String| id.parse::<u32>().unwrap() % 2 == 1;
    assert!(found.is_sorted_by_key(is_mystery) && found.iter().any(is_mystery), "{found:?}");

    delete(&running, "one").await.unwrap();
    assert_eq!(whole_shelf(&running).await, before);
    let refused = delete(&running, "one").await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "RULE_UNKNOWN");
    running.stop().await;
}

#[tokio::test]
async fn rules_put_at_once_are_all_there_when_their_answers_come() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let store = running::store(folder.path()).await;
    let all = (12..=30).map(|number: u32| number.to_string()).map(|id| {
        let (running, store) = (&running, &store);
        async move {
            if id.ends_with('0') {
                // So that a new generation comes in between.
                running::add_book(store, 70 + id.parse::<u32>().unwrap()).await;
            }
            put(running, rule(&id, book(&id), bury(Depth::Out))).await.unwrap();
            let found = whole_shelf(running).await;
            assert!(!found.contains(&id), "{id}: {found:?}");
        }
    });
    futures_util::future::join_all(all).await;
    let found = whole_shelf(&running).await;
    assert!(found.iter().all(|id| !(12..=30).contains(&id.parse().unwrap())), "{found:?}");
    assert_eq!(list(&running, 0, "").await.unwrap().rules.len(), 19);
    store.close().await;
    running.stop().await;
}

#[tokio::test]
async fn a_rule_is_for_the_shelves_that_it_names() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let on_all = async |surfaces: &[Surface]| {
        let surfaces = surfaces.iter().map(|surface| (*surface).into()).collect();
        put(&running, Rule { surfaces, ..rule("a", book("25"), pin(1)) }).await.unwrap();
        let is_pinned = |books: &[RecommendedBook]| place(books, "25") == Some((1, true));
        [
            is_pinned(&recommended(&running, 1, 10).await),
            is_pinned(&similar(&running).await),
            is_pinned(&trending(&running).await),
        ]
    };
    assert_eq!(on_all(&[]).await, [true; 3]);
    assert_eq!(on_all(&[Surface::Recommend]).await, [true, false, false]);
    assert_eq!(on_all(&[Surface::SimilarBooks]).await, [false, true, false]);
    assert_eq!(on_all(&[Surface::Trending, Surface::Recommend]).await, [true, false, true]);
    running.stop().await;
}

#[tokio::test]
async fn a_campaign_begins_and_ends_by_itself() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let is_out = async |id: &str| place(&recommended(&running, 1, 40).await, id).is_none();
    let out = |id: &str| rule(id, book(id), bury(Depth::Out));
    put(&running, Rule { start_time: in_ms(-9_000), end_time: in_ms(-1), ..out("30") })
        .await
        .unwrap();
    put(&running, Rule { start_time: in_ms(3_600_000), ..out("31") }).await.unwrap();
    put(&running, Rule { start_time: in_ms(2_000), ..out("32") }).await.unwrap();
    put(&running, Rule { end_time: in_ms(10_000), ..out("33") }).await.unwrap();
    put(&running, Rule { start_time: in_ms(-1), end_time: in_ms(3_600_000), ..out("34") })
        .await
        .unwrap();
    assert!(!is_out("30").await, "it is over");
    assert!(!is_out("31").await, "it has not begun");
    assert!(is_out("33").await && is_out("34").await, "they hold");
    running::until(async || is_out("32").await).await;
    running::until(async || !is_out("33").await).await;
    assert!(is_out("32").await && is_out("34").await, "they hold");
    assert_eq!(list(&running, 0, "").await.unwrap().rules.len(), 5);
    running.stop().await;
}

#[tokio::test]
async fn a_campaign_ends_by_the_clock_and_not_with_the_next_look_at_the_store() {
    let folder = running::full_shop().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    // Nobody who waits for a minute lives to see such a look.
    std::fs::write(file.path(), "serve.poll_ms = 3600000").unwrap();
    let settings = Settings::read(Some(file.path())).unwrap();
    let running = Running::start_with(folder.path(), settings).await;
    let is_out = async |id: &str| place(&recommended(&running, 1, 40).await, id).is_none();
    let out = |id: &str| rule(id, book(id), bury(Depth::Out));
    put(&running, Rule { end_time: in_ms(2_500), ..out("32") }).await.unwrap();
    put(&running, Rule { start_time: in_ms(1_500), ..out("33") }).await.unwrap();
    running::until(async || !is_out("32").await && is_out("33").await).await;
    running.stop().await;
}

#[tokio::test]
async fn a_rule_for_a_book_is_one_for_all_its_editions() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    // Books 39 and 40 are one work, which user 25 does not have.
    let shelf = async || recommended(&running, 25, 40).await;
    let comes = |found: &[RecommendedBook]| {
        ids(found).into_iter().filter(|id| id == "39" || id == "40").collect::<Vec<_>>()
    };
    let before = comes(&shelf().await);
    assert_eq!(before.len(), 1);
    for id in ["39", "40"] {
        let stored = put(&running, rule("one", book(id), bury(Depth::Out))).await.unwrap();
        assert_eq!(stored.matches, 2);
        assert!(comes(&shelf().await).is_empty(), "{id}");
        put(&running, rule("one", book(id), bury(Depth::Last))).await.unwrap();
        let found = shelf().await;
        assert_eq!(comes(&found), comes(&found[found.len() - 1..]), "{id}");
        assert_eq!(comes(&found).len(), 1, "{id}");
        put(&running, rule("one", book(id), boost(100.0))).await.unwrap();
        assert_eq!(ids(&shelf().await)[0], before[0], "{id}");
        put(&running, rule("one", book(id), pin(2))).await.unwrap();
        assert_eq!(place(&shelf().await, id), Some((2, true)));
    }
    running.stop().await;
}

#[tokio::test]
async fn rules_are_there_after_a_restart_and_seen_where_somebody_else_put_them() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let stored = put(
        &running,
        Rule {
            note: "as in the window".to_owned(),
            end_time: in_ms(3_600_000),
            surfaces: vec![Surface::Recommend.into()],
            ..rule("window", book("25"), pin(3))
        },
    )
    .await
    .unwrap();
    running.stop().await;

    let running = Running::start(folder.path()).await;
    assert_eq!(list(&running, 0, "").await.unwrap().rules, [stored]);
    assert_eq!(place(&recommended(&running, 1, 10).await, "25"), Some((3, true)));
    let store = running::store(folder.path()).await;
    let mut writer = store.begin().await.unwrap();
    writer.delete_rule("window").await.unwrap();
    writer.commit().await.unwrap();
    store.close().await;
    running::until(async || place(&recommended(&running, 1, 40).await, "25") != Some((3, true)))
        .await;
    running.stop().await;
}

#[tokio::test]
async fn a_rule_for_what_the_shop_does_not_have_says_so_and_waits() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    for target in [
        book("77"),
        Target::Author("Nobody".to_owned()),
        Target::Series("None".to_owned()),
        category("cooking"),
    ] {
        let stored = put(&running, rule("early", target, boost(2.0))).await.unwrap();
        assert_eq!(stored.matches, 0, "{stored:?}");
    }
    put(&running, rule("early", book("77"), pin(1))).await.unwrap();
    assert_eq!(place(&recommended(&running, 1, 40).await, "77"), None);
    let store = running::store(folder.path()).await;
    running::add_book(&store, 77).await;
    store.close().await;
    running::until(async || place(&recommended(&running, 1, 10).await, "77") == Some((1, true)))
        .await;
    assert_eq!(list(&running, 0, "").await.unwrap().rules[0].matches, 1);
    running.stop().await;
}

#[tokio::test]
async fn rules_come_page_by_page_and_no_more_than_a_thousand_are_kept() {
    let folder = running::full_shop().await;
    let store = running::store(folder.path()).await;
    let mut writer = store.begin().await.unwrap();
    for number in 0..RULES_MAX {
        let rule = storage::Rule {
            id: format!("rule-{number:04}"),
            target: RuleTarget::Book("1".to_owned()),
            effect: RuleEffect::Boost(100.0),
            surfaces: storage::Surfaces::default(),
            starts_ms: None,
            ends_ms: None,
            note: None,
        };
        writer.put_rule(&rule).await.unwrap();
    }
    writer.commit().await.unwrap();
    store.close().await;
    let running = Running::start(folder.path()).await;
    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let page = list(&running, 300, &token).await.unwrap();
        found.extend(page.rules.into_iter().map(|rule| rule.rule_id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let expected: Vec<String> = (0..RULES_MAX).map(|number| format!("rule-{number:04}")).collect();
    assert_eq!(found, expected);
    assert_eq!(list(&running, 0, "").await.unwrap().rules.len(), 100);
    assert_eq!(list(&running, 5_000, "").await.unwrap().rules.len(), 1000);

    // A thousand factors for one book are still a number.
    assert_eq!(place(&recommended(&running, 20, 10).await, "1"), Some((1, false)));
    let refused = put(&running, rule("more", book("1"), pin(1))).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "RULES_LIMIT");
    put(&running, rule("rule-0007", book("1"), pin(1))).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_rule_is_named() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let good = || rule("a", book("1"), boost(2.0));
    let with = |target: Target, effect: Effect| rule("a", target, effect);
    let cases: Vec<(Rule, &[&str])> = vec![
        (Rule::default(), &["rule.rule_id", "rule.target", "rule.effect"]),
        (Rule { rule_id: "x".repeat(65), ..good() }, &["rule.rule_id"]),
        (with(book(""), boost(1.0)), &["rule.book_id"]),
        (with(Target::Author("a\nb".to_owned()), boost(1.0)), &["rule.author"]),
        (with(Target::Author("a".repeat(201)), boost(1.0)), &["rule.author"]),
        (with(Target::Series(String::new()), boost(1.0)), &["rule.series"]),
        (with(category(&"a".repeat(65)), boost(1.0)), &["rule.category"]),
        (with(category("mystery"), pin(0)), &["rule.pin", "rule.pin.place"]),
        (with(book("1"), pin(101)), &["rule.pin.place"]),
        (with(book("1"), pin(-1)), &["rule.pin.place"]),
        (with(book("1"), boost(0.0)), &["rule.boost.factor"]),
        (with(book("1"), boost(100.5)), &["rule.boost.factor"]),
        (with(book("1"), boost(f64::NAN)), &["rule.boost.factor"]),
        (with(book("1"), boost(f64::INFINITY)), &["rule.boost.factor"]),
        (with(book("1"), bury(Depth::Unspecified)), &["rule.bury.depth"]),
        (with(book("1"), Effect::Bury(Bury { depth: 9 })), &["rule.bury.depth"]),
        (Rule { surfaces: vec![1, 0, 7], ..good() }, &["rule.surfaces[1]", "rule.surfaces[2]"]),
        (Rule { surfaces: vec![1, 2, 3, 1], ..good() }, &["rule.surfaces"]),
        (Rule { start_time: in_ms(5), end_time: in_ms(-5), ..good() }, &["rule.end_time"]),
        (
            Rule { start_time: at_nanos(1_000_000), end_time: at_nanos(1_999_999), ..good() },
            &["rule.end_time"],
        ),
        (
            Rule { start_time: Some(Timestamp { seconds: i64::MAX, nanos: 0 }), ..good() },
            &["rule.start_time"],
        ),
        (
            Rule { end_time: Some(Timestamp { seconds: 0, nanos: -1 }), ..good() },
            &["rule.end_time"],
        ),
        (Rule { note: "n".repeat(501), ..good() }, &["rule.note"]),
    ];
    for (rule, expected) in cases {
        let told = format!("{rule:?}");
        check_fields(&put(&running, rule).await.unwrap_err(), expected, &told);
    }
    let none = client(&running).put_rule(PutRuleRequest { rule: None }).await.unwrap_err();
    check_fields(&none, &["rule"], "no rule");
    check_fields(&delete(&running, "").await.unwrap_err(), &["rule_id"], "no id");
    let refused = list(&running, -1, "no token").await.unwrap_err();
    check_fields(&refused, &["page_size", "page_token"], "a page");
    assert_eq!(list(&running, 0, "").await.unwrap().rules, []);

    // The bounds themselves.
    for rule in [
        with(Target::Author("é".repeat(100)), boost(100.0)),
        with(Target::Series("s".repeat(500)), boost(f64::MIN_POSITIVE)),
        Rule { note: "n".repeat(500), ..with(book("1"), pin(100)) },
        Rule { start_time: at_nanos(1_999_999), end_time: at_nanos(2_000_000), ..good() },
    ] {
        put(&running, rule).await.unwrap();
    }
    running.stop().await;
}

fn check_fields(status: &Status, expected: &[&str], told: &str) {
    assert_eq!(status.code(), Code::InvalidArgument, "{told}");
    let violations = status.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<&str> = violations.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, expected, "{told}");
}

#[tokio::test]
async fn without_a_store_rules_go_on_and_cannot_be_changed() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    put(&running, rule("window", book("25"), pin(1))).await.unwrap();
    running.close_store().await;
    let refused = put(&running, rule("window", book("26"), pin(1))).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "STORE_UNAVAILABLE");
    assert_eq!(place(&trending(&running).await, "25"), Some((1, true)));
    running.stop().await;
}

#[test]
fn the_document_and_the_store_have_the_same_limits() {
    let document: Value = serde_json::from_str(api::OPENAPI).unwrap();
    let schemas = &document["components"]["schemas"];
    let field = |schema: &str, field: &str| schemas[schema]["properties"][field].clone();
    let max = |schema: &str, name: &str| field(schema, name)["maximum"].as_f64().unwrap();
    assert_eq!(max("Pin", "place"), f64::from(PLACE_MAX));
    assert_eq!(max("Boost", "factor"), FACTOR_MAX);
    let bytes = |name: &str| field("Rule", name)["maxLength"].as_u64().unwrap() as usize;
    assert_eq!(bytes("note"), NOTE_BYTES_MAX);
    assert_eq!(bytes("author"), AUTHOR_BYTES_MAX);
    assert_eq!(bytes("series"), SERIES_BYTES_MAX);
    assert_eq!(field("Rule", "surfaces")["maxItems"], storage::Surface::ALL.len());
    // Comments tell the number of rules, with a comma.
    let rules = format!("{},{:03}", RULES_MAX / 1000, RULES_MAX % 1000);
    let told = [
        &document["paths"]["/foreword.v1.RuleService/PutRule"]["post"]["description"],
        &field("ListRulesRequest", "pageSize")["description"],
    ];
    for told in told {
        assert!(told.as_str().unwrap().contains(&rules), "{rules}: {told}");
    }
}

/// Calls a method of the service in JSON; the HTTP status and the answer.
async fn ask(running: &Running, method: &str, question: &Value) -> (u16, Value) {
    let request = http::Request::post(format!("/foreword.v1.RuleService/{method}"))
        .header("content-type", "application/json")
        .body(Body::new(Full::from(question.to_string())))
        .unwrap();
    let answer = running.channel.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn rules_in_json_are_those_of_grpc() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let campaign = json!({
        "ruleId": "mystery-autumn",
        "category": "mystery",
        "boost": { "factor": 1.5 },
        "surfaces": ["SURFACE_RECOMMEND", "SURFACE_TRENDING"],
        "startTime": "2026-09-01T00:00:00Z",
        "endTime": "2999-12-01T00:00:00.250Z",
    });
    let (status, answer) = ask(&running, "PutRule", &json!({ "rule": campaign })).await;
    let mut expected = campaign.clone();
    expected["matches"] = json!(20);
    assert_eq!((status, &answer), (200, &json!({ "rule": expected })));
    assert_eq!(ask(&running, "ListRules", &json!({})).await, (200, json!({ "rules": [expected] })));

    let by_grpc = list(&running, 0, "").await.unwrap().rules;
    let start_time = Some(Timestamp { seconds: 1_788_220_800, nanos: 0 });
    let end_time = Some(Timestamp { seconds: 32_501_001_600, nanos: 250_000_000 });
    let surfaces = vec![Surface::Recommend.into(), Surface::Trending.into()];
    let mut wanted = rule("mystery-autumn", category("mystery"), boost(1.5));
    wanted = Rule { surfaces, start_time, end_time, matches: 20, ..wanted };
    assert_eq!(by_grpc, [wanted]);

    let two = json!({ "rule": { "ruleId": "a", "bookId": "1", "author": "Author 1" } });
    let (status, error) = ask(&running, "PutRule", &two).await;
    assert_eq!((status, &error["code"]), (400, &json!("invalid_argument")), "{error}");
    let id = json!({ "ruleId": "mystery-autumn" });
    assert_eq!(ask(&running, "DeleteRule", &id).await, (200, json!({})));
    let (status, error) = ask(&running, "DeleteRule", &id).await;
    assert_eq!((status, &error["code"]), (404, &json!("not_found")), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn the_calls_of_the_operators_page_are_answered_as_it_says() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let page = include_str!("../../../../docs/operating.md");
    let section = page.split("\n## ").find(|section| section.starts_with("Rules\n")).unwrap();
    let mut lines = section.lines().map(str::trim).peekable();
    let mut calls = 0;
    while let Some(line) = lines.next() {
        let Some(question) = line.strip_prefix("-d '") else { continue };
        let question = serde_json::from_str(question.strip_suffix("' \\").unwrap()).unwrap();
        let (_, method) = lines.next().unwrap().rsplit_once("/foreword.v1.RuleService/").unwrap();
        let (status, answer) = ask(&running, method, &question).await;
        assert_eq!(status, 200, "{method} {question} {answer}");
        if let Some(told) = lines.peek().filter(|line| line.starts_with('{')) {
            assert_eq!(answer, serde_json::from_str::<Value>(told).unwrap(), "{method}");
        }
        calls += 1;
    }
    assert!(calls >= 3, "{section}");
    running.stop().await;
}
