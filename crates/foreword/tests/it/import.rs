//! `foreword import`: reports, refusals and exit codes.

use std::fs;
use std::path::PathBuf;

use crate::program::{Program, Ran};
use crate::shop;

const BOOKS: &str =
    "id,title,author,genre\n1,Dune,Frank Herbert,Science Fiction\n2,Emma,Jane Austen,Classics\n";

/// A program with two files beside its data.
fn files(books: &str, interactions: &str) -> (Program, PathBuf) {
    let program = Program::new();
    let folder = program.folder.path().to_owned();
    fs::write(folder.join("books.csv"), books).unwrap();
    fs::write(folder.join("interactions.csv"), interactions).unwrap();
    (program, folder)
}

fn import(program: &Program, more: &str) -> Ran {
    let folder = program.folder.path().display().to_string();
    program.run(&format!(
        "import csv --books {folder}/books.csv --interactions {folder}/interactions.csv {more}"
    ))
}

#[test]
fn a_shops_files_are_imported_and_counted_and_then_repeated() {
    let interactions =
        "customer;book;rating;time\nann;1;5;2024-05-01T10:00:00Z\nann;2;;1714557600\nbob;1;4.5;\n";
    let (program, _) = files(BOOKS, interactions);
    insta::assert_snapshot!("import_first", import(&program, "--column user=customer").succeeded());
    insta::assert_snapshot!("import_again", import(&program, "--column user=customer").succeeded());
    let trained = program.run("train").succeeded();
    assert!(trained.contains("3 interactions of 2 users with 2 books"), "{trained}");
    let shelf = program.run("recommend --user bob").succeeded();
    assert!(shelf.contains("Emma"), "{shelf}");
}

#[test]
fn refused_rows_are_shown_and_nothing_is_stored() {
    let (program, _) = files(BOOKS, "user,book,rating\nann,1,5\nann,2,11\nbob,1,five\n");
    let ran = import(&program, "");
    insta::assert_snapshot!("import_refused", format!("{}{}", ran.output, ran.errors));
    assert_eq!(ran.code, 1);
    let train = program.run("train").failed(1);
    assert!(train.contains("the store has 0 books"), "{train}");
}

#[test]
fn with_keep_going_the_good_rows_are_stored_and_the_code_says_so() {
    let (program, _) = files(BOOKS, "user,book,rating\nann,1,5\nann,2,11\nbob,1,five\n");
    let ran = import(&program, "--keep-going --json");
    assert_eq!(ran.code, 3, "{ran:?}");
    let report: serde_json::Value = serde_json::from_str(&ran.output).unwrap();
    assert_eq!(report["committed"], true);
    assert_eq!(
        (&report["files"][1]["stored"], &report["files"][1]["refused"]),
        (&1.into(), &2.into())
    );
    assert_eq!(report["files"][1]["first_refusals"][0]["column"], "rating");
}

#[test]
fn an_import_that_is_stopped_stores_nothing_and_says_so() {
    let rows: String =
        (0..2_000_000).map(|row| format!("{},{}\n", row % 5_000 + 1, row % 997 + 1)).collect();
    let (program, folder) = files(BOOKS, &format!("user,book\n{rows}"));
    let folder_name = folder.display().to_string();
    let arguments = format!(
        "import csv --books {folder_name}/books.csv --interactions {folder_name}/interactions.csv"
    );
    let importing = program.start(&arguments);
    while !folder.join("foreword.db-wal").exists() {
        std::thread::yield_now();
    }
    assert_eq!(importing.end_with("-INT"), 130);
    let train = program.run("train").failed(1);
    assert!(train.contains("the store has 0 books"), "{train}");
}

#[test]
fn a_missing_column_says_how_to_name_it() {
    let (program, _) = files(BOOKS, "who,what\nann,1\n");
    insta::assert_snapshot!("import_missing_column", import(&program, "").failed(1));
}

#[test]
fn the_demo_shop_takes_no_other_shop_but_a_readers_export() {
    let (program, folder) = files(BOOKS, "user,book\nann,1\n");
    fs::copy(shop::demo().folder.path().join("foreword.db"), folder.join("foreword.db")).unwrap();
    let refused = import(&program, "").failed(1);
    assert!(refused.contains("holds the demo shop"), "{refused}");
    let export = "Book Id,Title,Author,ISBN,ISBN13,My Rating,Date Read,Date Added,Exclusive Shelf\n\
        44767458,\"Dune (Dune, #1)\",Frank Herbert,\"=\"\"\"\"\",\"=\"\"\"\"\",5,2020/01/31,2019/12/01,read\n\
        1,A Book Nobody Wrote,Nobody,\"=\"\"\"\"\",\"=\"\"\"\"\",0,,2019/12/01,to-read\n";
    fs::write(folder.join("export.csv"), export).unwrap();
    let arguments = format!("import goodreads {}/export.csv --user ann", folder.display());
    insta::assert_snapshot!("import_goodreads", program.run(&arguments).succeeded());
    program.run("train").succeeded();
    let shelf = program.run("recommend --user ann -n 3").succeeded();
    assert!(shelf.contains("you rated Dune 5\u{a0}★"), "{shelf}");
}
