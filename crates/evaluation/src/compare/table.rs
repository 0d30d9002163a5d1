//! Lists from a file: `user,book,rank`, as a nightly job writes them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use crate::compare::{Answer, Side};

/// Lists of many users, from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    source: String,
    lists: BTreeMap<String, BTreeMap<u32, String>>,
}

/// A file that is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be read, or is no CSV.
    #[error("cannot read the table {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: csv::Error,
    },
    /// A column is missing.
    #[error("{path} has no column {column:?}, expected user, book and rank in the first line")]
    Column {
        /// The file.
        path: PathBuf,
        /// Its name.
        column: &'static str,
    },
    /// A row cannot be used.
    #[error("{path}, line {line}: {why}")]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What was found and what was expected.
        why: String,
    },
}

/// Reads a table: a line with the names of the columns, `user`, `book` and `rank` among them, then a
/// book in each, in any order. Ranks are numbers from 0 on, the best first, with or without gaps.
///
/// # Errors
///
/// [`TableError`] of the first line that cannot be used.
pub fn read_table(path: &Path) -> Result<Table, TableError> {
    let failed = |source| TableError::Read { path: path.to_owned(), source };
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(failed)?;
    let headers = reader.headers().map_err(failed)?;
    let place = |column: &'static str| {
        let missing = || TableError::Column { path: path.to_owned(), column };
        headers.iter().position(|name| name == column).ok_or_else(missing)
    };
    let places = [place("user")?, place("book")?, place("rank")?];
    let mut table = Table { source: path.display().to_string(), lists: BTreeMap::new() };
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, csv::Position::line);
        let refused = |why| TableError::Row { path: path.to_owned(), line, why };
        table.add(&record, places).map_err(refused)?;
    }
    Ok(table)
}

impl Table {
    fn add(&mut self, record: &StringRecord, places: [usize; 3]) -> Result<(), String> {
        let [user, book, rank] = places.map(|place| record.get(place).unwrap_or_default());
        if user.is_empty() || book.is_empty() {
            return Err("found no user or no book, expected both".to_owned());
        }
        let rank: u32 = rank
            .parse()
            .map_err(|_| format!("found the rank {rank:?}, expected a number from 0 on"))?;
        let list = self.lists.entry(user.to_owned()).or_default();
        if list.values().any(|known| known == book) {
            return Err(format!("found book {book:?} of user {user:?} twice, expected it once"));
        }
        match list.entry(rank) {
            Entry::Occupied(_) => {
                Err(format!("found rank {rank} of user {user:?} twice, expected it once"))
            }
            Entry::Vacant(place) => {
                place.insert(book.to_owned());
                Ok(())
            }
        }
    }

    /// The users in the table, in the order of their ids.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }

    /// The first `k` books of each of these users.
    #[must_use]
    pub fn side(&self, users: &[String], k: usize) -> Side {
        let answer = |user: &String| {
            let list = self.lists.get(user)?;
            Some(Answer { books: list.values().take(k).cloned().collect(), fallback: false })
        };
        Side {
            source: self.source.clone(),
            answers: users.iter().map(answer).collect(),
            tells_fallbacks: false,
            load: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Table, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let name = file.path().display().to_string();
        read_table(file.path()).map_err(|error| error.to_string().replace(&name, "FILE"))
    }

    #[test]
    fn rows_come_in_any_order_and_lists_in_that_of_their_ranks() {
        let table = read("rank,book,user,more\n2,emma,ann,x\n1,dune,bob,\n1,dune,ann,\n").unwrap();
        assert_eq!(table.users().collect::<Vec<_>>(), ["ann", "bob"]);
        let users = ["bob", "cid", "ann"].map(str::to_owned);
        let books = |k| {
            let answers = table.side(&users, k).answers.into_iter();
            answers.map(|answer| answer.map(|answer| answer.books.join(" "))).collect::<Vec<_>>()
        };
        assert_eq!(books(9), [Some("dune".to_owned()), None, Some("dune emma".to_owned())]);
        assert_eq!(books(1)[2], Some("dune".to_owned()));
    }

    #[test]
    fn what_is_no_table_is_named_with_its_line() {
        for (text, expected) in [
            (
                "user,book\n",
                "FILE has no column \"rank\", expected user, book and rank in the first line",
            ),
            (
                "user,book,rank\nann,dune,1\nann,emma,first\n",
                "FILE, line 3: found the rank \"first\", expected a number from 0 on",
            ),
            ("user,book,rank\nann,,1\n", "FILE, line 2: found no user or no book, expected both"),
            (
                "user,book,rank\na,b,1\na,c,1\n",
                "FILE, line 3: found rank 1 of user \"a\" twice, expected it once",
            ),
            (
                "user,book,rank\na,b,1\na,b,2\n",
                "FILE, line 3: found book \"b\" of user \"a\" twice, expected it once",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), expected);
        }
        assert!(read("user,book,rank\na,b\n").unwrap_err().contains("line: 2"));
    }
}
