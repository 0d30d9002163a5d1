//! Clients that others wrote, against the interop example: grpcio, `buf curl`, a browser.
//!
//! The scripts beside this file do the calling and know what to expect; each starts the example
//! itself. They are tests of a binary of their own, because they need nothing of the crate but
//! its example. More clients take part in `cargo xtask soak`.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn pythons_grpcio_calls_over_plaintext_tls_and_mutual_tls() {
    check("grpcio_client.py", "pythons_grpcio_calls_over_plaintext_tls_and_mutual_tls");
}

#[test]
fn buf_calls_by_reflection_in_grpc_and_grpc_web() {
    check("buf_client.py", "buf_calls_by_reflection_in_grpc_and_grpc_web");
}

#[test]
fn a_browser_calls_from_a_page_of_a_listed_origin_only() {
    check("browser.py", "a_browser_calls_from_a_page_of_a_listed_origin_only");
}

/// Runs a script to its end, which is an error unless every answer was as expected.
fn check(script: &str, test: &str) {
    let Some(python) = python(test) else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let output = Command::new(python)
        .arg(folder.join(script))
        .arg("--server")
        .arg(example("interop"))
        // Nothing is left behind between the sources.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("GRPC_VERBOSITY", "NONE")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// An example of this crate, which Cargo builds along with its tests.
fn example(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let folder = this.ancestors().nth(2).unwrap().join("examples");
    let path = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "no {}: run cargo build -p transport --examples", path.display());
    path
}

/// The Python that `cargo xtask test` prepares, with grpcio and buf. Without it, says so in the
/// file that `FOREWORD_SKIP_LOG` names.
fn python(test: &str) -> Option<PathBuf> {
    let python = std::env::var_os("FOREWORD_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        let line = format!("tool: {test}: FOREWORD_TEST_PYTHON names no Python with grpcio");
        eprintln!("skipped: {line}");
        if let Some(log) = std::env::var_os("FOREWORD_SKIP_LOG") {
            let mut file = File::options().append(true).create(true).open(log).unwrap();
            writeln!(file, "{line}").unwrap();
        }
    }
    python
}
