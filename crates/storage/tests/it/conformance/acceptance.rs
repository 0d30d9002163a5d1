//! What was shown, clicked and bought, by attribution token.

use recommender::{EventKind, ItemNumber, UserNumber};
use storage::{Acceptance, Entry, EventId, EventOrigin, NewEvent, NewImpression, Store};

use crate::support::Kind;

fn shown(user: u32, item: u32, time_ms: i64, token: &str) -> Entry {
    Entry::Impression(NewImpression {
        user: UserNumber(user),
        item: ItemNumber(item),
        event_id: EventId::new(format!("{item} {time_ms}").as_bytes()).expect("it is short"),
        time_ms,
        recorded_ms: time_ms,
        attribution_token: (!token.is_empty()).then(|| token.to_owned()),
    })
}

fn did(user: u32, item: u32, kind: EventKind, token: &str) -> Entry {
    Entry::Event(NewEvent {
        user: UserNumber(user),
        item: ItemNumber(item),
        event_id: EventId::new(format!("{item} {kind} {token}").as_bytes()).expect("it is short"),
        kind,
        rating: None,
        time_ms: None,
        recorded_ms: 1_000,
        origin: EventOrigin::Client,
        attribution_token: (!token.is_empty()).then(|| token.to_owned()),
    })
}

async fn record(store: &Store, entries: &[Entry]) {
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.record(entries, 10_000).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
}

async fn what_was_shown_is_counted_with_what_came_of_it(kind: Kind) {
    use EventKind::{Purchase, View};
    let (store, _place) = kind.new_store().await;
    assert_eq!(store.acceptance(0).await.expect("it reads"), []);
    record(
        &store,
        &[
            // Shown twice by one answer, looked at twice and bought: counts once.
            shown(1, 7, 100, "3.a.1.p"),
            shown(1, 7, 101, "3.a.1.p"),
            did(1, 7, View, "3.a.1.p"),
            did(1, 7, Purchase, "3.a.1.p"),
            // Looked at only; by another answer of the kind.
            shown(2, 7, 102, "3.b.9.p"),
            did(2, 7, View, "3.b.9.p"),
            // Bought, and not because of this answer.
            shown(2, 8, 103, "3.b.9.p"),
            did(2, 8, Purchase, ""),
            // Refused, which is no taking up.
            did(2, 8, EventKind::Dismiss, "3.b.9.p"),
            // Another kind, another model; one without a token.
            shown(2, 8, 104, "3.b.7.t"),
            shown(2, 8, 90, "12.b.7.t"),
            shown(2, 9, 105, ""),
            // Tokens that end as others begin, and those of strangers.
            shown(3, 7, 106, "3.a.1b"),
            shown(3, 7, 107, "x.y"),
            shown(3, 7, 108, "12.abc"),
            shown(3, 7, 109, "3a.a.1.p"),
            shown(3, 7, 110, ".a.1.p"),
            shown(3, 7, 111, "3.a..p"),
            shown(3, 7, 112, "3.a.1.P"),
        ],
    )
    .await;
    let row = |head: &str, tail: &str, counts: [u64; 3], first_ms| Acceptance {
        head: head.to_owned(),
        tail: tail.to_owned(),
        shown: counts[0],
        clicked: counts[1],
        bought: counts[2],
        first_ms,
    };
    let expected = [
        row("3", "p", [3, 2, 1], 100),
        row("12", "t", [1, 0, 0], 90),
        row("3", "t", [1, 0, 0], 104),
    ];
    assert_eq!(store.acceptance(0).await.expect("it reads"), expected);
    let later = store.acceptance(104).await.expect("it reads");
    assert_eq!(later, [row("3", "t", [1, 0, 0], 104)]);
}

async fn tokens_of_ours_are_told_within_bounds(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut entries: Vec<Entry> =
        (0..1_200).map(|place| shown(1, 7, place, &format!("{place}.a.1.p"))).collect();
    entries.extend([shown(2, 7, 1, "9999.a.1.p"), shown(2, 8, 1, "9999.a.1.p")]);
    // Strangers take nobody's place.
    entries.extend(
        (0..1_200).flat_map(|place| {
            [1, 2, 3].map(|user| shown(user, 9, place, &format!("x{place}.a.1.p")))
        }),
    );
    record(&store, &entries).await;
    let found = store.acceptance(0).await.expect("it reads");
    assert_eq!((found.len(), found[0].head.as_str(), found[0].shown), (1_000, "9999", 2));
}

on_every_kind!(
    what_was_shown_is_counted_with_what_came_of_it,
    tokens_of_ours_are_told_within_bounds,
);
