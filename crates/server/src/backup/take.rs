//! Writing a backup.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use storage::{Reading, Row, Store};
use tokio::sync::mpsc;

use super::error::BackupError;
use super::packed::{Header, PackedWriter};
use super::target::Unfinished;
use super::verify::read_all;
use super::{BATCH_ROWS, BATCHES_WAITING, BackupReport, Existing, joined, unless};
use crate::progress::{Progress, Unit};

/// Writes everything that is stored, as it is now, into a file, and reads it back. Others go on
/// reading and writing the store meanwhile; what they write is not in it.
///
/// The file gets its name last, once it is verified, and is for its owner only on Unix.
///
/// # Errors
///
/// [`BackupError`]; there is no new file then.
pub async fn backup(
    store: &Store,
    file: &Path,
    existing: Existing,
    progress: Arc<dyn Progress>,
    stop: impl Future<Output = ()>,
) -> Result<BackupReport, BackupError> {
    let mut stop = pin!(stop);
    let header = Header::new(store.schema(), jiff::Timestamp::now());
    let (unfinished, out) = Unfinished::create(file, existing)?;
    let writer = PackedWriter::new(out, &header).map_err(BackupError::io(unfinished.path()))?;

    let begun = async {
        let mut reading = store.begin_reading().await?;
        let rows = reading.count().await?;
        Ok((reading, rows))
    };
    let (reading, total) = unless(stop.as_mut(), begun).await?;
    progress.begin("backing up", Some(total), Unit::Count);
    let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
    let beside = unfinished.path().to_owned();
    let writing = tokio::task::spawn_blocking(move || {
        write_rows(writer, receiver).map_err(BackupError::io(&beside))
    });
    let sent = unless(stop.as_mut(), send_rows(reading, &sender, progress.as_ref())).await;
    drop(sender);
    let written = joined(writing).await;
    progress.end();
    sent?;
    // All rows went through, so that what is missing is the last line.
    let writer = written?;
    let beside = unfinished.path().to_owned();
    let finishing =
        tokio::task::spawn_blocking(move || writer.finish().map_err(BackupError::io(&beside)));
    let counts = joined(finishing).await?;

    let verified = read_all(unfinished.path(), progress, stop).await?;
    debug_assert_eq!(verified.rows, counts, "the last line has these numbers");
    let naming = tokio::task::spawn_blocking(move || unfinished.finish());
    joined(naming).await?;
    Ok(BackupReport { file: file.to_owned(), ..verified })
}

/// Reads rows until there are no more, or nobody takes them.
async fn send_rows(
    mut reading: Reading,
    sender: &mpsc::Sender<Vec<Row>>,
    progress: &dyn Progress,
) -> Result<(), BackupError> {
    let mut done = 0;
    loop {
        let rows = reading.next_rows(BATCH_ROWS).await?;
        done += rows.len() as u64;
        // Whoever writes failed, and says why.
        if rows.is_empty() || sender.send(rows).await.is_err() {
            return Ok(());
        }
        progress.at(done);
    }
}

/// Writes rows until no more come.
fn write_rows(
    mut writer: PackedWriter,
    mut batches: mpsc::Receiver<Vec<Row>>,
) -> std::io::Result<PackedWriter> {
    while let Some(rows) = batches.blocking_recv() {
        for row in rows {
            writer.row(row)?;
        }
    }
    Ok(writer)
}
