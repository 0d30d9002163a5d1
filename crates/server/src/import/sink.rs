//! Where the reading thread puts what it reads: batches for the store, counts for the report.

use std::path::Path;
use std::sync::Arc;

use recommender::{EventKind, ItemNumber, Rating};
use storage::{Book, EventId};
use tokio::sync::mpsc;

use super::ImportOptions;
use super::error::{FileProblem, ImportError};
use super::open::Meter;
use super::report::{
    Content, FileReport, Notes, REFUSALS_LISTED, Refusal, UNMATCHED_LISTED, UnmatchedBook,
};
use crate::progress::{Progress, Unit};

/// How many rows go to the store at once.
const BATCH_ROWS: usize = 8192;

/// How many rows pass between two looks at the progress.
const PROGRESS_ROWS: u64 = 1024;

/// The book of an event: by the shop's id, or one found in the store.
#[derive(Clone, Debug)]
pub(super) enum BookKey {
    Id(String),
    Number(ItemNumber),
}

/// The id of an event, and where it is from.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReadId {
    /// The file gives it.
    Given(EventId),
    /// It is made of what the event says.
    Made(EventId),
}

impl ReadId {
    /// The id, wherever it is from.
    pub(super) fn id(self) -> EventId {
        match self {
            Self::Given(id) | Self::Made(id) => id,
        }
    }
}

/// An event as it was read.
#[derive(Clone, Debug)]
pub(super) struct ReadEvent {
    pub(super) user: String,
    pub(super) book: BookKey,
    pub(super) event_id: ReadId,
    pub(super) kind: EventKind,
    pub(super) rating: Option<Rating>,
    pub(super) time_ms: Option<i64>,
    /// The user's events that this one takes the place of.
    pub(super) replaces: Vec<EventId>,
}

/// Some rows of one file, the how-manieth it is in the report.
#[derive(Debug)]
pub(super) enum Batch {
    /// Books, told by their `id`; their number is yet to be found.
    Books { file: usize, books: Vec<Book> },
    /// Events.
    Events { file: usize, events: Vec<ReadEvent> },
}

/// Why reading stopped before the end.
#[derive(Debug)]
pub(super) enum Stop {
    /// A row was refused, and that is not allowed.
    Refused,
    /// Nobody wants the rows any more.
    Interrupted,
    /// A file cannot be read at all.
    Failed(ImportError),
}

impl From<ImportError> for Stop {
    fn from(error: ImportError) -> Self {
        Self::Failed(error)
    }
}

/// Takes what is read from one file after the other.
pub(super) struct Sink {
    sender: mpsc::Sender<Batch>,
    keep_going: bool,
    now_ms: i64,
    rows_max: u64,
    progress: Arc<dyn Progress>,
    meter: Meter,
    files: Vec<FileReport>,
    notes: Notes,
    books: Vec<Book>,
    events: Vec<ReadEvent>,
    /// False after the first refusal: then rows are only counted.
    writing: bool,
    /// Whether a file has begun and is not over.
    in_file: bool,
}

impl Sink {
    /// A sink that sends batches into this channel, of files with at most so many rows.
    pub(super) fn new(
        sender: mpsc::Sender<Batch>,
        options: &ImportOptions,
        rows_max: u64,
        progress: Arc<dyn Progress>,
    ) -> Self {
        Self {
            sender,
            keep_going: options.keep_going,
            now_ms: options.recorded_ms,
            rows_max,
            progress,
            meter: Meter::default(),
            files: Vec::new(),
            notes: Notes::default(),
            books: Vec::new(),
            events: Vec::new(),
            writing: true,
            in_file: false,
        }
    }

    /// When the import takes place.
    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// A file begins.
    pub(super) fn begin_file(
        &mut self,
        path: &Path,
        content: Content,
        meter: Meter,
        bytes: Option<u64>,
    ) {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        self.progress.begin(&format!("reading {name}"), bytes, Unit::Bytes);
        self.in_file = true;
        self.meter = meter;
        self.notes = Notes::default();
        self.files.push(FileReport::new(path.display().to_string(), content));
    }

    /// A row was read.
    pub(super) fn count_row(&mut self) -> Result<(), Stop> {
        let rows_max = self.rows_max;
        let file = self.file();
        file.rows_read += 1;
        let rows = file.rows_read;
        if rows > rows_max {
            let problem = FileProblem::TooManyRows { rows_max };
            return Err(ImportError::file(Path::new(&file.file), problem).into());
        }
        if rows.is_multiple_of(PROGRESS_ROWS) {
            self.progress.at(self.meter.bytes());
            self.progress.rows(rows);
            if self.sender.is_closed() {
                return Err(Stop::Interrupted);
            }
        }
        Ok(())
    }

    /// A book goes to the store.
    pub(super) fn put_book(&mut self, book: Book) {
        if self.writing {
            self.books.push(book);
            if self.books.len() == BATCH_ROWS {
                self.flush();
            }
        }
    }

    /// An event goes to the store.
    pub(super) fn put_event(&mut self, event: ReadEvent) {
        if self.writing {
            self.events.push(event);
            if self.events.len() == BATCH_ROWS {
                self.flush();
            }
        }
    }

    /// A row cannot be taken.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.writing &= self.keep_going;
        let file = self.file();
        file.refused += 1;
        if file.first_refusals.len() < REFUSALS_LISTED {
            file.first_refusals.push(refusal);
        }
    }

    /// A row's book is not in the store.
    pub(super) fn count_unmatched(&mut self, book: impl FnOnce() -> UnmatchedBook) {
        let file = self.file();
        file.unmatched += 1;
        if file.first_unmatched.len() < UNMATCHED_LISTED {
            file.first_unmatched.push(book());
        }
    }

    /// Something is worth a note; `kind` says what, `example` shows the first.
    pub(super) fn note(&mut self, kind: &str, example: &str) {
        self.notes.count(kind, example);
    }

    /// Adds a note to the file that was read last.
    pub(super) fn add_note(&mut self, sentence: &str) {
        self.file().notes.push(sentence.to_owned());
    }

    /// The file is over.
    pub(super) fn end_file(&mut self) -> Result<(), Stop> {
        self.flush();
        self.progress.at(self.meter.bytes());
        self.progress.end();
        self.in_file = false;
        let sentences: Vec<String> = self.notes.sentences().collect();
        self.file().notes = sentences;
        match self.writing {
            true => Ok(()),
            false => Err(Stop::Refused),
        }
    }

    /// What was read; called when all is over.
    pub(super) fn into_files(self) -> Vec<FileReport> {
        if self.in_file {
            self.progress.end();
        }
        self.files
    }

    fn file(&mut self) -> &mut FileReport {
        self.files.last_mut().expect("begin_file comes first")
    }

    /// Sends what has gathered. If nobody listens, `count_row` notices.
    fn flush(&mut self) {
        let file = self.files.len() - 1;
        if !self.books.is_empty() {
            let books = std::mem::take(&mut self.books);
            let _ = self.sender.blocking_send(Batch::Books { file, books });
        }
        if !self.events.is_empty() {
            let events = std::mem::replace(&mut self.events, Vec::with_capacity(BATCH_ROWS));
            let _ = self.sender.blocking_send(Batch::Events { file, events });
        }
    }
}
