//! `foreword keys`.

use serde_json::Value;

use crate::program::Program;

/// The program with a shop in its folder.
fn program() -> Program {
    let program = Program::new();
    let books = program.folder.path().join("books.csv");
    let interactions = program.folder.path().join("interactions.csv");
    std::fs::write(&books, "book,title\n1,Dune\n").unwrap();
    std::fs::write(&interactions, "user,book\n1,1\n").unwrap();
    let import =
        format!("import csv --books {} --interactions {}", books.display(), interactions.display());
    program.run(&import).succeeded();
    program
}

fn create(program: &Program, more: &str) -> Value {
    let made = program.run(&format!("keys create --json {more}")).succeeded();
    serde_json::from_str(&made).unwrap()
}

#[test]
fn a_key_is_printed_once_and_never_listed() {
    let program = program();
    let made = program.run("keys create --name marketplace --role reader --role writer");
    assert_eq!(made.code, 0, "{made:?}");
    let key = made.output.trim_end();
    let secret = key.strip_prefix("foreword_").unwrap().split_once('_').unwrap().1;
    let id = &key["foreword_".len()..][..8];
    assert_eq!(secret.len(), 49);
    assert!(made.errors.contains(&format!("Key {id} for marketplace: reader, writer; until")));
    assert!(made.errors.contains("have access.api_keys = false"), "{}", made.errors);
    assert!(!made.errors.contains(secret));

    let listed = program.run("keys list").succeeded();
    assert!(listed.contains(id) && listed.contains("reader, writer") && listed.contains("active"));
    let json = program.run("keys list --json").succeeded();
    for listed in [listed, json] {
        assert!(!listed.contains(&secret[..8]), "{listed}");
    }
    let document = create(&program, "--name export --role admin --expires-days 1");
    assert!(document["key"].as_str().unwrap().contains(document["id"].as_str().unwrap()));
    assert!(document["expires"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_key_is_revoked_once_and_the_nearest_one_is_named() {
    let program = program();
    let document = create(&program, "--name marketplace --role reader");
    let (id, key) = (document["id"].as_str().unwrap(), document["key"].as_str().unwrap());
    let refused =
        |given: &str| program.run(&format!("keys revoke {given}")).failed(1).replace(id, "ID");
    insta::assert_snapshot!(refused("marketplaice"), @r#"error: there is no API key with the id "marketplaice"; did you mean ID (marketplace)?"#);
    insta::assert_snapshot!(refused("zzz"), @r#"error: there is no API key with the id "zzz"; `foreword keys list` shows them"#);
    insta::assert_snapshot!(refused(key), @r#"error: there is no API key with the id "foreword_…"; did you mean ID (marketplace)?"#);
    let revoked = program.run(&format!("keys revoke {id}")).succeeded().replace(id, "ID");
    insta::assert_snapshot!(revoked, @"Revoked ID (marketplace); running servers refuse it within a second.");
    let again = program.run(&format!("keys revoke {id}")).succeeded();
    assert!(again.contains("has been revoked since"), "{again}");
    let listed: Value = serde_json::from_str(&program.run("keys list --json").succeeded()).unwrap();
    assert_eq!(listed[0]["state"], "revoked");
}

#[test]
fn what_cannot_be_a_key_is_refused() {
    let program = program();
    let none = program.run("keys list").succeeded();
    assert!(none.contains("No keys yet; `") && none.contains(" keys create` makes one."), "{none}");
    let near = program.run("keys create --name a --role raeder").failed(2);
    assert!(near.contains("'reader'"), "{near}");
    assert!(program.run("keys create --name a").failed(2).contains("--role"));
    let long = format!("keys create --role reader --name {}", "x".repeat(65));
    insta::assert_snapshot!(program.run(&long).failed(1), @"error: --name: found a name of 65 bytes, expected 1 to 64, without control characters");
    insta::assert_snapshot!(Program::new().run("keys list").failed(1), @"error: DATA holds no shop; `foreword demo` makes one, `foreword import` fills one; if the shop is in PostgreSQL, name the database with --database or the setting store.database");
}
