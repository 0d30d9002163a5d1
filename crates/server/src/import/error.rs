//! Why an import ended without storing anything.

use std::io;
use std::path::{Path, PathBuf};

use recommender::IdError;
use storage::StoreError;

use super::report::Report;

/// Why an import failed. In every case the store is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Rows were refused. The report counts them and lists the first.
    #[error("{}", first_refusal(.0))]
    Refused(Box<Report>),
    /// A file cannot be read as the table it should be.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        problem: FileProblem,
    },
    /// The store holds the demo shop. Its ids and those of a real shop would mean different
    /// books, and its readers do not exist.
    #[error(
        "this data folder holds the demo shop; import a real shop into another folder, with --data-dir"
    )]
    DemoShop,
    /// The user's name cannot be an id.
    #[error("user: {0}")]
    User(#[source] IdError),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The process is stopping.
    #[error("import was interrupted")]
    Interrupted,
}

/// What is wrong with a whole file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// It could not be opened or read.
    #[error("{0}")]
    Io(#[source] io::Error),
    /// It is not text in UTF-8, or nothing is in it.
    #[error("{reason}")]
    NotText {
        /// What it is, and what was expected.
        reason: String,
    },
    /// The line of column names cannot be read.
    #[error("line {line}: {reason}")]
    Header {
        /// Where it is.
        line: u64,
        /// What was found and what was expected.
        reason: String,
    },
    /// A column that is needed is not there.
    #[error("no column for {wanted}; the columns are {}; {hint}", found.join(", "))]
    MissingColumn {
        /// What it would hold.
        wanted: String,
        /// The columns there are.
        found: Vec<String>,
        /// What to do about it.
        hint: String,
    },
    /// It has more rows than one reader's may have.
    #[error("more than {rows_max} rows, expected no more")]
    TooManyRows {
        /// How many it may have.
        rows_max: u64,
    },
    /// A folder lacks a file.
    #[error("no {name} or {name}.gz in this folder, expected the goodbooks-10k files as published")]
    MissingFile {
        /// Its name.
        name: String,
    },
}

impl ImportError {
    /// This problem of this file.
    pub(super) fn file(path: &Path, problem: FileProblem) -> Self {
        Self::File { path: path.to_owned(), problem }
    }
}

fn first_refusal(report: &Report) -> String {
    let refused = report.refused();
    match report.first_refusal() {
        Some((file, refusal)) if refused == 1 => format!("{}, {refusal}", file.file),
        Some((file, refusal)) => {
            format!("{}, {refusal} (the first of {refused} rows refused)", file.file)
        }
        None => format!("{refused} rows refused"),
    }
}
