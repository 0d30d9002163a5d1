//! The example in TypeScript: its packages, its types made from the protos, and itself, checked by tsc.
//!
//! It is built in a copy below the target folder, so that no packages lie between the sources.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::codegen::PROTO_FOLDER;
use crate::debian::have;
use crate::process::{command, run};
use crate::python::Environment;
use crate::workspace::Workspace;

const FOLDER: &str = "clients/typescript";

/// Everything that is copied.
const FILES: [&str; 5] =
    ["package.json", "package-lock.json", "tsconfig.json", "buf.gen.yaml", "src/shelf.ts"];

/// Copies the example and installs its packages, unless that has been done; its folder.
///
/// # Errors
///
/// If node or npm is missing, or packages cannot be installed.
pub(crate) fn prepare(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    have(workspace, "node", "nodejs")?;
    have(workspace, "npm", "npm")?;
    let folder = workspace.target.join("typescript");
    fs::create_dir_all(folder.join("src"))?;
    for name in FILES {
        let from = workspace.path(FOLDER).join(name);
        fs::copy(from, folder.join(name)).with_context(|| name.to_owned())?;
    }
    let lock = fs::read(folder.join("package-lock.json"))?;
    if !fs::read(folder.join("installed")).is_ok_and(|installed| installed == lock) {
        let mut npm =
            command(workspace, "npm".as_ref(), "ci --ignore-scripts --no-audit --no-fund");
        run(npm.current_dir(&folder)).context("cannot install npm packages")?;
        fs::write(folder.join("installed"), lock)?;
    }
    Ok(folder)
}

/// Builds the example, with the buf of the Python environment; the script that node runs.
///
/// # Errors
///
/// If the protos do not compile, or the types do not fit.
pub(crate) fn build(
    workspace: &Workspace,
    python: &Environment,
    folder: &Path,
) -> anyhow::Result<PathBuf> {
    let mut path = python.program("").into_os_string();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    let npm = |arguments: &str| {
        let mut npm = command(workspace, "npm".as_ref(), arguments);
        npm.current_dir(folder).env("PATH", &path);
        npm
    };
    // Its own command names the protos as they are seen from the sources.
    let protos = workspace.path(PROTO_FOLDER);
    run(npm("run --silent generate --").arg(protos)).context("cannot make types of the protos")?;
    run(&mut npm("run --silent build")).context("the example in TypeScript does not build")?;
    Ok(folder.join("dist/shelf.js"))
}
