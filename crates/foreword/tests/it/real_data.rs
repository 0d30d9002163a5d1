//! The whole way on real data: goodbooks-10k and Gowalla, where they lie beside the repository.

use std::path::Path;

use serde_json::Value;

use crate::model_file::model;
use crate::needs;
use crate::program::Program;

/// The row of one model in an evaluation.
fn row<'a>(report: &'a Value, model: &str) -> &'a Value {
    let rows = report["rows"].as_array().unwrap();
    rows.iter().find(|row| row["model"].as_str().unwrap().contains(model)).unwrap()
}

fn ndcg(report: &Value, model: &str) -> f64 {
    row(report, model)["ndcg"].as_f64().unwrap()
}

fn imported(folder: &Path) -> (Program, Value) {
    let program = Program::new();
    let arguments = ["import", "goodbooks", folder.to_str().unwrap(), "--json"];
    let output = program.command_of(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    (program, serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn goodbooks_is_imported_trained_to_the_same_bits_and_recommended_from() {
    let Some(folder) = needs::data(
        "goodbooks_is_imported_trained_to_the_same_bits_and_recommended_from",
        "goodbooks-10k",
    ) else {
        return;
    };
    let (program, report) = imported(&folder);
    let counts = |file: &str| {
        let files = report["files"].as_array().unwrap();
        let file = files.iter().find(|one| one["file"].as_str().unwrap().contains(file)).unwrap();
        ["rows_read", "stored", "repeated", "conflicting", "refused"]
            .map(|key| file[key].as_u64().unwrap())
    };
    assert_eq!(counts("books.csv"), [10_000, 10_000, 0, 0, 0]);
    assert_eq!(counts("ratings.csv"), [981_756, 979_478, 2_278, 640, 0]);
    assert_eq!(counts("to_read.csv"), [912_705, 912_705, 0, 0, 0]);
    let train = |threads: &str| {
        let mut command = program.command("train --json");
        let output = command.env("FOREWORD_TRAIN__THREADS", threads).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let trained: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&trained["users"], &trained["books"]), (&53_387.into(), &10_000.into()));
        let version = trained["model_version"].as_str().unwrap();
        let name = format!("models/{version:0>12}.snapshot");
        model(&program.folder.path().join(name))
    };
    assert!(train("1") == train("2"), "the models of 1 and 2 threads differ");
    let shelf = program.run("recommend --user 314 -n 10 --category fantasy --json").succeeded();
    let shelf: Value = serde_json::from_str(&shelf).unwrap();
    let books = shelf["books"].as_array().unwrap();
    assert_eq!(books.len(), 10);
    assert!(books.iter().all(|book| book["source"] == "personal" && book["simulated"] == false));
    let report = program.run("evaluate --store --json").succeeded();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert!(ndcg(&report, "Foreword") >= 0.195, "{report}");
    assert!(ndcg(&report, "Foreword") > 1.1 * ndcg(&report, "ItemKNN"), "{report}");
}

#[test]
fn gowalla_is_ranked_better_than_by_simple_neighbours() {
    let Some(folder) = needs::data("gowalla_is_ranked_better_than_by_simple_neighbours", "gowalla")
    else {
        return;
    };
    let file = |name: &str| folder.join(name).display().to_string();
    let (train, test) = (file("train.txt.gz"), file("test.txt.gz"));
    let arguments = ["evaluate", "--train", &train, "--test", &test, "--json"];
    let output = Program::new().command_of(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["users_tested"], &report["items"]), (&29_858.into(), &40_981.into()));
    assert!(ndcg(&report, "Foreword") >= 0.154, "{report}");
    assert!(ndcg(&report, "Foreword") > ndcg(&report, "ItemKNN"));
    assert!(ndcg(&report, "ItemKNN") > ndcg(&report, "popularity"));
    assert!(row(&report, "Foreword")["fit_seconds"].as_f64().unwrap() > 0.0);
}
