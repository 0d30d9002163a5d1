//! Reading a backup without a store: is it whole, and as it was written?

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use storage::RowChecks;

use super::error::BackupError;
use super::packed::PackedReader;
use super::{BackupReport, joined, unless};
use crate::progress::{Progress, Unit};

/// How many lines pass between two looks at the progress.
const PROGRESS_LINES: u64 = 1_024;

/// Reads a backup to its end and checks every line, their order and number, and the checksum.
///
/// # Errors
///
/// [`BackupError::File`] names the first line at fault; [`BackupError::Io`] or
/// [`BackupError::Interrupted`].
pub async fn verify(
    file: &Path,
    progress: Arc<dyn Progress>,
    stop: impl Future<Output = ()>,
) -> Result<BackupReport, BackupError> {
    read_all(file, progress, stop).await
}

/// As [`verify`], whatever the file's name is going to be.
pub(super) async fn read_all(
    file: &Path,
    progress: Arc<dyn Progress>,
    stop: impl Future<Output = ()>,
) -> Result<BackupReport, BackupError> {
    let stop = pin!(stop);
    let path = file.to_owned();
    let is_wanted = Arc::new(AtomicBool::new(true));
    let still_wanted = Arc::clone(&is_wanted);
    let reading = tokio::task::spawn_blocking(move || {
        let reader = PackedReader::open(&path)?;
        progress.begin("verifying", Some(reader.file_bytes()), Unit::Bytes);
        let read = check_rows(reader, progress.as_ref(), &still_wanted);
        progress.end();
        Ok(BackupReport::new(&path, &read?))
    });
    let read = unless(stop, joined(reading)).await;
    is_wanted.store(false, Ordering::Relaxed);
    read
}

fn check_rows(
    mut reader: PackedReader,
    progress: &dyn Progress,
    is_wanted: &AtomicBool,
) -> Result<PackedReader, BackupError> {
    let mut checks = RowChecks::default();
    while let Some(row) = reader.next_row()? {
        checks.check(&row).map_err(|error| reader.problem(error))?;
        if reader.line_number().is_multiple_of(PROGRESS_LINES) {
            progress.at(reader.bytes_read());
            if !is_wanted.load(Ordering::Relaxed) {
                return Err(BackupError::Interrupted);
            }
        }
    }
    checks.finish().map_err(|error| reader.problem(error))?;
    Ok(reader)
}
