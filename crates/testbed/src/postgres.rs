//! Clusters of PostgreSQL that are thrown away, real ones, with `fsync` on.
//!
//! A test calls [`database`] or [`database_or_skip`] and gets a fresh database: on the server
//! that `FOREWORD_TEST_POSTGRES` names (a URL of a superuser; `cargo xtask test` sets it), else on
//! a cluster of its own, which all tests of one process share. A test that stops or kills a server
//! starts a [`Cluster`] of its own.
//!
//! Invariant: a cluster ends with the process that started it, however that ends: a small
//! shell holds the other end of a pipe, and cleans up when the pipe closes (`guard.rs`).

mod account;
mod binaries;
mod children;
mod cluster;
mod database;
mod guard;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use cluster::Cluster;
pub use database::{Database, POSTGRES_VARIABLE, database, database_or_skip};

/// The oldest major version that is used.
pub const VERSION_MIN: u32 = 15;

/// Why there is no cluster or no database.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// This machine has no PostgreSQL that will do; a test that needs one is skipped.
    #[error("no PostgreSQL {VERSION_MIN} or newer: {reason}")]
    Missing {
        /// What was looked for, and where.
        reason: String,
    },
    /// A program cannot be run.
    #[error("cannot run {program}: {source}")]
    Run {
        /// The program.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// A program ended, and not well.
    #[error("{program} failed: {complaint}")]
    Failed {
        /// The program.
        program: String,
        /// The end of what it wrote to standard error or to its log.
        complaint: String,
    },
    /// A program did not do in time what it was asked for.
    #[error("{program} took longer than {} s: {complaint}", limit.as_secs())]
    TooLong {
        /// The program.
        program: String,
        /// How long it might take.
        limit: Duration,
        /// The end of its log, if it has one.
        complaint: String,
    },
    /// A file or folder of the cluster cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
