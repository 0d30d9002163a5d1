//! `cargo xtask soak`: what takes too long for every change.

use std::process::ExitCode;

use crate::process::{cargo, run};
use crate::report::{MissingTools, Report};
use crate::suite;
use crate::workspace::Workspace;

/// Runs the ignored tests with full optimisation, then all benches.
pub(crate) fn soak(workspace: &Workspace) -> ExitCode {
    let mut report = Report::new(MissingTools::from_environment());
    let python = suite::prepare_python(workspace, &mut report);
    report.skippable("tests of real size", |skips| {
        suite::test(workspace, python.as_ref(), "--release -- --ignored", skips)
    });
    report.step("benches", || run(&mut cargo(workspace, "bench --workspace --locked")));
    report.finish()
}
