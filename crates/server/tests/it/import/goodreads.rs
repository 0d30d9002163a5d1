//! A reader's Goodreads export.

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
