//! `foreword bench open`, and the same at the end of `foreword bench scale`.

use std::path::PathBuf;

use serde_json::Value;

use crate::program::Program;
use crate::shop;

/// The file of the demo's model.
fn model() -> PathBuf {
    let files = std::fs::read_dir(shop::demo().folder.path().join("models")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let is_model = |path: &PathBuf| path.extension().is_some_and(|end| end == "snapshot");
    paths.filter(is_model).max().unwrap()
}

/// Resident memory of a mapping, its share of it, and what is private and written.
#[cfg(target_os = "linux")]
fn memory(process: &Value) -> [f64; 3] {
    ["resident_bytes", "share_bytes", "private_dirty_bytes"]
        .map(|field| process[field].as_f64().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn two_processes_have_a_model_in_memory_once() {
    let arguments = "bench scale --items 2000 --interactions-per-item 30 --json";
    let told = Program::new().run(arguments).succeeded();
    let sizes: Value = serde_json::from_str(&told).unwrap();
    let opening = &sizes[0]["opening"];
    assert_eq!(opening["items"], 2000);
    let file_bytes = opening["file_bytes"].as_f64().unwrap();
    let processes = opening["processes"].as_array().unwrap();
    assert_eq!(processes.len(), 2);
    for process in processes {
        let [resident, share, written] = memory(process);
        // Pages and headers are rounded up.
        assert!(resident >= file_bytes && resident < file_bytes + 1e5, "{opening}");
        assert!((0.4..0.6).contains(&(share / resident)), "{opening}");
        assert_eq!(written, 0.0, "{opening}");
    }
}

#[test]
fn a_model_is_opened_many_times() {
    let path = model();
    let program = Program::new();
    let table = program.run(&format!("bench open {}", path.display())).succeeded();
    assert!(table.contains("opened 21 times, checksums aside: median "), "{table}");
    let told = program.run(&format!("bench open {} --times 3 --json", path.display()));
    let opening: Value = serde_json::from_str(&told.succeeded()).unwrap();
    assert_eq!(opening["opens"], 3);
    assert_eq!(opening["file_bytes"], path.metadata().unwrap().len());
    let [first, median, slowest] =
        ["first_ms", "median_ms", "slowest_ms"].map(|field| opening[field].as_f64().unwrap());
    assert!(0.0 < median && median <= slowest && first <= slowest, "{opening}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_has_another_file_open_is_not_told_to_share_nothing() {
    let this = std::process::id();
    let arguments = format!("bench open {} --beside {this}", model().display());
    let told = Program::new().run(&arguments).failed(1);
    assert!(told.contains("is another file than a moment ago"), "{told}");
}

#[test]
fn what_is_no_model_is_refused_with_its_name() {
    let program = Program::new();
    let failed = |arguments: &str| program.run(&format!("bench open {arguments}")).failed(1);
    let missing = failed("no-such-file");
    assert!(missing.starts_with("error: cannot open the model no-such-file: "), "{missing}");
    let path = program.folder.path().join("odd");
    std::fs::write(&path, "These are no numbers.").unwrap();
    let odd = failed(&path.display().to_string());
    assert!(odd.contains("not a snapshot: file begins with These ar"), "{odd}");
    let mut bytes = std::fs::read(model()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let damaged = failed(&path.display().to_string());
    assert!(damaged.contains("of snapshot has checksum"), "{damaged}");
    for times in ["0", "10001", "1000000000000000000"] {
        let told = program.run(&format!("bench open x --times {times}")).failed(2);
        assert!(told.contains("is not in 1..=10000"), "{told}");
    }
}
