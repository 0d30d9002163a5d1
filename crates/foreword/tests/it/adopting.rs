//! The commands of docs/adopting.md, one after the other, on a small shop.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::needs;
use crate::program::{Program, Ran};
use crate::serve::Serving;

const PAGE: &str = include_str!("../../../../docs/adopting.md");

/// What follows `$ ` in blocks of a console.
fn commands() -> Vec<&'static str> {
    let blocks = PAGE.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter_map(|line| line.strip_prefix("$ ")).collect()
}

/// Forty readers of thirty books, each of two tastes, and what a nightly job would write.
fn write_shop(folder: &Path) {
    let mut books = "book,title,categories\n".to_owned();
    let mut orders = "customer,book,kind,time,event_id\n".to_owned();
    let (mut shelves, mut readers) = ("user,book,rank\n".to_owned(), String::new());
    for book in 0..30 {
        let category = if book % 2 == 0 { "mystery" } else { "travel" };
        writeln!(books, "{book},Book {book},{category}").unwrap();
    }
    for reader in 0..40 {
        writeln!(readers, "{reader}").unwrap();
        for line in 0..6 {
            let book = (reader % 2 + 2 * (reader / 2 + 4 * line)) % 30;
            let time = 1_700_000_000 + 1000 * line + reader;
            writeln!(orders, "{reader},{book},purchase,{time},order-{reader}-{line}").unwrap();
            writeln!(shelves, "{reader},{},{line}", (book + 8) % 30).unwrap();
        }
    }
    let files = [
        ("books.csv", books),
        ("orders.csv", orders),
        ("shelves.csv", shelves),
        ("readers.txt", readers),
    ];
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn every_command_works_in_its_order() {
    let (program, folder) = (Program::new(), tempfile::tempdir().unwrap());
    write_shop(folder.path());
    let mut serving = None;
    let mut compared = 0;
    for command in commands() {
        let (old, new);
        let mut words = command.split_whitespace();
        let (first, mut arguments) = (words.next().unwrap(), words.collect::<Vec<_>>());
        let mut run = if first == "foreword" { program.command("") } else { Command::new(first) };
        run.current_dir(folder.path());
        if arguments == ["serve"] {
            run.args(["serve", "--listen", "127.0.0.1:0"]);
            let mut started = Serving::start(run);
            serving = Some((started.address(), started));
            continue;
        }
        if let Some((address, _)) = serving.as_ref().filter(|_| arguments[0] == "compare") {
            compared += 1;
            // No service is compared with itself under the same name.
            (old, new) = (address.to_string(), format!("localhost:{}", address.port()));
            for argument in &mut arguments {
                if *argument == "localhost:60051" {
                    *argument = &old;
                }
            }
            arguments.extend(["--new", &new]);
        }
        let output = run.args(&arguments).output().unwrap();
        let ran = Ran::new(&output, folder.path());
        assert_eq!(ran.code, 0, "{command}: {ran:?}");
        assert!(!ran.output.is_empty(), "{command}");
    }
    assert!(compared >= 3);
    let (_, serving) = serving.unwrap();
    serving.signal("-TERM");
    assert_eq!(serving.code(), Some(0));
}

#[test]
fn every_metric_that_is_named_is_there() {
    let metrics = fs::read_to_string(needs::repository().join("docs/metrics.md")).unwrap();
    let words = PAGE.split('`').skip(1).step_by(2);
    let named: Vec<&str> =
        words.filter(|it| it.starts_with("foreword_") || it.starts_with("rpc_server_")).collect();
    assert!(named.len() > 2);
    for name in named {
        assert!(metrics.contains(&format!("`{name}`")), "{name}");
    }
}
