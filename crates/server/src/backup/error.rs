//! What can go wrong with a backup, its file, and a restore.

use std::io;
use std::path::{Path, PathBuf};

use storage::{RowError, StoreError};

use super::line::FieldError;

/// Why there is no backup, or nothing was restored. Whatever it is, a store that was to be
/// restored is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file could not be used.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file, or its folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is a file of that name, and it is not to be replaced.
    #[error("{} is there already; choose another name, or replace it with --force", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is no backup, or not as it was written.
    #[error("{} line {line}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: u64,
        /// What is wrong.
        problem: FileProblem,
    },
    /// The store refused some rows.
    #[error("{} lines {first} to {last}: {source}", path.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// The first line of those.
        first: u64,
        /// The last one.
        last: u64,
        /// What the store said.
        source: StoreError,
    },
    /// There is something in the store.
    #[error(
        "found a shop, expected a store in which nothing was ever stored; restore into a new data folder (--data-dir) or a new database"
    )]
    NotEmpty,
    /// A server of the data folder is running.
    #[error("a server of {} is running; stop it, and start it again afterwards", folder.display())]
    Serving {
        /// The data folder.
        folder: PathBuf,
    },
    /// It was told to stop.
    #[error("stopped before the end")]
    Interrupted,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// It begins in another way.
    #[error("found something else than a backup of Foreword, which `foreword backup` writes")]
    Foreign,
    /// A newer program wrote it.
    #[error(
        "backup of format {found}, expected at most {known}: a newer version of this program wrote it; restore it with that"
    )]
    Newer {
        /// Its format.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// It stops before its last line.
    #[error("file ends here, expected more lines: it was cut; take another copy or backup")]
    Cut,
    /// It cannot be unpacked.
    #[error("packed data is damaged ({reason}); take another copy or backup")]
    Packing {
        /// What the unpacker said.
        reason: String,
    },
    /// A line is longer than any that is written.
    #[error("line has more than {max} bytes; this program writes none of that length")]
    Long {
        /// The most bytes that a line can have.
        max: usize,
    },
    /// A line is not one of a backup.
    #[error("line cannot be read: {reason}")]
    Line {
        /// What is wrong.
        reason: String,
    },
    /// A field does not hold what its name says.
    #[error(transparent)]
    Field(#[from] FieldProblem),
    /// A row cannot be one of a store.
    #[error(transparent)]
    Row(#[from] RowError),
    /// There are more or fewer rows than there were.
    #[error("found {found} {kind} rows, expected {expected} as the last line says")]
    Counts {
        /// Of what.
        kind: storage::RowKind,
        /// How many there are.
        found: u64,
        /// How many the last line says.
        expected: u64,
    },
    /// The bytes are not those that were written.
    #[error("checksum of the lines before is {found}, expected {expected}: they were changed")]
    Checksum {
        /// That of the file.
        found: String,
        /// That in the last line.
        expected: String,
    },
    /// Something comes after the last line.
    #[error("found something after the last line of the backup, expected the end of the file")]
    Trailing,
}

/// A field does not hold what its name says.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct FieldProblem(#[from] FieldError);

impl BackupError {
    /// A file or folder cannot be used.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
