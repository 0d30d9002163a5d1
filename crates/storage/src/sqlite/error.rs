//! What SQLite's errors mean for whoever waits for an answer.

use sqlx::sqlite::SqliteError;

use crate::error::StoreError;

/// The primary result codes that matter here, the low byte of the extended ones.
const BUSY: u32 = 5;
const IO_ERROR: u32 = 10;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const NOT_A_DATABASE: u32 = 26;

/// What a failure means for whoever called.
pub(crate) fn explain(error: sqlx::Error) -> StoreError {
    match code(&error) {
        // Somebody else held a lock for too long.
        Some(BUSY) => StoreError::Busy,
        // The disk is full or does not work.
        Some(IO_ERROR | FULL | CANNOT_OPEN) => StoreError::Unavailable(error),
        _ => StoreError::Database(error),
    }
}

/// Whether the file is something else than a database.
pub(super) fn is_no_database(error: &sqlx::Error) -> bool {
    code(error) == Some(NOT_A_DATABASE)
}

/// The primary result code of an error that comes from SQLite itself.
fn code(error: &sqlx::Error) -> Option<u32> {
    let error = error.as_database_error()?.try_downcast_ref::<SqliteError>()?;
    let extended: u32 = sqlx::error::DatabaseError::code(error)?.parse().ok()?;
    Some(extended & 0xff)
}
