//! Finding books by words.
//!
//! The words come folded; PostgreSQL's own parsers and dictionaries, which differ by language and
//! version, have no part in it.

use crate::book::Book;
use crate::error::StoreError;
use crate::search::{BookWords, WORDS_VERSION};

use super::books::{book, page, select_books};
use super::pool::{Lease, Pool};
use super::row::{ROWS_MAX, get};

/// How many books are folded at a time when the whole index is filled.
const BOOKS_A_PAGE: u32 = 512;

pub(super) async fn search(
    pool: &Pool,
    shop: i64,
    words: &[String],
    offset: u32,
    limit: u32,
) -> Result<Vec<Book>, StoreError> {
    // Ranks before it reads the books. 1: a match counts for less among many words.
    let text = concat!(
        "WITH found AS MATERIALIZED (
             SELECT number, ts_rank(words, $2::tsquery, 1) AS rank FROM book_words
             WHERE shop_id = $1 AND words @@ $2::tsquery
             ORDER BY rank DESC, number OFFSET $3 LIMIT $4
         ) ",
        select_books!(),
        "JOIN found ON found.number = b.number
         WHERE b.shop_id = $1 ORDER BY found.rank DESC, b.number"
    );
    let (query, offset, limit) = (query_of(words), i64::from(offset), i64::from(limit));
    let rows =
        pool.rows(|| sqlx::query(text).bind(shop).bind(&query).bind(offset).bind(limit)).await?;
    rows.iter().map(book).collect()
}

pub(super) async fn put_words(
    lease: &mut Lease,
    shop: i64,
    words: &[BookWords],
) -> Result<(), StoreError> {
    let text = "INSERT INTO book_words (shop_id, number, words)
        SELECT $1, number, words::tsvector FROM unnest($2::bigint[], $3::text[])
            AS given (number, words)
        ON CONFLICT (shop_id, number) DO UPDATE SET words = excluded.words";
    for piece in words.chunks(ROWS_MAX) {
        let numbers: Vec<i64> = piece.iter().map(|words| i64::from(words.number.0)).collect();
        let vectors: Vec<String> = piece.iter().map(vector_of).collect();
        lease.execute(sqlx::query(text).bind(shop).bind(numbers).bind(vectors)).await?;
    }
    Ok(())
}

/// Fills the index of a shop, unless the rules are those by which it was filled.
pub(super) async fn fill(lease: &mut Lease, shop: i64) -> Result<(), StoreError> {
    let text = "SELECT words_version FROM shops WHERE shop_id = $1 FOR UPDATE";
    let version: i64 = get(&lease.row(sqlx::query(text).bind(shop)).await?, 0)?;
    if version == WORDS_VERSION {
        return Ok(());
    }
    let text = "DELETE FROM book_words WHERE shop_id = $1";
    lease.execute(sqlx::query(text).bind(shop)).await?;
    let mut after = None;
    loop {
        let books = page(lease, shop, after, BOOKS_A_PAGE).await?;
        let Some(last) = books.last() else { break };
        after = Some(last.number);
        let words: Vec<BookWords> = books.iter().map(BookWords::of).collect();
        put_words(lease, shop, &words).await?;
    }
    let text = "UPDATE shops SET words_version = $2 WHERE shop_id = $1";
    lease.execute(sqlx::query(text).bind(shop).bind(WORDS_VERSION)).await?;
    Ok(())
}

/// Words of a book as PostgreSQL writes a tsvector: `'dune':1A 'herbert':2B`.
fn vector_of(words: &BookWords) -> String {
    let title = words.title.split(' ').map(|word| (word, 'A'));
    let names = words.names.split(' ').map(|word| (word, 'B'));
    let weighted = title.chain(names).filter(|(word, _)| !word.is_empty()).zip(1..);
    let lexemes: Vec<String> = weighted
        .map(|((word, weight), place): (_, u32)| format!("{}:{place}{weight}", quoted(word)))
        .collect();
    lexemes.join(" ")
}

/// A query as PostgreSQL writes a tsquery: all words, the last one as a beginning.
fn query_of(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("{}:*", words.join(" & "))
}

/// A word in quotes. Words have letters and digits only; this is to be safe.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use recommender::ItemNumber;

    use super::*;

    #[test]
    fn words_are_written_with_weight_and_place() {
        let words = |title: &str, names: &str| {
            let (title, names) = (title.to_owned(), names.to_owned());
            vector_of(&BookWords { number: ItemNumber(1), title, names })
        };
        assert_eq!(words("dune 2", "herbert"), "'dune':1A '2':2A 'herbert':3B");
        assert_eq!(words("", ""), "");
        assert_eq!(quoted("o'\\"), "'o''\\\\'");
    }

    #[test]
    fn the_last_word_of_a_query_is_a_beginning() {
        let words = ["frank", "herb"].map(str::to_owned);
        assert_eq!(query_of(&words), "'frank' & 'herb':*");
    }
}
