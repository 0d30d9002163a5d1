//! `foreword migrate`.

use serde_json::{Value, json};
use testbed::postgres::database_or_skip;

use crate::program::Program;

fn migrated(program: &Program, more: &str) -> Value {
    serde_json::from_str(&program.run(&format!("{more} migrate --json")).succeeded()).unwrap()
}

/// Migrates a store that is not there yet, and once more.
fn check(database: &str, more: &str) {
    let program = Program::new();
    let first = migrated(&program, more);
    assert_eq!(first["database"], database);
    assert_eq!(first["from"], 0);
    let version = first["to"].as_i64().unwrap();
    assert!(version > 0, "{first}");
    let again = json!({"database": database, "from": version, "to": version});
    assert_eq!(migrated(&program, more), again);
    let text = program.run(&format!("{more} migrate")).succeeded();
    let expected =
        format!("Nothing to do: the schema in {database} is version {version} already.\n");
    assert_eq!(text, expected);
}

#[test]
fn a_store_in_a_folder_is_brought_up_to_date_once() {
    check("sqlite", "");
}

#[test]
fn a_database_is_brought_up_to_date_once() {
    if let Some(database) = database_or_skip("a_database_is_brought_up_to_date_once") {
        check("postgres", &format!("--database {}", database.url()));
    }
}

#[test]
fn what_cannot_be_migrated_is_told() {
    let program = Program::new();
    std::fs::write(program.folder.path().join("foreword.db"), "a letter to Ann").unwrap();
    insta::assert_snapshot!(program.run("migrate").failed(1), @"error: DATA/foreword.db is not a SQLite database, expected a Foreword store");
    let away = program.run("--database postgres://ann:hunter2@127.0.0.1:1/shop migrate").failed(1);
    assert!(away.starts_with("error: ") && !away.contains("hunter2"), "{away}");
}
