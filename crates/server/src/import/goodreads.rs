//! The CSV that a reader exports from Goodreads, as events of one user.
//!
//! Shelves become events: read → finish; to-read and currently-reading → want to
//! read, since no kind of event says that one is at it; did-not-finish → abandon. A
//! rating is an event of its own, which takes the place of the one from an earlier export.

use recommender::{EventKind, ItemNumber, Rating};

use super::event_id::event_id;
use super::match_index::MatchIndex;
use super::reader_ratings::ReaderRatings;
use super::report::{Content, Refusal, UnmatchedBook, quoted};
use super::sink::{BookKey, ReadEvent, ReadId, Sink, Stop};
use super::table::{OpenEnd, Row, Table};
use super::{ImportError, isbn, time};

const HINT: &str = "expected the CSV that Goodreads exports under My Books, Import and export";

/// Where the fields of a book on a shelf are.
struct Columns {
    title: usize,
    author: usize,
    shelf: usize,
    isbn: Option<usize>,
    isbn13: Option<usize>,
    rating: Option<usize>,
    read: Option<usize>,
    added: Option<usize>,
}

impl Columns {
    fn of(table: &Table) -> Result<Self, ImportError> {
        Ok(Self {
            title: table.require("Title", HINT)?,
            author: table.require("Author", HINT)?,
            shelf: table.require("Exclusive Shelf", HINT)?,
            isbn: table.find(&["ISBN"]),
            isbn13: table.find(&["ISBN13"]),
            rating: table.find(&["My Rating"]),
            read: table.find(&["Date Read"]),
            added: table.find(&["Date Added"]),
        })
    }
}

/// Reads an export as what this user did to the books of the index.
pub(super) fn read(
    table: Table,
    user: &str,
    index: &MatchIndex,
    mut ratings: ReaderRatings,
    sink: &mut Sink,
) -> Result<(), Stop> {
    let columns = Columns::of(&table)?;
    table.visit(Content::Events, OpenEnd::Noted, sink, |row, sink| {
        read_book(row, &columns, user, index, &mut ratings, sink)
    })
}

fn read_book(
    row: Row<'_>,
    columns: &Columns,
    user: &str,
    index: &MatchIndex,
    ratings: &mut ReaderRatings,
    sink: &mut Sink,
) -> Result<(), Refusal> {
    let rating = read_rating(row, columns.rating)?;
    let shelf = row.get(columns.shelf);
    let kind = shelf_kind(shelf);
    if kind.is_none() {
        let kind = format!("books on shelf {}, which is no event", quoted(shelf));
        sink.note(&kind, row.get(columns.title));
    }
    if kind.is_none() && rating.is_none() {
        return Ok(());
    }
    let Some(item) = find(row, columns, index) else {
        let (title, author) = (row.get(columns.title), row.get(columns.author));
        sink.count_unmatched(|| UnmatchedBook::new(row.line, title, author));
        return Ok(());
    };
    let added = date(row, columns.added, sink);
    let read = date(row, columns.read, sink).or(added);
    let shelved = if kind == Some(EventKind::Finish) { read } else { added };
    if let Some(kind) = kind {
        sink.put_event(ReadEvent {
            user: user.to_owned(),
            book: BookKey::Number(item),
            event_id: ReadId::Made(event_id(user, &book_key(item), kind, shelved)),
            kind,
            rating: None,
            time_ms: shelved,
            replaces: Vec::new(),
        });
    }
    if let Some(rating) = rating {
        let event = ratings.event(user, item, rating, read);
        if !event.replaces.is_empty() {
            let title = row.get(columns.title);
            sink.note("ratings that take the place of those from an earlier export", title);
        }
        sink.put_event(event);
    }
    Ok(())
}

/// What stands for a book in the ids of events.
pub(super) fn book_key(item: ItemNumber) -> String {
    format!("number {item}")
}

fn shelf_kind(shelf: &str) -> Option<EventKind> {
    match shelf.to_lowercase().as_str() {
        "read" => Some(EventKind::Finish),
        "to-read" | "currently-reading" => Some(EventKind::WantToRead),
        "did-not-finish" | "dnf" | "abandoned" => Some(EventKind::Abandon),
        _ => None,
    }
}

/// The stars given; 0 means none.
fn read_rating(row: Row<'_>, column: Option<usize>) -> Result<Option<Rating>, Refusal> {
    let (Some(column), Some(text)) = (column, row.optional(column)) else { return Ok(None) };
    if text == "0" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| row.refuse(column, "expected 0 for none, or 1 to 5"))
}

fn date(row: Row<'_>, column: Option<usize>, sink: &mut Sink) -> Option<i64> {
    let text = row.optional(column)?;
    let date = time::parse_date(text, sink.now_ms()).ok();
    if date.is_none() {
        sink.note("dates not understood and left out", text);
    }
    date
}

/// By ISBN, of which each edition has its own; else by title and author.
fn find(row: Row<'_>, columns: &Columns, index: &MatchIndex) -> Option<ItemNumber> {
    let spelt = |column| row.optional(column).and_then(|cell| isbn::parse(unwrapped(cell)));
    [columns.isbn13, columns.isbn]
        .into_iter()
        .filter_map(spelt)
        .find_map(|isbn| index.by_isbn(isbn))
        .or_else(|| index.by_title(row.get(columns.title), row.get(columns.author)))
}

/// `="0439023483"` keeps spreadsheets from making a number of it.
fn unwrapped(cell: &str) -> &str {
    cell.trim_start_matches('=').trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isbn_cell_is_unwrapped() {
        for (cell, isbn) in
            [("=\"0439023483\"", "0439023483"), ("=\"\"", ""), ("0439023483", "0439023483")]
        {
            assert_eq!(unwrapped(cell), isbn);
        }
    }
}
