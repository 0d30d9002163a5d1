//! Folding the log back into the file, beside those who write.
//!
//! Left to itself, SQLite folds within the commit that fills a thousand pages: of events of random
//! users that is every commit, which then waits for two more syncs. Here a task folds about once a
//! second on a connection of its own, so that pages which many commits changed are written once.
//! Only what is committed while it folds is left to be folded in the writer's turn, since the log
//! can start anew only when nothing is left in it; a few passes before make that little.

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tracing::warn;

use crate::error::StoreError;

/// After this many pages, a commit folds by itself. Never reached while the task here does its
/// work, but by an import, which is one commit.
pub(super) const PAGES_LEFT_TO_COMMITS: u32 = 1 << 18;

/// How long commits gather before they are folded.
const GATHERING: Duration = Duration::from_secs(1);

/// From this many pages on, the log is to start anew.
const PAGES_TO_START_ANEW: i64 = 1 << 14;

/// As many pages are folded in the writer's turn without a pause worth speaking of.
const PAGES_A_TURN: i64 = 1 << 10;

/// The most passes beside those who write before the writer's turn is taken.
const PASSES_MAX: u32 = 4;

/// The task and its connection.
#[derive(Debug)]
pub(super) struct Checkpoints {
    connection: SqlitePool,
    committed: Arc<Notify>,
    task: AbortHandle,
}

impl Checkpoints {
    /// Begins to wait for commits.
    pub(super) fn start(
        pool: SqlitePoolOptions,
        options: SqliteConnectOptions,
        writer: SqlitePool,
    ) -> Self {
        let connection = pool.max_connections(1).connect_lazy_with(options);
        let committed = Arc::new(Notify::new());
        let task = tokio::spawn(run(connection.clone(), writer, Arc::clone(&committed)));
        Self { connection, committed, task: task.abort_handle() }
    }

    /// What to tell of commits.
    pub(super) fn committed(&self) -> Arc<Notify> {
        Arc::clone(&self.committed)
    }

    /// The turn to fold: nobody else of this process does while it lasts.
    pub(super) fn turn(&self) -> &SqlitePool {
        &self.connection
    }

    /// Ends the task and closes its connection.
    pub(super) async fn close(&self) {
        self.task.abort();
        self.connection.close().await;
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(connection: SqlitePool, writer: SqlitePool, committed: Arc<Notify>) {
    loop {
        committed.notified().await;
        tokio::time::sleep(GATHERING).await;
        match fold(&connection, &writer).await {
            // Whoever holds it up does the work, or the next round will.
            Ok(()) | Err(StoreError::Busy) => {}
            Err(StoreError::Closed) => return,
            Err(error) => {
                warn!(%error, "cannot fold the store's log into its file; trying again");
                committed.notify_one();
            }
        }
    }
}

async fn fold(connection: &SqlitePool, writer: &SqlitePool) -> Result<(), StoreError> {
    let mut turn = connection.acquire().await?;
    let mut pages = pass(&mut turn).await?;
    for _ in 1..PASSES_MAX {
        if pages < PAGES_TO_START_ANEW {
            return Ok(());
        }
        let before = pages;
        pages = pass(&mut turn).await?;
        if pages - before < PAGES_A_TURN {
            break;
        }
    }
    let mut writing = writer.acquire().await?;
    pass(&mut writing).await?;
    Ok(())
}

/// Folds what is in the log as far as no reader needs it there, and waits for nobody; returns how
/// many pages the log has, folded ones included.
async fn pass(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    let (_, pages, _): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(connection).await?;
    Ok(pages)
}
