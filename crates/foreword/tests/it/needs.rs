//! What a test needs that may be missing. A test that cannot run says so: by name, in
//! the file that `FOREWORD_SKIP_LOG` names, which `cargo xtask test` reads.

use std::io::Write;
use std::path::PathBuf;

/// The Python that `cargo xtask test` prepares, with grpcio.
pub(crate) fn python(test: &str) -> Option<PathBuf> {
    let python = std::env::var_os("FOREWORD_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        skip(&format!("tool: {test}: FOREWORD_TEST_PYTHON names no Python with grpcio"));
    }
    python
}

/// The same Python with what the Python client is tested with.
pub(crate) fn python_client(test: &str) -> Option<PathBuf> {
    let python = std::env::var_os("FOREWORD_TEST_PYTHON_CLIENT").map(PathBuf::from);
    if python.is_none() {
        skip(&format!("tool: {test}: FOREWORD_TEST_PYTHON_CLIENT names no Python with pytest"));
    }
    python
}

/// The example in TypeScript that `cargo xtask test` builds.
pub(crate) fn typescript(test: &str) -> Option<PathBuf> {
    let script = std::env::var_os("FOREWORD_TEST_TYPESCRIPT").map(PathBuf::from);
    if script.is_none() {
        skip(&format!("tool: {test}: FOREWORD_TEST_TYPESCRIPT names no example that was built"));
    }
    script
}

/// An example of this crate, which `cargo test` builds beside the tests.
pub(crate) fn example(test: &str, name: &str) -> Option<PathBuf> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_foreword"));
    let example = program.with_file_name("examples").join(name);
    if !example.is_file() {
        skip(&format!("tool: {test}: `cargo build --examples` makes {}", example.display()));
        return None;
    }
    Some(example)
}

/// The schemathesis that `cargo xtask test` installs.
pub(crate) fn schemathesis(test: &str) -> Option<PathBuf> {
    let schemathesis = std::env::var_os("FOREWORD_TEST_SCHEMATHESIS").map(PathBuf::from);
    if schemathesis.is_none() {
        skip(&format!("tool: {test}: FOREWORD_TEST_SCHEMATHESIS names no schemathesis"));
    }
    schemathesis
}

/// The browser and the packages to drive it with, which `cargo xtask test` prepares.
pub(crate) fn browser(test: &str) -> Option<(PathBuf, PathBuf)> {
    let named = |name| std::env::var_os(name).map(PathBuf::from);
    let browser = named("FOREWORD_TEST_CHROMIUM").zip(named("FOREWORD_TEST_PACKAGES"));
    if browser.is_none() {
        skip(&format!("tool: {test}: FOREWORD_TEST_CHROMIUM names no browser"));
    }
    browser
}

/// A folder of the development data, which never lies in the repository.
pub(crate) fn data(test: &str, name: &str) -> Option<PathBuf> {
    let named = std::env::var_os("FOREWORD_TEST_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| repository().join("../shared/data")).join(name);
    if !folder.is_dir() {
        skip(&format!("data: {test}: no folder {}", folder.display()));
        return None;
    }
    Some(folder)
}

/// Whether a program of this machine, good to have for a test, can be run.
pub(crate) fn extra(test: &str, name: &str) -> bool {
    let is_there = std::process::Command::new(name).arg("--version").output().is_ok();
    if !is_there {
        skip(&format!("extra: {test}: there is no {name}"));
    }
    is_there
}

pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn skip(line: &str) {
    eprintln!("skipped: {line}");
    if let Some(log) = std::env::var_os("FOREWORD_SKIP_LOG") {
        let mut file = std::fs::File::options().append(true).create(true).open(log).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}
