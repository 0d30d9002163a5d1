//! `foreword evaluate` on data made here.

use std::fs;

use serde_json::Value;

use crate::program::Program;
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
    assert!(ndcg[0] > ndcg[1], "ridge against popularity: {ndcg:?}");
    assert!(fs::read_to_string(plot).unwrap().starts_with("<svg"));
    let table = program.run(&format!("evaluate --train {train}")).succeeded();
    assert!(table.contains("NDCG@20") && table.contains("neighbourhood ridge"), "{table}");
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
    let both = program.run(&format!("evaluate --train {train} --test {train} --seed 3")).failed(2);
    assert!(both.contains("--seed"), "{both}");
    let empty = program.run("evaluate --store").failed(1);
    assert!(empty.contains("holds no shop"), "{empty}");
}
