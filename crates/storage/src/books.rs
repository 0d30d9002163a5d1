//! Reading and writing books.

use std::collections::HashMap;
use std::sync::LazyLock;

use recommender::ItemNumber;
use recommender::id::{FIRST_ASSIGNED, LAST_NUMBER};
use recommender::offer::{CurrencyError, Offer, Price};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteExecutor};

use crate::batch::{ROWS_MAX, RowsStatement, pad, padded, pieces};
use crate::book::Book;
use crate::error::StoreError;
use crate::event::number;
use crate::store::Store;
use crate::writer::Writer;

/// The columns of a book, in the order in which [`book`] reads them.
const SELECT_BOOKS: &str = "SELECT b.number, a.id, b.title, b.authors, b.published_year,
    b.language, b.categories, b.series, b.volume, b.work, b.isbn13, b.cover_url,
    b.publisher, b.stock, b.price_minor, b.currency, b.age_min
    FROM books AS b LEFT JOIN assigned_ids AS a
      ON a.shop_id = b.shop_id AND a.space = 2 AND a.number = b.number";

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

/// What became of a batch of books. Every book counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PutBooks {
    /// New, and now in the store.
    pub stored: u64,
    /// There already, with other contents, which were replaced.
    pub changed: u64,
    /// There already, just so.
    pub unchanged: u64,
}

impl Store {
    /// The books by number, from the first after `after`; at most `limit`.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn books_after(
        &self,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        let rows = sqlx::query(BOOKS_AFTER.as_str())
            .bind(self.shop.0)
            .bind(after.map_or(0, |item| item.0))
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(book).collect()
    }

    /// The books stored or changed by commits after this catalogue revision, by number, from
    /// the first after `after`; at most `limit`.
    ///
    /// A page is one moment, two pages may be two. So read
    /// [`catalogue_revision`](Self::catalogue_revision) before the first page, and go on from
    /// there the next time: what changed in between comes again, but nothing is missed.
    ///
    /// Each page reads the books it returns, and an index entry for every book that changed;
    /// to read all books, [`books_after`](Self::books_after) costs less.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn books_changed_after(
        &self,
        revision: i64,
        after: Option<ItemNumber>,
        limit: u32,
    ) -> Result<Vec<Book>, StoreError> {
        let rows = sqlx::query(BOOKS_CHANGED_AFTER.as_str())
            .bind(self.shop.0)
            .bind(revision)
            .bind(after.map_or(0, |item| item.0))
            .bind(limit)
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(book).collect()
    }

    /// The books with these numbers, by number; one that the store does not know is
    /// left out, one that is asked for twice comes once.
    ///
    /// # Errors
    ///
    /// As [`counts`](Self::counts).
    pub async fn books_by_number(&self, numbers: &[ItemNumber]) -> Result<Vec<Book>, StoreError> {
        let mut numbers = numbers.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        let mut books = Vec::with_capacity(numbers.len());
        for rows in numbers.chunks(ROWS_MAX) {
            books.extend(find_books(self.readers(), self.shop.0, rows).await?);
        }
        books.sort_unstable_by_key(|book| book.number);
        Ok(books)
    }
}

impl Writer {
    /// Stores books by number, replacing what is there. If a number occurs twice,
    /// the last one stays.
    ///
    /// # Errors
    ///
    /// [`StoreError::Book`] if one of them is out of bounds; nothing of the batch is
    /// written then.
    pub async fn put_books(&mut self, books: &[Book]) -> Result<PutBooks, StoreError> {
        for book in books {
            book.check()?;
        }
        let mut put = PutBooks::default();
        self.begin_change()?;
        for rows in books.chunks(ROWS_MAX) {
            self.put_rows(rows, &mut put).await?;
        }
        self.end_change();
        Ok(put)
    }

    async fn put_rows(&mut self, rows: &[Book], put: &mut PutBooks) -> Result<(), StoreError> {
        let numbers: Vec<ItemNumber> = rows.iter().map(|book| book.number).collect();
        let shop = self.shop.0;
        let found = find_books(self.connection(), shop, &numbers).await?;
        let mut now: HashMap<ItemNumber, &Book> =
            found.iter().map(|book| (book.number, book)).collect();
        let mut written: HashMap<ItemNumber, &Book> = HashMap::new();
        for book in rows {
            match now.insert(book.number, book) {
                Some(before) if same(before, book) => {
                    put.unchanged += 1;
                    continue;
                }
                Some(_) => put.changed += 1,
                None => put.stored += 1,
            }
            written.insert(book.number, book);
        }
        let mut written: Vec<&Book> = written.into_values().collect();
        written.sort_unstable_by_key(|book| book.number);
        for piece in pieces(written.len()) {
            let revision = self.touch_catalogue().await?;
            self.write_books(&written[piece], revision).await?;
        }
        Ok(())
    }

    async fn write_books(&mut self, rows: &[&Book], revision: i64) -> Result<(), StoreError> {
        let mut query = sqlx::query(PUT_BOOKS.text(rows.len()));
        for book in rows {
            query = query
                .bind(self.shop.0)
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
                .bind(revision);
        }
        query.execute(self.connection()).await?;
        Ok(())
    }
}

/// The books with these numbers, at most [`ROWS_MAX`] and at least one, in any order.
async fn find_books(
    executor: impl SqliteExecutor<'_>,
    shop: u32,
    numbers: &[ItemNumber],
) -> Result<Vec<Book>, StoreError> {
    let mut query = sqlx::query(FIND_BOOKS.text(padded(numbers.len()))).bind(shop);
    for number in pad(numbers) {
        query = query.bind(number.0);
    }
    query.fetch_all(executor).await?.iter().map(book).collect()
}

/// A row of [`SELECT_BOOKS`] as a book.
fn book(row: &SqliteRow) -> Result<Book, StoreError> {
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

/// Whether two books with the same number are equal; the id goes with the number.
fn same(left: &Book, right: &Book) -> bool {
    let contents = |book: &Book| Book { id: String::new(), ..book.clone() };
    contents(left) == contents(right)
}
