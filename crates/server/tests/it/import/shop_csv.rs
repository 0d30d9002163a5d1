//! Any shop's files: names, delimiters, times, kinds, and what is left out with a note.

use recommender::offer::{Offer, Price};
use server::import::{ColumnNames, Source};

use super::scratch::{Scratch, counts};

const BOOKS: &str = "\
sku;Title;Author;Year;Language;Genre;Series;Volume;Work;ISBN
d-1;Dune;Herbert, Frank;1965;English;Science Fiction|Classics;Dune;1;w1;0-441-17271-7
d-2; Dune  Messiah ;Frank Herbert;c. 1969;Klingonese;;Dune;two;;123
";

#[tokio::test]
async fn a_shops_books_are_read_and_what_is_not_understood_is_noted() {
    let scratch = Scratch::new().await;
    let report = scratch.strict(scratch.csv(BOOKS, "user;book\n")).await.unwrap();
    assert_eq!(counts(&report), [[2, 0, 0, 0], [0, 0, 0, 0]]);
    assert_eq!(
        report.files[0].notes,
        [
            "years not understood and left out (1, the first is \"c. 1969\")",
            "languages not understood and left out (1, the first is \"Klingonese\")",
            "volumes not understood and left out (1, the first is \"two\")",
            "ISBNs not understood and left out (1, the first is \"123\")",
        ]
    );
    let books = scratch.books().await;
    assert_eq!(books[0].id, "d-1");
    assert_eq!(books[0].authors, ["Herbert", "Frank"]);
    assert_eq!(books[0].categories, ["science-fiction", "classics"]);
    assert_eq!(books[0].language.as_deref(), Some("en"));
    assert_eq!(books[0].isbn13, Some(9_780_441_172_719));
    assert_eq!(books[1].title, "Dune Messiah");
    assert_eq!((books[1].volume, books[1].isbn13), (None, None));
}

#[tokio::test]
async fn kinds_ratings_and_times_make_events() {
    let scratch = Scratch::new().await;
    let events = "\
user_id\tbook_id\ttype\trating\ttimestamp
ann\t1\t\t\t
ann\t2\t\t4.5\t
ann\t3\tView\t\t2020-01-31T08:00:00Z
ann\t4\twant-to-read\t\t1580457600
ann\t5\tbuy\t3,5\t2020-01-31
ann\t1\tpurchase\t\t
ann\t6\t\t\t
";
    let books = "id\ttitle\n1\tA\n2\tB\n3\tC\n4\tD\n5\tE\n";
    let report = scratch.strict(scratch.csv(books, events)).await.unwrap();
    assert_eq!(counts(&report), [[5, 0, 0, 0], [7, 1, 0, 0]]);
    assert_eq!(
        scratch.events("ann").await,
        [
            "purchase 1",
            "purchase 5 at 1580428800000",
            "purchase 6",
            "rating 2 4.5",
            "rating 5 3.5 at 1580428800000",
            "view 3 at 1580457600000",
            "want_to_read 4 at 1580457600000",
        ]
    );
    assert_eq!(
        report.files[1].notes,
        [
            "rows with another kind and a rating, which became two events (1)",
            "1 event is of 1 book that the shop does not have; it waits for it",
        ]
    );
}

#[tokio::test]
async fn columns_are_named_by_the_caller() {
    let scratch = Scratch::new().await;
    let source = |arguments: &[&str]| Source::Csv {
        books: scratch.file("b.csv", "isbn,name of it\n9780441172719,Dune\n"),
        interactions: scratch
            .file("i.csv", "who,what,order\nann,9780441172719,o-1\nann,9780441172719,o-2\n"),
        columns: ColumnNames::parse(arguments).unwrap(),
    };
    assert_eq!(
        scratch.refused(source(&[])).await,
        "i.csv: no column for \"user\"; the columns are \"who\", \"what\", \"order\"; say which with --column user=NAME"
    );
    assert_eq!(
        scratch.refused(source(&["user=whom"])).await,
        "i.csv: no column for \"whom\"; the columns are \"who\", \"what\", \"order\"; --column user=whom names none of them"
    );
    assert_eq!(
        scratch.refused(source(&["user=who"])).await,
        "i.csv: no column for \"book\"; the columns are \"who\", \"what\", \"order\"; say which with --column interactions.book=NAME"
    );
    let arguments = ["user=WHO", "interactions.book=what", "title=name of it", "event_id=order"];
    let report = scratch.strict(source(&arguments)).await.unwrap();
    assert_eq!(counts(&report), [[1, 0, 0, 0], [2, 0, 0, 0]]);
    assert_eq!(scratch.books().await[0].isbn13, Some(9_780_441_172_719));
    let again = scratch.strict(source(&arguments)).await.unwrap();
    assert_eq!(counts(&again), [[0, 1, 0, 0], [0, 2, 0, 0]]);
}

#[tokio::test]
async fn events_of_books_that_are_not_there_are_noted_in_good_english() {
    let scratch = Scratch::new().await;
    let events = "user,book\nann,1\nann,2\nbob,2\n";
    let report = scratch.strict(scratch.csv("book,title\n7,A\n", events)).await.unwrap();
    let note = "3 events are of 2 books that the shop does not have; they wait for them";
    assert_eq!(report.files[1].notes, [note]);
}

#[tokio::test]
async fn a_column_named_id_is_no_id_of_events() {
    let scratch = Scratch::new().await;
    let events = "id,user,book\n4711,ann,1\n4711,ann,2\n";
    let report = scratch.strict(scratch.csv("book,title\n1,A\n2,B\n", events)).await.unwrap();
    assert_eq!(counts(&report)[1], [2, 0, 0, 0]);
    assert_eq!(scratch.events("ann").await, ["purchase 1", "purchase 2"]);
}

#[tokio::test]
async fn an_event_id_on_different_events_is_named() {
    let scratch = Scratch::new().await;
    let rows: String = (0..100).map(|row| format!("e-{row},ann,1,\n")).collect();
    let events = format!(
        "event_id,user,book,rating\n{rows},bob,1,5\n,bob,1,4\no-1,bob,1,\no-1,bob,2,\no-2,bob,1,\no-2,bob,2,\n"
    );
    let books = "book,title\n1,A\n2,B\n";
    let report = scratch.strict(scratch.csv(books, &events)).await.unwrap();
    assert_eq!(counts(&report)[1], [103, 3, 3, 0]);
    let note = "event id \"o-1\" of user \"bob\" is given to different events, of which the first one counts; expected an id of its own for each event";
    assert_eq!(report.files[1].notes, [note]);
    // Only ids that the file gives are worth it.
    let repeated = scratch.strict(scratch.csv(books, "user,book,rating\nbob,1,3\n")).await.unwrap();
    assert_eq!(counts(&repeated)[1], [0, 1, 1, 0]);
    assert!(repeated.files[1].notes.is_empty());
}

#[tokio::test]
async fn a_changed_book_is_replaced_and_counted() {
    let scratch = Scratch::new().await;
    scratch.strict(scratch.csv("book,title\n1,A\n2,B\n", "user,book\n")).await.unwrap();
    let report =
        scratch.strict(scratch.csv("book,title\n1,A\n2,C\n", "user,book\n")).await.unwrap();
    assert_eq!((report.files[0].changed, report.files[0].repeated), (1, 1));
    assert_eq!(scratch.books().await[1].title, "C");
}

#[tokio::test]
async fn stock_price_age_and_publisher_are_read_from_their_usual_columns() {
    let scratch = Scratch::new().await;
    let books = "\
id,title,qty,price,currency,reading_age,publisher
1,Dune,3,12.90,eur,14+, Ace  Books
2,Emma,0,1290,JPY,,
3,Ubik,,,,0,
4,Solaris,-1,9.5 USD,,120,
";
    let report = scratch.strict(scratch.csv(books, "user,book\n")).await.unwrap();
    assert_eq!(counts(&report)[0], [4, 0, 0, 0]);
    let price = |minor_units, currency: &str| {
        Some(Price { minor_units, currency: currency.parse().unwrap() })
    };
    let found = scratch.books().await;
    assert_eq!(found[0].publisher.as_deref(), Some("Ace Books"));
    assert_eq!(found[1].publisher, None);
    let offers: Vec<Offer> = found.iter().map(|book| book.offer).collect();
    let expected = [
        Offer { stock: Some(3), price: price(1290, "EUR"), age_min: Some(14) },
        Offer { stock: Some(0), price: price(1290, "JPY"), age_min: None },
        Offer { stock: None, price: None, age_min: Some(0) },
        Offer { stock: Some(0), price: price(950, "USD"), age_min: Some(120) },
    ];
    assert_eq!(offers, expected);
}
