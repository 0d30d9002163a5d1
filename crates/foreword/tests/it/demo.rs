//! `foreword demo`, from the first start to the second.

use std::fs;
use std::process::{Command, Stdio};

use crate::model_file::model;
use crate::program::Program;
use crate::shop;

#[test]
fn the_demo_shows_recommendations_ends_cleanly_and_is_reused() {
    let program = Program::new();
    let first = program.start("demo --listen 127.0.0.1:0");
    let lines = first.read_until("Ctrl-C stops it.").join("\n");
    for text in [
        "all of them simulated",
        "model 1 is active",
        "you rated",
        "Learnt from simulated readers.",
        "The shop is open: http://localhost:",
        "buf curl --protocol grpc --http2-prior-knowledge",
        "RecommendationRequest(user_id=1",
        "recommend --user 1 --category mystery",
    ] {
        assert!(lines.contains(text), "{text:?} in {lines}");
    }
    assert_eq!(first.end_with("-INT"), 0);
    let second = program.start("demo --listen 127.0.0.1:0");
    let lines = second.read_until("Ctrl-C stops it.").join("\n");
    assert!(!lines.contains("is active"), "trained again: {lines}");
    assert_eq!(second.end_with("-TERM"), 0);
}

#[test]
fn a_shop_that_others_could_reach_is_refused_before_anything_is_made() {
    let program = Program::new();
    let mut command = program.command("demo --listen 127.0.0.1:0");
    let open = command.env("FOREWORD_MARKETPLACE__LISTEN", "[\"0.0.0.0:0\"]");
    let output = open.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && errors.contains("add --insecure"), "{errors}");
    assert!(!program.folder.path().join("foreword.db").exists());
}

#[test]
fn a_stop_during_the_first_start_leaves_a_folder_that_starts_again() {
    let program = Program::new();
    let first = program.start("demo --listen 127.0.0.1:0");
    while !program.folder.path().join("foreword.db-wal").exists() {
        std::thread::yield_now();
    }
    assert_eq!(first.end_with("-TERM"), 0);
    let second = program.start("demo --listen 127.0.0.1:0");
    second.read_until("Ctrl-C stops it.");
    assert_eq!(second.end_with("-TERM"), 0);
}

#[test]
fn a_reader_of_the_output_that_goes_away_stops_no_server() {
    let program = Program::new();
    let mut command = program.command("demo --listen 127.0.0.1:0");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let answered = (0..600).any(|_| {
        let shelf = program.run("recommend --user 1 -n 1 --json");
        shelf.code == 0 && shelf.output.contains("\"server\"")
    });
    assert!(answered, "the server never answered");
    assert!(child.try_wait().unwrap().is_none(), "the server has ended");
    let process = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_second_server_of_a_folder_takes_over_when_the_first_ends() {
    let program = Program::new();
    fs::copy(
        shop::demo().folder.path().join("foreword.db"),
        program.folder.path().join("foreword.db"),
    )
    .unwrap();
    let first = program.start("demo --listen 127.0.0.1:0");
    first.read_until("Ctrl-C stops it.");
    let second = program.start("demo --listen 127.0.0.1:0");
    second.read_until("Ctrl-C stops it.");
    assert_eq!(first.end_with("-TERM"), 0);
    let found = (0..600)
        .any(|_| program.run("recommend --user 1 -n 1 --json").succeeded().contains("\"server\""));
    assert!(found, "nobody finds the second server");
    assert_eq!(second.end_with("-TERM"), 0);
}

/// What is printed, whether a server of another test happens to serve this shop or not.
fn asked(arguments: &str) -> String {
    let text = shop::demo().run(arguments).succeeded();
    let (head, rest) = text.split_once('\n').unwrap();
    let (question, _) = head.rsplit_once(" (").unwrap();
    format!("{question}\n{rest}")
}

#[test]
fn a_reader_gets_a_table_with_reasons() {
    insta::assert_snapshot!(asked("recommend --user 1 --category mystery -n 3"));
}

#[test]
fn a_stranger_gets_popular_books_and_is_told() {
    // Which of them changes by the day.
    let text = asked("recommend --user stranger --category self-help -n 3");
    assert!(text.starts_with("Books for reader stranger in self-help\n"), "{text}");
    assert_eq!(text.matches("it is popular in self-help").count(), 3, "{text}");
    assert!(text.contains("Learnt from simulated readers."), "{text}");
    assert!(text.contains("stranger") && !text.contains("you rated"), "{text}");
}

#[test]
fn a_category_that_does_not_exist_has_no_books() {
    insta::assert_snapshot!(asked("recommend --user 1 --category none-such"));
}

#[test]
fn scripts_get_json() {
    let text = shop::demo().run("recommend --user 1 -n 2 --json").succeeded();
    let shelf: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shelf["answered"]["by"], "store");
    assert_eq!(shelf["fallback"], serde_json::Value::Null);
    let books = shelf["books"].as_array().unwrap();
    assert_eq!(books.len(), 2);
    for book in books {
        assert_eq!((&book["source"], &book["simulated"]), (&"personal".into(), &true.into()));
        assert!(book["score"].as_f64().unwrap() > 0.0);
        assert!(!book["reasons"].as_array().unwrap().is_empty());
    }
}

#[test]
fn the_running_server_answers_the_same_as_the_store() {
    let program = shop::demo();
    let by_store = program.run("recommend --user 7 -n 20 --json").succeeded();
    let server = program.start("serve --listen 127.0.0.1:0");
    let answers = (0..100).map(|_| program.run("recommend --user 7 -n 20 --json").succeeded());
    let by_server = answers.into_iter().find(|answer| answer.contains("\"server\"")).unwrap();
    assert_eq!(server.end_with("-TERM"), 0);
    let books =
        |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["books"].clone();
    assert_eq!(books(&by_store), books(&by_server));
}

#[test]
fn training_with_one_and_two_threads_writes_the_same_model() {
    let shop = shop::demo().folder.path();
    let train = |threads: &str| {
        let program = Program::new();
        let folder = program.folder.path();
        fs::copy(shop.join("foreword.db"), folder.join("foreword.db")).unwrap();
        let mut command = program.command("train");
        let output = command.env("FOREWORD_TRAIN__THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        model(&folder.join("models/000000000001.snapshot"))
    };
    let one = train("1");
    assert!(one.len() > 100_000);
    assert!(one == train("2"), "the models differ");
}

#[test]
fn the_last_three_models_are_kept() {
    let program = Program::new();
    fs::copy(
        shop::demo().folder.path().join("foreword.db"),
        program.folder.path().join("foreword.db"),
    )
    .unwrap();
    for version in 1..=5 {
        let trained = program.run("train --json").succeeded();
        let trained: serde_json::Value = serde_json::from_str(&trained).unwrap();
        assert_eq!(trained["model_version"], version.to_string());
    }
    let files = fs::read_dir(program.folder.path().join("models")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut snapshots: Vec<String> = names.filter(|name| name.ends_with(".snapshot")).collect();
    snapshots.sort_unstable();
    assert_eq!(
        snapshots,
        ["000000000003.snapshot", "000000000004.snapshot", "000000000005.snapshot"]
    );
}
