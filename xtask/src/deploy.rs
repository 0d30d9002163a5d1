//! Holds what runs Foreword elsewhere, `deploy/`, against the tools of those who run it.
//!
//! There is no cluster here: what Kubernetes, cert-manager and the Prometheus operator make of the
//! manifests is not tried. `crates/foreword/tests/it/deployed.rs` starts the program as they say.

mod alerts;
mod chart;
mod host;
mod tools;
mod values;

use std::process::ExitCode;

pub(crate) use tools::Tools;

use crate::manifests;
use crate::report::{MissingTools, Ran, Report};
use crate::skip::Skip;
use crate::workspace::Workspace;

/// Runs the checks by themselves.
pub(crate) fn alone(workspace: &Workspace) -> ExitCode {
    let mut report = Report::new(MissingTools::from_environment());
    report.skippable("deployment", |skips| check(workspace, skips));
    report.finish()
}

/// Runs every check whose tool can be had.
///
/// # Errors
///
/// If one fails; those after it do not run then.
pub(crate) fn check(workspace: &Workspace, skips: &mut Vec<Skip>) -> anyhow::Result<Ran> {
    alerts::check(workspace, skips)?;
    host::check_units(workspace, skips)?;
    match Tools::prepare(workspace) {
        Ok(tools) => {
            host::check_dockerfile(workspace, &tools)?;
            chart::lint(workspace, &tools)?;
            manifests::check(workspace, &tools)?;
            values::check(workspace, &tools)?;
            chart::check_manifests(workspace, &tools)?;
        }
        Err(error) => skips.push(Skip::tool("tools of deploy", format!("{error:#}"))),
    }
    Ok(Ran::Yes)
}
