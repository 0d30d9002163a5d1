//! What was left out, and why.
//!
//! A test that cannot run appends a line `tool: NAME: REASON`, `extra: NAME: REASON` or
//! `data: NAME: REASON` to the file that the environment variable `FOREWORD_SKIP_LOG` names.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// One thing that was left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Skip {
    /// What was missing.
    pub(crate) missing: Missing,
    /// The name of the test or check.
    pub(crate) name: String,
    /// Why it could not run.
    pub(crate) reason: String,
}

/// What a test or check needed and did not find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Missing {
    /// A program or package, which continuous integration must have.
    Tool,
    /// A program that a check is repeated with, such as a third shell: good to have.
    Extra,
    /// Data that is not part of the repository.
    Data,
}

impl Skip {
    /// A skip for want of a tool.
    pub(crate) fn tool(name: &str, reason: impl fmt::Display) -> Self {
        Self { missing: Missing::Tool, name: name.to_owned(), reason: reason.to_string() }
    }

    /// A skip for want of a program that is good to have.
    fn extra(name: &str, reason: impl fmt::Display) -> Self {
        Self { missing: Missing::Extra, name: name.to_owned(), reason: reason.to_string() }
    }

    /// A skip for want of data.
    pub(crate) fn data(name: &str, reason: impl fmt::Display) -> Self {
        Self { missing: Missing::Data, name: name.to_owned(), reason: reason.to_string() }
    }

    /// Reads one line of the log. A line that is not of its form counts as a missing
    /// tool, so that a slip of the pen cannot hide a test.
    fn parse(line: &str) -> Self {
        let mut parts = line.splitn(3, ':').map(str::trim);
        match (parts.next(), parts.next(), parts.next()) {
            (Some("tool"), Some(name), Some(reason)) => Self::tool(name, reason),
            (Some("extra"), Some(name), Some(reason)) => Self::extra(name, reason),
            (Some("data"), Some(name), Some(reason)) => Self::data(name, reason),
            _ => Self::tool(line, "not of the form `tool: NAME: REASON`"),
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = match self.missing {
            Missing::Tool => "tool",
            Missing::Extra => "extra",
            Missing::Data => "data",
        };
        write!(formatter, "{missing}: {}: {}", self.name, self.reason)
    }
}

/// Reads a skip log, without repetitions; empty if nobody wrote one.
///
/// # Errors
///
/// If there is a log that cannot be read.
pub(crate) fn read_log(path: &Path) -> io::Result<Vec<Skip>> {
    let log = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        log => log?,
    };
    let mut skips: Vec<Skip> =
        log.lines().filter(|line| !line.trim().is_empty()).map(Skip::parse).collect();
    skips.sort();
    skips.dedup();
    Ok(skips)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_names_each_skip_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("skips");
        assert_eq!(read_log(&path).expect("no log is an empty log"), []);

        let log = "data: real data: no books.csv: at all\n\ntool: grpc: no Python\n\
                   extra: shell: no zsh\ntool: grpc: no Python\nforgot the form\n";
        fs::write(&path, log).expect("a log");
        assert_eq!(
            read_log(&path).expect("a log"),
            [
                Skip::tool("forgot the form", "not of the form `tool: NAME: REASON`"),
                Skip::tool("grpc", "no Python"),
                Skip::extra("shell", "no zsh"),
                Skip::data("real data", "no books.csv: at all"),
            ]
        );
    }
}
