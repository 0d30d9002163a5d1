//! Users: resolved, merged, deleted, and told apart by revision.

use recommender::id::FIRST_ASSIGNED;
use recommender::{ItemNumber, UserNumber};
use storage::{
    Entry, Merged, NewImpression, ResolvedUser, Store, StoreError, UserRevision, Writer,
};

use crate::support::{Kind, rating};

const KEEP: u64 = 1_000;

fn impression(user: u32, id: &str) -> Entry {
    Entry::Impression(NewImpression {
        user: UserNumber(user),
        item: ItemNumber(7),
        event_id: rating(user, id, 7).event_id,
        time_ms: 1,
        recorded_ms: 2,
        attribution_token: None,
    })
}

async fn record(store: &Store, entries: &[Entry]) {
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.record(entries, KEEP).await.expect("the entries fit");
    writer.commit().await.expect("the commit succeeds");
}

async fn merge(store: &Store, from: u32, into: u32) -> Result<Merged, StoreError> {
    let mut writer = store.begin().await.expect("nobody else writes");
    let merged = writer.merge_users(UserNumber(from), UserNumber(into)).await?;
    writer.commit().await.expect("the commit succeeds");
    Ok(merged)
}

async fn delete(store: &Store, user: u32) -> u64 {
    let mut writer = store.begin().await.expect("nobody else writes");
    let deleted = writer.delete_user(UserNumber(user)).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    deleted
}

async fn resolve(writer: &mut Writer, ids: &[&str]) -> Vec<(u32, bool)> {
    let users = writer.resolve_users(ids).await.expect("ids");
    let numbers = writer.assign_merged(ids).await.expect("ids");
    assert_eq!(users.iter().map(|user| user.number).collect::<Vec<_>>(), numbers);
    users.iter().map(|ResolvedUser { number, is_new }| (number.0, *is_new)).collect()
}

async fn event_ids(store: &Store, user: u32) -> Vec<String> {
    let events = store.stored_events(UserNumber(user), None, 100).await.expect("it reads");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    events.iter().map(|stored| text(stored.event.event_id.as_bytes())).collect()
}

async fn impression_count(store: &Store, user: u32) -> usize {
    store.stored_impressions(UserNumber(user), None, 100).await.expect("it reads").len()
}

async fn number(store: &Store, id: &str) -> Option<u32> {
    store.user_number(id).await.expect("an id").map(|user| user.0)
}

async fn a_user_is_new_until_their_first_event(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let ann = FIRST_ASSIGNED;
    let ids = ["ann", "17", "ann"];
    assert_eq!(resolve(&mut writer, &ids).await, [(ann, true), (17, true), (ann, true)]);
    let events = [Entry::Event(rating(ann, "a", 7)), impression(17, "a")];
    writer.record(&events, KEEP).await.expect("the entries fit");
    assert_eq!(resolve(&mut writer, &ids).await, [(ann, false), (17, false), (ann, false)]);
    writer.commit().await.expect("the commit succeeds");
    let mut writer = store.begin().await.expect("nobody else writes");
    // What they were shown is something that is known of them.
    assert_eq!(resolve(&mut writer, &["17", "ann"]).await, [(17, false), (ann, false)]);
    assert!(writer.resolve_users(&["bob", ""]).await.is_err());
    assert_eq!(resolve(&mut writer, &["bob"]).await, [(ann + 1, true)]);
}

async fn a_merged_user_is_the_other_from_then_on(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let (guest, ann) = (FIRST_ASSIGNED, FIRST_ASSIGNED + 1);
    writer.assign_users(&["guest", "ann"]).await.expect("ids");
    let entries = [
        Entry::Event(rating(guest, "a", 7)),
        Entry::Event(rating(guest, "b", 7)),
        Entry::Event(rating(ann, "b", 8)),
        impression(guest, "a"),
        impression(guest, "b"),
        impression(ann, "b"),
    ];
    writer.record(&entries, KEEP).await.expect("the entries fit");
    writer.commit().await.expect("the commit succeeds");
    let before = store.revisions().await.expect("it reads");

    assert_eq!(
        merge(&store, guest, ann).await.expect("it merges"),
        Merged { moved: 1, repeated: 1 }
    );
    assert_eq!(event_ids(&store, ann).await, ["a", "b"]);
    assert_eq!(event_ids(&store, guest).await, [""; 0]);
    assert_eq!(
        (impression_count(&store, ann).await, impression_count(&store, guest).await),
        (2, 0)
    );
    assert_eq!(number(&store, "guest").await, Some(ann));
    assert_eq!(store.merged_user_ids(UserNumber(ann)).await.expect("it reads"), ["guest"]);
    let users = store.users_after(None, 10).await.expect("it reads");
    let revision = before.events + 1;
    assert_eq!(users, [UserRevision { user: UserNumber(ann), revision }]);
    let after = store.revisions().await.expect("it reads");
    assert_eq!((after.events, after.removals), (revision, before.removals));
    assert_eq!(after.event_changes, before.event_changes + 1);
    // Both are touched, and only one of them is there.
    let touched = [guest, ann].map(|user| UserRevision { user: UserNumber(user), revision });
    let changed = store.users_changed_after(before.events, None, 10).await.expect("it reads");
    assert_eq!(changed, touched);
    let history = store.history(UserNumber(guest), 10).await.expect("it reads");
    assert_eq!((history.revision, history.events.len()), (0, 0));
    assert_eq!(store.user_count().await.expect("it reads"), 1);
    assert_eq!(store.counts().await.expect("it reads").users, 1);

    let mut writer = store.begin().await.expect("nobody else writes");
    assert_eq!(resolve(&mut writer, &["guest", "ann"]).await, [(ann, false), (ann, false)]);
    drop(writer);
    // Again: nothing is left to be done, and nothing changes.
    assert_eq!(merge(&store, guest, ann).await.expect("it merges"), Merged::default());
    assert_eq!(store.revisions().await.expect("it reads"), after);
}

async fn merges_lead_to_the_last_one_and_never_in_a_circle(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    record(&store, &[Entry::Event(rating(1, "a", 7)), Entry::Event(rating(2, "b", 7))]).await;
    merge(&store, 1, 2).await.expect("it merges");
    // Without an event of their own: those to come are the other's.
    assert_eq!(merge(&store, 2, 3).await.expect("it merges"), Merged { moved: 2, repeated: 0 });
    assert_eq!((number(&store, "1").await, number(&store, "2").await), (Some(3), Some(3)));
    assert_eq!(store.merged_user_ids(UserNumber(3)).await.expect("it reads"), ["1", "2"]);
    assert_eq!(event_ids(&store, 3).await, ["a", "b"]);
    // Into somebody who is part of another: into that other.
    merge(&store, 4, 1).await.expect("it merges");
    assert_eq!(number(&store, "4").await, Some(3));

    let before = store.revisions().await.expect("it reads");
    for (from, into) in [(5, 5), (3, 3), (3, 1), (3, 2)] {
        let refused = merge(&store, from, into).await;
        let expected = |user| user == UserNumber(from);
        assert!(
            matches!(refused, Err(StoreError::MergedIntoThemselves { user }) if expected(user)),
            "{from} into {into}"
        );
    }
    let refused = merge(&store, 1, 5).await.expect_err("it is part of 3");
    let expected = "user 1 was merged into user 3 before, expected one who was not merged yet";
    assert_eq!(refused.to_string(), expected);
    assert!(matches!(merge(&store, 0, 5).await, Err(StoreError::Event(_))));
    assert_eq!(store.revisions().await.expect("it reads"), before);
}

async fn deleting_a_user_leaves_nothing_of_them(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.assign_users(&["guest", "ann", "bob"]).await.expect("ids");
    let (guest, ann, bob) = (FIRST_ASSIGNED, FIRST_ASSIGNED + 1, FIRST_ASSIGNED + 2);
    let entries = [
        Entry::Event(rating(guest, "a", 7)),
        Entry::Event(rating(ann, "b", 8)),
        Entry::Event(rating(bob, "b", 8)),
        Entry::Event(rating(17, "b", 8)),
        impression(ann, "b"),
        impression(bob, "b"),
    ];
    writer.record(&entries, KEEP).await.expect("the entries fit");
    writer.commit().await.expect("the commit succeeds");
    merge(&store, guest, ann).await.expect("it merges");
    merge(&store, 17, ann).await.expect("it merges");
    let before = store.revisions().await.expect("it reads");

    assert_eq!(delete(&store, ann).await, 3 - 1);
    for id in ["guest", "ann", "17"] {
        assert_eq!(number(&store, id).await, None, "{id}");
    }
    assert_eq!(number(&store, "bob").await, Some(bob));
    assert_eq!((event_ids(&store, ann).await.len(), impression_count(&store, ann).await), (0, 0));
    assert_eq!((event_ids(&store, bob).await.len(), impression_count(&store, bob).await), (1, 1));
    let ids = store.user_ids(&[guest, ann, bob].map(UserNumber)).await.expect("numbers");
    assert_eq!(ids, [None, None, Some("bob".to_owned())]);
    assert_eq!(store.merged_user_ids(UserNumber(ann)).await.expect("it reads"), [""; 0]);
    let after = store.revisions().await.expect("it reads");
    assert_eq!((after.events, after.removals), (before.events + 1, before.removals + 1));
    assert_eq!(after.event_changes, before.event_changes + 2);

    // Whoever comes back is somebody new, with a number of their own and a higher revision.
    let mut writer = store.begin().await.expect("nobody else writes");
    let back = resolve(&mut writer, &["ann", "guest", "17"]).await;
    assert_eq!(back, [(bob + 1, true), (bob + 2, true), (17, true)]);
    writer.record(&[Entry::Event(rating(17, "b", 8))], KEEP).await.expect("it fits");
    writer.commit().await.expect("the commit succeeds");
    let history = store.history(UserNumber(17), 10).await.expect("it reads");
    assert_eq!((history.revision, history.events.len()), (after.events + 1, 1));
}

async fn a_user_deleted_by_the_id_of_a_guest_is_deleted_whole(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    record(&store, &[Entry::Event(rating(1, "a", 7)), Entry::Event(rating(2, "b", 7))]).await;
    merge(&store, 1, 2).await.expect("it merges");
    assert_eq!(delete(&store, 1).await, 2);
    assert_eq!((number(&store, "1").await, number(&store, "2").await), (None, None));
    assert_eq!(delete(&store, 99).await, 0);
}

async fn a_merge_touches_only_who_had_events(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    record(&store, &[Entry::Event(rating(1, "a", 7)), impression(5, "a")]).await;
    let before = store.revisions().await.expect("it reads");
    // Nobody of whom anything could be remembered.
    merge(&store, 3, 4).await.expect("it merges");
    merge(&store, 5, 6).await.expect("it merges");
    assert_eq!(store.revisions().await.expect("it reads"), before);
    assert_eq!((number(&store, "4").await, number(&store, "5").await), (Some(4), Some(6)));

    merge(&store, 2, 1).await.expect("it merges");
    let changed = store.users_changed_after(before.events, None, 10).await.expect("it reads");
    assert_eq!(changed, [UserRevision { user: UserNumber(1), revision: 2 }]);
    // Who was merged into them goes with them, and comes back as somebody else.
    merge(&store, 1, 4).await.expect("it merges");
    assert_eq!(delete(&store, 4).await, 1);
    assert_eq!(store.users_changed_after(0, None, 10).await.expect("it reads"), []);
    for id in ["1", "2", "3", "4"] {
        assert_eq!(number(&store, id).await, None, "{id}");
    }
    assert_eq!(store.user_count().await.expect("it reads"), 0);
}

async fn who_was_touched_and_deleted_by_one_writer_is_gone(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let entries = [Entry::Event(rating(1, "a", 7)), Entry::Event(rating(2, "a", 7))];
    writer.record(&entries, KEEP).await.expect("the entries fit");
    writer.delete_user(UserNumber(1)).await.expect("it writes");
    writer.commit().await.expect("the commit succeeds");
    let users = store.users_after(None, 10).await.expect("it reads");
    assert_eq!(users, [UserRevision { user: UserNumber(2), revision: 1 }]);
}

async fn changed_users_are_paged_by_revision_and_number(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    for (commit, first) in [(1, 1), (2, 20), (3, 10)] {
        let entries: Vec<Entry> = (first..first + 15)
            .map(|user| Entry::Event(rating(user, &format!("commit {commit}"), 7)))
            .collect();
        record(&store, &entries).await;
    }
    let mut expected: Vec<(i64, u32)> = (1..10).map(|user| (1, user)).collect();
    expected.extend((25..35).map(|user| (2, user)));
    expected.extend((10..25).map(|user| (3, user)));
    for (revision, skipped) in [(0, 0), (1, 9), (2, 19), (3, 34)] {
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = store.users_changed_after(revision, after, 4).await.expect("it reads");
            let Some(last) = page.last() else { break };
            after = Some(*last);
            seen.extend(page.iter().map(|user| (user.revision, user.user.0)));
        }
        assert_eq!(seen, expected[skipped..], "after {revision}");
    }
    // Deleted users do not come, and nobody else is missed.
    delete(&store, 12).await;
    record(&store, &[Entry::Event(rating(3, "again", 7))]).await;
    expected.retain(|(_, user)| ![3, 12].contains(user));
    expected.push((5, 3));
    for (revision, skipped) in [(0, 0), (1, 8), (3, 32), (4, 32), (5, 33)] {
        let page = store.users_changed_after(revision, None, 100).await.expect("it reads");
        let seen: Vec<_> = page.iter().map(|user| (user.revision, user.user.0)).collect();
        assert_eq!(seen, expected[skipped..], "after {revision}");
    }
}

async fn of_many_touched_users_none_is_missed(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let commit = async |users: std::ops::Range<u32>, id: &str| {
        let events: Vec<_> = users.map(|user| rating(user, id, 7)).collect();
        let mut writer = store.begin().await.expect("nobody else writes");
        writer.append_events(&events).await.expect("the events fit");
        writer.commit().await.expect("the commit succeeds");
    };
    commit(1..10, "a").await;
    commit(1..100_001, "b").await;
    commit(50_001..150_001, "c").await;
    commit(100_001..200_001, "d").await;
    for (revision, expected) in [(0, 200_000), (1, 200_000), (2, 150_000), (3, 100_000), (4, 0)] {
        let (mut after, mut seen) = (None, 0);
        loop {
            let page = store.users_changed_after(revision, after, 70_000).await.expect("it reads");
            let Some(last) = page.last() else { break };
            after = Some(*last);
            seen += page.len();
        }
        assert_eq!(seen, expected, "after {revision}");
    }
}

on_every_kind!(
    a_user_is_new_until_their_first_event,
    a_merged_user_is_the_other_from_then_on,
    merges_lead_to_the_last_one_and_never_in_a_circle,
    deleting_a_user_leaves_nothing_of_them,
    a_user_deleted_by_the_id_of_a_guest_is_deleted_whole,
    a_merge_touches_only_who_had_events,
    who_was_touched_and_deleted_by_one_writer_is_gone,
    changed_users_are_paged_by_revision_and_number,
    of_many_touched_users_none_is_missed,
);
