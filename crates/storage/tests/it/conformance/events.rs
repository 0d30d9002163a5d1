//! Events are stored once, read in order, and scanned for training.

use std::ops::ControlFlow;

use recommender::{EventKind, ItemNumber, Rating, UserNumber};
use storage::event::EventError;
use storage::{Appended, EventId, EventOrigin, History, NewEvent, Store, StoreError};

use crate::support::{Kind, rating};

async fn append(store: &Store, events: &[NewEvent]) -> Appended {
    let mut writer = store.begin().await.expect("nobody else writes");
    let appended = writer.append_events(events).await.expect("the events fit");
    writer.commit().await.expect("the commit succeeds");
    appended
}

async fn history(store: &Store, user: u32) -> History {
    store.history(UserNumber(user), 100).await.expect("it reads")
}

/// The ids of a user's events, in the order of the history.
async fn ids(store: &Store, user: u32, limit: u32) -> Vec<String> {
    let history = store.history(UserNumber(user), limit).await.expect("it reads");
    let text = |id: EventId| String::from_utf8_lossy(id.as_bytes()).into_owned();
    history.events.iter().map(|event| text(event.event_id)).collect()
}

async fn appending_again_changes_nothing(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let events = [rating(1, "a", 7), rating(1, "b", 8), rating(2, "a", 7)];
    assert_eq!(append(&store, &events).await, Appended { stored: 3, repeated: 0, conflicting: 0 });
    let before = (history(&store, 1).await, history(&store, 2).await);
    assert_eq!(append(&store, &events).await, Appended { stored: 0, repeated: 3, conflicting: 0 });
    assert_eq!((history(&store, 1).await, history(&store, 2).await), before);
}

async fn of_two_events_with_the_same_id_the_first_wins_and_the_conflict_is_counted(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let first = rating(1, "a", 7);
    append(&store, std::slice::from_ref(&first)).await;
    let changes: [fn(&mut NewEvent); 4] = [
        |event| event.item = ItemNumber(8),
        |event| {
            event.kind = EventKind::View;
            event.rating = None;
        },
        |event| event.rating = Rating::from_half_stars(2),
        |event| event.time_ms = None,
    ];
    for change in changes {
        let mut other = first.clone();
        change(&mut other);
        let expected = Appended { stored: 0, repeated: 1, conflicting: 1 };
        assert_eq!(append(&store, &[other]).await, expected);
    }
    // A retry is recorded later; that is no conflict.
    let retried = NewEvent { recorded_ms: 9_999, ..first.clone() };
    let expected = Appended { stored: 0, repeated: 1, conflicting: 0 };
    assert_eq!(append(&store, &[retried]).await, expected);
    let stored = history(&store, 1).await.events;
    assert_eq!(stored.iter().map(|event| event.item).collect::<Vec<_>>(), [first.item]);
}

async fn repetitions_inside_one_batch_are_told_too(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let events = [rating(1, "a", 7), rating(1, "b", 7), rating(1, "a", 7), rating(1, "a", 8)];
    let appended = append(&store, &events).await;
    assert_eq!(appended, Appended { stored: 2, repeated: 2, conflicting: 1 });
    assert_eq!(history(&store, 1).await.events.len(), 2);
}

async fn a_large_batch_that_is_partly_repeated_stores_the_rest(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let event = |index: u32| rating(index % 97 + 1, &format!("event {index}"), 7);
    let old: Vec<NewEvent> = (0..3_000).step_by(3).map(event).collect();
    append(&store, &old).await;
    let mut all: Vec<NewEvent> = (0..3_000).map(event).collect();
    all[0].item = ItemNumber(8);
    let expected = Appended { stored: 2_000, repeated: 1_000, conflicting: 1 };
    assert_eq!(append(&store, &all).await, expected);
    assert_eq!(store.counts().await.expect("it counts").events, 3_000);
}

async fn history_is_newest_first_and_limited(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let at = |id, time_ms, recorded_ms| NewEvent { time_ms, recorded_ms, ..rating(1, id, 7) };
    let events = [
        at("without a time, recorded early", None, 1),
        at("without a time, recorded late", None, 900),
        at("old", Some(-5), 800),
        at("new, recorded early", Some(300), 500),
        at("new, recorded late, id b", Some(300), 600),
        at("new, recorded late, id a", Some(300), 600),
    ];
    append(&store, &events).await;
    let expected = [
        "new, recorded late, id b",
        "new, recorded late, id a",
        "new, recorded early",
        "old",
        "without a time, recorded late",
        "without a time, recorded early",
    ];
    assert_eq!(ids(&store, 1, 100).await, expected);
    assert_eq!(ids(&store, 1, 2).await, expected[..2]);
    let none = store.history(UserNumber(1), 0).await.expect("it reads");
    assert_eq!(none, History { revision: 1, events: Vec::new() });
    assert_eq!(history(&store, 2).await, History { revision: 0, events: Vec::new() });
}

async fn a_history_of_one_book_has_its_events_alone(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let at = |id, item, time_ms| NewEvent { time_ms, ..rating(1, id, item) };
    let other = NewEvent { user: UserNumber(2), ..at("another's", 7, Some(9)) };
    let events = [
        at("old", 7, Some(1)),
        at("new", 7, Some(3)),
        at("gone", 7, Some(4)),
        at("without a time", 7, None),
        at("another book's", 8, Some(2)),
        other,
    ];
    append(&store, &events).await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let gone = EventId::new(b"gone").expect("it is short");
    writer.retract_events(&[(UserNumber(1), gone)]).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    let (user, item) = (UserNumber(1), ItemNumber(7));
    let found = store.history_of_book(user, item, 100).await.expect("it reads");
    let mut all = history(&store, 1).await.events;
    all.retain(|event| event.item == item);
    assert_eq!((found.len(), &found), (3, &all));
    let first = store.history_of_book(user, item, 1).await.expect("it reads");
    assert_eq!(first, all[..1]);
    let none = store.history_of_book(user, ItemNumber(9), 100).await.expect("it reads");
    assert_eq!(none, []);
}

async fn an_event_reads_as_it_was_appended(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let event = NewEvent {
        kind: EventKind::Purchase,
        rating: None,
        time_ms: None,
        origin: EventOrigin::Simulated,
        attribution_token: Some("shelf 3".to_owned()),
        event_id: EventId::new(&[0; 64]).expect("64 bytes fit"),
        ..rating(1, "a", 7)
    };
    append(&store, std::slice::from_ref(&event)).await;
    let read = history(&store, 1).await.events.remove(0);
    assert_eq!((read.event_id, read.item, read.kind), (event.event_id, event.item, event.kind));
    assert_eq!((read.rating, read.time_ms, read.recorded_ms), (None, None, event.recorded_ms));
    assert_eq!((read.origin, read.attribution_token), (event.origin, event.attribution_token));
    let counts = store.counts().await.expect("it counts");
    assert_eq!((counts.events, counts.simulated_events), (1, 1));
}

async fn the_schema_takes_every_kind_and_origin_there_is_and_no_other(kind: Kind) {
    let (store, place) = kind.new_store().await;
    let mut events = Vec::new();
    for kind in EventKind::ALL {
        for origin in EventOrigin::ALL {
            let id = format!("{} {}", kind.number(), origin.number());
            let event = rating(1, &id, kind.number().into());
            let rating = event.rating.filter(|_| kind == EventKind::Rating);
            events.push(NewEvent { kind, origin, rating, ..event });
        }
    }
    append(&store, &events).await;
    events.sort_unstable_by_key(|event| event.event_id);
    let expected: Vec<_> =
        events.iter().map(|event| (event.item, event.kind, event.rating, event.origin)).collect();
    let mut scanned = Vec::new();
    let done = store
        .scan_events(|_, events| {
            scanned.extend(
                events.iter().map(|event| (event.item, event.kind, event.rating, event.origin)),
            );
            ControlFlow::Continue(())
        })
        .await;
    done.expect("the scan succeeds");
    assert_eq!(scanned, expected);

    place.tamper("DELETE FROM events WHERE kind = 6").await;
    for (column, all) in [("kind", EventKind::ALL.len()), ("origin", EventOrigin::ALL.len())] {
        for number in [0, all + 1] {
            let statement = format!("UPDATE events SET {column} = {number}");
            let refused = place.try_to_tamper(&statement).await;
            let error = refused.expect_err(&statement).to_string();
            assert!(error.to_lowercase().contains("check"), "{statement}: {error}");
        }
    }
}

async fn a_retracted_event_is_gone_but_its_id_stays_taken(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    append(&store, &[rating(1, "a", 7), rating(1, "b", 8)]).await;
    let gone = (UserNumber(1), rating(1, "a", 7).event_id);
    let unknown = (UserNumber(2), gone.1);
    let mut writer = store.begin().await.expect("nobody else writes");
    assert_eq!(writer.retract_events(&[gone, unknown, gone]).await.expect("it writes"), 1);
    let committed = writer.commit().await.expect("the commit succeeds");
    assert_eq!(committed.users_touched, 1);
    assert_eq!(ids(&store, 1, 100).await, ["b"]);
    assert_eq!(store.counts().await.expect("it counts").events, 1);
    assert_eq!(append(&store, &[rating(1, "a", 7)]).await.repeated, 1);
    assert_eq!(ids(&store, 1, 100).await, ["b"]);
}

async fn a_rating_needs_a_rating_and_nothing_else_has_one(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let without = NewEvent { rating: None, ..rating(1, "a", 7) };
    let view = NewEvent { kind: EventKind::View, ..rating(1, "a", 7) };
    let token = NewEvent { attribution_token: Some(String::new()), ..rating(1, "a", 7) };
    let mut writer = store.begin().await.expect("nobody else writes");
    for (event, expected) in [
        (without, EventError::RatingMissing),
        (view, EventError::RatingUnexpected { kind: EventKind::View }),
        (token, EventError::TokenLength { bytes: 0 }),
        (rating(0, "a", 7), EventError::NumberRange { of: "user", found: 0 }),
        (rating(1, "a", 1 << 31), EventError::NumberRange { of: "item", found: 1 << 31 }),
    ] {
        let refused = writer.append_events(&[rating(1, "good", 7), event]).await;
        assert!(matches!(refused, Err(StoreError::Event(error)) if error == expected));
    }
    writer.commit().await.expect("nothing was written");
    assert_eq!(store.counts().await.expect("it counts").events, 0);
}

async fn a_scan_visits_each_user_once_with_all_events_by_id(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let view = NewEvent { kind: EventKind::View, rating: None, time_ms: None, ..rating(3, "b", 9) };
    let retracted = rating(2, "z", 5);
    append(&store, &[view.clone(), rating(9, "a", 7), rating(3, "a", 8), retracted.clone()]).await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let retract = [(retracted.user, retracted.event_id)];
    writer.retract_events(&retract).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    let mut seen = Vec::new();
    let scanned = store
        .scan_events(|user, events| {
            let events: Vec<_> =
                events.iter().map(|event| (event.item.0, event.kind, event.time_ms)).collect();
            seen.push((user.0, events));
            ControlFlow::Continue(())
        })
        .await;
    scanned.expect("the scan succeeds");
    let rated = |item| (item, EventKind::Rating, Some(1_000));
    assert_eq!(seen, [(3, vec![rated(8), (9, EventKind::View, None)]), (9, vec![rated(7)])]);
}

async fn a_scan_can_be_broken_off_and_the_connection_is_free_again(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let events: Vec<NewEvent> = (1..=2_000).map(|user| rating(user, "a", 7)).collect();
    append(&store, &events).await;
    for _ in 0..5 {
        let mut visited = 0;
        let scanned = store
            .scan_events(|_, _| {
                visited += 1;
                if visited == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .await;
        scanned.expect("the scan succeeds");
        assert_eq!(visited, 3);
    }
}

async fn every_kind_but_a_view_settles_its_item_until_it_is_retracted(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut events = vec![rating(2, "another user", 99)];
    for kind in EventKind::ALL {
        // In descending order, and each item twice.
        let item = 100 - u32::from(kind.number());
        for repetition in ["first", "second"] {
            let event = rating(1, &format!("{repetition} {kind}"), item);
            let rating = event.rating.filter(|_| kind == EventKind::Rating);
            events.push(NewEvent { kind, rating, ..event });
        }
    }
    let retracted = rating(1, "taken back", 50);
    events.push(retracted.clone());
    append(&store, &events).await;
    let settled = async |user| store.settled_items(UserNumber(user)).await.expect("it reads");
    assert_eq!(settled(1).await, [50, 91, 92, 93, 94, 95, 96, 97, 98].map(ItemNumber));

    let mut writer = store.begin().await.expect("nobody else writes");
    writer.retract_events(&[(retracted.user, retracted.event_id)]).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    assert_eq!(settled(1).await, [91, 92, 93, 94, 95, 96, 97, 98].map(ItemNumber));
    assert_eq!(settled(2).await, [ItemNumber(99)]);
    assert_eq!(settled(3).await, []);
}

async fn a_store_remembers_that_it_had_simulated_events(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    append(&store, &[rating(1, "a", 7)]).await;
    assert!(!store.has_simulated_events().await.expect("it reads"));
    let simulated = NewEvent { origin: EventOrigin::Simulated, ..rating(1, "b", 7) };

    let mut writer = store.begin().await.expect("nobody else writes");
    assert!(!writer.has_simulated_events());
    writer.append_events(&[rating(1, "c", 7), simulated.clone()]).await.expect("they fit");
    assert!(writer.has_simulated_events());
    assert!(!store.has_simulated_events().await.expect("it reads"));
    writer.rollback().await.expect("it rolls back");
    assert!(!store.has_simulated_events().await.expect("it reads"));

    append(&store, std::slice::from_ref(&simulated)).await;
    assert!(store.has_simulated_events().await.expect("it reads"));
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.retract_events(&[(simulated.user, simulated.event_id)]).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    assert!(store.has_simulated_events().await.expect("it reads"));
}

on_every_kind!(
    appending_again_changes_nothing,
    of_two_events_with_the_same_id_the_first_wins_and_the_conflict_is_counted,
    repetitions_inside_one_batch_are_told_too,
    a_large_batch_that_is_partly_repeated_stores_the_rest,
    history_is_newest_first_and_limited,
    a_history_of_one_book_has_its_events_alone,
    an_event_reads_as_it_was_appended,
    a_retracted_event_is_gone_but_its_id_stays_taken,
    a_rating_needs_a_rating_and_nothing_else_has_one,
    a_scan_visits_each_user_once_with_all_events_by_id,
    a_scan_can_be_broken_off_and_the_connection_is_free_again,
    every_kind_but_a_view_settles_its_item_until_it_is_retracted,
    a_store_remembers_that_it_had_simulated_events,
    the_schema_takes_every_kind_and_origin_there_is_and_no_other,
);
