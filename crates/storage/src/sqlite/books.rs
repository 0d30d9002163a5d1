//! The table of books.

use std::sync::LazyLock;

use recommender::ItemNumber;
use recommender::id::{FIRST_ASSIGNED, LAST_NUMBER};
use recommender::offer::{CurrencyError, Offer, Price};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row, SqliteExecutor};

use super::Database;
use super::batch::{ROWS_MAX, RowsStatement, pad, padded, pieces};
use super::search::row_id;
use super::transaction::Writing;
use crate::book::Book;
use crate::error::StoreError;
use crate::event::number;

/// The columns of a book, in the order in which [`book`] reads them.
pub(super) const SELECT_BOOKS: &str = "SELECT b.number, a.id, b.title, b.authors, b.published_year,
    b.language, b.categories, b.series, b.volume, b.work, b.isbn13, b.cover_url,
    b.publisher, b.stock, b.price_minor, b.currency, b.age_min, b.revision
    FROM books AS b LEFT JOIN assigned_ids AS a
      ON a.shop_id = b.shop_id AND a.space = 2 AND a.number = b.number";

/// The column of [`SELECT_BOOKS`] with the catalogue's revision.
pub(super) const REVISION: usize = 17;

static BOOKS_AFTER: LazyLock<String> = LazyLock::new(|| {
    format!("{SELECT_BOOKS} WHERE b.shop_id = $1 AND b.number > $2 ORDER BY b.number LIMIT $3")
});

// The inner query reads nothing but the index, whose entries end with the number; left to
// itself, SQLite would read every book there is.
static BOOKS_CHANGED_AFTER: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{SELECT_BOOKS} WHERE b.shop_id = $1 AND b.number IN (
             SELECT number FROM books INDEXED BY books_by_revision
             WHERE shop_id = $1 AND revision > $2 AND number > $3 ORDER BY number LIMIT $4)
         ORDER BY b.number"
    )
});

static FIND_BOOKS: LazyLock<RowsStatement> = LazyLock::new(|| {
    let head = format!("{SELECT_BOOKS} WHERE b.shop_id = ? AND b.number IN (");
    RowsStatement::new(&head, 1, ")")
});

static PUT_BOOKS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new(
        "INSERT INTO books (shop_id, number, title, authors, published_year, language,
         categories, series, volume, work, isbn13, cover_url, publisher, stock, price_minor, currency,
         age_min, revision) VALUES",
        18,
        "ON CONFLICT (shop_id, number) DO UPDATE SET
         title = excluded.title, authors = excluded.authors,
         published_year = excluded.published_year, language = excluded.language,
         categories = excluded.categories, series = excluded.series,
         volume = excluded.volume, work = excluded.work, isbn13 = excluded.isbn13,
         cover_url = excluded.cover_url, publisher = excluded.publisher,
         stock = excluded.stock, price_minor = excluded.price_minor,
         currency = excluded.currency, age_min = excluded.age_min, revision = excluded.revision",
    )
});

static STORED_AGAIN: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new("DELETE FROM deleted_books WHERE shop_id = ? AND number IN (", 1, ")")
});

pub(super) async fn after(
    database: &Database,
    after: Option<ItemNumber>,
    limit: u32,
) -> Result<Vec<Book>, StoreError> {
    page(&database.readers, database.shop.0, after, limit).await
}

pub(super) async fn page(
    executor: impl SqliteExecutor<'_>,
    shop: u32,
    after: Option<ItemNumber>,
    limit: u32,
) -> Result<Vec<Book>, StoreError> {
    let rows = sqlx::query(BOOKS_AFTER.as_str())
        .bind(shop)
        .bind(after.map_or(0, |item| item.0))
        .bind(limit)
        .fetch_all(executor)
        .await?;
    rows.iter().map(book).collect()
}

pub(super) async fn changed_after(
    database: &Database,
    revision: i64,
    after: Option<ItemNumber>,
    limit: u32,
) -> Result<Vec<Book>, StoreError> {
    let rows = sqlx::query(BOOKS_CHANGED_AFTER.as_str())
        .bind(database.shop.0)
        .bind(revision)
        .bind(after.map_or(0, |item| item.0))
        .bind(limit)
        .fetch_all(&database.readers)
        .await?;
    rows.iter().map(book).collect()
}

pub(super) async fn deleted_after(
    database: &Database,
    revision: i64,
    after: Option<ItemNumber>,
    limit: u32,
) -> Result<Vec<ItemNumber>, StoreError> {
    let rows: Vec<(i64,)> = sqlx::query_as(
        "SELECT number FROM deleted_books INDEXED BY deleted_books_by_revision
         WHERE shop_id = $1 AND revision > $2 AND number > $3 ORDER BY number LIMIT $4",
    )
    .bind(database.shop.0)
    .bind(revision)
    .bind(after.map_or(0, |item| item.0))
    .bind(limit)
    .fetch_all(&database.readers)
    .await?;
    rows.into_iter().map(|(found,)| Ok(ItemNumber(number("number", found)?))).collect()
}

pub(super) async fn has(database: &Database, item: ItemNumber) -> Result<bool, StoreError> {
    let (has,): (bool,) =
        sqlx::query_as("SELECT EXISTS (SELECT 1 FROM books WHERE shop_id = $1 AND number = $2)")
            .bind(database.shop.0)
            .bind(item.0)
            .fetch_one(&database.readers)
            .await?;
    Ok(has)
}

pub(super) async fn by_number(
    connection: &mut SqliteConnection,
    shop: u32,
    numbers: &[ItemNumber],
) -> Result<Vec<Book>, StoreError> {
    let mut books = Vec::with_capacity(numbers.len());
    for rows in numbers.chunks(ROWS_MAX) {
        let mut query = sqlx::query(FIND_BOOKS.text(padded(rows.len()))).bind(shop);
        for number in pad(rows) {
            query = query.bind(number.0);
        }
        for row in query.fetch_all(&mut *connection).await? {
            books.push(book(&row)?);
        }
    }
    Ok(books)
}

pub(super) async fn put(
    writing: &mut Writing,
    books: &[&Book],
    revision: i64,
) -> Result<(), StoreError> {
    let changed: Vec<(&Book, i64)> = books.iter().map(|book| (*book, revision)).collect();
    for piece in pieces(changed.len()) {
        write(writing, &changed[piece]).await?;
    }
    for rows in books.chunks(ROWS_MAX) {
        let text = STORED_AGAIN.text(padded(rows.len()));
        let mut query = sqlx::query(text).bind(writing.shop);
        for book in pad(rows) {
            query = query.bind(book.number.0);
        }
        query.execute(writing.connection()).await?;
    }
    Ok(())
}

pub(super) async fn delete(
    writing: &mut Writing,
    numbers: &[ItemNumber],
    revision: i64,
) -> Result<Vec<ItemNumber>, StoreError> {
    let mut deleted = Vec::new();
    for number in numbers {
        let done = sqlx::query("DELETE FROM books WHERE shop_id = $1 AND number = $2")
            .bind(writing.shop)
            .bind(number.0)
            .execute(writing.connection())
            .await?;
        if done.rows_affected() == 0 {
            continue;
        }
        deleted.push(*number);
        sqlx::query("DELETE FROM book_words WHERE rowid = $1")
            .bind(row_id(writing.shop, *number))
            .execute(writing.connection())
            .await?;
        sqlx::query("INSERT INTO deleted_books (shop_id, number, revision) VALUES ($1, $2, $3)")
            .bind(writing.shop)
            .bind(number.0)
            .bind(revision)
            .execute(writing.connection())
            .await?;
    }
    deleted.sort_unstable();
    Ok(deleted)
}

/// Writes books, each with its revision, in one statement: as many as one of the [`pieces`].
pub(super) async fn write(writing: &mut Writing, rows: &[(&Book, i64)]) -> Result<(), StoreError> {
    let mut query = sqlx::query(PUT_BOOKS.text(rows.len()));
    for (book, revision) in rows {
        query = query
            .bind(writing.shop)
            .bind(book.number.0)
            .bind(book.title.clone())
            .bind(book.authors.join("\n"))
            .bind(book.published_year)
            .bind(book.language.clone())
            .bind(book.categories.join(" "))
            .bind(book.series.clone())
            .bind(book.volume)
            .bind(book.work.clone())
            // 13 digits, as checked.
            .bind(book.isbn13.map(|isbn| isbn as i64))
            .bind(book.cover_url.clone())
            .bind(book.publisher.clone())
            .bind(book.offer.stock)
            // 12 digits, as checked.
            .bind(book.offer.price.map(|price| price.minor_units as i64))
            .bind(book.offer.price.map(|price| price.currency.to_string()))
            .bind(book.offer.age_min)
            .bind(*revision);
    }
    query.execute(writing.connection()).await?;
    Ok(())
}

/// A row of [`SELECT_BOOKS`] as a book.
pub(super) fn book(row: &SqliteRow) -> Result<Book, StoreError> {
    let found = number("number", row.try_get(0)?)?;
    let id = match row.try_get(1)? {
        Some(id) => id,
        // A book may be put by a number that was never assigned; then it has no id.
        None if (FIRST_ASSIGNED..=LAST_NUMBER).contains(&found) => String::new(),
        None => found.to_string(),
    };
    let authors: &str = row.try_get(3)?;
    let categories: &str = row.try_get(6)?;
    let isbn13: Option<i64> = row.try_get(10)?;
    Ok(Book {
        number: ItemNumber(found),
        id,
        title: row.try_get(2)?,
        authors: authors.lines().map(str::to_owned).collect(),
        published_year: row.try_get(4)?,
        language: row.try_get(5)?,
        categories: categories.split_whitespace().map(str::to_owned).collect(),
        series: row.try_get(7)?,
        volume: row.try_get(8)?,
        work: row.try_get(9)?,
        isbn13: isbn13.map(i64::unsigned_abs),
        cover_url: row.try_get(11)?,
        publisher: row.try_get(12)?,
        offer: offer(row)?,
    })
}

/// The last columns of a row of [`SELECT_BOOKS`].
fn offer(row: &SqliteRow) -> Result<Offer, StoreError> {
    let minor_units: Option<i64> = row.try_get(14)?;
    let currency: Option<&str> = row.try_get(15)?;
    let price = |(minor_units, currency): (i64, &str)| {
        let currency = currency.parse().map_err(|error: CurrencyError| {
            sqlx::Error::ColumnDecode { index: "currency".to_owned(), source: error.into() }
        })?;
        Ok::<_, StoreError>(Price { minor_units: minor_units.unsigned_abs(), currency })
    };
    Ok(Offer {
        stock: row.try_get(13)?,
        price: minor_units.zip(currency).map(price).transpose()?,
        age_min: row.try_get(16)?,
    })
}
