//! The goodbooks-10k layout, in both forms in which it was published.

use super::scratch::{Scratch, counts};

const BOOKS: &str = "\
id,book_id,best_book_id,work_id,books_count,isbn,isbn13,authors,original_publication_year,original_title,title,language_code,average_rating,image_url,small_image_url
1,2767052,2767052,2792775,272,439023483,9.78043902348e+12,Suzanne Collins,2008.0,The Hunger Games,\"The Hunger Games (The Hunger Games, #1)\",eng,4.34,https://images.example/1.jpg,x
2,3,3,4640799,491,,,\"J.K. Rowling, Mary GrandPré\",-720.0,,Harry Potter,en-US,4.44,https://images.example/nophoto/2.png,x
";

/// The later layout: other columns in front, other names.
const LATER_BOOKS: &str = "\
book_id,goodreads_book_id,best_book_id,work_id,isbn,isbn13,authors,original_publication_year,title,language_code,image_url
1,2767052,2767052,2792775,439023483,9.78043902348e+12,Suzanne Collins,2008.0,\"The Hunger Games (The Hunger Games, #1)\",eng,https://images.example/1.jpg
2,3,3,4640799,,,\"J.K. Rowling, Mary GrandPré\",-720.0,Harry Potter,en-US,https://images.example/nophoto/2.png
";

const RATINGS: &str = "book_id,user_id,rating\n1,314,5\n2,314,3\n1,314,4\n2,9,1\n2,9,1\n";
const MARKS: &str = "user_id,book_id\n9,1\n";
const GENRES: &str =
    "book_id,goodreads_book_id,genres\n1,2767052,\"fiction,ya,young-adult\"\n7,1,x\n";

async fn check(books: &str) {
    let scratch = Scratch::new().await;
    scratch.file("books.csv", books);
    scratch.file("ratings.csv", RATINGS);
    scratch.file("to_read.csv", MARKS);
    scratch.file("book_genres.csv", GENRES);
    let report = scratch.strict(scratch.goodbooks()).await.unwrap();
    assert!(report.committed);
    assert_eq!(report.users_touched, 2);
    assert_eq!(counts(&report), [[0, 0, 0, 0], [2, 0, 0, 0], [3, 2, 1, 0], [1, 0, 0, 0]]);
    assert_eq!(report.files[1].notes, ["book_genres.csv lists 1 book that is not here"]);

    let found = scratch.books().await;
    assert_eq!(found[0].title, "The Hunger Games");
    assert_eq!(found[0].series.as_deref(), Some("The Hunger Games"));
    assert_eq!(found[0].volume, Some(1.0));
    assert_eq!(found[0].work.as_deref(), Some("2792775"));
    assert_eq!(found[0].isbn13, Some(9_780_439_023_481));
    assert_eq!(found[0].language.as_deref(), Some("en"));
    assert_eq!(found[0].categories, ["fiction", "ya", "young-adult"]);
    assert_eq!(found[0].cover_url.as_deref(), Some("https://images.example/1.jpg"));
    assert_eq!(found[1].authors, ["J.K. Rowling", "Mary GrandPré"]);
    assert_eq!(found[1].published_year, Some(-720));
    assert_eq!((found[1].isbn13, found[1].cover_url.as_ref()), (None, None));
    assert_eq!(scratch.events("314").await, ["rating 1 5", "rating 2 3"]);
    assert_eq!(scratch.events("9").await, ["rating 2 1", "want_to_read 1"]);

    let before = scratch.state().await;
    let again = scratch.strict(scratch.goodbooks()).await.unwrap();
    assert_eq!(counts(&again), [[0, 0, 0, 0], [0, 2, 0, 0], [0, 5, 1, 0], [0, 1, 0, 0]]);
    assert_eq!(again.users_touched, 0);
    assert_eq!(scratch.state().await, before);
}

#[tokio::test]
async fn both_layouts_are_imported_and_twice_is_once() {
    check(BOOKS).await;
    check(LATER_BOOKS).await;
}

#[tokio::test]
async fn what_may_be_missing_is_noted_and_what_may_not_is_named() {
    let scratch = Scratch::new().await;
    scratch.file("books.csv", BOOKS);
    assert_eq!(
        scratch.refused(scratch.goodbooks()).await.split_once(": ").map(|(_, message)| message.to_owned()),
        Some("no ratings.csv or ratings.csv.gz in this folder, expected the goodbooks-10k files as published".to_owned())
    );
    scratch.file("ratings.csv", "book_id,user_id,rating\n1,1,5\n77,1,5\n");
    let report = scratch.strict(scratch.goodbooks()).await.unwrap();
    assert_eq!(
        report.files[0].notes,
        ["there is no book_genres.csv: the books have no categories"]
    );
    assert_eq!(
        report.files[1].notes,
        [
            "there is no to_read.csv: nobody wants to read anything",
            "1 event is of 1 book that the shop does not have; it waits for it",
        ]
    );
}

#[tokio::test]
async fn a_bad_ratings_file_leaves_the_books_out_too() {
    let scratch = Scratch::new().await;
    scratch.file("books.csv", BOOKS);
    scratch.file("ratings.csv", "book_id,user_id,rating\n1,314,5\n1,315,11\n1,316,0\n");
    assert_eq!(
        scratch.refused(scratch.goodbooks()).await,
        "ratings.csv, line 3, column rating: found \"11\", expected 1 to 5 in steps of 0.5 (the first of 2 rows refused)"
    );
}
