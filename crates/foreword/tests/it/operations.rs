//! docs/operations.md, held to what it says: its drill is run, its sums are done again, and its
//! headings and metrics are those that there are.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::needs::repository;
use crate::shop;

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap()
}

/// The words of a text that begin so and go on with letters of names.
fn words<'a>(text: &'a str, begin: &str) -> BTreeSet<&'a str> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with(begin)).collect()
}

#[test]
fn every_alert_has_its_heading_and_every_heading_its_alert() {
    let (document, rules) =
        (text("docs/operations.md"), text("deploy/helm/foreword/rules/foreword.yaml"));
    let alerts: BTreeSet<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let headings: BTreeSet<&str> = document
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .filter(|heading| heading.starts_with("Foreword"))
        .collect();
    assert!(alerts.len() > 10);
    assert_eq!(alerts, headings);
}

#[test]
fn every_metric_that_is_named_exists() {
    let (document, metrics) = (text("docs/operations.md"), text("docs/metrics.md"));
    let named = words(&document, "foreword_");
    assert!(named.len() > 5, "{named:?}");
    let known = words(&metrics, "foreword_");
    let unknown: Vec<_> = named.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_drill_brings_a_shop_back() {
    let document = text("docs/operations.md");
    let (_, drill) = document.split_once("```sh\n").unwrap();
    let (drill, _) = drill.split_once("```").unwrap();
    assert!(drill.lines().count() > 3, "{drill}");
    let own = shop::own();
    let folder = tempfile::tempdir().unwrap();
    fs::rename(own.folder.path(), folder.path().join("shop")).unwrap();
    let mut shell = own.command_by("sh", ["-e", "-c", drill]);
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_foreword")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let ran = shell.env("PATH", path).current_dir(folder.path()).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    // The same shelf, from a model of the same events.
    let shelf = |of: &str| {
        let arguments = ["--data-dir", of, "recommend", "--user", "1", "--json"];
        let ran = Command::new(env!("CARGO_BIN_EXE_foreword"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
        told["books"].as_array().unwrap().iter().map(|book| book["id"].clone()).collect::<Vec<_>>()
    };
    assert!(shelf("shop").len() > 5);
    assert_eq!(shelf("shop"), shelf("drill"));
    // The folder is another one now.
    fs::create_dir_all(own.folder.path()).unwrap();
}

/// The number with which the second column of the row of this name begins.
fn figure(document: &str, line: &str) -> String {
    let row = document.lines().find(|row| row.starts_with(&format!("| {line} |"))).unwrap();
    let figure = row.split('|').nth(2).unwrap().trim().replace(',', "");
    figure.split(' ').next().unwrap().to_owned()
}

#[test]
fn the_example_is_what_the_formula_says() {
    let document = text("docs/operations.md");
    let each = |line: &str| figure(&document, line).parse::<f64>().unwrap();
    // "10 million users, 1 million books", "twenty events", "ten of them liked", "one page".
    let (users, books, events, liked, pages) = (10e6, 1e6, 20.0, 10.0, 1.0);
    let day = 86_400.0;
    let model = each("the model, for each book") * books;
    let further = each("a book beyond 10,000") * (books - 10_000.0);
    let learnt = each("a training, for each liked book of a reader");
    let stored = each("an event in PostgreSQL");
    let beside = each("the service beside its model") * 1e6;
    let shelves = users * pages / day * 3.0;
    let core = (each("the processor, for each shelf of ten") + 400.0 * books / 1e6) * 1e-6;
    for (line, expected) in [
        ("memory of a replica", (model + further + beside) / 1e9),
        ("memory of a training", users * liked * learnt / 1e9),
        ("disk of a replica", 3.0 * model / 1e9),
        ("database", users * events * stored / 1e9),
        ("shelves a second at the peak", shelves),
        ("cores for them", shelves * core * 2.0),
        ("events a second at the peak", users * events / 365.0 / day * 3.0),
    ] {
        // As exact as it is printed.
        let printed = figure(&document, line);
        let decimals = printed.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        assert_eq!(printed, format!("{expected:.decimals$}"), "{line}: by the formula {expected}");
    }
}
