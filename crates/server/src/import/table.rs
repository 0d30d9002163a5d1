//! A CSV file as a table: named columns, and rows with the line they begin on.

use std::path::{Path, PathBuf};

use super::error::{FileProblem, ImportError};
use super::open::{self, Damage, Meter, OpenError, Opened, Text};
use super::report::{Content, Refusal, quoted};
use super::rows::{ROW_BYTES_MAX, RawRow, RowError, Rows, delimiter};
use super::sink::{Sink, Stop};

/// A table whose header was read.
pub(super) struct Table {
    path: PathBuf,
    header: Vec<String>,
    rows: Rows<Text>,
    meter: Meter,
    bytes: Option<u64>,
}

/// What becomes of a last row without a line break after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OpenEnd {
    /// It is refused: its last field may be cut, and a cut number is a number.
    Refused,
    /// It is taken, with a note.
    Noted,
}

/// One row with as many fields as the header.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// The line on which it begins.
    pub(super) line: u64,
    header: &'a [String],
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Row<'a> {
    /// The field in this column, without spaces around it.
    pub(super) fn get(&self, column: usize) -> &'a str {
        let start = column.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text[start..self.ends[column]].trim()
    }

    /// The field in this column, if there is one and it is not empty.
    pub(super) fn optional(&self, column: Option<usize>) -> Option<&'a str> {
        column.map(|column| self.get(column)).filter(|field| !field.is_empty())
    }

    /// Says what was found in this column, and what was expected.
    pub(super) fn refuse(&self, column: usize, expected: impl std::fmt::Display) -> Refusal {
        let found = quoted(self.get(column));
        self.refuse_for(Some(column), format!("found {found}, {expected}"))
    }

    /// Refuses the row for this reason, which lies in this column.
    pub(super) fn refuse_for(&self, column: Option<usize>, reason: String) -> Refusal {
        let column = column.map(|column| self.header[column].clone());
        Refusal { line: self.line, column, reason }
    }

    /// The field in this column as an id of 1 to 64 bytes.
    pub(super) fn id(&self, column: usize) -> Result<&'a str, Refusal> {
        let id = self.get(column);
        match recommender::id::check_id(id) {
            Ok(()) => Ok(id),
            Err(error) => Err(self.refuse_for(Some(column), error.to_string())),
        }
    }
}

impl Table {
    /// Opens a file and reads its header.
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        let failed = |problem| ImportError::file(path, problem);
        let opened = open::open(path).map_err(|error| failed(explain(error)))?;
        Self::of(path, opened)
    }

    /// Reads the header of a file that is in memory, and stands under this name in errors. Its
    /// text, unpacked, may have so many bytes.
    pub(super) fn open_bytes(
        name: &Path,
        bytes: Vec<u8>,
        text_bytes_max: u64,
    ) -> Result<Self, ImportError> {
        let opened = open::open_bytes(bytes, text_bytes_max)
            .map_err(|error| ImportError::file(name, explain(error)))?;
        Self::of(name, opened)
    }

    fn of(path: &Path, opened: Opened) -> Result<Self, ImportError> {
        let failed = |problem| ImportError::file(path, problem);
        let delimiter = delimiter(opened.text.head());
        let mut rows = Rows::new(opened.text, delimiter);
        let header = read_header(&mut rows).map_err(failed)?;
        Ok(Self { path: path.to_owned(), header, rows, meter: opened.meter, bytes: opened.bytes })
    }

    /// The column of the first of these names that is in the header, whatever its case.
    pub(super) fn find(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.header.iter().position(|column| same_name(column, name)))
    }

    /// The column of this name.
    pub(super) fn require(&self, name: &str, hint: &str) -> Result<usize, ImportError> {
        self.find(&[name]).ok_or_else(|| self.missing(name, hint))
    }

    /// The error that says that a column is not there.
    pub(super) fn missing(&self, wanted: &str, hint: &str) -> ImportError {
        let found = self.header.iter().take(50).map(|name| quoted(name)).collect();
        let (wanted, hint) = (quoted(wanted), hint.to_owned());
        ImportError::file(&self.path, FileProblem::MissingColumn { wanted, found, hint })
    }

    /// Reads all rows, and gives each to `visit`; a row that cannot be read, or that
    /// `visit` refuses, goes into the report.
    pub(super) fn visit(
        mut self,
        content: Content,
        open_end: OpenEnd,
        sink: &mut Sink,
        mut visit: impl FnMut(Row<'_>, &mut Sink) -> Result<(), Refusal>,
    ) -> Result<(), Stop> {
        sink.begin_file(&self.path, content, self.meter.clone(), self.bytes);
        let mut raw = RawRow::default();
        loop {
            match self.rows.read(&mut raw) {
                Ok(true) => {
                    sink.count_row()?;
                    let cut = open_end == OpenEnd::Refused && !self.rows.ends_in_newline();
                    let row = check(&raw, &self.header)
                        .and_then(|row| if cut { Err(unfinished(row)) } else { Ok(row) })
                        .and_then(|row| visit(row, sink));
                    row.unwrap_or_else(|refusal| sink.refuse(refusal));
                }
                Ok(false) => break,
                Err(error) => {
                    let more = matches!(error, RowError::TooLong);
                    sink.count_row()?;
                    sink.refuse(self.refusal(error, raw.line)?);
                    if !more {
                        break;
                    }
                }
            }
        }
        if open_end == OpenEnd::Noted && !self.rows.ends_in_newline() {
            sink.note(
                "the last line has no line break; if the file was cut there, its end is missing",
                "",
            );
        }
        sink.end_file()
    }

    fn refusal(&self, error: RowError, line: u64) -> Result<Refusal, ImportError> {
        let reason = match error {
            RowError::TooLong => too_long(),
            RowError::UnclosedQuote { line } => unclosed(line),
            RowError::Read(error) => match damage(&error) {
                Some(damage) => damage.to_string(),
                None => return Err(ImportError::file(&self.path, FileProblem::Io(error))),
            },
        };
        Ok(Refusal { line, column: None, reason })
    }
}

fn same_name(column: &str, name: &str) -> bool {
    column.to_lowercase() == name.to_lowercase()
}

fn unfinished(row: Row<'_>) -> Refusal {
    let reason = "the file ends within this row, expected a line break after it; if the file is complete, add one";
    row.refuse_for(None, reason.to_owned())
}

fn too_long() -> String {
    format!(
        "row is longer than {ROW_BYTES_MAX} bytes, expected a shorter one (is a quote not closed?)"
    )
}

fn unclosed(line: u64) -> String {
    format!("a quoted field begins on line {line} and is never closed, expected a closing quote")
}

fn damage(error: &std::io::Error) -> Option<&Damage> {
    error.get_ref()?.downcast_ref()
}

fn explain(error: OpenError) -> FileProblem {
    match error {
        OpenError::Io(error) => match damage(&error) {
            Some(damage) => FileProblem::NotText { reason: damage.to_string() },
            None => FileProblem::Io(error),
        },
        other => FileProblem::NotText { reason: other.to_string() },
    }
}

fn read_header(rows: &mut Rows<Text>) -> Result<Vec<String>, FileProblem> {
    let mut raw = RawRow::default();
    let reason = match rows.read(&mut raw) {
        Ok(true) => match fields(&raw) {
            Ok((text, ends)) => {
                let row = Row { line: raw.line, header: &[], text, ends };
                return Ok((0..ends.len()).map(|column| row.get(column).to_owned()).collect());
            }
            Err((column, reason)) => format!("column {}: {reason}", column + 1),
        },
        Ok(false) => return Err(FileProblem::NotText { reason: OpenError::Empty.to_string() }),
        Err(RowError::TooLong) => too_long(),
        Err(RowError::UnclosedQuote { line }) => unclosed(line),
        Err(RowError::Read(error)) => match damage(&error) {
            Some(damage) => damage.to_string(),
            None => return Err(FileProblem::Io(error)),
        },
    };
    Err(FileProblem::Header { line: raw.line, reason })
}

/// Checks that a row is UTF-8 and has as many fields as the header.
fn check<'a>(raw: &'a RawRow, header: &'a [String]) -> Result<Row<'a>, Refusal> {
    let refuse = |column, reason| Refusal { line: raw.line, column, reason };
    let (text, ends) =
        fields(raw).map_err(|(column, reason)| refuse(header.get(column).cloned(), reason))?;
    if ends.len() != header.len() {
        let (found, expected) = (ends.len(), header.len());
        let cut = if found < expected { " (a cut file?)" } else { "" };
        return Err(refuse(None, format!("found {found} fields, expected {expected}{cut}")));
    }
    Ok(Row { line: raw.line, header, text, ends })
}

/// The fields as text, or the column that is none, and why.
fn fields(raw: &RawRow) -> Result<(&str, &[usize]), (usize, String)> {
    let whole = std::str::from_utf8(&raw.bytes).ok();
    // Two halves of a letter on both sides of a delimiter are no letter.
    if let Some(text) = whole.filter(|text| raw.ends.iter().all(|end| text.is_char_boundary(*end)))
    {
        return Ok((text, &raw.ends));
    }
    let mut start = 0;
    for (column, end) in raw.ends.iter().copied().enumerate() {
        if let Err(error) = std::str::from_utf8(&raw.bytes[start..end]) {
            let byte = raw.bytes[start + error.valid_up_to()];
            let reason = format!(
                "byte 0x{byte:02X} is not UTF-8, expected UTF-8 text (is the file in Latin-1 or Windows-1252?)"
            );
            return Err((column, reason));
        }
        start = end;
    }
    unreachable!("a row whose fields are all UTF-8 is UTF-8 with ends between letters")
}
