//! `cargo xtask soak`: what takes too long for every change.

use std::process::ExitCode;

use crate::clients;
use crate::process::{cargo, command, run};
use crate::report::{MissingTools, Ran, Report};
use crate::skip::Skip;
use crate::suite;
use crate::workspace::Workspace;

/// What miri can run of `unstall`: jobs on a lane, without the watchdog, which reads `/proc`.
const UNDER_MIRI: &str =
    "+nightly miri test -p unstall --lib -- job:: watchdog::clock grpc::timeout";

/// Runs the ignored tests with full optimisation, clients that others wrote, miri, the gates of
/// `unstall` with their long runs, and all benches.
pub(crate) fn soak(workspace: &Workspace) -> ExitCode {
    let mut report = Report::new(MissingTools::from_environment());
    let python = suite::prepare_python(workspace, &mut report);
    report.skippable("tests of real size", |skips| {
        suite::test(workspace, python.as_ref(), "--release -- --ignored", skips)
    });
    report.skippable("interop", |skips| clients::interop(workspace, python.as_ref(), skips));
    report.skippable("behind envoy", |skips| clients::envoy(workspace, python.as_ref(), skips));
    report.skippable("miri", |skips| miri(workspace, skips));
    report.step("gates of unstall", || {
        let mut gates =
            cargo(workspace, "run --release --locked -p unstall --example gates -- --long");
        if let Some(python) = &python {
            gates.env("FOREWORD_TEST_PYTHON", python.python());
        }
        run(&mut gates)
    });
    report.step("benches", || run(&mut cargo(workspace, "bench --workspace --locked")));
    report.finish()
}

/// Runs the tests of jobs under miri, which finds undefined behaviour and leaks.
fn miri(workspace: &Workspace, skips: &mut Vec<Skip>) -> anyhow::Result<Ran> {
    let with_nightly = |arguments: &str| {
        let mut cargo = command(workspace, "cargo".as_ref(), arguments);
        cargo.env("MIRIFLAGS", "-Zmiri-disable-isolation");
        cargo
    };
    if run(&mut with_nightly("+nightly miri --version")).is_err() {
        skips.push(Skip::tool("miri", "there is no nightly toolchain with miri and rust-src"));
        return Ok(Ran::No);
    }
    run(&mut with_nightly(UNDER_MIRI))?;
    Ok(Ran::Yes)
}
