//! The full-text index of the catalogue.

use std::sync::LazyLock;

use recommender::ItemNumber;
use sqlx::SqliteConnection;

use super::Database;
use super::batch::{RowsStatement, Values, pieces};
use super::books;
use crate::book::Book;
use crate::error::StoreError;
use crate::search::{BookWords, WORDS_VERSION};

static PUT_WORDS: LazyLock<RowsStatement> = LazyLock::new(|| {
    RowsStatement::new("INSERT OR REPLACE INTO book_words (rowid, title, names) VALUES", 3, "")
});

// A title's word weighs three of the others. The index holds folded words only, and both sides
// are folded alike.
static SEARCH_BOOKS: LazyLock<String> = LazyLock::new(|| {
    let select = books::SELECT_BOOKS;
    format!(
        "WITH found (number, rank) AS (
             SELECT rowid - $1 * {SPAN}, bm25(book_words, 3.0, 1.0) FROM book_words
             WHERE book_words MATCH $2 AND rowid BETWEEN $1 * {SPAN} AND ($1 + 1) * {SPAN} - 1
             ORDER BY 2, 1 LIMIT $3 OFFSET $4)
         {select} CROSS JOIN found WHERE b.shop_id = $1 AND b.number = found.number
         ORDER BY found.rank, b.number"
    )
});

/// How many row ids each shop has: one for every number.
const SPAN: i64 = 1 << 31;

/// How many books are folded at a time when the whole index is filled.
const BOOKS_A_PAGE: u32 = 512;

/// The row id of a book's words.
pub(super) fn row_id(shop: u32, number: ItemNumber) -> i64 {
    i64::from(shop) * SPAN + i64::from(number.0)
}

pub(super) async fn search(
    database: &Database,
    words: &[String],
    offset: u32,
    limit: u32,
) -> Result<Vec<Book>, StoreError> {
    // Words have letters, digits and marks only, so that none needs to be escaped.
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let rows = sqlx::query(SEARCH_BOOKS.as_str())
        .bind(database.shop.0)
        .bind(format!("{}*", quoted.join(" ")))
        .bind(limit)
        .bind(offset)
        .fetch_all(&database.readers)
        .await?;
    rows.iter().map(books::book).collect()
}

pub(super) async fn put_words(
    connection: &mut SqliteConnection,
    shop: u32,
    words: &[BookWords],
) -> Result<(), StoreError> {
    for piece in pieces(words.len()) {
        let rows = &words[piece];
        let mut values = Values::with_capacity(3 * rows.len());
        for book in rows {
            values.add(row_id(shop, book.number))?;
            values.add(book.title.as_str())?;
            values.add(book.names.as_str())?;
        }
        let query = sqlx::query_with(PUT_WORDS.text(rows.len()), values.into_arguments());
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Fills the index of a shop, unless the rules are those by which it was filled.
pub(super) async fn fill(connection: &mut SqliteConnection, shop: u32) -> Result<(), StoreError> {
    let (version,): (i64,) = sqlx::query_as("SELECT words_version FROM shops WHERE shop_id = $1")
        .bind(shop)
        .fetch_one(&mut *connection)
        .await?;
    if version == WORDS_VERSION {
        return Ok(());
    }
    let mut transaction = sqlx::Connection::begin_with(connection, "BEGIN IMMEDIATE").await?;
    sqlx::query("DELETE FROM book_words WHERE rowid BETWEEN $1 AND $2")
        .bind(row_id(shop, ItemNumber(0)))
        .bind(row_id(shop + 1, ItemNumber(0)) - 1)
        .execute(&mut *transaction)
        .await?;
    let mut after = None;
    loop {
        let page = books::page(&mut *transaction, shop, after, BOOKS_A_PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.number);
        let words: Vec<BookWords> = page.iter().map(BookWords::of).collect();
        put_words(&mut transaction, shop, &words).await?;
    }
    sqlx::query("UPDATE shops SET words_version = $2 WHERE shop_id = $1")
        .bind(shop)
        .bind(WORDS_VERSION)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}
