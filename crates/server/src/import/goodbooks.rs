//! The goodbooks-10k data set as published, with a genre file beside it.
//!
//! Two layouts of `books.csv` are in use. In the first the number that ratings refer
//! to is `id`, and `book_id` is Goodreads' own; in the later one that number is
//! `book_id`, and Goodreads' is `goodreads_book_id`. Ratings have no times.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use recommender::{EventKind, Rating};

use super::book::{self, describe};
use super::error::{FileProblem, ImportError};
use super::event_id::event_id;
use super::report::{Content, Refusal};
use super::sink::{BookKey, ReadEvent, ReadId, Sink, Stop};
use super::slug::slugs;
use super::table::{OpenEnd, Row, Table};
use super::{isbn, language, series};

const HINT: &str = "expected the goodbooks-10k files as published";

/// The genres of each book that has any, as listed in the file, by the book's id. The
/// only thing an import keeps whole: about 200 bytes a book.
type Genres = HashMap<String, String>;

/// Reads the files of a folder: genres and books first, then what readers did.
pub(super) fn read(folder: &Path, sink: &mut Sink) -> Result<(), Stop> {
    // Find all first: a missing one should not show after a minute.
    let books = find(folder, "books.csv")?;
    let ratings = find(folder, "ratings.csv")?;
    let genres = match find(folder, "book_genres.csv") {
        Ok(path) => read_genres(&path, sink)?,
        Err(_) => Genres::new(),
    };
    let genres_known = !genres.is_empty();
    read_books(&books, genres, sink)?;
    if !genres_known {
        sink.add_note("there is no book_genres.csv: the books have no categories");
    }
    read_ratings(&ratings, sink)?;
    match find(folder, "to_read.csv") {
        Ok(path) => read_marks(&path, sink),
        Err(_) => {
            sink.add_note("there is no to_read.csv: nobody wants to read anything");
            Ok(())
        }
    }
}

fn find(folder: &Path, name: &str) -> Result<PathBuf, ImportError> {
    ["", ".gz", ".zst"]
        .into_iter()
        .map(|packing| folder.join(format!("{name}{packing}")))
        .find(|path| path.exists())
        .ok_or_else(|| {
            ImportError::file(folder, FileProblem::MissingFile { name: name.to_owned() })
        })
}

fn read_genres(path: &Path, sink: &mut Sink) -> Result<Genres, Stop> {
    let table = Table::open(path)?;
    let id = table.require("book_id", HINT)?;
    let list = table.require("genres", HINT)?;
    let mut genres = Genres::new();
    table.visit(Content::Categories, OpenEnd::Refused, sink, |row, _| {
        let list = row.optional(Some(list)).unwrap_or_default();
        genres.insert(row.id(id)?.to_owned(), list.to_owned());
        Ok(())
    })?;
    Ok(genres)
}

/// Where the fields of a book are.
struct BookColumns {
    id: usize,
    title: usize,
    authors: usize,
    work: Option<usize>,
    year: Option<usize>,
    language: Option<usize>,
    isbn: Option<usize>,
    isbn13: Option<usize>,
    cover: Option<usize>,
}

impl BookColumns {
    fn of(table: &Table) -> Result<Self, ImportError> {
        let id = match (table.find(&["id"]), table.find(&["goodreads_book_id"])) {
            (None, Some(_)) => table.require("book_id", HINT)?,
            _ => table.require("id", HINT)?,
        };
        Ok(Self {
            id,
            title: table.require("title", HINT)?,
            authors: table.require("authors", HINT)?,
            work: table.find(&["work_id"]),
            year: table.find(&["original_publication_year"]),
            language: table.find(&["language_code"]),
            isbn: table.find(&["isbn"]),
            isbn13: table.find(&["isbn13"]),
            cover: table.find(&["image_url"]),
        })
    }

    fn of_field(&self, field: &str) -> Option<usize> {
        match field {
            "title" | "series" => Some(self.title),
            "authors" => Some(self.authors),
            "work" => self.work,
            _ => None,
        }
    }
}

fn read_books(path: &Path, mut genres: Genres, sink: &mut Sink) -> Result<(), Stop> {
    let table = Table::open(path)?;
    let columns = BookColumns::of(&table)?;
    table.visit(Content::Books, OpenEnd::Refused, sink, |row, sink| {
        let id = row.id(columns.id)?;
        let parts = series::split(row.get(columns.title));
        let mut book = book::book(id, parts.title);
        (book.series, book.volume) = (parts.series, parts.volume);
        book.authors = book::names(row.get(columns.authors), &[',']);
        book.published_year = describe(sink, "years", row.optional(columns.year), book::year);
        book.language = describe(sink, "languages", row.optional(columns.language), language::tag);
        book.categories = genres.remove(id).map(|list| slugs(&list)).unwrap_or_default();
        book.work = row.optional(columns.work).map(str::to_owned);
        book.isbn13 = isbn(row, &columns);
        let image = row.optional(columns.cover).filter(|address| !address.contains("nophoto"));
        book.cover_url = describe(sink, "cover addresses", image, book::cover);
        book::put(sink, row, book, |field| columns.of_field(field))
    })?;
    if !genres.is_empty() {
        let note = match genres.len() {
            1 => "book_genres.csv lists 1 book that is not here".to_owned(),
            several => format!("book_genres.csv lists {several} books that are not here"),
        };
        sink.add_note(&note);
    }
    Ok(())
}

/// Both columns went through a spreadsheet: `isbn` lost its leading zeros, `isbn13`
/// all but 12 digits. So the first is asked first.
fn isbn(row: Row<'_>, columns: &BookColumns) -> Option<u64> {
    let short = row.optional(columns.isbn).and_then(isbn::parse);
    short.or_else(|| row.optional(columns.isbn13).and_then(isbn::parse_float))
}

fn read_ratings(path: &Path, sink: &mut Sink) -> Result<(), Stop> {
    let table = Table::open(path)?;
    let user = table.require("user_id", HINT)?;
    let book = table.require("book_id", HINT)?;
    let rating = table.require("rating", HINT)?;
    table.visit(Content::Events, OpenEnd::Refused, sink, |row, sink| {
        let stars: Rating = row
            .get(rating)
            .parse()
            .map_err(|_| row.refuse(rating, "expected 1 to 5 in steps of 0.5"))?;
        put_event(sink, row, user, book, EventKind::Rating, Some(stars))
    })
}

fn read_marks(path: &Path, sink: &mut Sink) -> Result<(), Stop> {
    let table = Table::open(path)?;
    let user = table.require("user_id", HINT)?;
    let book = table.require("book_id", HINT)?;
    table.visit(Content::Events, OpenEnd::Refused, sink, |row, sink| {
        put_event(sink, row, user, book, EventKind::WantToRead, None)
    })
}

fn put_event(
    sink: &mut Sink,
    row: Row<'_>,
    user: usize,
    book: usize,
    kind: EventKind,
    rating: Option<Rating>,
) -> Result<(), Refusal> {
    let (user, book) = (row.id(user)?, row.id(book)?);
    sink.put_event(ReadEvent {
        user: user.to_owned(),
        book: BookKey::Id(book.to_owned()),
        event_id: ReadId::Made(event_id(user, book, kind, None)),
        kind,
        rating,
        time_ms: None,
        replaces: Vec::new(),
    });
    Ok(())
}
