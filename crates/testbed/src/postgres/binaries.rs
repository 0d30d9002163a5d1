//! Finds PostgreSQL's programs, and runs the short-lived ones.
//!
//! Distributions keep servers off `PATH`: Debian in a folder for each major version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{PostgresError, VERSION_MIN};
use crate::process;

/// Where Debian and its descendants keep a folder for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// How long `initdb` or `psql` may take, on a busy machine.
const PROGRAM_LIMIT: Duration = Duration::from_secs(60);

/// How much of a complaint is kept, from the end.
const COMPLAINT_CHARS_MAX: usize = 2_000;

/// A folder with `initdb`, `postgres` and `psql`.
#[derive(Clone, Debug)]
pub(super) struct Binaries {
    folder: PathBuf,
}

impl Binaries {
    /// Finds the first place that has a version which will do: what `pg_config` says, Debian's
    /// folders from the newest, then `PATH`.
    pub(super) fn find() -> Result<Self, PostgresError> {
        let mut seen = Vec::new();
        for folder in candidates() {
            match version(&folder) {
                Some(version) if version >= VERSION_MIN => return Ok(Self { folder }),
                Some(version) => seen.push(format!("{version} in {}", folder.display())),
                None => {}
            }
        }
        let reason = if seen.is_empty() {
            format!("initdb, postgres and psql are neither in {DEBIAN} nor in PATH")
        } else {
            format!("found only {}", seen.join(", "))
        };
        Err(PostgresError::Missing { reason })
    }

    /// A command for one of the programs.
    pub(super) fn command(&self, name: &str) -> Command {
        Command::new(self.folder.join(name))
    }

    /// Runs one SQL command on the server with this URL; gives its rows, without decoration.
    pub(super) fn psql(&self, url: &str, sql: &str) -> Result<String, PostgresError> {
        let mut psql = self.command("psql");
        psql.args(["--no-psqlrc", "--no-password", "--quiet", "--tuples-only", "--no-align"]);
        psql.args(["--set", "ON_ERROR_STOP=1", "--command", sql, "--dbname", url]);
        run(psql.env("PGCONNECT_TIMEOUT", "10"))
    }
}

/// Runs a program to its end, and gives what it printed.
pub(super) fn run(command: &mut Command) -> Result<String, PostgresError> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let program = program.display().to_string();
    let output = match process::output(command, PROGRAM_LIMIT) {
        Ok(Some(output)) => output,
        Ok(None) => {
            let (limit, complaint) = (PROGRAM_LIMIT, String::new());
            return Err(PostgresError::TooLong { program, limit, complaint });
        }
        Err(source) => return Err(PostgresError::Run { program, source }),
    };
    if !output.status.success() {
        let complaint = last_of(&String::from_utf8_lossy(&output.stderr));
        return Err(PostgresError::Failed { program, complaint });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// The end of what a program wrote.
pub(super) fn last_of(text: &str) -> String {
    let text = text.trim();
    let skipped = text.chars().count().saturating_sub(COMPLAINT_CHARS_MAX);
    text.chars().skip(skipped).collect()
}

fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(folder) = run(Command::new("pg_config").arg("--bindir")) {
        folders.push(PathBuf::from(folder));
    }
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    folders.extend(versions.into_iter().map(|(_, folder)| folder.join("bin")));
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders
}

/// The major version of the programs in this folder; `None` unless all are there.
fn version(folder: &Path) -> Option<u32> {
    if !["initdb", "psql", "postgres"].iter().all(|name| folder.join(name).is_file()) {
        return None;
    }
    parse_version(&run(Command::new(folder.join("postgres")).arg("--version")).ok()?)
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, and betas such as `18beta1`.
fn parse_version(line: &str) -> Option<u32> {
    let (_, version) = line.split_once("(PostgreSQL) ")?;
    let digits = version.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_postgres_prints() {
        let check = |line: &str, expected| assert_eq!(parse_version(line), expected, "{line}");
        check("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some(15));
        check("postgres (PostgreSQL) 18beta1", Some(18));
        check("postgres (PostgreSQL) 16", Some(16));
        check("postgres (EnterpriseThing) 16", None);
        check("postgres (PostgreSQL) devel", None);
    }

    #[test]
    fn of_a_long_complaint_the_end_is_kept() {
        assert_eq!(last_of(" short \n"), "short");
        let long = format!("{}é", "x".repeat(COMPLAINT_CHARS_MAX));
        assert_eq!(last_of(&long).chars().count(), COMPLAINT_CHARS_MAX);
        assert!(last_of(&long).ends_with('é'));
    }
}
