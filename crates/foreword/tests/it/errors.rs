//! What goes wrong, and what the user is told.

use std::fs;

use crate::program::Program;

#[test]
fn a_folder_without_a_shop_says_what_to_do() {
    let program = Program::new();
    insta::assert_snapshot!(program.run("recommend --user 1").failed(1), @"error: DATA holds no shop; `foreword demo` makes one, `foreword import` fills one; if the shop is in PostgreSQL, name the database with --database or the setting store.database");
    insta::assert_snapshot!(program.run("train").failed(1), @"error: DATA holds no shop; `foreword demo` makes one, `foreword import` fills one; if the shop is in PostgreSQL, name the database with --database or the setting store.database");
    assert!(!program.folder.path().join("foreword.db").exists(), "reading made a shop");
}

#[test]
fn bad_settings_name_their_key() {
    let program = Program::new();
    let file = program.folder.path().join("settings.toml");
    fs::write(&file, "[train]\nneighbors = 5\n").unwrap();
    let arguments = format!("--config {} train", file.display());
    let errors = program.run(&arguments).failed(4);
    assert!(
        errors.contains("did you mean train.neighbours?") && errors.contains("DATA/settings.toml"),
        "{errors}"
    );
    let mut command = program.command("train");
    let output = command.env("FOREWORD_TRAIN__NEIGHBOURS", "-3").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("train.neighbours"), "{errors}");
    let mut command = program.command("train");
    let output = command.env("FOREWORD_TRAIN_NEIGHBOURS", "30").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("FOREWORD_TRAIN__NEIGHBOURS with two underscores"), "{errors}");
}

#[test]
fn a_database_of_somebody_else_is_refused() {
    let program = Program::new();
    fs::write(program.folder.path().join("foreword.db"), "not a database, but long enough to look")
        .unwrap();
    insta::assert_snapshot!(program.run("recommend --user 1").failed(1), @"error: DATA/foreword.db is not a SQLite database, expected a Foreword store");
}

#[test]
fn too_many_books_and_bad_users_are_refused() {
    let program = Program::new();
    insta::assert_snapshot!(program.run("recommend --user 1 -n 101").failed(1), @"error: asked for 101 books, expected 1 to 100");
    let long = format!("recommend --user {}", "x".repeat(65));
    insta::assert_snapshot!(program.run(&long).failed(1), @"error: bad user: id has 65 bytes, expected 1 to 64");
}

#[test]
fn opening_to_the_network_must_be_meant() {
    let program = Program::new();
    let name = program.run("serve --listen localhost").failed(1);
    assert!(name.contains("--listen localhost: expected an address and a port"), "{name}");
    insta::assert_snapshot!(program.run("serve --listen 0.0.0.0:0").failed(4), @"error: 0.0.0.0:0 can be reached from other machines and there is no authentication; ask clients for certificates (tls.client_ca), API keys (access.api_keys) or tokens (access.jwt_keys), add --insecure if that is meant, or listen on 127.0.0.1");
}
