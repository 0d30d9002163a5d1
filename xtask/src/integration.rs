//! `cargo xtask integration`: every scene of the services together.

use std::process::ExitCode;

use crate::report::{MissingTools, Report};
use crate::suite;
use crate::workspace::Workspace;

/// The tests that are scenes.
pub(crate) const SCENES: &str = "together::";

/// Plays them one after the other, with full optimisation; each prints what came of it.
pub(crate) fn integration(workspace: &Workspace) -> ExitCode {
    let mut report = Report::new(MissingTools::from_environment());
    step(workspace, &mut report);
    report.finish()
}

/// The same as a step of others.
pub(crate) fn step(workspace: &Workspace, report: &mut Report) {
    let arguments = format!(
        "--release -p foreword --test it -- {SCENES} --include-ignored --test-threads=1 --nocapture"
    );
    report
        .skippable("services together", |skips| suite::with_database(workspace, &arguments, skips));
}
