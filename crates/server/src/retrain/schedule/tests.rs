//! When trainings are due: cases worked out by hand, then any order of looks.

use proptest::prelude::*;

use storage::Revisions;

use super::*;
use crate::train::TrainedOn;

const PACE: Pace = Pace {
    quiet: Duration::from_secs(1),
    soon: Duration::from_secs(5),
    latest: Duration::from_secs(300),
    events_share: 0.1,
    pause: Duration::from_secs(4),
    pause_ratio: 1.0,
    retry: Duration::from_secs(10),
    retry_max: Duration::from_secs(60),
};

fn mark(catalogue: i64, event_changes: i64, removals: i64) -> Mark {
    let revisions =
        Revisions { catalogue, events: 9, event_changes, removals, ..Revisions::default() };
    Mark::of(&revisions)
}

/// A shop whose model was trained on catalogue 1, 1,000 events and no removal.
fn news(catalogue: i64, event_changes: i64, removals: i64) -> News {
    News {
        mark: mark(catalogue, event_changes, removals),
        has_shop: true,
        trained_on: Some(TrainedOn { catalogue: 1, events: 9, event_changes: 1_000, removals: 0 }),
        has_model: true,
        is_chosen: false,
        knows_newest: true,
        new_books: 0,
        first_events: false,
    }
}

fn old() -> News {
    news(1, 1_000, 0)
}

/// The first second at which it is due, if the same news is seen each second from the first on.
fn first_due(schedule: &mut Schedule, from: u64, news: &News) -> Option<(u64, Reason)> {
    (from..from + 1_000).find_map(|second| {
        schedule.look(Duration::from_secs(second), news, &PACE).map(|reason| (second, reason))
    })
}

#[test]
fn each_kind_of_news_is_due_in_its_time() {
    let check = |news: News, expected: Option<(u64, Reason)>| {
        assert_eq!(first_due(&mut Schedule::default(), 0, &news), expected, "{news:?}");
    };
    check(old(), None);
    check(News { has_shop: false, has_model: false, trained_on: None, ..old() }, None);
    check(News { has_model: false, trained_on: None, ..old() }, Some((1, Reason::NoModel)));
    check(News { trained_on: None, ..old() }, Some((300, Reason::Changed)));
    check(news(1, 1_001, 0), Some((300, Reason::Changed)));
    let chosen = |news: News| News { is_chosen: true, new_books: 1, first_events: true, ..news };
    check(chosen(news(2, 1_099, 0)), None);
    check(chosen(news(1, 1_100, 0)), Some((1, Reason::ManyEvents)));
    check(chosen(news(1, 1_000, 1)), Some((1, Reason::Removed)));
    let blind = |news: News| News { knows_newest: false, ..chosen(news) };
    check(blind(news(2, 9_000, 0)), None);
    check(blind(news(2, 9_000, 1)), Some((1, Reason::Removed)));
    // Files of an older version do not tell.
    check(News { trained_on: None, ..blind(news(2, 9_000, 1)) }, None);
    check(news(2, 1_000, 0), Some((300, Reason::Changed)));
    let merged = TrainedOn { catalogue: 1, events: 8, event_changes: 1_000, removals: 0 };
    check(News { trained_on: Some(merged), ..old() }, Some((300, Reason::Changed)));
    check(News { new_books: 1, ..news(2, 1_000, 0) }, Some((1, Reason::NewBooks)));
    // A book that the last training left out, whatever the reason, is no news by itself.
    check(News { new_books: 1, ..news(1, 1_001, 0) }, Some((300, Reason::Changed)));
    check(News { first_events: true, ..news(1, 1_001, 0) }, Some((1, Reason::FirstEvents)));
    check(news(1, 1_100, 0), Some((1, Reason::ManyEvents)));
    check(News { new_books: 1, ..news(2, 1_100, 1) }, Some((1, Reason::Removed)));
}

#[test]
fn what_never_gets_quiet_does_not_wait_for_it() {
    let mut schedule = Schedule::default();
    let mut look = |second: u64| {
        let news = News { first_events: true, ..news(1, 1_001 + second as i64, 0) };
        schedule.look(Duration::from_secs_f64(second as f64 / 2.0), &news, &PACE)
    };
    assert_eq!((0..20).find(|second| look(*second).is_some()), Some(10));
}

#[test]
fn a_long_training_is_followed_by_a_long_pause() {
    for (took, next) in [(1, 104), (30, 130)] {
        let mut schedule = Schedule::default();
        let (now, took) = (Duration::from_secs(100), Duration::from_secs(took));
        let pressing = news(1, 2_000, 0);
        schedule.ended(now, took, Ended::Trained, &pressing, &PACE, 0.5);
        assert_eq!(first_due(&mut schedule, 100, &pressing).unwrap().0, next);
    }
}

#[test]
fn pauses_after_failures_double_up_to_a_bound_and_end_with_a_success() {
    let mut schedule = Schedule::default();
    let mut pause = |how, chance| {
        let took = Duration::from_secs(1);
        schedule.ended(took, took, how, &old(), &PACE, chance).as_secs()
    };
    let pauses: Vec<u64> = (0..5).map(|_| pause(Ended::Failed, 0.0)).collect();
    assert_eq!(pauses, [10, 20, 40, 60, 60]);
    assert_eq!(pause(Ended::Failed, 1.0), 30);
    assert_eq!(pause(Ended::Trained, 0.0), 4);
    assert_eq!(pause(Ended::Failed, 0.0), 10);
    assert!((6..=8).contains(&pause(Ended::Busy, 0.3)));
}

#[test]
fn a_shop_of_which_nothing_can_be_learnt_is_tried_again_when_it_changes() {
    let mut schedule = Schedule::default();
    let empty = News { has_model: false, trained_on: None, ..old() };
    assert!(first_due(&mut schedule, 0, &empty).is_some());
    let now = Duration::from_secs(10);
    schedule.ended(now, Duration::ZERO, Ended::NothingToLearn, &empty, &PACE, 0.0);
    assert_eq!(first_due(&mut schedule, 20, &empty), None);
    let changed = News { mark: mark(2, 1_000, 0), ..empty };
    assert!(first_due(&mut schedule, 30, &changed).is_some());
}

/// What may happen between two looks.
#[derive(Clone, Copy, Debug)]
struct Step {
    wait_ms: u64,
    events: i64,
    books: usize,
    took_ms: u64,
    how: Ended,
    chance: f64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let how = prop_oneof![
        4 => Just(Ended::Trained),
        1 => Just(Ended::Busy),
        1 => Just(Ended::Failed),
        1 => Just(Ended::NothingToLearn),
    ];
    let events = prop_oneof![3 => Just(0_i64), 1 => 1..2_000_i64];
    let books = prop_oneof![5 => Just(0_usize), 1 => 1..3_usize];
    let step = (0..20_000_u64, events, books, 0..30_000_u64, how, 0.0..=1.0);
    let step = step.prop_map(|(wait_ms, events, books, took_ms, how, chance)| Step {
        wait_ms,
        events,
        books,
        took_ms,
        how,
        chance,
    });
    prop::collection::vec(step, 1..200)
}

proptest! {
    #[test]
    fn trainings_keep_their_distance_and_news_its_time(steps in steps()) {
        let mut schedule = Schedule::default();
        let mut shop = old();
        let mut now = Duration::ZERO;
        // When the last training ended, and how long it took.
        let mut last: Option<(Duration, Duration, Ended)> = None;
        let mut news_since: Option<Duration> = None;
        for step in steps {
            now += Duration::from_millis(step.wait_ms);
            shop.mark = mark(
                1 + (shop.new_books + step.books) as i64,
                shop.events() as i64 + 1_000 + step.events,
                0,
            );
            shop.new_books += step.books;
            let is_news = shop.reason(PACE.events_share).is_some();
            let since = news_since.filter(|_| is_news);
            news_since = is_news.then(|| since.unwrap_or(now));
            let Some(_) = schedule.look(now, &shop, &PACE) else {
                let waited = news_since.is_some_and(|since| now - since >= PACE.latest);
                let paused = last.is_some_and(|(end, took, how)| {
                    how == Ended::NothingToLearn
                        || now < end + PACE.retry_max.max(2 * PACE.pause).max(took)
                });
                prop_assert!(!waited || paused, "news since {news_since:?} waits at {now:?}");
                continue;
            };
            prop_assert!(is_news, "trained without news");
            if let Some((end, took, how)) = last {
                let least = if how == Ended::Failed { PACE.retry / 2 } else { PACE.pause };
                let least = if how == Ended::Busy { least } else { least.max(took) };
                prop_assert!(now - end >= least, "{:?} after a training of {took:?}", now - end);
            }
            let took = Duration::from_millis(step.took_ms);
            now += took;
            schedule.ended(now, took, step.how, &shop, &PACE, step.chance);
            last = Some((now, took, step.how));
            if step.how == Ended::Trained {
                shop = old();
                news_since = None;
            }
        }
    }
}
