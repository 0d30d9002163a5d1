//! Bringing a backup back.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use storage::{RestoreError, Restoring, Row, Store, StoreError};
use tokio::sync::mpsc;

use super::error::{BackupError, FileProblem};
use super::packed::PackedReader;
use super::{BATCH_ROWS, BATCHES_WAITING, BackupReport, joined, unless};
use crate::data_folder::{Announcement, DataFolder};
use crate::progress::{Progress, Unit};
use crate::settings::Settings;

/// How often to try to hold the data folder, and how long to wait in between.
const HOLD_TRIES: u32 = 5;
const HOLD_AGAIN: Duration = Duration::from_millis(100);

/// Some rows, and where they are in the file: one a line.
struct Batch {
    first_line: u64,
    rows: Vec<Row>,
}

/// Restores a backup into the database of a data folder, or the one that the settings name. A
/// server of the folder must not run: it would go on with what it knows.
///
/// # Errors
///
/// As [`restore_into`]; [`BackupError::Serving`].
pub async fn restore(
    data: &DataFolder,
    settings: &Settings,
    file: &Path,
    progress: Arc<dyn Progress>,
    stop: impl Future<Output = ()>,
) -> Result<BackupReport, BackupError> {
    // Before there is a new folder with an empty store in it.
    let reader = open(file).await?;
    let store = data.store(settings).await?;
    let held = if settings.store.is_in_folder() { Some(hold(data).await?) } else { None };
    let restored = restore_rows(&store, file, reader, progress, stop).await;
    store.close().await;
    drop(held);
    restored
}

/// Keeps servers of the folder from being the one that others find.
async fn hold(data: &DataFolder) -> Result<Announcement, BackupError> {
    for _ in 0..HOLD_TRIES {
        if let Some(held) = data.announce(&[]).map_err(BackupError::io(data.path()))? {
            return Ok(held);
        }
        // A passing `foreword recommend` may hold the lock for a moment.
        tokio::time::sleep(HOLD_AGAIN).await;
    }
    Err(BackupError::Serving { folder: data.path().to_owned() })
}

/// Stores every row of a backup in a store in which nothing was ever stored, all or nothing:
/// numbers, sequences and revisions are then as they were. Words to find books by are made anew.
///
/// `stop` ends it early, but only until it begins to commit.
///
/// # Errors
///
/// [`BackupError`]; the store is then as it was. [`BackupError::File`] and
/// [`BackupError::Rows`] say where in the file.
pub async fn restore_into(
    store: &Store,
    file: &Path,
    progress: Arc<dyn Progress>,
    stop: impl Future<Output = ()>,
) -> Result<BackupReport, BackupError> {
    let reader = open(file).await?;
    restore_rows(store, file, reader, progress, stop).await
}

async fn open(file: &Path) -> Result<PackedReader, BackupError> {
    let path = file.to_owned();
    joined(tokio::task::spawn_blocking(move || PackedReader::open(&path))).await
}

async fn restore_rows(
    store: &Store,
    file: &Path,
    reader: PackedReader,
    progress: Arc<dyn Progress>,
    stop: impl Future<Output = ()>,
) -> Result<BackupReport, BackupError> {
    let mut stop = pin!(stop);
    let begun = async { store.begin_restoring().await.map_err(begin_error) };
    let mut restoring = unless(stop.as_mut(), begun).await?;
    progress.begin("restoring", Some(reader.file_bytes()), Unit::Bytes);
    let restored =
        unless(stop, put_rows(&mut restoring, file, reader, Arc::clone(&progress))).await;
    progress.end();
    match restored {
        Ok(reader) => {
            progress.begin("saving", None, Unit::Count);
            let committed = restoring.commit().await;
            progress.end();
            match committed {
                Ok(()) => Ok(BackupReport::new(file, &reader)),
                Err(RestoreError::Row { source, .. }) => Err(reader.problem(source)),
                Err(RestoreError::Store(error)) => Err(error.into()),
            }
        }
        Err(error) => {
            // Fails if the connection is lost; nothing is kept then either.
            let _ = restoring.rollback().await;
            Err(error)
        }
    }
}

fn begin_error(error: StoreError) -> BackupError {
    match error {
        StoreError::NotEmpty => BackupError::NotEmpty,
        error => error.into(),
    }
}

/// Reads the whole file and puts its rows, up to the commit.
async fn put_rows(
    restoring: &mut Restoring,
    file: &Path,
    reader: PackedReader,
    progress: Arc<dyn Progress>,
) -> Result<PackedReader, BackupError> {
    let (sender, mut batches) = mpsc::channel(BATCHES_WAITING);
    let reading =
        tokio::task::spawn_blocking(move || read_rows(reader, &sender, progress.as_ref()));
    while let Some(batch) = batches.recv().await {
        restoring.put(&batch.rows).await.map_err(|error| put_error(file, &batch, error))?;
    }
    joined(reading).await
}

fn put_error(file: &Path, batch: &Batch, error: RestoreError) -> BackupError {
    let (path, first) = (file.to_owned(), batch.first_line);
    match error {
        RestoreError::Row { place, source } => BackupError::File {
            path,
            line: first + place as u64,
            problem: FileProblem::Row(source),
        },
        // These say nothing of the rows.
        RestoreError::Store(
            error @ (StoreError::Unavailable(_) | StoreError::Busy | StoreError::Closed),
        ) => error.into(),
        RestoreError::Store(source) => {
            let last = first + (batch.rows.len() as u64).saturating_sub(1);
            BackupError::Rows { path, first, last, source }
        }
    }
}

/// Reads rows until there are no more, or nobody takes them.
fn read_rows(
    mut reader: PackedReader,
    sender: &mpsc::Sender<Batch>,
    progress: &dyn Progress,
) -> Result<PackedReader, BackupError> {
    loop {
        let mut rows = Vec::with_capacity(BATCH_ROWS as usize);
        let first_line = reader.line_number() + 1;
        let mut ended = None;
        while rows.len() < BATCH_ROWS as usize && ended.is_none() {
            match reader.next_row() {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => ended = Some(Ok(())),
                Err(error) => ended = Some(Err(error)),
            }
        }
        // Whatever is wrong with these comes first in the file.
        if sender.blocking_send(Batch { first_line, rows }).is_err() {
            return Err(BackupError::Interrupted);
        }
        if let Some(ended) = ended {
            return ended.map(|()| reader);
        }
        progress.at(reader.bytes_read());
    }
}
