//! Statements over many rows at once, in a few fixed sizes.
//!
//! One statement for 512 rows costs a tenth of 512 statements. Sizes are fixed so
//! that each statement is prepared once for a connection and then reused.

use std::ops::Range;

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, Encode, Sqlite, Type};

use crate::error::StoreError;

/// The sizes, largest first. The largest stays well below SQLite's limit of
/// 32,766 variables for a row of 13 columns.
const SIZES: [usize; 3] = [512, 32, 1];

/// The most rows one statement handles.
pub(crate) const ROWS_MAX: usize = SIZES[0];

/// A statement over rows of values, written out once for each size.
pub(crate) struct RowsStatement {
    texts: [String; SIZES.len()],
}

impl RowsStatement {
    /// The statement `head`, then `(?, ?), (?, ?) …` of this many columns, then `tail`.
    pub(crate) fn new(head: &str, columns: usize, tail: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(", "));
        let texts =
            SIZES.map(|rows| format!("{head} {} {tail}", vec![row.as_str(); rows].join(", ")));
        Self { texts }
    }

    /// Its text for this many rows, which must be one of the lengths of [`pieces`]
    /// or a result of [`padded`].
    pub(crate) fn text(&'static self, rows: usize) -> &'static str {
        let index = SIZES.iter().position(|size| *size == rows);
        &self.texts[index.expect("rows come in the sizes that pieces and padded give")]
    }
}

/// The values of a statement. Like binding each to the query, which copies the
/// query every time: with ten columns and two million rows, that shows.
#[derive(Default)]
pub(crate) struct Values {
    arguments: SqliteArguments,
}

impl Values {
    pub(crate) fn with_capacity(values: usize) -> Self {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(values, 0);
        Self { arguments }
    }

    /// Appends one value.
    pub(crate) fn add<'q, T>(&mut self, value: T) -> Result<(), StoreError>
    where
        T: Encode<'q, Sqlite> + Type<Sqlite>,
    {
        Ok(self.arguments.add(value).map_err(sqlx::Error::Encode)?)
    }

    pub(crate) fn into_arguments(self) -> SqliteArguments {
        self.arguments
    }
}

/// Cuts `0..len` into pieces which each have the length of a statement.
pub(crate) fn pieces(len: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= len - start)?;
        let piece = start..start + size;
        start = piece.end;
        Some(piece)
    })
}

/// The length to which to pad this many rows, 1 to [`ROWS_MAX`], by repeating the
/// last: for statements that only look something up.
pub(crate) fn padded(len: usize) -> usize {
    SIZES.into_iter().rev().find(|size| *size >= len).unwrap_or(ROWS_MAX)
}

/// These rows, the last one repeated until there are [`padded`] of them.
pub(crate) fn pad<T>(rows: &[T]) -> impl Iterator<Item = &T> {
    let missing = padded(rows.len()) - rows.len();
    rows.iter()
        .chain(rows.last().into_iter().flat_map(move |last| std::iter::repeat_n(last, missing)))
}

/// The numbers in the one row that `group_concat` makes of a statement's: each row of a result
/// wakes the thread that waits for it, which costs more than to find it.
pub(crate) fn packed(text: Option<&str>) -> impl Iterator<Item = Result<i64, StoreError>> {
    let numbers = text.into_iter().flat_map(|text| text.split(','));
    numbers.map(|number| number.parse().map_err(|_| malformed()))
}

/// The same of pairs, a space between.
pub(crate) fn packed_pairs(text: Option<&str>) -> Result<Vec<(i64, i64)>, StoreError> {
    let pairs = text.into_iter().flat_map(|text| text.split(','));
    let pair = |pair: &str| {
        let (left, right) = pair.split_once(' ')?;
        Some((left.parse().ok()?, right.parse().ok()?))
    };
    pairs.map(|text| pair(text).ok_or_else(malformed)).collect()
}

fn malformed() -> StoreError {
    StoreError::UnexpectedValue { column: "group_concat", found: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_row_once_in_order() {
        for len in [0, 1, 31, 32, 33, 511, 512, 513, 1700] {
            let rows: Vec<usize> = pieces(len).flatten().collect();
            assert_eq!(rows, (0..len).collect::<Vec<_>>());
            assert!(pieces(len).all(|piece| SIZES.contains(&piece.len())));
        }
    }

    #[test]
    fn padding_repeats_the_last_row_up_to_a_size() {
        assert_eq!(pad(&[1]).copied().collect::<Vec<_>>(), [1]);
        let padded: Vec<i32> = pad(&[1, 2, 3]).copied().collect();
        assert_eq!(padded.len(), 32);
        assert_eq!(padded[..4], [1, 2, 3, 3]);
        assert_eq!(pad(&[0; ROWS_MAX]).count(), ROWS_MAX);
    }

    #[test]
    fn packed_numbers_are_read_one_by_one_and_no_row_is_none() {
        let read = |text| packed(text).collect::<Result<Vec<i64>, _>>();
        assert_eq!(read(None).ok(), Some(vec![]));
        assert_eq!(read(Some("7")).ok(), Some(vec![7]));
        assert_eq!(read(Some("7,-8")).ok(), Some(vec![7, -8]));
        assert!(read(Some("7,")).is_err());
        assert_eq!(packed_pairs(None).ok(), Some(vec![]));
        assert_eq!(packed_pairs(Some("0 7,1 8")).ok(), Some(vec![(0, 7), (1, 8)]));
        assert!(packed_pairs(Some("0")).is_err());
    }
}
