//! A writer commits all or nothing, and everybody sees the same.

use futures_util::FutureExt as _;
use recommender::UserNumber;
use recommender::id::FIRST_ASSIGNED;
use storage::{NewEvent, StoreError, UserRevision};

use crate::support::{Kind, book, everything, rating};

async fn what_was_not_committed_leaves_no_trace(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let mut writer = store.begin().await.expect("nobody else writes");
    writer.assign_users(&["ann"]).await.expect("an id");
    writer.append_events(&[rating(FIRST_ASSIGNED, "a", 7)]).await.expect("it fits");
    writer.put_books(&[book(7, "Dune")]).await.expect("it fits");
    writer.commit().await.expect("the commit succeeds");
    let before = everything(&store).await;

    for waits in [true, false] {
        let mut writer = store.begin().await.expect("nobody else writes");
        let users = writer.assign_users(&["bob", "cem"]).await.expect("ids");
        assert_eq!(users.last(), Some(&UserNumber(FIRST_ASSIGNED + 2)));
        let events: Vec<NewEvent> = (1..600).map(|user| rating(user, "a", 7)).collect();
        writer.append_events(&events).await.expect("they fit");
        writer.put_books(&[book(7, "Emma"), book(8, "Dune")]).await.expect("they fit");
        if waits {
            writer.rollback().await.expect("it rolls back");
        } else {
            drop(writer);
        }
        assert_eq!(everything(&store).await, before);
        assert_eq!(store.user_number("bob").await.expect("an id"), None);
    }

    // Neither were the numbers used up.
    let mut writer = store.begin().await.expect("nobody else writes");
    let users = writer.assign_users(&["dee"]).await.expect("an id");
    assert_eq!(users, [UserNumber(FIRST_ASSIGNED + 1)]);
}

async fn a_user_has_the_revision_of_the_commit_that_last_touched_them(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let revision = |user, revision| UserRevision { user: UserNumber(user), revision };
    for (events, touched, expected) in [
        (vec![rating(2, "a", 7), rating(1, "a", 7), rating(1, "b", 7)], 2, 1),
        (vec![rating(1, "c", 7)], 1, 2),
        // Repeated, so nobody is touched.
        (vec![rating(1, "c", 7), rating(2, "a", 7)], 0, 2),
        (vec![rating(1, "c", 7), rating(2, "b", 7)], 1, 3),
    ] {
        let mut writer = store.begin().await.expect("nobody else writes");
        // In two calls: a commit counts once however many there were.
        for event in &events {
            writer.append_events(std::slice::from_ref(event)).await.expect("it fits");
        }
        let committed = writer.commit().await.expect("the commit succeeds");
        assert_eq!(committed.users_touched, touched);
        assert_eq!(committed.events_revision, expected);
        assert_eq!(store.revisions().await.expect("it reads").events, expected);
    }
    let users = store.users_after(None, 10).await.expect("it reads");
    assert_eq!(users, [revision(1, 2), revision(2, 3)]);
    let rest = store.users_after(Some(UserNumber(1)), 10).await.expect("it reads");
    assert_eq!(rest, [revision(2, 3)]);
}

async fn another_store_on_the_same_folder_sees_every_commit(kind: Kind) {
    let (first, place) = kind.new_store().await;
    let second = place.open().await;
    for (index, store) in [&first, &second, &first].into_iter().enumerate() {
        let mut writer = store.begin().await.expect("nobody else writes");
        writer.append_events(&[rating(1, &index.to_string(), 7)]).await.expect("it fits");
        writer.commit().await.expect("the commit succeeds");
        assert_eq!(everything(&first).await, everything(&second).await);
    }
    assert_eq!(first.history(UserNumber(1), 9).await.expect("it reads").revision, 3);
}

async fn a_writer_whose_batch_was_abandoned_refuses_to_commit(kind: Kind) {
    let (store, _place) = kind.new_store().await;
    let before = everything(&store).await;
    let events: Vec<NewEvent> = (1..2_000).map(|user| rating(user, "a", 7)).collect();
    for _ in 0..100 {
        let mut writer = store.begin().await.expect("nobody else writes");
        // Polls once and drops the future, as a cancelled request does. The database may be done by
        // then, if this thread has to wait for others.
        if writer.append_events(&events).now_or_never().is_some() {
            continue;
        }
        assert!(matches!(writer.commit().await, Err(StoreError::Unfinished)));
        assert_eq!(everything(&store).await, before);
        return;
    }
    panic!("the database is always done before the first look");
}

async fn a_writer_that_failed_half_way_refuses_to_commit(kind: Kind) {
    let (store, place) = kind.new_store().await;
    let trigger = kind.sql(
        "CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.book_number = 13
         BEGIN SELECT RAISE(FAIL, 'unlucky'); END",
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE 'unlucky'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW
         WHEN (NEW.book_number = 13) EXECUTE FUNCTION refuse()",
    );
    place.tamper(trigger).await;
    let before = everything(&store).await;
    let mut writer = store.begin().await.expect("nobody else writes");
    let failed = writer.append_events(&[rating(1, "a", 7), rating(1, "b", 13)]).await;
    assert!(matches!(failed, Err(StoreError::Database(_))));
    let next = writer.append_events(&[rating(1, "c", 7)]).await;
    assert!(matches!(next, Err(StoreError::Unfinished)));
    assert!(matches!(writer.commit().await, Err(StoreError::Unfinished)));
    assert_eq!(everything(&store).await, before);
}

on_every_kind!(
    what_was_not_committed_leaves_no_trace,
    a_user_has_the_revision_of_the_commit_that_last_touched_them,
    another_store_on_the_same_folder_sees_every_commit,
    a_writer_whose_batch_was_abandoned_refuses_to_commit,
    a_writer_that_failed_half_way_refuses_to_commit,
);
