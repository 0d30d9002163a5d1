//! After a user was deleted and the store compacted, no byte of theirs is in any of its files.

use std::path::Path;

use recommender::UserNumber;
use storage::{Entry, EventId, NewEvent, NewImpression, Store, StoreError};

use crate::support::{everything, new_store, rating};

const GUEST: &str = "guest-7d1f0c9e";
const READER: &str = "reader-4b2a8e6d";
const TOKEN: &str = "token-93c5f1a7";
const EVENT: &str = "order-e80d6b24";
const SHOWN: &str = "shown-5fa9c310";

/// The files in a folder that have these bytes in them.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("it lists") {
        let path = entry.expect("it lists").path();
        let bytes = std::fs::read(&path).expect("it reads");
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            names.push(path.display().to_string());
        }
    }
    names
}

/// What this user did, of which every event and impression can be told from all others.
fn entries(user: UserNumber, count: u32) -> Vec<Entry> {
    let mut entries = Vec::new();
    for index in 0..count {
        let id = |text: &str| EventId::new(format!("{text}-{index}").as_bytes()).expect("it fits");
        let attribution_token = Some(format!("{TOKEN}-{index}"));
        let event = rating(user.0, "replaced", 7);
        let token = attribution_token.clone();
        entries.push(Entry::Event(NewEvent {
            event_id: id(EVENT),
            attribution_token: token,
            ..event
        }));
        entries.push(Entry::Impression(NewImpression {
            user,
            item: event_item(index),
            event_id: id(SHOWN),
            time_ms: 1,
            recorded_ms: 2,
            attribution_token,
        }));
    }
    entries
}

fn event_item(index: u32) -> recommender::ItemNumber {
    recommender::ItemNumber(index % 50 + 1)
}

async fn record(store: &Store, entries: &[Entry]) {
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.record(entries, 100_000).await.expect("the entries fit");
    writer.commit().await.expect("the commit succeeds");
}

#[tokio::test]
async fn nothing_is_left_of_a_deleted_user_after_compacting() {
    let (store, folder) = new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let users = writer.assign_users(&[GUEST, "kept-reader", READER]).await.expect("ids");
    writer.commit().await.expect("the commit succeeds");
    // Many users, between whom theirs lie, in several commits, so that pages split and move.
    for round in 0..4 {
        let others: Vec<Entry> =
            (1..600).map(|user| Entry::Event(rating(user, &format!("other {round}"), 7))).collect();
        record(&store, &others).await;
        let guest = if round < 2 { users[0] } else { users[2] };
        record(&store, &entries(guest, 100 * (round + 1))).await;
        record(&store, &[Entry::Event(rating(users[1].0, &format!("kept-event-{round}"), 7))])
            .await;
    }
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.merge_users(users[0], users[2]).await.expect("it merges");
    writer.commit().await.expect("the commit succeeds");
    let secrets = [GUEST, READER, TOKEN, EVENT, SHOWN];
    for secret in secrets {
        assert_ne!(files_with(folder.path(), secret), [""; 0], "{secret}");
    }

    let mut writer = store.begin().await.expect("nobody else writes");
    assert_eq!(writer.delete_user(users[2]).await.expect("it writes"), 400);
    writer.commit().await.expect("the commit succeeds");
    let before = everything(&store).await;
    store.compact().await.expect("nobody else is there");
    for secret in secrets {
        assert_eq!(files_with(folder.path(), secret), [""; 0], "{secret}");
    }
    assert_eq!(files_with(folder.path(), "kept-event-3").len(), 1);
    assert_eq!(everything(&store).await, before);

    // And it goes on.
    record(&store, &[Entry::Event(rating(1, "afterwards", 7))]).await;
    assert_eq!(store.user_number("kept-reader").await.expect("an id"), Some(users[1]));
}

#[tokio::test]
async fn compacting_waits_for_the_writer_as_a_writer_does() {
    let (store, _folder) = new_store().await;
    let writer = store.begin().await.expect("nobody else writes");
    assert!(matches!(store.compact().await, Err(StoreError::Busy)));
    writer.rollback().await.expect("it rolls back");
    store.compact().await.expect("nobody else is there");
}
