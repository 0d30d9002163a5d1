//! Any shop's books and interactions, from two CSV files.

use std::path::Path;

use recommender::{EventKind, Rating};
use storage::EventId;

use super::book::{self, describe};
use super::columns::{ColumnNames, Role};
use super::error::ImportError;
use super::event_id::event_id;
use super::offer::{self, OfferColumns};
use super::report::{Content, Refusal};
use super::series::single_spaced;
use super::sink::{BookKey, ReadEvent, ReadId, Sink, Stop};
use super::slug::slugs;
use super::table::{OpenEnd, Row, Table};
use super::{isbn, language, time};

/// What shops call the kinds of events, beside the names of [`EventKind`].
const KIND_ALIASES: [(&str, EventKind); 22] = [
    ("viewed", EventKind::View),
    ("click", EventKind::View),
    ("wish", EventKind::WantToRead),
    ("wishlist", EventKind::WantToRead),
    ("to_read", EventKind::WantToRead),
    ("add_to_cart", EventKind::Cart),
    ("basket", EventKind::Cart),
    ("buy", EventKind::Purchase),
    ("bought", EventKind::Purchase),
    ("order", EventKind::Purchase),
    ("sale", EventKind::Purchase),
    ("borrow", EventKind::Purchase),
    ("loan", EventKind::Purchase),
    ("checkout", EventKind::Purchase),
    ("read", EventKind::Finish),
    ("finished", EventKind::Finish),
    ("rate", EventKind::Rating),
    ("review", EventKind::Rating),
    ("dismissed", EventKind::Dismiss),
    ("abandoned", EventKind::Abandon),
    ("returned", EventKind::Return),
    ("refund", EventKind::Return),
];

/// Reads the books, then the interactions.
pub(super) fn read(
    books: &Path,
    interactions: &Path,
    names: &ColumnNames,
    sink: &mut Sink,
) -> Result<(), Stop> {
    // Both headers first: a missing column should not show after a minute.
    let interactions = Table::open(interactions)?;
    let event_columns = EventColumns::of(&interactions, names)?;
    let books = Table::open(books)?;
    let book_columns = BookColumns::of(&books, names)?;
    books.visit(Content::Books, OpenEnd::Refused, sink, |row, sink| {
        read_book(row, &book_columns, sink)
    })?;
    interactions.visit(Content::Events, OpenEnd::Refused, sink, |row, sink| {
        read_event(row, &event_columns, sink)
    })
}

/// Where the fields of a book are.
struct BookColumns {
    book: usize,
    title: usize,
    authors: Option<usize>,
    year: Option<usize>,
    language: Option<usize>,
    categories: Option<usize>,
    series: Option<usize>,
    volume: Option<usize>,
    work: Option<usize>,
    isbn: Option<usize>,
    cover: Option<usize>,
    publisher: Option<usize>,
    offer: OfferColumns,
}

impl BookColumns {
    fn of(table: &Table, names: &ColumnNames) -> Result<Self, ImportError> {
        let find = |name| names.find(table, Role::Books, name);
        Ok(Self {
            book: names.require(table, Role::Books, "book")?,
            title: names.require(table, Role::Books, "title")?,
            authors: find("authors")?,
            year: find("year")?,
            language: find("language")?,
            categories: find("categories")?,
            series: find("series")?,
            volume: find("volume")?,
            work: find("work")?,
            isbn: find("isbn")?,
            cover: find("cover")?,
            publisher: find("publisher")?,
            offer: OfferColumns::of(table, names)?,
        })
    }

    fn of_field(&self, field: &str) -> Option<usize> {
        match field {
            "title" => Some(self.title),
            "authors" => self.authors,
            "series" => self.series,
            "work" => self.work,
            "publisher" => self.publisher,
            field => self.offer.of_field(field),
        }
    }
}

fn read_book(row: Row<'_>, columns: &BookColumns, sink: &mut Sink) -> Result<(), Refusal> {
    let id = row.id(columns.book)?;
    let mut book = book::book(id, single_spaced(row.get(columns.title)));
    if let Some(authors) = row.optional(columns.authors) {
        // A comma may stand inside a name, but only if something else stands between names.
        let separators: &[char] = if authors.contains([';', '|']) { &[';', '|'] } else { &[','] };
        book.authors = book::names(authors, separators);
    }
    book.published_year = describe(sink, "years", row.optional(columns.year), book::year);
    book.language = describe(sink, "languages", row.optional(columns.language), language::tag);
    book.categories = describe(sink, "categories", row.optional(columns.categories), |list| {
        Some(slugs(list)).filter(|slugs| !slugs.is_empty())
    })
    .unwrap_or_default();
    book.series = row.optional(columns.series).map(single_spaced);
    book.volume = describe(sink, "volumes", row.optional(columns.volume), book::volume);
    book.work = row.optional(columns.work).map(str::to_owned);
    book.isbn13 = describe(sink, "ISBNs", row.optional(columns.isbn), isbn::parse);
    book.cover_url = describe(sink, "cover addresses", row.optional(columns.cover), book::cover);
    book.publisher = row.optional(columns.publisher).map(single_spaced);
    book.offer = offer::read(row, &columns.offer)?;
    book::put(sink, row, book, |field| columns.of_field(field))
}

/// Where the fields of an event are.
struct EventColumns {
    user: usize,
    book: usize,
    kind: Option<usize>,
    rating: Option<usize>,
    time: Option<usize>,
    event_id: Option<usize>,
}

impl EventColumns {
    fn of(table: &Table, names: &ColumnNames) -> Result<Self, ImportError> {
        let find = |name| names.find(table, Role::Interactions, name);
        Ok(Self {
            user: names.require(table, Role::Interactions, "user")?,
            book: names.require(table, Role::Interactions, "book")?,
            kind: find("kind")?,
            rating: find("rating")?,
            time: find("time")?,
            event_id: find("event_id")?,
        })
    }
}

fn read_event(row: Row<'_>, columns: &EventColumns, sink: &mut Sink) -> Result<(), Refusal> {
    let (user, book) = (row.id(columns.user)?, row.id(columns.book)?);
    let rating = read_rating(row, columns.rating)?;
    let kind = read_kind(row, columns.kind)?;
    let time_ms = read_time(row, columns.time, sink.now_ms())?;
    let given_id = read_id(row, columns.event_id)?;
    let kind =
        kind.unwrap_or(if rating.is_some() { EventKind::Rating } else { EventKind::Purchase });
    if kind == EventKind::Rating && rating.is_none() {
        let reason = "found no rating, expected 1 to 5 in an event of kind rating".to_owned();
        return Err(row.refuse_for(columns.rating.or(columns.kind), reason));
    }
    let event = ReadEvent {
        user: user.to_owned(),
        book: BookKey::Id(book.to_owned()),
        event_id: given_id
            .map_or_else(|| ReadId::Made(event_id(user, book, kind, time_ms)), ReadId::Given),
        kind,
        rating: rating.filter(|_| kind == EventKind::Rating),
        time_ms,
        replaces: Vec::new(),
    };
    if kind != EventKind::Rating && rating.is_some() {
        // "Bought it, four stars" is two events; the shop's id can name only one of them.
        let kind = EventKind::Rating;
        let event_id = ReadId::Made(event_id(user, book, kind, time_ms));
        sink.put_event(ReadEvent { kind, rating, event_id, ..event.clone() });
        sink.note("rows with another kind and a rating, which became two events", "");
    }
    sink.put_event(event);
    Ok(())
}

fn read_rating(row: Row<'_>, column: Option<usize>) -> Result<Option<Rating>, Refusal> {
    let (Some(column), Some(text)) = (column, row.optional(column)) else { return Ok(None) };
    // "4,5" is how half of Europe writes it.
    let rating = text.parse().or_else(|_| text.replacen(',', ".", 1).parse());
    rating.map(Some).map_err(|_| row.refuse(column, "expected 1 to 5 in steps of 0.5"))
}

fn read_kind(row: Row<'_>, column: Option<usize>) -> Result<Option<EventKind>, Refusal> {
    let (Some(column), Some(text)) = (column, row.optional(column)) else { return Ok(None) };
    let name = text.to_lowercase().replace(['-', ' '], "_");
    let alias = KIND_ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, kind)| *kind);
    match alias.map_or_else(|| name.parse(), Ok) {
        Ok(kind) => Ok(Some(kind)),
        Err(error) => Err(row.refuse_for(Some(column), error.to_string())),
    }
}

fn read_time(row: Row<'_>, column: Option<usize>, now_ms: i64) -> Result<Option<i64>, Refusal> {
    let (Some(column), Some(text)) = (column, row.optional(column)) else { return Ok(None) };
    time::parse(text, now_ms).map(Some).map_err(|error| row.refuse(column, error))
}

fn read_id(row: Row<'_>, column: Option<usize>) -> Result<Option<EventId>, Refusal> {
    let (Some(column), Some(text)) = (column, row.optional(column)) else { return Ok(None) };
    let id = EventId::new(text.as_bytes());
    id.map(Some).map_err(|error| row.refuse_for(Some(column), error.to_string()))
}
