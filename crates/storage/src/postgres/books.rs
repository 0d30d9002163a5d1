//! Books.

use recommender::ItemNumber;
use recommender::id::{FIRST_ASSIGNED, LAST_NUMBER};
use recommender::offer::{CurrencyError, Offer, Price};
use sqlx::postgres::PgRow;

use crate::book::Book;
use crate::error::StoreError;

use super::pool::{Lease, Pool};
use super::row::{ROWS_MAX, get, item_in, items, number_in};

/// The columns of a book, in the order in which [`book`] reads them.
macro_rules! select_books {
    () => {
        "SELECT b.number, a.id, b.title, b.authors, b.published_year, b.language, b.categories,
                b.series, b.volume, b.work, b.isbn13, b.cover_url, b.publisher, b.stock,
                b.price_minor, b.currency, b.age_min, b.revision
         FROM books AS b LEFT JOIN assigned_ids AS a
           ON a.shop_id = b.shop_id AND a.space = 2 AND a.number = b.number "
    };
}
pub(super) use select_books;

const FIND: &str = concat!(select_books!(), "WHERE b.shop_id = $1 AND b.number = ANY ($2)");

const AFTER: &str =
    concat!(select_books!(), "WHERE b.shop_id = $1 AND b.number > $2 ORDER BY b.number LIMIT $3");

pub(super) async fn has(pool: &Pool, shop: i64, item: ItemNumber) -> Result<bool, StoreError> {
    let text = "SELECT EXISTS (SELECT FROM books WHERE shop_id = $1 AND number = $2)";
    get(&pool.row(|| sqlx::query(text).bind(shop).bind(i64::from(item.0))).await?, 0)
}

pub(super) async fn after(
    pool: &Pool,
    shop: i64,
    after: Option<ItemNumber>,
    limit: u32,
) -> Result<Vec<Book>, StoreError> {
    let (after, limit) = (number_after(after), i64::from(limit));
    let rows = pool.rows(|| sqlx::query(AFTER).bind(shop).bind(after).bind(limit)).await?;
    rows.iter().map(book).collect()
}

/// The same, as a transaction sees it.
pub(super) async fn page(
    lease: &mut Lease,
    shop: i64,
    after: Option<ItemNumber>,
    limit: u32,
) -> Result<Vec<Book>, StoreError> {
    let query = sqlx::query(AFTER).bind(shop).bind(number_after(after)).bind(i64::from(limit));
    lease.rows(query).await?.iter().map(book).collect()
}

pub(super) async fn changed_after(
    pool: &Pool,
    shop: i64,
    revision: i64,
    after: Option<ItemNumber>,
    limit: u32,
) -> Result<Vec<Book>, StoreError> {
    let text = concat!(
        select_books!(),
        "WHERE b.shop_id = $1 AND b.number > $3 AND b.revision > $2
         ORDER BY b.number LIMIT $4"
    );
    let (after, limit) = (number_after(after), i64::from(limit));
    let rows =
        pool.rows(|| sqlx::query(text).bind(shop).bind(revision).bind(after).bind(limit)).await?;
    rows.iter().map(book).collect()
}

pub(super) async fn deleted_after(
    pool: &Pool,
    shop: i64,
    revision: i64,
    after: Option<ItemNumber>,
    limit: u32,
) -> Result<Vec<ItemNumber>, StoreError> {
    let text = "SELECT number FROM deleted_books
        WHERE shop_id = $1 AND revision > $2 AND number > $3 ORDER BY number LIMIT $4";
    let (after, limit) = (number_after(after), i64::from(limit));
    let rows =
        pool.rows(|| sqlx::query(text).bind(shop).bind(revision).bind(after).bind(limit)).await?;
    rows.iter().map(|row| item_in(row, 0)).collect()
}

fn number_after(after: Option<ItemNumber>) -> i64 {
    after.map_or(0, |item| i64::from(item.0))
}

pub(super) async fn read(
    pool: &Pool,
    shop: i64,
    numbers: &[ItemNumber],
) -> Result<Vec<Book>, StoreError> {
    let mut books = Vec::with_capacity(numbers.len());
    for piece in numbers.chunks(ROWS_MAX) {
        let rows = pool.rows(|| sqlx::query(FIND).bind(shop).bind(items(piece))).await?;
        for row in &rows {
            books.push(book(row)?);
        }
    }
    Ok(books)
}

pub(super) async fn find(
    lease: &mut Lease,
    shop: i64,
    numbers: &[ItemNumber],
) -> Result<Vec<Book>, StoreError> {
    let mut books = Vec::with_capacity(numbers.len());
    for piece in numbers.chunks(ROWS_MAX) {
        for row in &lease.rows(sqlx::query(FIND).bind(shop).bind(items(piece))).await? {
            books.push(book(row)?);
        }
    }
    Ok(books)
}

pub(super) async fn put(
    lease: &mut Lease,
    shop: i64,
    books: &[&Book],
    revision: i64,
) -> Result<(), StoreError> {
    let undelete = "DELETE FROM deleted_books WHERE shop_id = $1 AND number = ANY ($2)";
    for piece in books.chunks(ROWS_MAX) {
        put_piece(lease, shop, piece, vec![revision; piece.len()]).await?;
        let numbers: Vec<i64> = piece.iter().map(|book| i64::from(book.number.0)).collect();
        lease.execute(sqlx::query(undelete).bind(shop).bind(numbers)).await?;
    }
    Ok(())
}

/// Writes books, each with its revision, in one statement.
pub(super) async fn put_piece(
    lease: &mut Lease,
    shop: i64,
    books: &[&Book],
    revisions: Vec<i64>,
) -> Result<(), StoreError> {
    let text = "INSERT INTO books (shop_id, revision, number, title, authors, published_year,
            language, categories, series, volume, work, isbn13, cover_url, publisher, stock,
            price_minor, currency, age_min)
        SELECT $1, given.* FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::int[],
            $7::text[], $8::text[], $9::text[], $10::float8[], $11::text[], $12::bigint[],
            $13::text[], $14::text[], $15::bigint[], $16::bigint[], $17::text[],
            $18::smallint[]) AS given
        ON CONFLICT (shop_id, number) DO UPDATE SET
            revision = excluded.revision, title = excluded.title, authors = excluded.authors,
            published_year = excluded.published_year, language = excluded.language,
            categories = excluded.categories, series = excluded.series,
            volume = excluded.volume, work = excluded.work, isbn13 = excluded.isbn13,
            cover_url = excluded.cover_url, publisher = excluded.publisher,
            stock = excluded.stock, price_minor = excluded.price_minor,
            currency = excluded.currency, age_min = excluded.age_min";
    let currency = |book: &Book| book.offer.price.map(|price| price.currency.to_string());
    let query = sqlx::query(text)
        .bind(shop)
        .bind(revisions)
        .bind(column(books, |book| i64::from(book.number.0)))
        .bind(column(books, |book| book.title.clone()))
        .bind(column(books, |book| book.authors.join("\n")))
        .bind(column(books, |book| book.published_year))
        .bind(column(books, |book| book.language.clone()))
        .bind(column(books, |book| book.categories.join(" ")))
        .bind(column(books, |book| book.series.clone()))
        .bind(column(books, |book| book.volume))
        .bind(column(books, |book| book.work.clone()))
        // 13 digits, as checked.
        .bind(column(books, |book| book.isbn13.map(|isbn| isbn as i64)))
        .bind(column(books, |book| book.cover_url.clone()))
        .bind(column(books, |book| book.publisher.clone()))
        .bind(column(books, |book| book.offer.stock.map(i64::from)))
        // 12 digits, as checked.
        .bind(column(books, |book| book.offer.price.map(|price| price.minor_units as i64)))
        .bind(column(books, currency))
        .bind(column(books, |book| book.offer.age_min.map(i16::from)));
    lease.execute(query).await?;
    Ok(())
}

fn column<T>(books: &[&Book], value: impl Fn(&Book) -> T) -> Vec<T> {
    books.iter().map(|book| value(book)).collect()
}

pub(super) async fn delete(
    lease: &mut Lease,
    shop: i64,
    numbers: &[ItemNumber],
    revision: i64,
) -> Result<Vec<ItemNumber>, StoreError> {
    let words = "DELETE FROM book_words WHERE shop_id = $1 AND number = ANY ($2)";
    let books = "WITH gone AS (
            DELETE FROM books WHERE shop_id = $1 AND number = ANY ($2) RETURNING number
        )
        INSERT INTO deleted_books (shop_id, number, revision) SELECT $1, number, $3 FROM gone
        ON CONFLICT (shop_id, number) DO UPDATE SET revision = excluded.revision
        RETURNING number";
    let mut deleted = Vec::new();
    for piece in numbers.chunks(ROWS_MAX) {
        lease.execute(sqlx::query(words).bind(shop).bind(items(piece))).await?;
        let query = sqlx::query(books).bind(shop).bind(items(piece)).bind(revision);
        for row in &lease.rows(query).await? {
            deleted.push(item_in(row, 0)?);
        }
    }
    deleted.sort_unstable();
    Ok(deleted)
}

/// A row of [`select_books`] as a book.
pub(super) fn book(row: &PgRow) -> Result<Book, StoreError> {
    let found = number_in(row, 0)?;
    let id = match get(row, 1)? {
        Some(id) => id,
        // A book may be put by a number that was never assigned; then it has no id.
        None if (FIRST_ASSIGNED..=LAST_NUMBER).contains(&found) => String::new(),
        None => found.to_string(),
    };
    let (authors, categories): (&str, &str) = (get(row, 3)?, get(row, 6)?);
    Ok(Book {
        number: ItemNumber(found),
        id,
        title: get(row, 2)?,
        authors: authors.lines().map(str::to_owned).collect(),
        published_year: get(row, 4)?,
        language: get(row, 5)?,
        categories: categories.split_whitespace().map(str::to_owned).collect(),
        series: get(row, 7)?,
        volume: get(row, 8)?,
        work: get(row, 9)?,
        isbn13: get::<Option<i64>>(row, 10)?.map(i64::unsigned_abs),
        cover_url: get(row, 11)?,
        publisher: get(row, 12)?,
        offer: offer(row)?,
    })
}

/// The last columns of a row of [`select_books`].
fn offer(row: &PgRow) -> Result<Offer, StoreError> {
    let stock: Option<i64> = get(row, 13)?;
    let minor_units: Option<i64> = get(row, 14)?;
    let currency: Option<&str> = get(row, 15)?;
    let age_min: Option<i16> = get(row, 16)?;
    let unexpected = |column, found| StoreError::UnexpectedValue { column, found };
    let price = |(minor_units, currency): (i64, &str)| {
        let currency = currency.parse().map_err(|error: CurrencyError| {
            StoreError::Database(sqlx::Error::ColumnDecode {
                index: "currency".to_owned(),
                source: error.into(),
            })
        })?;
        Ok::<_, StoreError>(Price { minor_units: minor_units.unsigned_abs(), currency })
    };
    let stock_of = |found| u32::try_from(found).map_err(|_| unexpected("stock", found));
    let age_of =
        |found: i16| u8::try_from(found).map_err(|_| unexpected("age_min", i64::from(found)));
    Ok(Offer {
        stock: stock.map(stock_of).transpose()?,
        price: minor_units.zip(currency).map(price).transpose()?,
        age_min: age_min.map(age_of).transpose()?,
    })
}
