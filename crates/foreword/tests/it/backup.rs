//! `foreword backup`, `restore` and `compact`.

use serde_json::Value;

use crate::program::Program;

/// The program with a small shop in its folder.
fn program() -> Program {
    let program = Program::new();
    let books = program.folder.path().join("books.csv");
    let interactions = program.folder.path().join("interactions.csv");
    std::fs::write(&books, "book,title\n1,Dune\nisbn-2,Emma\n").unwrap();
    std::fs::write(&interactions, "user,book,kind\nann,1,finish\nann,isbn-2,view\n").unwrap();
    let import =
        format!("import csv --books {} --interactions {}", books.display(), interactions.display());
    program.run(&import).succeeded();
    program
}

/// The path of a backup in the folder of the program.
fn file(program: &Program) -> String {
    program.folder.path().join("shop.jsonl.gz").display().to_string()
}

#[test]
fn a_shop_goes_into_a_file_and_back() {
    let program = program();
    let file = file(&program);
    let text = program.run(&format!("backup {file}")).succeeded();
    assert!(text.contains("Written and verified: DATA/shop.jsonl.gz"), "{text}");
    let verified = program.run(&format!("backup --verify --json {file}")).succeeded();
    let verified: Value = serde_json::from_str(&verified).unwrap();
    assert_eq!(verified["what"], "foreword backup");
    assert_eq!(verified["database"], "sqlite");
    assert_eq!(verified["rows"]["event"], 2);
    assert_eq!(verified["rows"]["book"], 2);

    let other = Program::new();
    let restored = other.run(&format!("restore --json {file}")).succeeded();
    let restored: Value = serde_json::from_str(&restored).unwrap();
    assert_eq!(restored["rows"], verified["rows"]);
    let again = other.run(&format!("restore {file}")).failed(1);
    assert!(again.contains("found a shop, expected a store in which nothing"), "{again}");
    let taken = other.run(&format!("backup --json {file}.2")).succeeded();
    let taken: Value = serde_json::from_str(&taken).unwrap();
    assert_eq!(taken["rows"], verified["rows"]);
}

#[test]
fn what_cannot_be_done_is_told_with_what_to_do() {
    let program = program();
    let file = file(&program);
    program.run(&format!("backup {file}")).succeeded();
    insta::assert_snapshot!(program.run(&format!("backup {file}")).failed(1), @"error: DATA/shop.jsonl.gz is there already; choose another name, or replace it with --force");
    program.run(&format!("backup --force {file}")).succeeded();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 30]).unwrap();
    let cut = program.run(&format!("backup --verify {file}")).failed(1);
    assert!(cut.contains("shop.jsonl.gz line ") && cut.contains("it was cut"), "{cut}");
    let other = Program::new();
    let refused = other.run(&format!("restore {file}")).failed(1);
    assert!(refused.contains("it was cut"), "{refused}");
    insta::assert_snapshot!(Program::new().run("backup nowhere").failed(1), @"error: DATA holds no shop; `foreword demo` makes one, `foreword import` fills one; if the shop is in PostgreSQL, name the database with --database or the setting store.database");
    let missing = other.run("restore DATA/missing").failed(1);
    assert!(missing.contains("check the path"), "{missing}");
    let url = other.run("--database postgers://ann:hunter2@host/shop backup x").failed(4);
    assert!(url.contains("store.database") && !url.contains("hunter2"), "{url}");
}

#[test]
fn compacting_tells_the_size_before_and_after() {
    let program = program();
    // A megabyte that is deleted again.
    let files = tempfile::tempdir().unwrap();
    let [books, events] = ["books.csv", "events.csv"].map(|name| files.path().join(name));
    std::fs::write(&books, "id,title\n1,Dune\n").unwrap();
    let row = |number: u32| format!("zoe-{number:060},1,view\n");
    let rows: String = (0..5_000).map(row).collect();
    std::fs::write(&events, format!("user,book,kind\n{rows}")).unwrap();
    let (books, events) = (books.display(), events.display());
    program.run(&format!("import csv --books {books} --interactions {events}")).succeeded();
    delete_users(&program, (0..5_000).map(|number| format!("zoe-{number:060}")));

    let compacted = program.run("compact --json").succeeded();
    let compacted: Value = serde_json::from_str(&compacted).unwrap();
    let [before, after] = ["bytes_before", "bytes_after"].map(|key| compacted[key].as_u64());
    assert!(before > after.map(|after| after + 500_000), "{compacted}");
    assert_eq!(
        after,
        Some(std::fs::metadata(program.folder.path().join("foreword.db")).unwrap().len())
    );
    let again = program.run("compact --json").succeeded();
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!([&again["bytes_before"], &again["bytes_after"]].map(Value::as_u64), [after; 2]);
    let text = program.run("compact").succeeded();
    assert!(text.contains("nothing is left in it of what was deleted"), "{text}");
}

/// Deletes users behind the program's back.
#[tokio::main(flavor = "current_thread")]
async fn delete_users(program: &Program, ids: impl Iterator<Item = String>) {
    let data = server::data_folder::DataFolder::new(program.folder.path());
    let settings = server::settings::Settings::read(None).unwrap();
    let store = data.store(&settings).await.unwrap();
    let mut writer = store.begin().await.unwrap();
    for id in ids {
        let user = store.user_number(&id).await.unwrap().expect("it was imported");
        writer.delete_user(user).await.unwrap();
    }
    writer.commit().await.unwrap();
    store.close().await;
}
