//! A shop in one file: taken while the service runs, verified, and brought back into an empty
//! store of either kind of database.
//!
//! A backup is everything that is stored, as of one moment; docs/backup.md tells what is in it.
//! Models are not: they are trained again. One task reads or writes the store, a blocking thread
//! packs or unpacks, and batches of rows go through a bounded channel in between. So memory is
//! bounded, whatever the size of the shop.
//!
//! ```text
//! backup:   store ─► Reading ═channel═► lines ─► packed file, beside ─► verified ─► renamed
//! restore:  packed file ─► lines, checked ═channel═► Restoring ─► last line agrees ─► commit
//! ```
//!
//! Invariants: a file of the name that was asked for is a whole backup that was read back, and a
//! store into which something was restored has all of it.

mod compact;
mod counts;
mod error;
mod line;
mod packed;
mod restore;
mod take;
mod target;
mod verify;

use std::path::{Path, PathBuf};
use std::pin::Pin;

use serde::Serialize;
use tokio::task::JoinHandle;

pub use compact::{Compacted, compact};
pub use counts::RowCounts;
pub use error::{BackupError, FieldProblem, FileProblem};
pub use packed::Header;
pub use restore::{restore, restore_into};
pub use take::backup;
pub use verify::verify;

/// How many rows are read, written and handed over at once.
const BATCH_ROWS: u32 = 2_048;

/// How many batches wait between two threads.
const BATCHES_WAITING: usize = 3;

/// What becomes of a file that has the name of the backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and there is no backup.
    Keep,
    /// It goes, once the backup is whole.
    Replace,
}

/// A file that was written, verified or restored.
#[derive(Clone, Debug, Serialize)]
pub struct BackupReport {
    /// Its path.
    pub file: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// What its first line says.
    #[serde(flatten)]
    pub header: Header,
    /// How many rows of each kind it has.
    pub rows: RowCounts,
}

impl BackupReport {
    fn new(path: &Path, reader: &packed::PackedReader) -> Self {
        Self {
            file: path.to_owned(),
            bytes: reader.file_bytes(),
            header: reader.header().clone(),
            rows: reader.counts().clone(),
        }
    }
}

/// What comes of this work, unless `stop` comes first.
async fn unless<T>(
    stop: Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = Result<T, BackupError>>,
) -> Result<T, BackupError> {
    tokio::select! {
        biased;
        () = stop => Err(BackupError::Interrupted),
        done = work => done,
    }
}

/// What a blocking thread came to. A panic in it goes on here.
async fn joined<T>(thread: JoinHandle<Result<T, BackupError>>) -> Result<T, BackupError> {
    match thread.await {
        Ok(done) => done,
        Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
        // Only what has not begun is cancelled, when the process ends.
        Err(_) => Err(BackupError::Interrupted),
    }
}
