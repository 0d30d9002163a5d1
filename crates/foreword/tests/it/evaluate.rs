//! `foreword evaluate` on data made here.

use std::fs;

use serde_json::Value;

use crate::program::{Program, Ran};
use crate::shop;

/// Readers who each like one of two halves of the catalogue.
fn write_readers(program: &Program) -> String {
    let line = |user: usize| {
        let items = (0..8).map(|step| ((user * 7 + step * 3) % 15 + (user % 2) * 15).to_string());
        format!("{user} {}\n", items.collect::<Vec<_>>().join(" "))
    };
    let path = program.folder.path().join("readers.txt");
    fs::write(&path, (0..200).map(line).collect::<String>()).unwrap();
    path.display().to_string()
}

#[test]
fn a_file_is_split_by_a_seed_and_models_are_compared_and_drawn() {
    let program = Program::new();
    let train = write_readers(&program);
    let plot = program.folder.path().join("plot.svg");
    let arguments = format!("evaluate --train {train} --plot {} --json", plot.display());
    let report: Value = serde_json::from_str(&program.run(&arguments).succeeded()).unwrap();
    assert_eq!((&report["users"], &report["items"]), (&200.into(), &30.into()));
    let ndcg: Vec<f64> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["ndcg"].as_f64().unwrap())
        .collect();
    assert!(ndcg[0] > ndcg[1], "Foreword against popularity: {ndcg:?}");
    assert!(fs::read_to_string(plot).unwrap().starts_with("<svg"));
    let interval = &report["rows"][0]["ndcg_interval"];
    assert!(
        interval["low"].as_f64() <= Some(ndcg[0]) && Some(ndcg[0]) <= interval["high"].as_f64()
    );
    let table = program.run(&format!("evaluate --train {train}")).succeeded();
    assert!(table.contains("N@20 [95 %]") && table.contains("Foreword"), "{table}");
}

#[test]
fn peers_that_cannot_run_are_named_and_the_others_go_on() {
    let program = Program::new();
    let train = write_readers(&program);
    let environment = program.folder.path().join("no-python");
    let arguments = format!(
        "evaluate --train {train} --peers --peer-budget 1 --peer-environment {}",
        environment.display()
    );
    // Nowhere is there a python3.
    let mut command = program.command(&arguments);
    let output = command.env("PATH", program.folder.path()).output().unwrap();
    let ran = Ran::new(&output, program.folder.path());
    let table = ran.succeeded();
    for peer in ["implicit cosine", "implicit BM25", "implicit ALS", "SANSA", "dense EASE"] {
        let expected = format!("{peer} was not measured: cannot make a Python environment");
        assert!(table.contains(&expected), "{peer}: {table}");
    }
    assert!(table.contains("Foreword, tuned beside"), "{table}");
    assert!(table.contains("(validation NDCG "), "{table}");
}

#[test]
fn simulated_readers_are_called_so() {
    let ran = shop::demo().run("evaluate --store --json");
    assert!(ran.errors.contains("these readers are simulated"), "{}", ran.errors);
    let report: Value = serde_json::from_str(&ran.succeeded()).unwrap();
    assert_eq!(report["rows"].as_array().unwrap().len(), 3);
}

#[test]
fn what_cannot_be_measured_is_told() {
    let program = Program::new();
    let nothing = program.run("evaluate").failed(2);
    assert!(nothing.contains("--store") && nothing.contains("--train"), "{nothing}");
    let train = write_readers(&program);
    let both =
        program.run(&format!("evaluate --train {train} --test {train} --holdout 0.3")).failed(2);
    assert!(both.contains("--holdout"), "{both}");
    for (arguments, expected) in [
        (format!("--train {train} --split time"), "have no times"),
        ("--store --moment 2020-01-01".to_owned(), "--moment goes with --split time"),
        (format!("--train {train} --half-life 30"), "--half-life goes with --split time"),
        (format!("--train {train} --unseen 1.5"), "--unseen is 1.5, expected a share"),
    ] {
        let told = program.run(&format!("evaluate {arguments}")).failed(1);
        assert!(told.contains(expected), "{told}");
    }
    let day = program.run("evaluate --store --split time --moment yesterday").failed(2);
    assert!(day.contains("expected a date such as"), "{day}");
    let empty = program.run("evaluate --store").failed(1);
    assert!(empty.contains("holds no shop"), "{empty}");
}

#[test]
fn users_left_out_of_training_are_served_from_what_is_folded_in() {
    let program = Program::new();
    let train = write_readers(&program);
    let page = program.folder.path().join("page.html");
    let arguments = format!(
        "evaluate --train {train} --split unseen-users --unseen 0.25 --k 5 --html {} --json",
        page.display()
    );
    let report: Value = serde_json::from_str(&program.run(&arguments).succeeded()).unwrap();
    assert_eq!((&report["users"], &report["users_tested"]), (&150.into(), &50.into()));
    assert_eq!(report["k"], 5);
    let ndcg = |place: usize| report["rows"][place]["ndcg"].as_f64().unwrap();
    assert!(ndcg(0) > 2.0 * ndcg(1), "Foreword against popularity");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("Recall@5") && page.contains("unseen users: 25 %"), "{page}");
}

/// A shop whose readers borrow one of two halves of the catalogue, a new half each year.
fn write_years(program: &Program) {
    let books: String = (0..20).map(|book| format!("{book},Book {book}\n")).collect();
    let loan = |reader: usize, step: usize, year: usize| {
        let book = (year - 2020) * 10 + (reader + step * 3) % 10;
        format!("{reader},{book},{year}-0{}-01\n", step + 1)
    };
    let loans: String = (0..40)
        .flat_map(|reader| (0..8).map(move |step| (reader, step)))
        .flat_map(|(reader, step)| [loan(reader, step % 4, 2020 + step / 4)])
        .collect();
    let folder = program.folder.path();
    fs::write(folder.join("books.csv"), format!("book,title\n{books}")).unwrap();
    // A loan without a date, one of somebody who comes late, and the second of a first book:
    // the first one stays learnt from.
    let more = "0,15,\n99,12,2021-04-01\n0,0,2021-04-01\n";
    fs::write(folder.join("loans.csv"), format!("user,book,time\n{loans}{more}")).unwrap();
    let folder = folder.display();
    program
        .run(&format!("import csv --books {folder}/books.csv --interactions {folder}/loans.csv"))
        .succeeded();
}

#[test]
fn a_store_is_split_at_one_moment_and_what_was_left_out_is_told() {
    let program = Program::new();
    write_years(&program);
    let report = |more: &str| -> Value {
        let ran = program.run(&format!("evaluate --store --split time --json {more}"));
        serde_json::from_str(&ran.succeeded()).unwrap()
    };
    let split = report("--moment 2021-03-01 --half-life 60");
    assert_eq!((&split["interactions"], &split["held_out"]), (&240.into(), &80.into()));
    let left_out = &split["left_out"];
    let expected = [("undated", 1), ("users_unseen", 1), ("of_users_unseen", 1), ("repeats", 1)];
    for (name, count) in expected {
        assert_eq!(left_out[name], count, "{name}");
    }
    assert!(split["protocol"].as_str().unwrap().ends_with("the moment is 2021-03-01T00:00:00Z"));
    let models: Vec<&str> = split["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["model"].as_str().unwrap())
        .collect();
    let expected = [
        "Foreword",
        "popularity",
        "cosine ItemKNN",
        "trending, 14 days",
        "popular lately, 14 days",
        "Foreword, 60 days",
        "trending, 60 days",
        "popular lately, 60 days",
    ];
    assert_eq!(models, expected);
    let ndcg = |place: usize| split["rows"][place]["ndcg"].as_f64().unwrap();
    for place in [3, 4] {
        assert!(ndcg(place) > ndcg(1), "{place}: what is liked lately, or ever");
    }
    // Without a moment, the newest fifth is held out.
    let newest = report("");
    assert!(newest["held_out"].as_u64().unwrap() <= 80, "{newest}");
    let outside = program.run("evaluate --store --split time --moment 2019-01-01").failed(1);
    assert!(outside.contains("the events are from 2020-01-01T00:00:00Z to 2021-"), "{outside}");
}

#[test]
fn a_store_without_times_has_no_before_and_after() {
    let program = Program::new();
    let folder = program.folder.path();
    fs::write(folder.join("books.csv"), "book,title\n1,Dune\n").unwrap();
    fs::write(folder.join("loans.csv"), "user,book\nann,1\n").unwrap();
    let folder = folder.display();
    program
        .run(&format!("import csv --books {folder}/books.csv --interactions {folder}/loans.csv"))
        .succeeded();
    let told = program.run("evaluate --store --split time").failed(1);
    assert!(told.contains("no event of the store has a time"), "{told}");
    let short = program.run("evaluate --store").failed(1);
    assert!(short.contains("readers need longer histories"), "{short}");
}

#[test]
fn a_store_is_measured_with_what_tuning_chose_for_its_model_where_nobody_set_another() {
    let program = Program::new();
    write_years(&program);
    let ours = |arguments: &str| -> String {
        let told = program.run(&format!("{arguments} evaluate --store --json")).succeeded();
        let report: Value = serde_json::from_str(&told).unwrap();
        report["rows"][0]["settings"].as_str().unwrap().to_owned()
    };
    assert!(ours("").ends_with("(by default or as set)"), "{}", ours(""));
    program.run("--set train.neighbours=33 --set train.factors=32 tune --budget 0").succeeded();
    let settings = ours("");
    assert!(settings.contains(", neighbours 33, "), "{settings}");
    let origin = "(chosen by tuning on the store's events, those held out here among them, as the \
                  active model 1 keeps them, or as set)";
    assert!(settings.ends_with(origin), "{settings}");
    assert!(ours("--set train.neighbours=44").contains(", neighbours 44, "));
    let environment = program.folder.path().join("no-python");
    let arguments = format!(
        "evaluate --store --peers --peer-budget 0 --json --peer-environment {}",
        environment.display()
    );
    let mut command = program.command(&arguments);
    let output = command.env("PATH", program.folder.path()).output().unwrap();
    let beside = Ran::new(&output, program.folder.path()).succeeded();
    let beside: Value = serde_json::from_str(&beside).unwrap();
    for (row, model, neighbours) in [(0, "Foreword, tuned", 200), (1, "Foreword", 33)] {
        let row = &beside["rows"][row];
        assert_eq!(row["model"], model);
        let settings = row["settings"].as_str().unwrap();
        assert!(settings.contains(&format!(", neighbours {neighbours}, ")), "{settings}");
    }
    let untuned = ours("--set train.tuned=false");
    assert!(untuned.contains(", neighbours 200, ") && untuned.ends_with("as set)"), "{untuned}");
    let ran = program.run("evaluate --store --split time --half-life 60");
    assert!(ran.errors.contains("so the figures may flatter"), "{}", ran.errors);
    let table = ran.succeeded();
    assert_eq!(table.matches(origin).count(), 2, "{table}");
    let cold = program.run("evaluate --store --cold-items 0.2").errors;
    assert!(cold.contains("settings: chosen by tuning"), "{cold}");
}
