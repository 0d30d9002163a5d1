//! Clients and proxies that others wrote, against `transport`'s interop example.
//!
//! gRPC's own interoperability clients are not packaged; they come out of Debian's source
//! package of gRPC. They are laid out below the target folder once, and a file written last
//! says that they are complete.

mod source;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::process::{cargo, command, run};
use crate::python::{self, Addition, Environment};
use crate::report::Ran;
use crate::skip::{self, Skip};
use crate::workspace::Workspace;

const SCRIPTS: &str = "crates/transport/tests/clients";
const EXAMPLE: &str = "release/examples/interop";

/// What is needed of gRPC's source.
const PARTS: [&str; 3] = [
    "src/python/grpcio_tests/tests/interop",
    "src/python/grpcio_tests/tests_aio/interop",
    "src/proto/grpc/testing",
];

/// What of its protos the clients import.
const PROTOS: [&str; 3] = ["empty", "messages", "test"];

/// Runs gRPC's interoperability clients: every case that needs no account.
pub(crate) fn interop(
    workspace: &Workspace,
    python: Option<&Environment>,
    skips: &mut Vec<Skip>,
) -> anyhow::Result<Ran> {
    let Some(python) = with_more_packages(workspace, python, "interop", skips) else {
        return Ok(Ran::No);
    };
    match lay_out_clients(workspace, python) {
        Ok(folder) => play(workspace, python, "interop.py", &["--client".as_ref(), &folder], skips),
        Err(error) => {
            skips.push(Skip::tool("gRPC's interoperability clients", format!("{error:#}")));
            Ok(Ran::No)
        }
    }
}

/// Runs clients with Envoy between them and the server.
pub(crate) fn envoy(
    workspace: &Workspace,
    python: Option<&Environment>,
    skips: &mut Vec<Skip>,
) -> anyhow::Result<Ran> {
    let Some(python) = with_more_packages(workspace, python, "envoy", skips) else {
        return Ok(Ran::No);
    };
    let has_browser = python::succeeds(Command::new("chromium").arg("--version"));
    if !has_browser && debian::may_install_debian_packages() {
        // Without one the script says what it leaves out.
        let _ = debian::install_debian_package(workspace, "chromium");
    }
    play(workspace, python, "envoy.py", &[], skips)
}

fn with_more_packages<'a>(
    workspace: &Workspace,
    python: Option<&'a Environment>,
    name: &str,
    skips: &mut Vec<Skip>,
) -> Option<&'a Environment> {
    let Some(python) = python else {
        skips.push(Skip::tool(name, "it needs the Python environment, which is missing"));
        return None;
    };
    let added = python.add(workspace, Addition::Soak);
    added.map_err(|error| skips.push(Skip::tool(name, format!("{error:#}")))).ok()?;
    Some(python)
}

/// Builds the example and runs a script against it.
fn play(
    workspace: &Workspace,
    python: &Environment,
    script: &str,
    arguments: &[&Path],
    skips: &mut Vec<Skip>,
) -> anyhow::Result<Ran> {
    run(&mut cargo(workspace, "build --release --locked -p transport --example interop"))?;
    let log = workspace.target.join("skipped-clients.log");
    fs::write(&log, "")?;
    let mut command = command(workspace, &python.python(), "");
    command.arg(Path::new(SCRIPTS).join(script));
    command.arg("--server").arg(workspace.target.join(EXAMPLE)).args(arguments);
    // Nothing is left behind between the sources, and failed handshakes are part of the plan.
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("GRPC_VERBOSITY", "NONE");
    let result = run(command.env("FOREWORD_SKIP_LOG", &log));
    skips.extend(skip::read_log(&log)?);
    result.map(|()| Ran::Yes)
}

/// A folder with the clients, ready to run.
fn lay_out_clients(workspace: &Workspace, python: &Environment) -> anyhow::Result<PathBuf> {
    let folder = workspace.target.join("interop-clients");
    let complete = folder.join("complete");
    if complete.exists() {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let source = folder.join("source");
    fs::create_dir_all(&source)?;
    let archive = source::fetch(workspace, "grpc", &folder.join("apt"))?;
    let mut tar = command(workspace, "tar".as_ref(), "--extract --strip-components=1 --wildcards");
    tar.arg("--file").arg(archive).arg("--directory").arg(&source);
    run(tar.args(PARTS.map(|part| format!("*/{part}"))))?;

    for tests in ["tests", "tests_aio"] {
        let package = folder.join(tests);
        fs::create_dir_all(&package)?;
        // The package's own file loads the runner of gRPC's unit tests.
        fs::write(package.join("__init__.py"), "")?;
        let interop = source.join("src/python/grpcio_tests").join(tests).join("interop");
        fs::rename(interop, package.join("interop"))?;
    }
    let mut protoc = command(
        workspace,
        &python.python(),
        "-m grpc_tools.protoc --proto_path . --python_out .. --grpc_python_out ..",
    );
    protoc.current_dir(&source);
    run(protoc.args(PROTOS.map(|name| format!("{}/{name}.proto", PARTS[2]))))?;
    fs::write(complete, "")?;
    Ok(folder)
}
