//! What can go wrong with a store.

use std::path::PathBuf;

use recommender::{IdError, UserNumber};

use crate::book::BookError;
use crate::event::EventError;
use crate::ids::IdSpace;
use crate::postgres::url::DatabaseUrlError;
use crate::{postgres, sqlite};

/// Why a store refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder or a file in it could not be used at all.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is something else than a database, or was cut or overwritten.
    #[error("{} is not a SQLite database, expected a Foreword store", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a database, but of another application.
    #[error(
        "{} is a database of another application (application id {found:#010x}), expected a Foreword store", path.display()
    )]
    ForeignDatabase {
        /// The file.
        path: PathBuf,
        /// Its application id; 0 if it has none.
        found: u32,
    },
    /// A newer version of this program wrote the store.
    #[error(
        "{} has schema version {found}, expected at most {known}: a newer version of this program wrote it", path.display()
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The newest version found.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring the store's schema up to date: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// Another writer, or too many readers, held the store for too long; trying
    /// again later may succeed.
    #[error("store is busy: no connection or lock came free within the time limit")]
    Busy,
    /// The database is there, but cannot hold a store as it is.
    #[error("database cannot hold a store: found {found}; expected {expected}")]
    Unsuitable {
        /// What it is, or refuses.
        found: String,
        /// What it has to be, or to allow.
        expected: String,
    },
    /// The database has a schema of our name that is not ours.
    #[error(
        "schema {schema} of the database belongs to another application, expected a Foreword store or none: use another database"
    )]
    ForeignSchema {
        /// Its name.
        schema: &'static str,
    },
    /// [`Store::close`](crate::Store::close) was called.
    #[error("store is closed")]
    Closed,
    /// Something was stored before, so that nothing can be restored here.
    #[error("found a store with something in it, expected one in which nothing was ever stored")]
    NotEmpty,
    /// A text is no URL of a database.
    #[error(transparent)]
    DatabaseUrl(#[from] DatabaseUrlError),
    /// A string cannot be an id.
    #[error(transparent)]
    Id(#[from] IdError),
    /// There are more ids than numbers.
    #[error("no numbers left for {wanted} new {space} ids, expected at most {left}")]
    OutOfNumbers {
        /// Whose ids.
        space: IdSpace,
        /// How many numbers were asked for.
        wanted: u64,
        /// How many there are.
        left: u64,
    },
    /// There are as many API keys as there can be, and none has ended.
    #[error("found {max} API keys in use, expected fewer: revoke those that nobody needs")]
    TooManyApiKeys {
        /// The most there can be.
        max: u32,
    },
    /// There are as many rules as there can be.
    #[error("found {max} other rules, expected fewer: delete those that nobody needs")]
    TooManyRules {
        /// The most there can be.
        max: u32,
    },
    /// A book cannot be stored.
    #[error(transparent)]
    Book(#[from] BookError),
    /// An event cannot be stored.
    #[error(transparent)]
    Event(#[from] EventError),
    /// A user cannot become part of themselves, nor of somebody who is part of them.
    #[error("user {user} is to be merged into themselves, expected two different users")]
    MergedIntoThemselves {
        /// The user.
        user: UserNumber,
    },
    /// A user can become part of one other user only.
    #[error("user {user} was merged into user {into} before, expected one who was not merged yet")]
    MergedBefore {
        /// The user.
        user: UserNumber,
        /// Whose events theirs are.
        into: UserNumber,
    },
    /// An earlier change of this writer failed or was abandoned half-way; begin anew.
    #[error("writer has an unfinished change, expected none: begin a new one")]
    Unfinished,
    /// The database holds what this program never writes.
    #[error("unexpected {found} in column {column}; was the store edited by hand?")]
    UnexpectedValue {
        /// The column.
        column: &'static str,
        /// What it holds.
        found: i64,
    },
    /// The database cannot be reached or cannot write, for instance since the disk is full;
    /// trying again later may succeed. A commit that ends so may have been made or not.
    #[error("database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// The database failed: damaged file, or a defect in this crate.
    #[error("database failed: {0}")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::PoolClosed => Self::Closed,
            // Codes of one database mean something else in the other.
            other if postgres::failure::is_its_own(&other) => postgres::failure::explain(other),
            other => sqlite::error::explain(other),
        }
    }
}
