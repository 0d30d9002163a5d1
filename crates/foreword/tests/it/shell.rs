//! The program among other programs of a shell: completions, manual pages, colours, exit codes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::needs;
use crate::program::Program;

/// A shell takes the script of its completions.
fn check_syntax(shell: &str, tool: &str, arguments: &[&str]) {
    let program = Program::new();
    let script = program.run(&format!("completions {shell}")).succeeded();
    assert!(script.contains("check-config"), "{script}");
    if !needs::extra(&format!("completions of {shell}"), tool) {
        return;
    }
    let file = program.folder.path().join("completions");
    fs::write(&file, script).unwrap();
    let checked = Command::new(tool).args(arguments).arg(&file).output().unwrap();
    assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
}

#[test]
fn shells_take_their_completions() {
    check_syntax("bash", "bash", &["-n"]);
    check_syntax("zsh", "zsh", &["-n"]);
    check_syntax("fish", "fish", &["--no-execute"]);
    for shell in ["elvish", "powershell"] {
        let script = Program::new().run(&format!("completions {shell}")).succeeded();
        assert!(script.contains("check-config"), "{script}");
    }
}

#[test]
fn every_command_has_a_manual_page_that_is_well_formed() {
    let program = Program::new();
    let folder = program.folder.path().join("man");
    let said = program.run(&format!("man --out {}", folder.display())).succeeded();
    assert_eq!(said, "");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    for command in ["", "-serve", "-bench-load", "-import-csv", "-man"] {
        assert!(names.contains(&format!("foreword{command}.1")), "{names:?}");
    }
    let has_groff = needs::extra("manual pages", "groff");
    for name in &names {
        let page = fs::read_to_string(folder.join(name)).unwrap();
        for section in ["NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES"] {
            let heading = page.lines().any(|line| {
                line.strip_prefix(".SH ").is_some_and(|rest| rest.trim_matches('"') == section)
            });
            assert!(heading, "{name} has no {section}");
        }
        if has_groff {
            check_page(&folder.join(name));
        }
    }
    let printed = program.run("man").succeeded();
    assert_eq!(printed, fs::read_to_string(folder.join("foreword.1")).unwrap());
}

/// groff has no complaint.
fn check_page(page: &Path) {
    let mut groff = Command::new("groff");
    let checked = groff.args(["-man", "-ww", "-z", "-Kutf8", "-Tutf8"]).arg(page).output().unwrap();
    let complaints = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && complaints.is_empty(), "{page:?}: {complaints}");
}

/// Whether the error of a run has colours.
fn is_coloured(variables: &[(&str, &str)], arguments: &str) -> bool {
    let program = Program::new();
    let mut command = program.command(arguments);
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("CLICOLOR");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(!output.stderr.is_empty());
    output.stderr.contains(&0x1b)
}

#[test]
fn colours_are_for_terminals_unless_they_are_asked_for() {
    for arguments in ["train", "--set x=1 train", "no-such-command"] {
        assert!(!is_coloured(&[], arguments), "{arguments}");
        assert!(is_coloured(&[("CLICOLOR_FORCE", "1")], arguments), "{arguments}");
        assert!(!is_coloured(&[("NO_COLOR", "1")], arguments), "{arguments}");
    }
}

#[test]
fn the_exit_codes_of_the_help_are_those_of_the_program() {
    let program = Program::new();
    let help = program.run("--help").succeeded();
    let (_, codes) = help.split_once("Exit codes:\n").unwrap();
    let documented: Vec<i32> =
        codes.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    assert_eq!(documented, [0, 1, 2, 3, 4, 130]);
    let check =
        |arguments: &str, code: i32| assert_eq!(program.run(arguments).code, code, "{arguments}");
    check("--version", 0);
    check("train", 1);
    check("train --no-such-flag", 2);
    check("no-such-command", 2);
    check("", 2);
    check("--set no.such=1 train", 4);
    check("--config /no/such/file train", 4);
}

#[test]
fn what_was_mistyped_is_told_with_what_was_most_likely_meant() {
    let check = |arguments: &str, expected: &str| {
        let errors = Program::new().run(arguments).failed(2);
        assert!(errors.contains(expected), "{errors}");
    };
    check("servee", "'serve'");
    check("serve --lisen x", "'--listen'");
    check("completions bas", "'bash'");
    check("bench lod", "'load'");
}

#[test]
fn errors_say_what_to_do_next() {
    let check = |arguments: &str, code: i32, expected: &str| {
        let errors = Program::new().run(arguments).failed(code);
        assert!(errors.contains(expected), "{errors}");
    };
    let path = "; check the path";
    check("import csv --books /no/a.csv --interactions /no/b.csv", 1, path);
    check("import goodreads /no/file.csv --user ann", 1, path);
    check("import goodbooks /no/folder", 1, "expected the goodbooks-10k files");
    check("evaluate --train /no/file", 1, path);
    check("--data-dir /dev/null train", 1, "`foreword demo` makes one");
    check("--data-dir /dev/null serve", 1, "; a folder is needed there");
    check("serve --listen unix:/no/folder/x", 1, "--listen chooses another address");
    check("bench load --rate 10 --for 1s --to localhost:1", 1, "serve` starts the service");
    check("man --out /dev/null/x", 1, "choose another");
    check("--config /no/file train", 4, "--config or FOREWORD_CONFIG names it");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    check(&format!("serve --listen {address}"), 1, "--listen chooses another address");
}
