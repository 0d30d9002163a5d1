//! The log of the program: on standard error, whole to the end, in the format that was asked for.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::program::{Program, Ran};

fn run(program: &Program, mut command: Command) -> Ran {
    Ran::new(&command.output().unwrap(), program.folder.path())
}

#[test]
fn what_was_logged_is_there_before_the_error_that_ends_the_program() {
    let program = Program::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut command = program.command(&format!("serve --listen {address}"));
    command.env("FOREWORD_LOG", "loud");
    let errors = run(&program, command).failed(1);
    let lines: Vec<&str> = errors.lines().collect();
    assert!(lines[0].contains("WARN FOREWORD_LOG is left out: \"loud\" is no level"), "{errors}");
    let last = lines.last().unwrap();
    assert!(last.starts_with(&format!("error: cannot listen on {address}")), "{errors}");
    assert!(!errors.contains('\u{1b}'), "{errors}");
}

#[test]
fn bad_levels_in_the_settings_stop_the_start_and_are_named() {
    let program = Program::new();
    let mut command = program.command("serve --listen 127.0.0.1:0");
    command.env("FOREWORD_LOG__LEVELS", "info,access=loud");
    let errors = run(&program, command).failed(4);
    assert!(errors.contains("log.levels is \"info,access=loud\", expected levels"), "{errors}");
}

#[test]
fn json_is_one_object_a_line_from_the_first_to_the_last() {
    let program = Program::new();
    let mut command = program.command("serve --listen 127.0.0.1:0");
    command.env("FOREWORD_LOG__FORMAT", "json");
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut messages = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        for key in ["timestamp", "level", "target", "message"] {
            assert!(line[key].is_string(), "{line}");
        }
        let message = line["message"].as_str().unwrap().to_owned();
        if message == "serving" {
            let id = child.id().to_string();
            assert!(Command::new("kill").arg(id).status().unwrap().success());
        }
        messages.push(message);
    }
    assert!(child.wait().unwrap().success());
    let has = |text: &str| messages.iter().any(|message| message.contains(text));
    assert!(has("serving") && has("stopping"), "{messages:?}");
}

/// A service whose log is read up to the line that says that it serves.
struct Serving {
    child: Child,
    log: Vec<String>,
    _program: Program,
}

impl Serving {
    fn start() -> Self {
        let program = Program::new();
        let mut command = program.command("serve --listen 127.0.0.1:0");
        command.env_remove("FOREWORD_ADMIN__LISTEN");
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = Vec::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok) {
            let is_last = line.contains(" serving ");
            log.push(line);
            if is_last {
                break;
            }
        }
        Self { child, log, _program: program }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has ended already, or the test is over.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn two_services_on_one_machine_do_not_fight_for_the_port_for_operators() {
    let (_one, other) = (Serving::start(), Serving::start());
    let log = other.log.join("\n");
    assert!(log.contains("no port for operators: cannot listen on 127.0.0.1:50052"), "{log}");
    assert!(log.contains(" serving "), "{log}");
}
