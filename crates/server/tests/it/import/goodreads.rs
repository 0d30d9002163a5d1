//! A reader's Goodreads export.

use std::ops::ControlFlow;

use server::import::{ImportError, Source, UnmatchedBook};

use super::scratch::{Scratch, counts};

const BOOKS: &str = "\
book,title,authors,isbn
1,The Hunger Games,Suzanne Collins,9780439023481
2,Dune,Frank Herbert,
3,Dune,Frank Herbert,9780441172719
4,Emma,Jane Austen,
";

const EXPORT: &str = "\
Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average Rating,Publisher,Binding,Number of Pages,Year Published,Original Publication Year,Date Read,Date Added,Bookshelves,Bookshelves with positions,Exclusive Shelf,My Review,Spoiler,Private Notes,Read Count,Owned Copies
2767052,\"Die Tribute von Panem (Panem, #1)\",Suzanne Collins,\"Collins, Suzanne\",,\"=\"\"0439023483\"\"\",\"=\"\"\"\"\",5,4.32,Scholastic,Hardcover,374,2008,2008,2020/01/31,2019/12/24,favorites,favorites (#1),read,\"Great,
\"\"really\"\"\",,,1,0
44767458,\"Dune (Dune, #1)\",Frank Herbert,\"Herbert, Frank\",,\"=\"\"\"\"\",\"=\"\"9780441172719\"\"\",0,4.26,Ace,Paperback,658,2019,1965,,2020/01/31,to-read,to-read (#1),to-read,,,,0,0
234225,\"Dune (Dune, #1)\",Frank Herbert,\"Herbert, Frank\",,\"=\"\"\"\"\",\"=\"\"\"\"\",4,4.26,Ace,Paperback,658,2019,1965,,2020/01/31,,,did-not-finish,,,,0,0
6969,Emma,Jane Austen,\"Austen, Jane\",,\"=\"\"\"\"\",\"=\"\"\"\"\",0,4.03,Penguin,Paperback,474,2003,1815,,someday,,,currently-reading,,,,0,0
6970,Emma,Jane Austen,\"Austen, Jane\",,\"=\"\"\"\"\",\"=\"\"\"\"\",0,4.03,Penguin,Paperback,474,2003,1815,,,,,lent,,,,0,0
10210,Jane Eyre,Charlotte Brontë,\"Brontë, Charlotte\",,\"=\"\"\"\"\",\"=\"\"\"\"\",3,4.15,Penguin,Paperback,532,2003,1847,,2020/01/31,,,read,,,,1,0
";

async fn shop() -> Scratch {
    let scratch = Scratch::new().await;
    scratch.strict(scratch.csv(BOOKS, "user,book\n")).await.unwrap();
    scratch
}

fn export(scratch: &Scratch, contents: &str) -> Source {
    Source::Goodreads { file: scratch.file("export.csv", contents), user: "ann".to_owned() }
}

#[tokio::test]
async fn shelves_and_ratings_become_events_of_the_books_found() {
    let scratch = shop().await;
    let report = scratch.strict(export(&scratch, EXPORT)).await.unwrap();
    assert_eq!(counts(&report), [[6, 0, 0, 0]]);
    assert_eq!(report.files[0].rows_read, 6);
    assert_eq!(
        scratch.events("ann").await,
        [
            "abandon 2 at 1580428800000",
            "finish 1 at 1580428800000",
            "rating 1 5 at 1580428800000",
            "rating 2 4 at 1580428800000",
            "want_to_read 3 at 1580428800000",
            "want_to_read 4",
        ]
    );
    assert_eq!(report.files[0].unmatched, 1);
    let (title, author) = ("Jane Eyre".to_owned(), "Charlotte Brontë".to_owned());
    assert_eq!(report.files[0].first_unmatched, [UnmatchedBook { line: 8, title, author }]);
    assert_eq!(
        report.files[0].notes,
        [
            "dates not understood and left out (1, the first is \"someday\")",
            "books on shelf \"lent\", which is no event (1, the first is \"Emma\")",
        ]
    );
    let again = scratch.strict(export(&scratch, EXPORT)).await.unwrap();
    assert_eq!(counts(&again), [[0, 6, 0, 0]]);
}

/// An export of one book, Dune, with these stars, read on this day.
fn dune(scratch: &Scratch, stars: u8, read: &str) -> Source {
    let header = "Title,Author,ISBN13,My Rating,Date Read,Exclusive Shelf";
    export(scratch, &format!("{header}\nDune,Frank Herbert,9780441172719,{stars},{read},read\n"))
}

#[tokio::test]
async fn a_changed_rating_takes_the_place_of_the_one_before() {
    let scratch = shop().await;
    let shops = "user,book,rating\nann,3,3\n";
    scratch.strict(scratch.csv(BOOKS, shops)).await.unwrap();
    // The last date is earlier than the one before: the export counts, not the date.
    let exports = [(5, "2020/01/31"), (1, "2020/01/31"), (5, "2020/01/31"), (1, ""), (5, "")];
    let note =
        "ratings that take the place of those from an earlier export (1, the first is \"Dune\")";
    for (place, (stars, read)) in exports.into_iter().enumerate() {
        let report = scratch.strict(dune(&scratch, stars, read)).await.unwrap();
        assert_eq!(report.users_touched, 1);
        assert_eq!(report.files[0].notes, vec![note; usize::from(place > 0)]);
        let events = scratch.events("ann").await;
        // The shop's own rating stays.
        let own = "rating 3 3".to_owned();
        assert!(events.contains(&own), "{events:?}");
        let of_goodreads = |event: &&String| event.starts_with("rating") && **event != own;
        let ratings: Vec<&String> = events.iter().filter(of_goodreads).collect();
        let time = if read.is_empty() { "" } else { " at 1580428800000" };
        assert_eq!(ratings, [&format!("rating 3 {stars}{time}")], "{events:?}");

        let again = scratch.strict(dune(&scratch, stars, read)).await.unwrap();
        assert_eq!((counts(&again), again.users_touched), (vec![[0, 2, 0, 0]], 0));
        assert_eq!(scratch.events("ann").await, events);
    }
}

#[tokio::test]
async fn an_export_of_a_merged_user_is_the_others_and_goes_with_them() {
    let scratch = shop().await;
    scratch.strict(dune(&scratch, 5, "")).await.unwrap();
    let mut writer = scratch.store.begin().await.unwrap();
    let users = writer.assign_users(&["ann", "bob"]).await.unwrap();
    writer.merge_users(users[0], users[1]).await.unwrap();
    writer.commit().await.unwrap();
    // What came before the merge is known again, and replaced.
    let again = scratch.strict(dune(&scratch, 5, "")).await.unwrap();
    assert_eq!(counts(&again), [[0, 2, 0, 0]]);
    scratch.strict(dune(&scratch, 1, "")).await.unwrap();
    for id in ["ann", "bob"] {
        assert_eq!(scratch.events(id).await, ["finish 3", "rating 3 1"], "{id}");
    }
    let mut writer = scratch.store.begin().await.unwrap();
    writer.delete_user(users[1]).await.unwrap();
    writer.commit().await.unwrap();
    let mut left = Vec::new();
    let visit = |user, events: &[_]| {
        left.push((user, events.len()));
        ControlFlow::Continue(())
    };
    scratch.store.scan_events(visit).await.unwrap();
    assert_eq!(left, []);
}

#[tokio::test]
async fn of_two_ratings_of_one_book_in_one_export_the_first_stays() {
    let scratch = shop().await;
    let rows = "Emma,Jane Austen,5,read\nEmma,Jane Austen,2,read\n";
    for expected in [[2, 2, 1, 0], [0, 4, 1, 0]] {
        let source = export(&scratch, &format!("Title,Author,My Rating,Exclusive Shelf\n{rows}"));
        let report = scratch.strict(source).await.unwrap();
        assert_eq!(counts(&report), [expected]);
        assert_eq!(scratch.events("ann").await, ["finish 4", "rating 4 5"]);
    }
}

#[tokio::test]
async fn an_export_has_no_more_rows_than_a_reader_has_books() {
    let scratch = shop().await;
    let rows = |count: usize| {
        let rows = "Unheard of,Nobody,read\n".repeat(count);
        export(&scratch, &format!("Title,Author,Exclusive Shelf\n{rows}"))
    };
    let report = scratch.strict(rows(20_000)).await.unwrap();
    assert_eq!(report.files[0].unmatched, 20_000);
    let refused = scratch.refused(rows(20_001)).await;
    assert_eq!(refused, "export.csv: more than 20000 rows, expected no more");
}

#[tokio::test]
async fn an_export_may_end_without_a_line_break() {
    let scratch = shop().await;
    let report = scratch.strict(export(&scratch, EXPORT.trim_end())).await.unwrap();
    assert_eq!(counts(&report), [[6, 0, 0, 0]]);
    let note = "the last line has no line break; if the file was cut there, its end is missing (1)";
    assert!(report.files[0].notes.iter().any(|found| found == note));
}

#[tokio::test]
async fn another_file_is_refused_and_so_is_a_name_that_is_no_id() {
    let scratch = shop().await;
    assert_eq!(
        scratch.refused(export(&scratch, "Title,Author\nEmma,Jane Austen\n")).await,
        "export.csv: no column for \"Exclusive Shelf\"; the columns are \"Title\", \"Author\"; expected the CSV that Goodreads exports under My Books, Import and export"
    );
    let file = scratch.file("export.csv", EXPORT);
    let result = scratch.strict(Source::Goodreads { file, user: String::new() }).await;
    assert!(matches!(result, Err(ImportError::User(_))));
}
