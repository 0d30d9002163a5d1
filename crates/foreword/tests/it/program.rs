//! The program under test: the binary, a data folder of its own, a clean environment.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

/// The longest that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// A data folder and the program to use it with.
pub(crate) struct Program {
    pub(crate) folder: TempDir,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The program with these arguments, separated by spaces.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        self.command_of(arguments.split_whitespace())
    }

    pub(crate) fn command_of<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        self.command_by(env!("CARGO_BIN_EXE_foreword"), arguments)
    }

    /// Another program with the same folder and a clean environment.
    pub(crate) fn command_by<'a>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("FOREWORD_") {
                command.env_remove(name);
            }
        }
        // Programs of several tests run at once.
        command.env("FOREWORD_ADMIN__LISTEN", "[]");
        command.env("FOREWORD_DATA_DIR", self.folder.path()).stdin(Stdio::null()).args(arguments);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        Ran::new(&self.command(arguments).output().unwrap(), self.folder.path())
    }

    /// Starts it and reads its output while it runs.
    pub(crate) fn start(&self, arguments: &str) -> Started {
        self.start_with(arguments, &[])
    }

    /// The same, with variables of its own.
    pub(crate) fn start_with(&self, arguments: &str, variables: &[(&str, &str)]) -> Started {
        let mut command = self.command(arguments);
        command.envs(variables.iter().copied());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Started { child, lines }
    }
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ran {
    pub(crate) fn new(output: &Output, folder: &Path) -> Self {
        // Snapshots must not name a folder that is another one in every run.
        let folder = folder.display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder, "DATA");
        Self {
            code: output.status.code().unwrap_or(-1),
            output: text(&output.stdout),
            errors: text(&output.stderr),
        }
    }

    /// The standard output of a run that worked.
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.output
    }

    /// The standard error of a run that ended with this code.
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.errors
    }
}

/// A running program; killed if a test forgets it.
pub(crate) struct Started {
    child: Child,
    lines: Receiver<String>,
}

impl Started {
    /// Everything it wrote up to the first line with this text.
    pub(crate) fn read_until(&self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no {text:?} in {lines:#?}"));
            let found = line.contains(text);
            lines.push(line);
            if found {
                return lines;
            }
        }
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal and returns the exit code.
    pub(crate) fn end_with(self, signal: &str) -> i32 {
        self.end_and_read(signal).0
    }

    /// Sends a signal and returns the exit code, and what it wrote and nobody has read.
    pub(crate) fn end_and_read(mut self, signal: &str) -> (i32, String) {
        let process = self.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        (code, self.lines.iter().collect::<Vec<_>>().join("\n"))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It has ended already, or the test is failing anyway.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
