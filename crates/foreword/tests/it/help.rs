//! Help texts, as snapshots.

use crate::program::Program;

fn check(arguments: &str) {
    let mut command = Program::new().command(arguments);
    // The width of a terminal decides where lines break.
    let output = command.env("COLUMNS", "100").output().unwrap();
    let name = format!("help {}", arguments.replace(" --help", "").replace("--help", "foreword"));
    insta::assert_snapshot!(name.replace(' ', "_"), String::from_utf8(output.stdout).unwrap());
}

#[test]
fn every_command_explains_itself() {
    check("--help");
    check("demo --help");
    check("serve --help");
    check("marketplace --help");
    check("import --help");
    check("import goodbooks --help");
    check("import csv --help");
    check("import goodreads --help");
    check("train --help");
    check("tune --help");
    check("recommend --help");
    check("evaluate --help");
    check("compare --help");
    check("bench --help");
    check("bench events --help");
    check("bench load --help");
    check("bench open --help");
    check("bench retrain --help");
    check("bench scale --help");
    check("bench shop --help");
    check("bench users --help");
    check("keys --help");
    check("keys create --help");
    check("keys list --help");
    check("keys revoke --help");
    check("backup --help");
    check("restore --help");
    check("migrate --help");
    check("compact --help");
    check("certs --help");
    check("completions --help");
    check("man --help");
}

#[test]
fn the_settings_are_printed_with_their_meaning() {
    let printed = Program::new().run("serve --print-config").succeeded();
    assert!(printed.contains("# k: how many books a book's score is explained by.\nneighbours = "));
    assert!(printed.contains("[marketplace]\n# Where the shop listens"));
}
