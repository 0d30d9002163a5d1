//! Recording events, impressions and retractions as they come in.

use recommender::{ItemNumber, UserNumber};
use storage::event::EventError;
use storage::{
    Entry, EventId, EventOrigin, Impression, NewEvent, NewImpression, Recorded, Store, StoreError,
};

use crate::support::{Kind, everything, rating};

const KEEP: u64 = 1_000;

async fn record(store: &Store, entries: &[Entry]) -> Vec<Recorded> {
    let mut writer = store.begin().await.expect("nobody else writes");
    let recorded = writer.record(entries, KEEP).await.expect("the entries fit");
    writer.commit().await.expect("the commit succeeds");
    recorded
}

fn event(user: u32, id: &str, item: u32) -> Entry {
    Entry::Event(rating(user, id, item))
}

fn retraction(user: u32, id: &str) -> Entry {
    Entry::Retraction { user: UserNumber(user), event_id: rating(user, id, 1).event_id }
}

fn new_impression(user: u32, id: &str, item: u32, time_ms: i64) -> NewImpression {
    NewImpression {
        user: UserNumber(user),
        item: ItemNumber(item),
        event_id: EventId::new(id.as_bytes()).expect("the test gives a fitting id"),
        time_ms,
        recorded_ms: 2_000,
        attribution_token: Some("shelf 3".to_owned()),
    }
}

fn impression(user: u32, id: &str, item: u32, time_ms: i64) -> Entry {
    Entry::Impression(new_impression(user, id, item, time_ms))
}

/// The ids of a user's events, retracted ones with a minus, by id.
async fn stored(store: &Store, user: u32) -> Vec<String> {
    let events = store.stored_events(UserNumber(user), None, 10_000).await.expect("it reads");
    let shown = events.iter().map(|stored| {
        let id = String::from_utf8_lossy(stored.event.event_id.as_bytes()).into_owned();
        if stored.retracted { format!("-{id}") } else { id }
    });
    shown.collect()
}

async fn each_entry_is_told_what_became_of_it(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    record(&store, &[event(1, "old", 7), event(1, "taken back", 7)]).await;
    record(&store, &[retraction(1, "taken back")]).await;
    let before = store.revisions().await.expect("it reads");

    let entries = [
        event(2, "new", 7),
        event(1, "old", 7),
        event(1, "old", 8),
        event(1, "taken back", 7),
        retraction(1, "taken back"),
        retraction(1, "old"),
        retraction(1, "old"),
        retraction(3, "never"),
        event(2, "new", 7),
        event(2, "new", 9),
        impression(4, "shown", 7, 5),
        impression(4, "shown", 8, 6),
        // The ids of impressions are apart.
        event(4, "shown", 7),
        retraction(5, "later"),
        event(5, "later", 7),
        event(6, "at once", 7),
        retraction(6, "at once"),
        event(6, "at once", 7),
    ];
    let expected = [
        Recorded::Stored,
        Recorded::Repeated,
        Recorded::Conflicting,
        Recorded::Repeated,
        Recorded::RetractedBefore,
        Recorded::Retracted,
        Recorded::RetractedBefore,
        Recorded::Unknown,
        Recorded::Repeated,
        Recorded::Conflicting,
        Recorded::Stored,
        Recorded::Repeated,
        Recorded::Stored,
        Recorded::Unknown,
        Recorded::Stored,
        Recorded::Stored,
        Recorded::Retracted,
        Recorded::Repeated,
    ];
    assert_eq!(record(&store, &entries).await, expected);
    assert_eq!(stored(&store, 1).await, ["-old", "-taken back"]);
    assert_eq!(stored(&store, 2).await, ["new"]);
    assert_eq!(stored(&store, 3).await, [""; 0]);
    assert_eq!(stored(&store, 5).await, ["later"]);
    assert_eq!(stored(&store, 6).await, ["-at once"]);

    let after = store.revisions().await.expect("it reads");
    assert_eq!(after.events, before.events + 1);
    // Four events, two retractions.
    assert_eq!(after.event_changes, before.event_changes + 6);
    let changed = store.users_changed_after(before.events, None, 10).await.expect("it reads");
    assert_eq!(changed.iter().map(|user| user.user.0).collect::<Vec<_>>(), [1, 2, 4, 5, 6]);
}

async fn recording_again_changes_nothing(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut entries: Vec<Entry> =
        (0..1_500).map(|index| event(index % 97 + 1, &format!("event {index}"), 7)).collect();
    entries.extend((0..600).map(|index| impression(index % 7 + 1, &index.to_string(), 7, 1)));
    entries.push(retraction(1, "event 0"));
    let first = record(&store, &entries).await;
    assert_eq!(first.iter().filter(|recorded| **recorded == Recorded::Stored).count(), 2_100);
    let (before, revisions) =
        (everything(&store).await, store.revisions().await.expect("it reads"));
    let again = record(&store, &entries).await;
    assert_eq!(again.iter().filter(|recorded| **recorded == Recorded::Repeated).count(), 2_100);
    assert_eq!(again.last(), Some(&Recorded::RetractedBefore));
    assert_eq!(everything(&store).await, before);
    assert_eq!(store.revisions().await.expect("it reads"), revisions);
}

async fn what_cannot_be_stored_refuses_the_list_and_the_writer_goes_on(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let missing = Entry::Event(NewEvent { rating: None, ..rating(1, "a", 7) });
    let token =
        NewImpression { attribution_token: Some("t".repeat(513)), ..new_impression(1, "a", 7, 1) };
    for (entry, expected) in [
        (missing, EventError::RatingMissing),
        (impression(0, "a", 7, 1), EventError::NumberRange { of: "user", found: 0 }),
        (Entry::Impression(token), EventError::TokenLength { bytes: 513 }),
    ] {
        let refused = writer.record(&[event(1, "good", 7), entry], KEEP).await;
        assert!(matches!(refused, Err(StoreError::Event(error)) if error == expected));
    }
    assert_eq!(writer.record(&[], KEEP).await.expect("nothing fits"), []);
    writer.record(&[event(1, "b", 7)], KEEP).await.expect("it fits");
    writer.commit().await.expect("the commit succeeds");
    assert_eq!(stored(&store, 1).await, ["b"]);
}

async fn a_recorded_event_reads_as_it_was_told(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let told = NewEvent {
        kind: recommender::EventKind::Cart,
        rating: None,
        time_ms: Some(-7),
        origin: EventOrigin::Simulated,
        attribution_token: Some("shelf 3".to_owned()),
        event_id: EventId::new(&[0, 255, 0]).expect("three bytes fit"),
        ..rating(1, "a", 7)
    };
    record(&store, &[Entry::Event(told.clone())]).await;
    let read = store.stored_events(told.user, None, 10).await.expect("it reads").remove(0);
    assert!(!read.retracted);
    let read = read.event;
    assert_eq!((read.event_id, read.item, read.kind), (told.event_id, told.item, told.kind));
    assert_eq!((read.rating, read.time_ms, read.recorded_ms), (None, Some(-7), 2_000));
    assert_eq!((read.origin, read.attribution_token), (told.origin, told.attribution_token));
    assert!(store.revisions().await.expect("it reads").simulated);
}

async fn a_users_events_are_exported_in_pages(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let entries: Vec<Entry> = (0..25).map(|index| event(1, &format!("{index:02}"), 7)).collect();
    record(&store, &entries).await;
    record(&store, &[retraction(1, "03"), event(2, "other", 7)]).await;
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = store.stored_events(UserNumber(1), after, 10).await.expect("it reads");
        let Some(last) = page.last() else { break };
        after = Some(last.event.event_id);
        seen.extend(page.iter().map(|stored| stored.retracted));
    }
    assert_eq!(seen.len(), 25);
    assert_eq!(seen.iter().position(|retracted| *retracted), Some(3));
    assert_eq!(seen.iter().filter(|retracted| **retracted).count(), 1);
}

async fn impressions_tell_how_often_and_when_last_and_are_no_history(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let shown = [
        impression(1, "a", 7, 30),
        impression(1, "b", 7, 10),
        impression(1, "c", 8, 20),
        impression(1, "d", 9, 20),
        impression(2, "a", 9, 99),
    ];
    record(&store, &shown).await;
    let seen = |item, times, last_ms| Impression { item: ItemNumber(item), times, last_ms };
    let expected = [seen(7, 2, 30), seen(8, 1, 20), seen(9, 1, 20)];
    let user = UserNumber(1);
    assert_eq!(store.impressions(user, 10).await.expect("it reads"), expected);
    assert_eq!(store.impressions(user, 2).await.expect("it reads"), expected[..2]);
    assert_eq!(store.history(user, 10).await.expect("it reads").events, []);
    assert_eq!(store.counts().await.expect("it counts").users, 0);
    assert_eq!(store.revisions().await.expect("it reads").events, 0);
    // Somebody who was only shown books can be asked for, and deleted.
    assert_eq!(store.user_number("1").await.expect("an id"), Some(user));
    let page = store.stored_impressions(user, None, 3).await.expect("it reads");
    assert_eq!(page[1], new_impression(1, "b", 7, 10));
    let rest = store.stored_impressions(user, Some(page[2].event_id), 3).await.expect("it reads");
    assert_eq!(rest, [new_impression(1, "d", 9, 20)]);
}

async fn only_the_latest_impressions_of_the_shop_are_kept(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    for batch in 0..5_u32 {
        let mut writer = store.begin().await.expect("nobody else writes");
        let shown: Vec<Entry> = (0..40)
            .map(|index| impression(index % 3 + 1, &format!("{batch}/{index}"), batch + 1, 1))
            .collect();
        let recorded = writer.record(&shown, 100).await.expect("the entries fit");
        assert_eq!(recorded, vec![Recorded::Stored; 40]);
        writer.commit().await.expect("the commit succeeds");
    }
    let mut times = [0; 6];
    for user in 1..=3 {
        for seen in store.impressions(UserNumber(user), 100).await.expect("it reads") {
            times[seen.item.0 as usize] += seen.times;
        }
    }
    assert_eq!(times, [0, 0, 0, 20, 40, 40]);
}

on_every_kind!(
    each_entry_is_told_what_became_of_it,
    recording_again_changes_nothing,
    what_cannot_be_stored_refuses_the_list_and_the_writer_goes_on,
    a_recorded_event_reads_as_it_was_told,
    a_users_events_are_exported_in_pages,
    impressions_tell_how_often_and_when_last_and_are_no_history,
    only_the_latest_impressions_of_the_shop_are_kept,
);
