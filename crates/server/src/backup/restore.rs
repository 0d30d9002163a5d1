//! Bringing a backup back.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use storage::{RestoreError, Restoring, Row, Store, StoreError};
use tokio::sync::mpsc;

use super::error::{BackupError, FileProblem};
use super::packed::PackedReader;
use super::{BATCH_ROWS, BATCHES_WAITING, BackupReport, joined, unless};
use crate::progress::{Progress, Unit};

/// Some rows, and where they are in the file: one a line.
struct Batch {
    first_line: u64,
    rows: Vec<Row>,
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
pub async fn restore(
    store: &Store,
    file: &Path,
    progress: Arc<dyn Progress>,
    stop: impl Future<Output = ()>,
) -> Result<BackupReport, BackupError> {
    let mut stop = pin!(stop);
    let path = file.to_owned();
    let opening = tokio::task::spawn_blocking(move || PackedReader::open(&path));
    let reader = joined(opening).await?;
    let begun = async { store.begin_restoring().await.map_err(begin_error) };
    let mut restoring = unless(stop.as_mut(), begun).await?;
    let restored =
        unless(stop, put_rows(&mut restoring, file, reader, Arc::clone(&progress))).await;
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
    progress.begin("restoring", Some(reader.file_bytes()), Unit::Bytes);
    let shown = Arc::clone(&progress);
    let reading = tokio::task::spawn_blocking(move || read_rows(reader, &sender, shown.as_ref()));
    while let Some(batch) = batches.recv().await {
        restoring.put(&batch.rows).await.map_err(|error| put_error(file, &batch, error))?;
    }
    let reader = joined(reading).await?;
    progress.end();
    Ok(reader)
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
        let mut is_last = false;
        while rows.len() < BATCH_ROWS as usize && !is_last {
            match reader.next_row()? {
                Some(row) => rows.push(row),
                None => is_last = true,
            }
        }
        if sender.blocking_send(Batch { first_line, rows }).is_err() {
            return Err(BackupError::Interrupted);
        }
        if is_last {
            return Ok(reader);
        }
        progress.at(reader.bytes_read());
    }
}
