//! What an import says when it is over: for each file the rows read, and what became of them.

use std::fmt;

use serde::Serialize;

/// How many refusals of a file are listed; all are counted.
pub const REFUSALS_LISTED: usize = 10;

/// How many books of a Goodreads export that were not found are listed; all are counted.
pub const UNMATCHED_LISTED: usize = 1000;

/// The most characters of their titles, and of their authors, that are told.
const UNMATCHED_CHARACTERS_MAX: usize = 200;

/// How many notes a file gets at most.
const NOTES_MAX: usize = 100;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Each file, in the order in which they were read.
    pub files: Vec<FileReport>,
    /// Whether it was stored. If not, the store is as it was, and nothing counts as
    /// stored, changed or repeated.
    pub committed: bool,
    /// How many users got events they had not had before.
    pub users_touched: u64,
}

impl Report {
    /// How many rows were refused, in all files.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.files.iter().map(|file| file.refused).sum()
    }

    /// The first file with a refusal, and that refusal.
    #[must_use]
    pub fn first_refusal(&self) -> Option<(&FileReport, &Refusal)> {
        self.files.iter().find_map(|file| Some((file, file.first_refusals.first()?)))
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A row is a book.
    Books,
    /// A row is an event, or several.
    Events,
    /// A row lists a book's categories, which are stored with the book.
    Categories,
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// The file, as it was named.
    pub file: String,
    /// What its rows are.
    pub content: Content,
    /// Rows, without the header and blank lines, refused ones included.
    pub rows_read: u64,
    /// Books or events that are new in the store.
    pub stored: u64,
    /// Books that were there with other contents, which were replaced.
    pub changed: u64,
    /// Books or events that were there already, from this file or before.
    pub repeated: u64,
    /// How many of the repeated events say something else than the one stored, such as
    /// another rating. The first one stays.
    pub conflicting: u64,
    /// Rows that could not be taken.
    pub refused: u64,
    /// The first refusals, at most [`REFUSALS_LISTED`].
    pub first_refusals: Vec<Refusal>,
    /// What else there is to know, one sentence each.
    pub notes: Vec<String>,
    /// Rows whose book the store does not have (Goodreads only).
    pub unmatched: u64,
    /// The first of them, at most [`UNMATCHED_LISTED`].
    pub first_unmatched: Vec<UnmatchedBook>,
}

impl FileReport {
    pub(super) fn new(file: String, content: Content) -> Self {
        Self {
            file,
            content,
            rows_read: 0,
            stored: 0,
            changed: 0,
            repeated: 0,
            conflicting: 0,
            refused: 0,
            first_refusals: Vec::new(),
            notes: Vec::new(),
            unmatched: 0,
            first_unmatched: Vec::new(),
        }
    }
}

/// Why one row was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The line on which the row begins; the header is on line 1.
    pub line: u64,
    /// The column, as its header names it, if the reason lies in one.
    pub column: Option<String>,
    /// What was found and what was expected.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(formatter, ", column {column}")?;
        }
        write!(formatter, ": {}", self.reason)
    }
}

/// A book of a Goodreads export that the store does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnmatchedBook {
    /// The line of its row.
    pub line: u64,
    /// Its title, at most the first 200 characters and "…" for the rest.
    pub title: String,
    /// Its author, cut as its title is.
    pub author: String,
}

impl UnmatchedBook {
    /// The book of a row, cut to what a report has room for: a cell may be as long as a row.
    pub(super) fn new(line: u64, title: &str, author: &str) -> Self {
        let told = |text| {
            let (head, rest) = cut(text, UNMATCHED_CHARACTERS_MAX);
            format!("{head}{rest}")
        };
        Self { line, title: told(title), author: told(author) }
    }
}

/// Things worth a note, counted by kind.
#[derive(Debug, Default)]
pub(super) struct Notes {
    counts: Vec<(String, u64, String)>,
}

impl Notes {
    /// Counts one more thing of this kind; the first one is its example.
    pub(super) fn count(&mut self, kind: &str, example: &str) {
        if let Some(found) = self.counts.iter_mut().find(|(known, ..)| known == kind) {
            found.1 += 1;
        } else if self.counts.len() < NOTES_MAX {
            self.counts.push((kind.to_owned(), 1, example.to_owned()));
        }
    }

    /// One sentence for each kind, in the order of first appearance.
    pub(super) fn sentences(&self) -> impl Iterator<Item = String> {
        self.counts.iter().map(|(kind, count, example)| match example.as_str() {
            "" => format!("{kind} ({count})"),
            example => format!("{kind} ({count}, the first is {})", quoted(example)),
        })
    }
}

/// The beginning of a text, in quotes, for a message.
pub(super) fn quoted(text: &str) -> String {
    let (head, rest) = cut(text, 40);
    format!("{head:?}{rest}")
}

/// The first `characters_max` characters of a text, and what stands for the rest.
fn cut(text: &str, characters_max: usize) -> (&str, &'static str) {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => (&text[..end], "…"),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let (whole, long) = ("é".repeat(200), "é".repeat(1 << 20));
        let book = UnmatchedBook::new(7, &whole, &long);
        assert_eq!((book.line, &book.title), (7, &whole));
        assert_eq!(book.author, format!("{whole}…"));
        assert_eq!(quoted(&long), format!("\"{}\"…", "é".repeat(40)));
        assert_eq!(quoted("a\n"), "\"a\\n\"");
    }

    #[test]
    fn notes_are_counted_and_bounded() {
        let mut notes = Notes::default();
        notes.count("no language", "Klingonese");
        notes.count("no language", "x");
        notes.count("late", "");
        for kind in 0..200 {
            notes.count(&kind.to_string(), "");
        }
        let sentences: Vec<String> = notes.sentences().collect();
        assert_eq!(sentences.len(), NOTES_MAX);
        assert_eq!(sentences[0], "no language (2, the first is \"Klingonese\")");
        assert_eq!(sentences[1], "late (1)");
    }
}
