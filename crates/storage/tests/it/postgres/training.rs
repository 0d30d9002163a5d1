//! Who trains among replicas.

use std::time::Duration;

use storage::{Store, TrainingTurn};
use testbed::postgres::{Database, database_or_skip};

use super::connect;

/// Waits until the lock is free, as it is soon after whoever had it is gone.
pub(super) async fn soon(store: &Store) -> TrainingTurn {
    for _ in 0..1_000 {
        if let Some(turn) = store.lock_training().await.expect("the server answers") {
            return turn;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the lock was not given up");
}

pub(super) fn kill_holder(database: &Database) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND classid = 1180127812 AND database =
            (SELECT oid FROM pg_database WHERE datname = current_database())";
    database.query(sql).expect("the server answers");
}

#[tokio::test]
async fn one_replica_trains_at_a_time() {
    let Some(database) = database_or_skip("training lock is exclusive") else { return };
    let (first, second) = (connect(&database).await, connect(&database).await);
    let mut turn = first.lock_training().await.expect("the server answers").expect("it is free");
    assert!(turn.is_held().await);
    for store in [&first, &second] {
        assert!(store.lock_training().await.expect("the server answers").is_none());
    }
    drop(turn);
    drop(soon(&second).await);
}

#[tokio::test]
async fn a_turn_is_over_with_its_connection_and_can_be_asked() {
    let Some(database) = database_or_skip("training lock is lost with its connection") else {
        return;
    };
    let (first, second) = (connect(&database).await, connect(&database).await);
    let mut lost = first.lock_training().await.expect("the server answers").expect("it is free");
    kill_holder(&database);
    let mut turn = soon(&second).await;
    assert!(!lost.is_held().await);
    assert!(turn.is_held().await);
}
