//! Leaving nothing of what was deleted.

use sqlx::SqliteConnection;

use super::Database;
use crate::error::StoreError;

/// Folds the log into the file, rewrites the file, and folds that in.
///
/// The writer's connection has `secure_delete`, so that what it deletes is zeros in the file once
/// the log is folded in. Rewriting gives the room back, and leaves behind what may be left between
/// the rows of a page that were moved.
pub(super) async fn compact(database: &Database) -> Result<(), StoreError> {
    // A pass at the same time would be in the way, and nobody may be in a transaction.
    let _folding = database.checkpoints.turn().acquire().await?;
    let mut connection = database.writer.acquire().await?;
    fold(&mut connection).await?;
    sqlx::query("VACUUM").execute(&mut *connection).await?;
    fold(&mut connection).await
}

pub(super) async fn size_bytes(database: &Database) -> Result<u64, StoreError> {
    let (bytes,): (i64,) =
        sqlx::query_as("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            .fetch_one(&database.readers)
            .await?;
    Ok(bytes.unsigned_abs())
}

/// Folds the whole log into the file and cuts it to nothing.
async fn fold(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let (busy, _, _): (bool, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await?;
    if busy { Err(StoreError::Busy) } else { Ok(()) }
}
