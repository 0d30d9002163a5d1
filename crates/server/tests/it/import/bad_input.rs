//! Bad input: each has a clear error, and leaves the store as it was.

use super::scratch::{Scratch, counts};

const BOOKS: &str = "book,title\n1,Dune\n";

/// Imports a good file of books and this file of events; the message must be this.
async fn check(events: impl AsRef<[u8]>, message: &str) {
    let scratch = Scratch::new().await;
    scratch.strict(scratch.csv("book,title\n7,Emma\n", "user,book\nann,7\n")).await.unwrap();
    let found = scratch.refused(scratch.csv(BOOKS, events)).await;
    assert_eq!(found.strip_prefix("shop_events.csv"), Some(message), "{found}");
}

#[tokio::test]
async fn a_file_that_is_no_table_of_text_is_named() {
    check("", ": file is empty, expected a header line and rows").await;
    check("\n\n", ": file is empty, expected a header line and rows").await;
    check(
        b"\xff\xfeu\0s\0e\0r\0",
        ": file is UTF-16 text, expected UTF-8; save it as \"CSV UTF-8\"",
    )
    .await;
    check(
        b"PK\x03\x04\x14\0\x06\0",
        ": file looks like a zip archive or an Excel workbook; unpack it or save it as CSV; expected CSV text in UTF-8, plain or packed with gzip or zstd",
    )
    .await;
    check(
        b"\x1f\x8bgarbage in a file named .gz",
        ": gzip data is damaged within the first 29 bytes: invalid gzip header",
    )
    .await;
    check(b"\x1f\x8b\x08\0\0", ": file ends early: gzip data is cut after 5 bytes").await;
    check(
        b"us\xe9r,book\n",
        ": line 1: column 1: byte 0xE9 is not UTF-8, expected UTF-8 text (is the file in Latin-1 or Windows-1252?)",
    )
    .await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_by_line_and_column() {
    check(
        b"user,book\nann,1\nJos\xe9,1\n",
        ", line 3, column user: byte 0xE9 is not UTF-8, expected UTF-8 text (is the file in Latin-1 or Windows-1252?)",
    )
    .await;
    // Two halves of a letter, one on each side of a delimiter, are no letter.
    check(
        b"user,book\nann,1\n\xc3,\xa9\n",
        ", line 3, column user: byte 0xC3 is not UTF-8, expected UTF-8 text (is the file in Latin-1 or Windows-1252?)",
    )
    .await;
}

#[tokio::test]
async fn a_row_with_other_fields_is_refused() {
    check(
        "user,book,rating\r\nann,1,5\r\nann,2",
        ", line 3: found 2 fields, expected 3 (a cut file?)",
    )
    .await;
    check("user,book\nann,1,5\n", ", line 2: found 3 fields, expected 2").await;
    check(
        "user,book\nann,1\nbob,\"1\nann,1\n",
        ", line 3: a quoted field begins on line 3 and is never closed, expected a closing quote",
    )
    .await;
    check(
        format!("user,book\n\"{}\",1\nann,1\n", "x".repeat(2 << 20)),
        ", line 2: row is longer than 1048576 bytes, expected a shorter one (is a quote not closed?)",
    )
    .await;
}

#[tokio::test]
async fn a_value_out_of_bounds_is_named_with_what_was_expected() {
    for (row, message) in [
        ("ann,1,,11,", ", line 2, column rating: found \"11\", expected 1 to 5 in steps of 0.5"),
        ("ann,1,,0,", ", line 2, column rating: found \"0\", expected 1 to 5 in steps of 0.5"),
        (",1,,5,", ", line 2, column user: id is empty, expected 1 to 64 bytes"),
        (
            "ann,1,borrowed,,",
            ", line 2, column kind: unknown event kind \"borrowed\", expected one of view, want_to_read, cart, purchase, finish, rating, dismiss, abandon, return",
        ),
        (
            "ann,1,rating,,",
            ", line 2, column rating: found no rating, expected 1 to 5 in an event of kind rating",
        ),
        (
            "ann,1,,,2222-01-01",
            ", line 2, column time: found \"2222-01-01\", expected a time between 1900 and tomorrow",
        ),
        (
            "ann,1,,,20200131",
            ", line 2, column time: found \"20200131\", as Unix seconds that is 1970-08-22; expected RFC 3339 such as 2020-01-31T00:00:00Z, or Unix seconds from 1990 on",
        ),
        (
            "ann,1,,,31.1.2020",
            ", line 2, column time: found \"31.1.2020\", expected RFC 3339 such as 2020-01-31T08:00:00Z, a date such as 2020-01-31, or Unix seconds",
        ),
    ] {
        check(format!("user,book,kind,rating,time\n{row}\n"), message).await;
    }
}

#[tokio::test]
async fn the_first_ten_refusals_are_listed_and_all_are_counted() {
    let scratch = Scratch::new().await;
    let rows: String = (0..25).map(|row| format!("ann,{},{}\n", row + 1, row % 2 * 5)).collect();
    let events = format!("user,book,rating\n{rows}");
    let Err(server::import::ImportError::Refused(report)) =
        scratch.strict(scratch.csv(BOOKS, &events)).await
    else {
        panic!("it is refused");
    };
    assert!(!report.committed);
    assert_eq!(counts(&report), [[0, 0, 0, 0], [0, 0, 0, 13]]);
    assert_eq!(report.files[1].rows_read, 25);
    let lines: Vec<u64> =
        report.files[1].first_refusals.iter().map(|refusal| refusal.line).collect();
    assert_eq!(lines, [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);

    let report = scratch.keep_going(scratch.csv(BOOKS, &events)).await.unwrap();
    assert!(report.committed);
    assert_eq!(counts(&report), [[1, 0, 0, 0], [12, 0, 0, 13]]);
    assert_eq!(scratch.events("ann").await.len(), 12);
}

#[tokio::test]
async fn a_last_row_without_a_line_break_is_refused_because_it_may_be_cut() {
    let reason = "the file ends within this row, expected a line break after it; if the file is complete, add one";
    check("user,book,time\nann,1,1500000000\nann,7,150", &format!(", line 3: {reason}")).await;
    let scratch = Scratch::new().await;
    let cut = scratch.csv("book,title\n1,Dune\n2,Em", "user,book\nann,1\nann,12");
    let report = scratch.keep_going(cut).await.unwrap();
    assert_eq!(counts(&report), [[1, 0, 0, 1], [1, 0, 0, 1]]);
    assert_eq!(report.files[0].first_refusals[0].to_string(), format!("line 3: {reason}"));
    assert_eq!(scratch.books().await.len(), 1);
    assert_eq!(scratch.events("ann").await, ["purchase 1"]);
}

#[tokio::test]
async fn an_offer_that_cannot_be_read_is_named_by_line_and_column() {
    for (row, message) in [
        (
            "yes,,,",
            ", line 2, column stock: found \"yes\", expected the units in stock, such as 3 or 0",
        ),
        (
            ",12.90,,",
            ", line 2, column price: found \"12.90\", expected a currency too: a column for it, or a price such as 12.90 EUR",
        ),
        (
            ",1.299,EUR,",
            ", line 2, column price: found \"1.299\", expected digits, with at most one point or comma before 2 decimals of EUR; three digits after it could be thousands: write them without it, or fewer decimals",
        ),
        (
            ",1.500 EUR,,",
            ", line 2, column price: found \"1.500 EUR\", expected digits, with at most one point or comma before 2 decimals of EUR; three digits after it could be thousands: write them without it, or fewer decimals",
        ),
        (
            ",12.9000,EUR,",
            ", line 2, column price: found \"12.9000\", expected digits, with at most one point or comma before 2 decimals of EUR",
        ),
        (",12.90 USD,EUR,", ", line 2, column price: found \"12.90 USD\", expected a price in EUR"),
        (
            ",12.90,Euro,",
            ", line 2, column currency: found \"Euro\", expected the three letters of a currency (ISO 4217) such as EUR",
        ),
        (",,,adult", ", line 2, column min_age: found \"adult\", expected years from 0 to 120"),
    ] {
        let scratch = Scratch::new().await;
        let books = format!("book,title,stock,price,currency,min_age\n1,Dune,{row}\n");
        let found = scratch.refused(scratch.csv(&books, "user,book\n")).await;
        assert_eq!(found.strip_prefix("shop_books.csv"), Some(message), "{found}");
    }
}
