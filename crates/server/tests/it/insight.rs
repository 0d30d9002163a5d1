//! What a console is shown: figures, explanations, acceptance.

use std::collections::HashSet;

use api::v1::insight_service_client::InsightServiceClient;
use api::v1::rerank_note::Cause;
use api::v1::rerank_step::Kind;
use api::v1::rule::{Effect, Target};
use api::v1::{
    Bury, DraftRules, Event, EventEntry, EventKind, ExplainRecommendRequest,
    ExplainRecommendResponse, Fallback, GetAcceptanceRequest, ListReplicasRequest,
    ListStallsRequest, MetricsSample, Pin, RecommendPageRequest, RecommendRequest,
    RecordEventsRequest, Rule, ShelfKind, ShelfRequest, Stall, WatchMetricsRequest, bury,
    event_entry, stall,
};
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::running::{self, Running};

fn client(running: &Running) -> InsightServiceClient<Channel> {
    InsightServiceClient::new(running.channel.clone())
}

async fn watch(
    running: &Running,
    interval: Option<(i64, i32)>,
) -> Result<Streaming<api::v1::WatchMetricsResponse>, Status> {
    let duration = |(seconds, nanos)| prost_types::Duration { seconds, nanos };
    let request = WatchMetricsRequest { interval: interval.map(duration) };
    Ok(client(running).watch_metrics(request).await?.into_inner())
}

async fn next(watch: &mut Streaming<api::v1::WatchMetricsResponse>) -> MetricsSample {
    watch.message().await.unwrap().unwrap().sample.unwrap()
}

/// How many calls of a method ended well, by codes and by latencies.
fn ended(sample: &MetricsSample, method: &str) -> (i64, i64) {
    let Some(figures) = sample.methods.iter().find(|one| one.method.ends_with(method)) else {
        return (0, 0);
    };
    let latency = figures.latency.as_ref().unwrap();
    assert_eq!(latency.counts.len(), latency.upper_bounds_seconds.len() + 1);
    let ok = figures.codes.iter().filter(|one| one.code == "OK").map(|one| one.count).sum();
    (ok, latency.counts.iter().sum())
}

#[tokio::test]
async fn figures_come_again_and_again_and_count_what_happens() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let mut watching = watch(&running, Some((0, 200_000_000))).await.unwrap();
    let first = next(&mut watching).await;
    assert_eq!((ended(&first, "/Recommend"), first.book_count), ((0, 0), 40));
    let model = first.model.as_ref().unwrap();
    assert_eq!((model.version.as_str(), model.served), ("1", true));
    assert_eq!(model.trained_on.unwrap().user_count, 60);
    assert!(model.train_time.is_some());
    // It does not train by itself, and does not look for news.
    assert_eq!(first.news_event_count, None);
    for user in ["1", "2", "nobody"] {
        let request = RecommendRequest { user_id: user.to_owned(), ..Default::default() };
        running.v1().recommend(request).await.unwrap();
    }
    let mut sample = first.clone();
    while ended(&sample, "/Recommend").0 < 3 {
        sample = next(&mut watching).await;
    }
    assert_eq!(ended(&sample, "/Recommend"), (3, 3));
    assert_eq!(sample.start_time, first.start_time);
    let unknown = sample.fallbacks.iter().find(|one| one.fallback() == Fallback::UnknownUser);
    assert_eq!(unknown.unwrap().count, 1);
    // The stream itself is open.
    assert!(sample.open_call_count >= 1);
    let names: Vec<&str> = sample.queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, ["calls", "events"]);
    assert!(sample.queues.iter().all(|queue| queue.waiting_count < queue.capacity));
    drop(watching);
    running.stop().await;
}

#[tokio::test]
async fn watching_is_bounded_in_rate_and_in_watchers() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    for interval in [(0, 199_999_999), (60, 1), (-1, 0)] {
        let status = watch(&running, Some(interval)).await.unwrap_err();
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, "interval");
    }
    let mut watching = Vec::new();
    for _ in 0..16 {
        let mut one = watch(&running, Some((60, 0))).await.unwrap();
        next(&mut one).await;
        watching.push(one);
    }
    let full = watch(&running, None).await.unwrap_err();
    assert_eq!(full.code(), Code::ResourceExhausted);
    assert_eq!(full.get_details_error_info().unwrap().reason, "WATCHERS_LIMIT");
    watching.pop();
    running::until(async || watch(&running, None).await.is_ok()).await;
    // Those who watch are told when the service stops, and do not hold it up.
    let mut last = watching.remove(0);
    drop(watching);
    let told = tokio::spawn(async move { last.message().await.unwrap_err() });
    running.stop().await;
    let told = told.await.unwrap();
    assert_eq!(told.get_details_error_info().unwrap().reason, "STOPPING");
}

#[tokio::test]
async fn the_service_itself_is_among_the_replicas() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let told = client(&running).list_replicas(ListReplicasRequest {}).await.unwrap().into_inner();
    let [replica] = &told.replicas[..] else { panic!("{told:?}") };
    assert!(replica.answering && replica.start_time.is_some());
    assert!(replica.name.ends_with(&format!("/{}", std::process::id())), "{}", replica.name);
    running.stop().await;
}

#[tokio::test]
async fn a_stall_is_listed_with_its_method_system_call_and_stack() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let (release, held) = std::sync::mpsc::channel::<()>();
    let stalled = running.executor.spawn("/foreword.v1.EventService/RecordEvents", async move {
        let _ = held.recv();
    });
    // One row, however often it was reported.
    let listed = async || {
        let stalls = client(&running).list_stalls(ListStallsRequest {}).await.unwrap();
        let mut stalls = stalls.into_inner().stalls;
        stalls.retain(|stall| stall.method == "foreword.v1.EventService/RecordEvents");
        assert!(stalls.len() < 2, "{stalls:?}");
        stalls.pop()
    };
    // A thread that had no processor yet is told of as busy first.
    let is_blocked = |stall: Stall| stall.kind() == stall::Kind::Blocked;
    running::until(async || listed().await.is_some_and(is_blocked)).await;
    let stall = listed().await.unwrap();
    assert!(!stall.ended && stall.duration.is_some() && stall.seen_time.is_some());
    #[cfg(target_os = "linux")]
    {
        assert_eq!(stall.system_call, "futex");
        assert!(!stall.stack.is_empty() && !stall.function.is_empty(), "{stall:?}");
    }
    release.send(()).unwrap();
    stalled.await.unwrap();
    running::until(async || listed().await.is_some_and(|stall| stall.ended)).await;
    running.stop().await;
}

fn explain_for(user: &str) -> ExplainRecommendRequest {
    ExplainRecommendRequest {
        user_id: user.to_owned(),
        max_results: 5,
        ..ExplainRecommendRequest::default()
    }
}

async fn explain(
    running: &Running,
    request: ExplainRecommendRequest,
) -> Result<ExplainRecommendResponse, Status> {
    Ok(client(running).explain_recommend(request).await?.into_inner())
}

fn ids(shelf: &[api::v1::RecommendedBook]) -> Vec<String> {
    shelf.iter().filter_map(|one| Some(one.book.as_ref()?.id.clone())).collect()
}

#[tokio::test]
async fn an_explanation_adds_up_to_the_answer_that_it_explains() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let explained = explain(&running, explain_for("3")).await.unwrap();
    let request =
        RecommendRequest { user_id: "3".to_owned(), max_results: 5, ..Default::default() };
    let answer = running.v1().recommend(request).await.unwrap().into_inner();
    let current = explained.current.as_ref().unwrap();
    assert_eq!(current.shelf, answer.books);
    assert_eq!(
        (explained.model_version.as_str(), explained.fallback()),
        ("1", Fallback::Unspecified)
    );
    assert_eq!(explained.history.len(), 10);
    assert!(explained.history.iter().all(|one| one.in_model && one.weight > 0.0));
    assert!(explained.history.iter().all(|one| one.event_kind() == EventKind::Rating));
    let scores: Vec<f64> = current.candidates.iter().map(|one| one.score).collect();
    assert!(scores.len() > 5 && scores.is_sorted_by(|left, right| left >= right), "{scores:?}");
    for candidate in &current.candidates {
        // Ten books of a history: all parts are there.
        let sum: f64 = candidate.parts.iter().map(|part| part.contribution).sum();
        assert!((sum - candidate.score).abs() < 1e-5, "{candidate:?}");
    }
    let score_of = |id: &str| current.candidates.iter().find(|one| one.book_id == id);
    for book in &current.shelf {
        let candidate = score_of(&book.book.as_ref().unwrap().id).unwrap();
        assert!((candidate.score - book.score).abs() < 1e-5);
    }
    let kinds: Vec<Kind> = current.steps.iter().map(api::v1::RerankStep::kind).collect();
    assert_eq!((kinds[0], *kinds.last().unwrap()), (Kind::Candidates, Kind::Pins));
    assert_eq!(current.steps.last().unwrap().book_ids, ids(&current.shelf));
    // Whatever is named is told.
    let told: HashSet<&str> = explained.books.iter().map(|book| book.id.as_str()).collect();
    let named = current.steps.iter().flat_map(|step| &step.book_ids);
    assert!(named.into_iter().all(|id| told.contains(id.as_str())));
    assert_eq!(explained.draft, None);
    running.stop().await;
}

fn rule(id: &str, book: &str, effect: Effect) -> Rule {
    let target = Some(Target::BookId(book.to_owned()));
    Rule { rule_id: id.to_owned(), target, effect: Some(effect), ..Rule::default() }
}

#[tokio::test]
async fn rules_are_tried_without_being_stored() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let before = ids(&explain(&running, explain_for("3")).await.unwrap().current.unwrap().shelf);
    let out = Effect::Bury(Bury { depth: bury::Depth::Out.into() });
    let pinned = (20..=40).map(|book: i32| book.to_string()).find(|id| !before.contains(id));
    let pinned = pinned.unwrap();
    let rules =
        vec![rule("out", &before[0], out), rule("window", &pinned, Effect::Pin(Pin { place: 2 }))];
    let draft_rules = Some(DraftRules { rules });
    let request = ExplainRecommendRequest { draft_rules, ..explain_for("3") };
    let explained = explain(&running, request).await.unwrap();
    assert_eq!(ids(&explained.current.unwrap().shelf), before);
    let draft = explained.draft.unwrap();
    let after = ids(&draft.shelf);
    // What comes after them may be mixed anew.
    assert_eq!((&after[0], &after[1]), (&before[1], &pinned));
    assert!(!after.contains(&before[0]), "{after:?}");
    let pins = draft.steps.last().unwrap();
    assert_eq!((pins.notes[0].cause(), pins.notes[0].number), (Cause::Pinned, 2.0));
    // Nothing was stored.
    let again = explain(&running, explain_for("3")).await.unwrap();
    assert_eq!(ids(&again.current.unwrap().shelf), before);
    running.stop().await;
}

#[tokio::test]
async fn rules_to_try_are_held_to_what_stored_ones_are() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    let pin = |place| Effect::Pin(Pin { place });
    let twice = vec![rule("a", "1", pin(1)), rule("a", "2", pin(2))];
    let wrong = vec![rule("a", "1", pin(1)), rule("b", "2", pin(101))];
    for (rules, field) in [
        (twice, "draft_rules.rules[1].rule_id"),
        (wrong, "draft_rules.rules[1].pin.place"),
        (vec![rule("a", "1", pin(1)); 1001], "draft_rules.rules"),
    ] {
        let draft_rules = Some(DraftRules { rules });
        let request = ExplainRecommendRequest { draft_rules, ..explain_for("3") };
        let status = explain(&running, request).await.unwrap_err();
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field, "{status:?}");
        assert!(status.message().starts_with(field), "{status:?}");
    }
    running.stop().await;
}

#[tokio::test]
async fn what_is_shown_clicked_and_bought_is_counted_by_shelf_and_model() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    // What is asked for later is asked otherwise: the same question has the same answer for a while.
    let start_time = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
    let request = GetAcceptanceRequest { start_time };
    let nothing = client(&running).get_acceptance(request).await.unwrap();
    assert_eq!(nothing.into_inner().acceptances, []);
    let shelf = |kind: ShelfKind| ShelfRequest { kind: kind.into(), ..ShelfRequest::default() };
    let page = RecommendPageRequest {
        user_id: "3".to_owned(),
        shelves: vec![shelf(ShelfKind::PickedForYou), shelf(ShelfKind::Popular)],
        ..RecommendPageRequest::default()
    };
    let page = running.v1().recommend_page(page).await.unwrap().into_inner();
    let mut entries = Vec::new();
    let mut tell = |shelf: &api::v1::Shelf, place: usize, kind: EventKind| {
        let book_id = ids(&shelf.books)[place].clone();
        let event = Event {
            event_id: format!("{book_id} {}", kind.as_str_name()),
            user_id: "3".to_owned(),
            book_id,
            kind: kind.into(),
            attribution_token: shelf.attribution_token.clone(),
            ..Event::default()
        };
        entries.push(EventEntry { entry: Some(event_entry::Entry::Event(event)) });
    };
    for shelf in &page.shelves {
        (0..shelf.books.len()).for_each(|place| tell(shelf, place, EventKind::Impression));
    }
    tell(&page.shelves[0], 0, EventKind::View);
    tell(&page.shelves[0], 0, EventKind::Purchase);
    tell(&page.shelves[0], 1, EventKind::View);
    let results = running.events().record_events(RecordEventsRequest { entries }).await.unwrap();
    assert!(results.into_inner().results.iter().all(|one| one.violations.is_empty()));
    let answer = client(&running).get_acceptance(GetAcceptanceRequest::default()).await.unwrap();
    let answer = answer.into_inner();
    assert!(answer.first_shown_time.is_some());
    let told: Vec<_> = answer
        .acceptances
        .iter()
        .map(|one| {
            assert_eq!(one.model_version, "1");
            (one.shelf_kind(), one.shown_count, one.clicked_count, one.bought_count)
        })
        .collect();
    assert_eq!(told, [(ShelfKind::PickedForYou, 10, 2, 1), (ShelfKind::Popular, 10, 0, 0)]);
    let clicked = answer.acceptances[0].clicked.unwrap();
    assert!((clicked.estimate - 0.2).abs() < 1e-9);
    assert!(clicked.low > 0.0 && clicked.low < 0.2 && clicked.high > 0.2 && clicked.high < 1.0);
    running.stop().await;
}
