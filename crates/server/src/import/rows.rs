//! Splits CSV text (RFC 4180) into rows of fields.
//!
//! The `csv` crate would do but for three things an import needs: the exact line
//! of every row (it is one off after CRLF and blank lines), a bound on a row's
//! size, and telling a quote that is never closed from a field with many lines. A test
//! holds that on everything else both agree.

use std::io::{self, BufRead};

/// The longest row, in bytes.
pub(super) const ROW_BYTES_MAX: usize = 1 << 20;

/// One row: where it begins, and its fields, unquoted, one after the other.
#[derive(Debug, Default)]
pub(super) struct RawRow {
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// The bytes of all fields.
    pub(super) bytes: Vec<u8>,
    /// Where each field ends in `bytes`.
    pub(super) ends: Vec<usize>,
}

/// Why there is no row.
#[derive(Debug)]
pub(super) enum RowError {
    /// It is longer than [`ROW_BYTES_MAX`]; the rows after it can be read.
    TooLong,
    /// The file ends inside a quoted field that began on this line.
    UnclosedQuote { line: u64 },
    /// Reading failed.
    Read(io::Error),
}

/// Where in a row the last byte was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted field: its end, or the first of two.
    QuoteInQuoted,
}

/// What becomes of a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Keep,
    Drop,
    EndField,
}

impl State {
    /// What becomes of a byte that does not end the row, and the state after it.
    fn step(self, byte: u8, delimiter: u8) -> (Self, Use) {
        match (self, byte) {
            (Self::FieldStart, b'"') => (Self::Quoted, Use::Drop),
            (Self::Quoted, b'"') => (Self::QuoteInQuoted, Use::Drop),
            (Self::Quoted, _) | (Self::QuoteInQuoted, b'"') => (Self::Quoted, Use::Keep),
            (_, byte) if byte == delimiter => (Self::FieldStart, Use::EndField),
            _ => (Self::Plain, Use::Keep),
        }
    }
}

/// The rows of a text; blank lines are left out.
pub(super) struct Rows<R> {
    source: R,
    delimiter: u8,
    line: u64,
    after_return: bool,
    ends_in_newline: bool,
}

impl<R: BufRead> Rows<R> {
    /// The rows of this text, with this delimiter between fields.
    pub(super) fn new(source: R, delimiter: u8) -> Self {
        Self { source, delimiter, line: 1, after_return: false, ends_in_newline: true }
    }

    /// Whether the last row read ended in a line break, not with the file.
    pub(super) fn ends_in_newline(&self) -> bool {
        self.ends_in_newline
    }

    /// Reads the next row; `false` if there is none. After an error, `row.line` still
    /// says which row it was.
    pub(super) fn read(&mut self, row: &mut RawRow) -> Result<bool, RowError> {
        row.bytes.clear();
        row.ends.clear();
        row.line = self.line;
        let mut state = State::FieldStart;
        let (mut row_bytes, mut quote_line) = (0, self.line);
        loop {
            let chunk = self.source.fill_buf().map_err(RowError::Read)?;
            if chunk.is_empty() {
                return match state {
                    State::Quoted => Err(RowError::UnclosedQuote { line: quote_line }),
                    _ if row_bytes == 0 => Ok(false),
                    _ => self.finish(row, row_bytes, false),
                };
            }
            let len = chunk.len();
            for (index, byte) in chunk.iter().copied().enumerate() {
                let second_of_break = self.after_return && byte == b'\n';
                self.after_return = byte == b'\r';
                let breaks = matches!(byte, b'\n' | b'\r');
                self.line += u64::from(breaks && !second_of_break);
                if breaks && state != State::Quoted {
                    if row_bytes > 0 {
                        self.source.consume(index + 1);
                        return self.finish(row, row_bytes, true);
                    }
                    row.line = self.line;
                    continue;
                }
                let (next, used) = state.step(byte, self.delimiter);
                if (state, next) == (State::FieldStart, State::Quoted) {
                    quote_line = self.line;
                }
                state = next;
                row_bytes += 1;
                match used {
                    Use::Keep if row_bytes <= ROW_BYTES_MAX => row.bytes.push(byte),
                    Use::EndField if row_bytes <= ROW_BYTES_MAX => row.ends.push(row.bytes.len()),
                    _ => {}
                }
            }
            self.source.consume(len);
        }
    }

    fn finish(
        &mut self,
        row: &mut RawRow,
        row_bytes: usize,
        at_newline: bool,
    ) -> Result<bool, RowError> {
        self.ends_in_newline = at_newline;
        row.ends.push(row.bytes.len());
        if row_bytes > ROW_BYTES_MAX { Err(RowError::TooLong) } else { Ok(true) }
    }
}

/// The delimiter of a header line: whichever of `,` `;` tab and `|` it has most of
/// outside quotes; a comma if it has none.
pub(super) fn delimiter(head: &[u8]) -> u8 {
    const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
    let mut counts = [0; DELIMITERS.len()];
    let mut quoted = false;
    let header = head.iter().skip_while(|byte| matches!(byte, b'\r' | b'\n'));
    for byte in header {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted => break,
            _ if quoted => {}
            _ => {
                if let Some(index) = DELIMITERS.iter().position(|delimiter| delimiter == byte) {
                    counts[index] += 1;
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let index = counts.iter().position(|count| *count == most).unwrap_or(0);
    DELIMITERS[index]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines and fields, or what was wrong.
    fn read(text: &[u8]) -> Result<Vec<(u64, Vec<String>)>, String> {
        // A tiny buffer, so that every state meets the end of a chunk.
        let mut rows = Rows::new(io::BufReader::with_capacity(3, text), b',');
        let mut row = RawRow::default();
        let mut all = Vec::new();
        while rows.read(&mut row).map_err(|error| format!("line {}: {error:?}", row.line))? {
            let mut start = 0;
            let fields = row.ends.iter().map(|end| {
                let field = String::from_utf8_lossy(&row.bytes[start..*end]).into_owned();
                start = *end;
                field
            });
            all.push((row.line, fields.collect()));
        }
        Ok(all)
    }

    #[test]
    fn every_row_knows_its_line() {
        for (text, lines) in [
            ("a,b\n1,2\n3,4\n", vec![1, 2, 3]),
            ("a,b\r\n1,2\r\n3,4", vec![1, 2, 3]),
            ("a,b\r1,2\r3,4\r", vec![1, 2, 3]),
            ("\n\na,b\n\n1,2\n", vec![3, 5]),
            ("a,b\r\n\r\n\"x\r\ny\",3\r\n4,5\r\n", vec![1, 3, 5]),
            ("\"x\n\ny\"\nz", vec![1, 4]),
        ] {
            let found = read(text.as_bytes()).map(|rows| rows.iter().map(|row| row.0).collect());
            assert_eq!(found, Ok(lines), "{text:?}");
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_is_told_with_its_line() {
        let error = read(b"a,b\n1,\"x\ny\n2,z\n").expect_err("it is not closed");
        assert_eq!(error, "line 2: UnclosedQuote { line: 2 }");
        let error = read(b"a\n\"x\ny\",\"z\n").expect_err("it is not closed");
        assert_eq!(error, "line 2: UnclosedQuote { line: 3 }");
    }

    #[test]
    fn a_row_over_the_limit_is_left_out_and_the_next_one_read() {
        let text = format!("a\n\"{}\"\nb\n", "x".repeat(ROW_BYTES_MAX));
        let mut rows = Rows::new(text.as_bytes(), b',');
        let mut row = RawRow::default();
        assert!(matches!(rows.read(&mut row), Ok(true)));
        assert!(matches!(rows.read(&mut row), Err(RowError::TooLong)));
        assert_eq!(row.line, 2);
        assert!(matches!(rows.read(&mut row), Ok(true)));
        assert_eq!((row.line, row.bytes.as_slice()), (3, b"b".as_slice()));
    }

    #[test]
    fn the_delimiter_is_found_outside_quotes() {
        for (head, expected) in [
            ("a,b;c,d\n;;;;", b','),
            ("a;b\n", b';'),
            ("\"a,b,c\";d\r\n", b';'),
            ("a\tb", b'\t'),
            ("\na|b", b'|'),
            ("a", b','),
            ("", b','),
        ] {
            assert_eq!(delimiter(head.as_bytes()), expected, "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn rows_and_fields_are_those_of_the_csv_crate(text in "[ab,\"\r\n ]{0,40}") {
            let Ok(found) = read(text.as_bytes()) else {
                // A quote that is never closed, which the crate closes at the end.
                return Ok(());
            };
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes());
            let expected: Vec<Vec<String>> = reader
                .records()
                .map(|record| record.unwrap().iter().map(str::to_owned).collect())
                .collect();
            let found: Vec<Vec<String>> = found.into_iter().map(|row| row.1).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
