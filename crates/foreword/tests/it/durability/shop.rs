//! A small shop on disk, made by an import and trained.

use std::fmt::Write as _;
use std::fs;

use crate::program::Program;

/// How many books it has; their ids are the numbers from 1.
pub(crate) const BOOKS: u32 = 400;

/// Who had read what before.
const READERS: u32 = 80;
const BOOKS_A_READER: u32 = 20;

/// A shop in a folder of its own.
pub(crate) fn small() -> Program {
    let program = Program::new();
    fill(&program, "");
    program.run("train").succeeded();
    program
}

/// Imports the shop into the data folder, or wherever the arguments say.
pub(crate) fn fill(program: &Program, arguments: &str) {
    let files = tempfile::tempdir().unwrap();
    let mut books = "book,title,authors\n".to_owned();
    for book in 1..=BOOKS {
        writeln!(books, "{book},Volume {book},Author {}", book / 3).unwrap();
    }
    let mut interactions = "user,book,rating,time\n".to_owned();
    for reader in 0..READERS {
        for place in 0..BOOKS_A_READER {
            // Neighbours on the shelf are read by the same readers.
            let book = (reader * 5 + place * (1 + place % 3)) % BOOKS + 1;
            let time = 1_700_000_000 + reader * 1000 + place;
            writeln!(interactions, "{reader},{book},{},{time}", 3 + book % 3).unwrap();
        }
    }
    let write = |name: &str, text: &str| {
        let path = files.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let books = write("books.csv", &books);
    let interactions = write("interactions.csv", &interactions);
    let import = format!("import csv --books {books} --interactions {interactions} {arguments}");
    program.run(&import).succeeded();
}
