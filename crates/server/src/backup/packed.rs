//! The lines of a backup as they lie on the disk: packed, counted, with a checksum at the end.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use storage::Row;
use xxhash_rust::xxh3::Xxh3;

use super::RowCounts;
use super::error::{BackupError, FieldProblem, FileProblem};
use super::line::{End, Line};

/// The format that is written, and the newest that is read. Counts up with every change that a
/// program which knows the one before would misread.
pub(super) const FORMAT: u32 = 1;

/// What every backup says that it is.
const WHAT: &str = "foreword backup";

/// The longest line. A book has 20 kB at most, six times as much if every character of it had to
/// be escaped.
const LINE_BYTES_MAX: usize = 256 << 10;

/// How much is read from and written to the disk at once.
const BUFFER_BYTES: usize = 256 << 10;

/// The first line, within `{"header": …}`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Header {
    /// Always "foreword backup".
    what: String,
    /// How the lines are written.
    pub format: u32,
    /// The database that it was taken of: `sqlite` or `postgres`. It can be restored into either.
    pub database: String,
    /// The version of that database's schema.
    pub schema: i64,
    /// When it was begun, by RFC 3339.
    pub written: String,
    /// The version of the program that wrote it.
    pub program: String,
}

#[derive(Deserialize, Serialize)]
struct FirstLine {
    header: Header,
}

/// All that is read of a first line before it is known whether the rest can be.
#[derive(Deserialize)]
struct AnyFirstLine {
    header: AnyHeader,
}

#[derive(Deserialize)]
struct AnyHeader {
    what: String,
    format: u32,
}

impl Header {
    /// The header of a backup that is begun now.
    pub(super) fn new(schema: storage::Schema, now: jiff::Timestamp) -> Self {
        Self {
            what: WHAT.to_owned(),
            format: FORMAT,
            database: schema.database.to_owned(),
            schema: schema.version,
            written: now.to_string(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Writes lines.
pub(super) struct PackedWriter {
    out: GzEncoder<BufWriter<File>>,
    line: Vec<u8>,
    checksum: Xxh3,
    counts: RowCounts,
}

impl PackedWriter {
    /// Writes into a file, from the first line.
    pub(super) fn new(file: File, header: &Header) -> io::Result<Self> {
        let out = BufWriter::with_capacity(BUFFER_BYTES, file);
        let mut writer = Self {
            out: GzEncoder::new(out, Compression::default()),
            line: Vec::new(),
            checksum: Xxh3::new(),
            counts: RowCounts::default(),
        };
        writer.write(&FirstLine { header: header.clone() })?;
        Ok(writer)
    }

    /// Writes a row.
    pub(super) fn row(&mut self, row: Row) -> io::Result<()> {
        self.counts.add(row.kind());
        self.write(&Line::from(row))
    }

    /// Writes the last line, and waits until all is on disk. Returns how many rows there are.
    pub(super) fn finish(mut self) -> io::Result<RowCounts> {
        let xxh3 = format!("{:016x}", self.checksum.digest());
        self.write(&Line::End(End { rows: self.counts.clone(), xxh3 }))?;
        let file = self.out.finish()?.into_inner()?;
        file.sync_all()?;
        Ok(self.counts)
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.checksum.update(&self.line);
        self.out.write_all(&self.line)
    }
}

/// Counts the bytes that are read from a disk.
struct Metered {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Reads lines.
pub(super) struct PackedReader {
    path: PathBuf,
    lines: BufReader<MultiGzDecoder<BufReader<Metered>>>,
    /// How much of the file was read, as it lies on the disk.
    read: Arc<AtomicU64>,
    file_bytes: u64,
    header: Header,
    line: Vec<u8>,
    /// The number of the last line that was begun.
    number: u64,
    checksum: Xxh3,
    counts: RowCounts,
}

impl PackedReader {
    /// Opens a backup and reads its first line.
    pub(super) fn open(path: &Path) -> Result<Self, BackupError> {
        let file = File::open(path).map_err(BackupError::io(path))?;
        let metadata = file.metadata().map_err(BackupError::io(path))?;
        if metadata.is_dir() {
            return Err(BackupError::io(path)(io::ErrorKind::IsADirectory.into()));
        }
        let read = Arc::new(AtomicU64::new(0));
        let metered = Metered { file, read: Arc::clone(&read) };
        let packed = MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, metered));
        let header = Header {
            what: String::new(),
            format: 0,
            database: String::new(),
            schema: 0,
            written: String::new(),
            program: String::new(),
        };
        let mut reader = Self {
            path: path.to_owned(),
            lines: BufReader::with_capacity(BUFFER_BYTES, packed),
            read,
            file_bytes: metadata.len(),
            header,
            line: Vec::new(),
            number: 0,
            checksum: Xxh3::new(),
            counts: RowCounts::default(),
        };
        reader.header = reader.first_line()?;
        Ok(reader)
    }

    /// What the first line says.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The length of the file.
    pub(super) fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// How much of the file was read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The number of the line that was read last.
    pub(super) fn line_number(&self) -> u64 {
        self.number
    }

    /// How many rows were read; after the last, these are as many as were written.
    pub(super) fn counts(&self) -> &RowCounts {
        &self.counts
    }

    /// The next row; `None` once the last line was read and everything before it is known to be
    /// as it was written.
    pub(super) fn next_row(&mut self) -> Result<Option<Row>, BackupError> {
        self.next_line()?;
        let line: Line = serde_json::from_slice(&self.line).map_err(|error| self.unread(&error))?;
        let row = line.row().map_err(|error| self.problem(FieldProblem::from(error)))?;
        match row {
            Ok(row) => {
                self.checksum.update(&self.line);
                self.counts.add(row.kind());
                Ok(Some(row))
            }
            Err(end) => self.finish(&end).map(|()| None),
        }
    }

    /// A problem with the line that was read last.
    pub(super) fn problem(&self, problem: impl Into<FileProblem>) -> BackupError {
        BackupError::File { path: self.path.clone(), line: self.number, problem: problem.into() }
    }

    fn first_line(&mut self) -> Result<Header, BackupError> {
        self.next_line().map_err(|error| match error {
            // What is no gzip file at all is somebody else's, however it fails.
            BackupError::File { path, line, .. } => {
                BackupError::File { path, line, problem: FileProblem::Foreign }
            }
            other => other,
        })?;
        let any: AnyFirstLine =
            serde_json::from_slice(&self.line).map_err(|_| self.problem(FileProblem::Foreign))?;
        let AnyHeader { what, format: found } = any.header;
        if what != WHAT || found == 0 {
            return Err(self.problem(FileProblem::Foreign));
        }
        if found > FORMAT {
            return Err(self.problem(FileProblem::Newer { found, known: FORMAT }));
        }
        let first: FirstLine =
            serde_json::from_slice(&self.line).map_err(|error| self.unread(&error))?;
        self.checksum.update(&self.line);
        Ok(first.header)
    }

    /// Reads a line, with its end.
    fn next_line(&mut self) -> Result<(), BackupError> {
        self.number += 1;
        self.line.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        let read = (&mut self.lines).take(limit).read_until(b'\n', &mut self.line);
        read.map_err(|error| self.explain(error))?;
        if self.line.len() > LINE_BYTES_MAX {
            return Err(self.problem(FileProblem::Long { max: LINE_BYTES_MAX }));
        }
        if !self.line.ends_with(b"\n") {
            return Err(self.problem(FileProblem::Cut));
        }
        Ok(())
    }

    /// Holds the last line against what was read, up to it and after it.
    fn finish(&mut self, end: &End) -> Result<(), BackupError> {
        for ((kind, found), (_, expected)) in self.counts.iter().zip(end.rows.iter()) {
            if found != expected {
                return Err(self.problem(FileProblem::Counts { kind, found, expected }));
            }
        }
        let found = format!("{:016x}", self.checksum.digest());
        if found != end.xxh3 {
            let expected = end.xxh3.chars().take(16).collect();
            return Err(self.problem(FileProblem::Checksum { found, expected }));
        }
        // Reading on to the end holds the packed data against its own checksum.
        match self.lines.fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(self.problem(FileProblem::Trailing)),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// An error of the packed data says so; one of the disk stays what it is.
    fn explain(&self, error: io::Error) -> BackupError {
        if error.raw_os_error().is_some() {
            return BackupError::io(&self.path)(error);
        }
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return self.problem(FileProblem::Cut);
        }
        self.problem(FileProblem::Packing { reason: error.to_string() })
    }

    /// What serde says, without the place: there is a line only.
    fn unread(&self, error: &serde_json::Error) -> BackupError {
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or(&reason).to_owned();
        self.problem(FileProblem::Line { reason })
    }
}
