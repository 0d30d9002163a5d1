//! Settings as an operator meets them: flags, variables and files, and what `--check-config` says.

use std::fs;

use crate::program::{Program, Ran};

/// The outcome of `serve --check-config` with this file, these variables and arguments.
fn check_config(file: &str, variables: &[(&str, &str)], arguments: &str) -> Ran {
    let program = Program::new();
    let path = program.folder.path().join("settings.toml");
    fs::write(&path, file).unwrap();
    let config = format!("--config {} {arguments} serve --check-config", path.display());
    let mut command = program.command(&config);
    command.env_remove("FOREWORD_ADMIN__LISTEN").envs(variables.iter().copied());
    Ran::new(&command.output().unwrap(), program.folder.path())
}

#[test]
fn what_differs_from_the_defaults_is_shown_with_its_source() {
    let file = "[train]\nneighbours = 210\nthreads = 2\nrow_entries = 600\n";
    let variables = [("FOREWORD_TRAIN__THREADS", "3"), ("FOREWORD_MODELS__KEEP", "4")];
    let ran = check_config(file, &variables, "--set models.keep=5");
    // The width of the columns is that of a folder's name.
    let rows: Vec<String> = ran
        .succeeded()
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.starts_with(['─', '═']))
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    key value from
    models.keep 5 --set
    train.neighbours 210 DATA/settings.toml:2
    train.threads 3 FOREWORD_TRAIN__THREADS
    settings are fine
    ");
    insta::assert_snapshot!(check_config("", &[], "").succeeded(), @r"
    every setting has its default
    settings are fine
    ");
}

#[test]
fn scripts_get_one_document() {
    let program = Program::new();
    let mut command = program.command("--set train.threads=2 serve --check-config --json");
    command.env_remove("FOREWORD_ADMIN__LISTEN");
    let fine = Ran::new(&command.output().unwrap(), program.folder.path()).succeeded();
    let fine: serde_json::Value = serde_json::from_str(&fine).unwrap();
    assert_eq!(fine["fine"], true);
    assert_eq!(fine["changed"][0]["key"], "train.threads");
    assert_eq!(fine["changed"][0]["source"], "--set");
    let bad = program.run("--set train.thread=2 --set a.b=1 serve --check-config --json");
    assert_eq!((bad.code, bad.errors.as_str()), (4, ""));
    let bad: serde_json::Value = serde_json::from_str(&bad.output).unwrap();
    assert_eq!(bad["fine"], false);
    assert_eq!(bad["problems"].as_array().unwrap().len(), 2, "{bad}");
    assert_eq!(program.run("serve --json").code, 2);
    assert_eq!(program.run("serve --check-config --print-config").code, 2);
}

#[test]
fn everything_that_a_start_would_trip_over_is_found() {
    let check = |file: &str, arguments: &str, expected: &str| {
        let errors = check_config(file, &[], arguments).failed(4);
        assert!(errors.contains(expected), "{errors}");
    };
    check(
        "[train]\nneighbour = 3",
        "",
        "unknown key train.neighbour in DATA/settings.toml line 2 (did you mean train.neighbours?)",
    );
    check(
        "[serve]\nlisten = ['0.0.0.0:1']",
        "",
        "addresses: 0.0.0.0:1 can be reached from other machines",
    );
    check(
        "[tls]\ncertificate = '/no/x.pem'\nkey = '/no/x.key'",
        "",
        "certificates: /no/x.pem: cannot be read",
    );
    check("", "--data-dir /dev/null", "data folder: /dev/null is no folder");
}

#[test]
fn bad_settings_have_an_exit_code_of_their_own() {
    let program = Program::new();
    for command in ["train", "recommend --user 1", "serve", "demo", "evaluate --store"] {
        program.run(&format!("--set train.threads=many {command}")).failed(4);
    }
    // What needs no settings does not read them.
    for command in ["completions bash", "man", "serve --print-config"] {
        program.run(&format!("--set train.threads=many {command}")).succeeded();
    }
}

#[test]
fn a_secret_can_come_from_a_file_and_other_variables_are_left_alone() {
    let program = Program::new();
    let path = program.folder.path().join("key");
    fs::write(&path, "/some/server.key\n").unwrap();
    let variables = [("FOREWORD_TLS__KEY_FILE", path.to_str().unwrap())];
    let errors = check_config("", &variables, "").failed(4);
    assert!(errors.contains("tls.certificate is empty, expected a file"), "{errors}");
    // Kubernetes makes these for services of such names.
    let variables = [("FOREWORD_PORT", "tcp://10.0.0.1:1"), ("FOREWORD_SERVE_SERVICE_HOST", "x")];
    check_config("", &variables, "").succeeded();
}
