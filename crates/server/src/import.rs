//! Imports a shop's books and events from files: goodbooks-10k, any CSV, a Goodreads export.
//!
//! One run is one transaction: unless told to keep going, the first row refused means
//! that nothing is stored. A blocking thread reads and parses; batches go through a
//! bounded channel to the task that writes. So memory is bounded, whatever the size
//! of the files. A reader's export has bounds of its own, and is read before the task
//! begins to write.
//!
//! ```text
//! open ─► rows ─► table ─► goodbooks | shop_csv | goodreads ─► sink ═channel═► write ─► store
//! ```

mod book;
mod columns;
mod error;
mod event_id;
mod goodbooks;
mod goodreads;
pub(crate) mod isbn;
mod language;
mod match_index;
mod normalise;
mod offer;
mod open;
mod reader_ratings;
mod report;
mod rows;
mod series;
mod shop_csv;
mod sink;
mod slug;
mod table;
mod time;
mod write;
mod zstd;

use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;

use storage::Store;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::progress::{Progress, Unit};
use match_index::MatchIndex;
use reader_ratings::ReaderRatings;
use sink::{Batch, Sink, Stop};
use table::Table;
use write::BatchWriter;

pub use columns::{ColumnError, ColumnNames};
pub use error::{FileProblem, ImportError};
pub use report::{
    Content, FileReport, REFUSALS_LISTED, Refusal, Report, UNMATCHED_LISTED, UnmatchedBook,
};

/// How many batches wait between reading and writing.
const BATCHES_WAITING: usize = 3;

/// The most rows of one reader's export: they are held in memory.
const READER_ROWS_MAX: u64 = 20_000;

/// What to import.
#[derive(Clone, Debug)]
pub enum Source {
    /// The goodbooks-10k files.
    Goodbooks {
        /// Where `books.csv`, `ratings.csv`, `to_read.csv` and `book_genres.csv` are,
        /// each plain or packed.
        folder: PathBuf,
    },
    /// Any shop's files.
    Csv {
        /// A row is a book.
        books: PathBuf,
        /// A row is an event.
        interactions: PathBuf,
        /// Which columns hold what, where their names do not tell.
        columns: ColumnNames,
    },
    /// What a reader exports from Goodreads.
    Goodreads {
        /// The export.
        file: PathBuf,
        /// Whose it is: the shop's id for the user.
        user: String,
    },
    /// The same, sent in by the reader.
    SentGoodreads {
        /// The export, plain or packed.
        bytes: Vec<u8>,
        /// The bytes that it may have unpacked.
        text_bytes_max: u64,
        /// Whose it is: the shop's id for the user.
        user: String,
    },
}

/// How to import.
#[derive(Clone, Copy, Debug)]
pub struct ImportOptions {
    /// Leave refused rows out and store the rest, instead of storing nothing.
    pub keep_going: bool,
    /// Now, in milliseconds since 1970-01-01 UTC: when the events are recorded, and
    /// what their times are checked against.
    pub recorded_ms: i64,
}

/// Imports files into a store, all or nothing. Nobody else can write while it writes: a shop's
/// files are read meanwhile, what one reader exported before.
///
/// `stop` ends it early, but only until it begins to commit: from then on, what comes
/// back is what became of the commit. Dropping the future also stops the import, and
/// leaves open whether a commit that had begun went through.
///
/// # Errors
///
/// [`ImportError`]; the store is then as it was. Rows refused are an error unless
/// [`ImportOptions::keep_going`] is set.
pub async fn import(
    store: &Store,
    source: Source,
    options: &ImportOptions,
    progress: Arc<dyn Progress>,
    stop: impl Future<Output = ()>,
) -> Result<Report, ImportError> {
    let mut stop = pin!(stop);
    let input = read_ahead(store, source, options, &progress);
    let input = unless(stop.as_mut(), input).await?;
    let begun = async { Ok(BatchWriter::begin(store, options.recorded_ms).await?) };
    let mut writer = unless(stop.as_mut(), begun).await?;
    let gathered = gather(&mut writer, input, options, &progress);
    match unless(stop, gathered).await {
        Ok(mut files) => {
            progress.begin("saving", None, Unit::Count);
            let committed = writer.commit(&mut files).await;
            progress.end();
            Ok(Report { files, committed: true, users_touched: committed? })
        }
        Err(error) => {
            // Fails if the connection is lost; nothing is kept then either.
            let _ = writer.rollback().await;
            Err(error)
        }
    }
}

/// What comes of this work, unless `stop` comes first.
async fn unless<T>(
    stop: Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = Result<T, ImportError>>,
) -> Result<T, ImportError> {
    tokio::select! {
        biased;
        () = stop => Err(ImportError::Interrupted),
        done = work => done,
    }
}

/// What is there when the writer begins.
enum Input {
    /// A shop's files, which may be of any size.
    Unread(Prepared),
    /// What one reader exported.
    Read { batches: Vec<Batch>, files: Vec<FileReport> },
}

/// Reads what one reader exported, so that no other writer waits for it: readers send these to a
/// service. Of two exports of one reader that two processes import at the same time, the ratings
/// of both stay until the next export replaces them.
async fn read_ahead(
    store: &Store,
    source: Source,
    options: &ImportOptions,
    progress: &Arc<dyn Progress>,
) -> Result<Input, ImportError> {
    let source = prepare(store, source).await?;
    if !matches!(source, Prepared::Goodreads { .. }) {
        return Ok(Input::Unread(source));
    }
    let mut reading = Reading::begin(source, options, READER_ROWS_MAX, progress);
    let mut batches = Vec::new();
    while let Some(batch) = reading.batches.recv().await {
        batches.push(batch);
    }
    Ok(Input::Read { batches, files: reading.end().await? })
}

/// Writes all of a source, up to the commit.
async fn gather(
    writer: &mut BatchWriter<'_>,
    input: Input,
    options: &ImportOptions,
    progress: &Arc<dyn Progress>,
) -> Result<Vec<FileReport>, ImportError> {
    match input {
        Input::Unread(_) if writer.is_demo() => Err(ImportError::DemoShop),
        Input::Unread(source) => {
            let mut reading = Reading::begin(source, options, u64::MAX, progress);
            // If writing fails, the channel closes, and reading stops.
            while let Some(batch) = reading.batches.recv().await {
                writer.write(batch).await?;
            }
            reading.end().await
        }
        Input::Read { batches, files } => {
            for batch in batches {
                writer.write(batch).await?;
            }
            Ok(files)
        }
    }
}

/// What was read of each file, and whether it was all of it.
type FilesRead = (Vec<FileReport>, Result<(), Stop>);

/// A source that a blocking thread reads.
struct Reading {
    batches: mpsc::Receiver<Batch>,
    thread: JoinHandle<FilesRead>,
}

impl Reading {
    fn begin(
        source: Prepared,
        options: &ImportOptions,
        rows_max: u64,
        progress: &Arc<dyn Progress>,
    ) -> Self {
        let (sender, batches) = mpsc::channel(BATCHES_WAITING);
        let sink = Sink::new(sender, options, rows_max, Arc::clone(progress));
        Self { batches, thread: tokio::task::spawn_blocking(move || read(source, sink)) }
    }

    /// What was read, once there are no more batches.
    async fn end(self) -> Result<Vec<FileReport>, ImportError> {
        let (files, stop) = match self.thread.await {
            Ok(read) => read,
            Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            Err(_) => return Err(ImportError::Interrupted),
        };
        match stop {
            Ok(()) => Ok(files),
            Err(Stop::Refused) => {
                Err(ImportError::Refused(Box::new(Report { files, ..Report::default() })))
            }
            Err(Stop::Interrupted) => Err(ImportError::Interrupted),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

/// A source with what it needs from the store.
enum Prepared {
    Goodbooks { folder: PathBuf },
    Csv { books: PathBuf, interactions: PathBuf, columns: ColumnNames },
    Goodreads { table: Box<Table>, user: String, index: Box<MatchIndex>, ratings: ReaderRatings },
}

/// What a file that was sent in is called.
const SENT_FILE: &str = "reading list";

/// Reads what a source needs.
async fn prepare(store: &Store, source: Source) -> Result<Prepared, ImportError> {
    Ok(match source {
        Source::Goodbooks { folder } => Prepared::Goodbooks { folder },
        Source::Csv { books, interactions, columns } => {
            Prepared::Csv { books, interactions, columns }
        }
        Source::Goodreads { file, user } => {
            prepare_goodreads(store, user, || Table::open(&file)).await?
        }
        Source::SentGoodreads { bytes, text_bytes_max, user } => {
            let open = || Table::open_bytes(Path::new(SENT_FILE), bytes, text_bytes_max);
            prepare_goodreads(store, user, open).await?
        }
    })
}

async fn prepare_goodreads(
    store: &Store,
    user: String,
    open: impl FnOnce() -> Result<Table, ImportError>,
) -> Result<Prepared, ImportError> {
    recommender::id::check_id(&user).map_err(ImportError::User)?;
    let index = Box::new(MatchIndex::of(store).await?);
    let ratings = ReaderRatings::of(store, &user).await?;
    Ok(Prepared::Goodreads { table: Box::new(open()?), user, index, ratings })
}

/// Reads a whole source; returns what was read, and whether it was all of it.
fn read(source: Prepared, mut sink: Sink) -> FilesRead {
    let stop = match source {
        Prepared::Goodbooks { folder } => goodbooks::read(&folder, &mut sink),
        Prepared::Csv { books, interactions, columns } => {
            shop_csv::read(&books, &interactions, &columns, &mut sink)
        }
        Prepared::Goodreads { table, user, index, ratings } => {
            goodreads::read(*table, &user, &index, ratings, &mut sink)
        }
    };
    (sink.into_files(), stop)
}
