//! The store cannot be written to, or cannot be reached at all.

use api::v1::Fallback;
use api::v1::event_result::Outcome;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::{bought, entry, has, outcomes, record, settings, shelf};
use crate::running::{self, Running};

#[tokio::test]
async fn while_another_process_writes_events_are_refused_and_then_taken_again() {
    let folder = running::full_shop().await;
    let settings = settings("[events]\nwrite_timeout_ms = 300");
    let running = Running::start_with(folder.path(), settings).await;
    record(&running, vec![entry(bought("ann", 4, "one"))]).await.unwrap();
    let store = running::store(folder.path()).await;
    let writer = store.begin().await.unwrap();
    for _ in 0..3 {
        let refused = record(&running, vec![entry(bought("ann", 5, "two"))]).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert_eq!(refused.get_details_error_info().unwrap().reason, "STORE_UNAVAILABLE");
        assert!(refused.get_details_retry_info().unwrap().retry_delay.is_some());
    }
    // It can still be read.
    let known = shelf(&running, "ann", 0).await;
    assert!(!has(&known, 4) && has(&known, 5) && !known.stale);
    writer.rollback().await.unwrap();
    store.close().await;
    running::until(async || {
        let told = record(&running, vec![entry(bought("ann", 5, "two"))]).await;
        told.is_ok_and(|results| outcomes(&results) == [Outcome::Stored])
    })
    .await;
    assert!(!has(&shelf(&running, "ann", 0).await, 5));
    running.stop().await;
}

#[tokio::test]
async fn without_a_store_answers_come_from_memory_and_say_so() {
    let folder = running::full_shop().await;
    let running = Running::start(folder.path()).await;
    running::until(async || {
        record(&running, vec![entry(bought("ann", 4, "one"))]).await.unwrap();
        !shelf(&running, "ann", 0).await.stale
    })
    .await;
    // In memory from now on: asked for, with somebody following the store.
    running::until(async || shelf(&running, "ann", 0).await.user_revision > 0).await;
    let told = record(&running, vec![entry(bought("ann", 5, "two"))]).await.unwrap();
    running.close_store().await;
    running::until(async || shelf(&running, "ann", 0).await.stale).await;
    let known = shelf(&running, "ann", 0).await;
    assert_eq!(known.fallback(), Fallback::Unspecified);
    assert!(!has(&known, 4) && !has(&known, 5));
    assert_eq!(known.user_revision, told[0].user_revision);
    // Newer than anything known: what there is, marked.
    let known = shelf(&running, "ann", told[0].user_revision + 1).await;
    assert!(known.stale && known.user_revision == told[0].user_revision);
    let other = shelf(&running, "bob", 0).await;
    assert_eq!((other.fallback(), other.stale), (Fallback::StoreUnavailable, true));
    let refused = record(&running, vec![entry(bought("ann", 6, "three"))]).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    running.stop().await;
}
