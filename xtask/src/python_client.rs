//! The Python client: its generated part, and its types.
//!
//! What is generated is committed, so that a wheel needs no compiler; protoc comes with the Python
//! environment.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::codegen::PROTO_FOLDER;
use crate::process::{command, run};
use crate::python::{Addition, Environment};
use crate::workspace::Workspace;

const FOLDER: &str = "clients/python";

/// The package, in [`FOLDER`].
const PACKAGE: &str = "src/foreword";

/// Writes the generated part anew.
///
/// # Errors
///
/// If the contract does not compile or a file cannot be written.
pub(crate) fn write(workspace: &Workspace, python: &Environment) -> anyhow::Result<()> {
    let package = workspace.path(FOLDER).join(PACKAGE);
    for path in generated(&package)?.into_keys() {
        fs::remove_file(package.join(path))?;
    }
    generate(workspace, python, &package)
}

/// Compares the generated part with what [`write()`] would write, then holds the whole to its types.
///
/// # Errors
///
/// If something differs, or mypy finds something.
pub(crate) fn check(workspace: &Workspace, python: &Environment) -> anyhow::Result<()> {
    let fresh = tempfile::tempdir()?;
    generate(workspace, python, fresh.path())?;
    let (wanted, committed) =
        (generated(fresh.path())?, generated(&workspace.path(FOLDER).join(PACKAGE))?);
    let stale: Vec<String> = wanted
        .keys()
        .chain(committed.keys().filter(|path| !wanted.contains_key(*path)))
        .filter(|path| wanted.get(*path) != committed.get(*path))
        .map(|path| path.display().to_string())
        .collect();
    ensure!(
        stale.is_empty(),
        "out of date in {FOLDER}: {}; run cargo xtask codegen",
        stale.join(", ")
    );
    python.add(workspace, Addition::Client)?;
    let mut mypy = command(workspace, &python.program("mypy"), "--cache-dir");
    mypy.arg(workspace.target.join("mypy")).current_dir(workspace.path(FOLDER));
    run(&mut mypy)
}

fn generate(workspace: &Workspace, python: &Environment, package: &Path) -> anyhow::Result<()> {
    let mut generate = command(workspace, &python.python(), "clients/python/generate.py");
    run(generate.arg(PROTO_FOLDER).arg(package))
}

/// The generated files of a package: the methods, and the folder of the messages.
fn generated(package: &Path) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut paths = vec![PathBuf::from("_methods.py")];
    for entry in fs::read_dir(package.join("v1")).context("no folder of messages")? {
        let path = Path::new("v1").join(entry?.file_name());
        // Whoever imports the package leaves a folder of compiled files.
        if path.extension().is_some() {
            paths.push(path);
        }
    }
    let read = |path: PathBuf| {
        let contents = fs::read(package.join(&path)).with_context(|| path.display().to_string())?;
        Ok((path, contents))
    };
    paths.into_iter().map(read).collect()
}
