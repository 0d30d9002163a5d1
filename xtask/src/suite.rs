//! Runs the workspace's tests, with what they are promised in their environment.
//!
//! `FOREWORD_TEST_PYTHON` is a Python with grpcio, grpcio-tools and
//! grpcio-reflection, `FOREWORD_TEST_PYTHON_CLIENT` the same with what the Python client is tested
//! with, `FOREWORD_TEST_SCHEMATHESIS` a schemathesis; `FOREWORD_TEST_TYPESCRIPT` is the example in
//! TypeScript, built; `FOREWORD_TEST_POSTGRES` a server of PostgreSQL that runs meanwhile;
//! `FOREWORD_TEST_CHROMIUM` a browser, and `FOREWORD_TEST_PACKAGES` the npm packages that drive it;
//! `FOREWORD_SKIP_LOG` is where tests say what they left out.

use std::fs;
use std::process::Command;

use testbed::postgres::POSTGRES_VARIABLE;

use crate::browser::Browser;
use crate::postgres;
use crate::process::{cargo, run};
use crate::python::{Addition, Environment};
use crate::report::{Ran, Report};
use crate::skip::{self, Skip};
use crate::typescript;
use crate::workspace::Workspace;

/// Runs `cargo test` with these arguments, and adds what the tests left out.
///
/// # Errors
///
/// If a test fails, or the skip log cannot be read.
pub(crate) fn test(
    workspace: &Workspace,
    python: Option<&Environment>,
    arguments: &str,
    skips: &mut Vec<Skip>,
) -> anyhow::Result<Ran> {
    let mut command = cargo(workspace, "test --workspace --locked --no-fail-fast");
    command.args(arguments.split_whitespace());
    if let Some(python) = python {
        command.env("FOREWORD_TEST_PYTHON", python.python());
        match python.add(workspace, Addition::Client) {
            Ok(()) => {
                command.env("FOREWORD_TEST_PYTHON_CLIENT", python.python());
            }
            Err(error) => skips.push(Skip::tool("Python client", format!("{error:#}"))),
        }
        match python.add(workspace, Addition::OpenApi) {
            Ok(()) => {
                command.env("FOREWORD_TEST_SCHEMATHESIS", python.program("schemathesis"));
            }
            Err(error) => skips.push(Skip::tool("schemathesis", format!("{error:#}"))),
        }
    }
    match Browser::prepare(workspace) {
        Ok(browser) => {
            command.env("FOREWORD_TEST_CHROMIUM", browser.chromium);
            command.env("FOREWORD_TEST_PACKAGES", browser.packages);
        }
        Err(error) => skips.push(Skip::tool("browser", format!("{error:#}"))),
    }
    // What does not build is a failure, after everything else was tested.
    let built = add_typescript(workspace, python, &mut command, skips);
    let ran = run_with_database(workspace, command, skips)?;
    built.map(|()| ran)
}

/// Runs those tests that need nothing but a database, by the arguments of `cargo test`.
///
/// # Errors
///
/// As [`test()`].
pub(crate) fn with_database(
    workspace: &Workspace,
    arguments: &str,
    skips: &mut Vec<Skip>,
) -> anyhow::Result<Ran> {
    let mut command = cargo(workspace, "test --locked");
    command.args(arguments.split_whitespace());
    run_with_database(workspace, command, skips)
}

fn run_with_database(
    workspace: &Workspace,
    mut command: Command,
    skips: &mut Vec<Skip>,
) -> anyhow::Result<Ran> {
    let log = workspace.target.join("skipped-tests.log");
    fs::write(&log, "")?;
    command.env("FOREWORD_SKIP_LOG", &log);
    let cluster = postgres::start(workspace, skips);
    if let Some(cluster) = &cluster {
        command.env(POSTGRES_VARIABLE, cluster.url("postgres"));
    }
    let result = run(&mut command);
    skips.extend(skip::read_log(&log)?);
    result.map(|()| Ran::Yes)
}

/// Builds the example in TypeScript for the tests. Its buf comes with the Python environment.
///
/// # Errors
///
/// If it does not build; what cannot be had is a skip.
fn add_typescript(
    workspace: &Workspace,
    python: Option<&Environment>,
    command: &mut Command,
    skips: &mut Vec<Skip>,
) -> anyhow::Result<()> {
    let Some(python) = python else { return Ok(()) };
    match typescript::prepare(workspace) {
        Ok(folder) => {
            let script = typescript::build(workspace, python, &folder)?;
            command.env("FOREWORD_TEST_TYPESCRIPT", script);
        }
        Err(error) => skips.push(Skip::tool("TypeScript", format!("{error:#}"))),
    }
    Ok(())
}

/// Prepares the Python environment, as the first step; without one, says so.
pub(crate) fn prepare_python(workspace: &Workspace, report: &mut Report) -> Option<Environment> {
    let mut python = None;
    report.skippable("python environment", |skips| match Environment::prepare(workspace) {
        Ok(environment) => {
            python = Some(environment);
            Ok(Ran::Yes)
        }
        Err(error) => {
            skips.push(Skip::tool("python", format!("{error:#}")));
            Ok(Ran::No)
        }
    });
    python
}
