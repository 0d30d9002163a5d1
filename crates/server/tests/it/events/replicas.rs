//! Two services on one store.

use std::time::{Duration, Instant};

use api::v1::event_result::Outcome;

use super::{bought, entry, has, outcomes, record, retraction, shelf};
use crate::running::{self, Running};

#[tokio::test]
async fn what_one_acknowledged_is_at_the_other_at_once_with_the_revision_and_soon_without() {
    let folder = running::full_shop().await;
    let one = Running::start(folder.path()).await;
    let other = Running::start(folder.path()).await;
    // Both know the user.
    record(&one, vec![entry(bought("ann", 4, "one"))]).await.unwrap();
    assert!(!has(&shelf(&one, "ann", 0).await, 4));
    running::until(async || !has(&shelf(&other, "ann", 0).await, 4)).await;
    for book in 5..15 {
        let told = record(&one, vec![entry(bought("ann", book, &book.to_string()))]).await.unwrap();
        let revision = told[0].user_revision;
        let known = shelf(&other, "ann", revision).await;
        assert!(!has(&known, book) && known.user_revision >= revision && !known.stale);
        // What changed nothing has a revision as well.
        let again =
            record(&one, vec![entry(bought("ann", book, &book.to_string()))]).await.unwrap();
        let known = shelf(&other, "ann", again[0].user_revision).await;
        assert!(known.user_revision >= again[0].user_revision);
    }
    let told = Instant::now();
    record(&other, vec![entry(bought("ann", 20, "twenty")), retraction("ann", "one")])
        .await
        .unwrap();
    running::until(async || !has(&shelf(&one, "ann", 0).await, 20)).await;
    // Half a second between two looks, and whatever the machine does meanwhile.
    assert!(told.elapsed() < Duration::from_secs(10));
    assert!(has(&shelf(&one, "ann", 0).await, 4));
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn what_one_acknowledged_and_is_repeated_at_the_other_is_in_its_next_answer() {
    let folder = running::full_shop().await;
    let one = Running::start(folder.path()).await;
    let other = Running::start(folder.path()).await;
    record(&one, vec![entry(bought("ann", 4, "4"))]).await.unwrap();
    running::until(async || !has(&shelf(&other, "ann", 0).await, 4)).await;
    for book in 5..15 {
        let bought = || vec![entry(bought("ann", book, &book.to_string()))];
        record(&one, bought()).await.unwrap();
        assert_eq!(outcomes(&record(&other, bought()).await.unwrap()), [Outcome::Repeated]);
        assert!(!has(&shelf(&other, "ann", 0).await, book), "{book}");
        let retracted = || vec![retraction("ann", &book.to_string())];
        record(&one, retracted()).await.unwrap();
        let again = record(&other, retracted()).await.unwrap();
        assert_eq!(outcomes(&again), [Outcome::RetractedBefore]);
        assert!(has(&shelf(&other, "ann", 0).await, book), "{book}");
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn what_another_process_imports_is_in_the_answers_soon() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    running::until(async || !has(&shelf(&running, "3", 0).await, 4)).await;
    assert!(has(&shelf(&running, "3", 0).await, 20));
    let store = running::store(folder.path()).await;
    running::add_ratings(&store, 3, &[20], 10).await;
    store.close().await;
    running::until(async || !has(&shelf(&running, "3", 0).await, 20)).await;
    running.stop().await;
}

#[tokio::test]
async fn a_user_who_was_deleted_or_merged_elsewhere_is_so_here_soon() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    for (user, book) in [("ann", 4), ("ann-at-home", 5), ("17", 6)] {
        record(&running, vec![entry(bought(user, book, &book.to_string()))]).await.unwrap();
        assert!(!has(&shelf(&running, user, 0).await, book));
    }
    let store = running::store(folder.path()).await;
    let number = async |id| store.user_number(id).await.unwrap().unwrap();
    let (ann, home, seventeen) =
        (number("ann").await, number("ann-at-home").await, number("17").await);
    let mut writer = store.begin().await.unwrap();
    writer.merge_users(home, ann).await.unwrap();
    writer.delete_user(seventeen).await.unwrap();
    writer.commit().await.unwrap();
    store.close().await;
    running::until(async || has(&shelf(&running, "17", 0).await, 6)).await;
    for user in ["ann", "ann-at-home"] {
        let known = shelf(&running, user, 0).await;
        assert!(!has(&known, 4) && !has(&known, 5), "{user}");
    }
    // Events of both ids are one user's.
    record(&running, vec![entry(bought("ann-at-home", 7, "two"))]).await.unwrap();
    for user in ["ann", "ann-at-home"] {
        assert!(!has(&shelf(&running, user, 0).await, 7), "{user}");
    }
    running.stop().await;
}
