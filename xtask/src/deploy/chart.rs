//! The chart, and what it renders.

use std::path::PathBuf;
use std::process::Stdio;

use crate::manifests::{CHART, FOLDER, value_sets};
use crate::process::{command, run};
use crate::workspace::Workspace;

use super::Tools;

/// The version of Kubernetes that manifests are checked for; the chart says from which on it runs.
const KUBERNETES: &str = "1.37";

/// Lints the chart with each set of values, and renders what is told after an installation.
pub(super) fn lint(workspace: &Workspace, tools: &Tools) -> anyhow::Result<()> {
    for set in value_sets(workspace)? {
        let mut helm = command(workspace, tools.helm(), "lint --strict --quiet");
        run(helm.arg(CHART).arg("--values").arg(&set.values))?;
        let mut helm = command(workspace, tools.helm(), "install foreword --dry-run=client");
        run(helm.arg(CHART).arg("--values").arg(&set.values).stdout(Stdio::null()))?;
    }
    Ok(())
}

/// Holds the manifests against the schemas of Kubernetes, and against good practice.
///
/// `kubernetes-validate` passes over kinds that are not of Kubernetes itself.
pub(super) fn check_manifests(workspace: &Workspace, tools: &Tools) -> anyhow::Result<()> {
    let sets = value_sets(workspace)?;
    let manifests: Vec<PathBuf> = sets.into_iter().map(|set| set.manifest).collect();
    let mut validate = command(
        workspace,
        &tools.program("kubernetes-validate"),
        "--strict --quiet --kubernetes-version",
    );
    run(validate.arg(KUBERNETES).args(&manifests))?;
    let checkov = "--quiet --compact --skip-download --framework kubernetes --config-file";
    let mut checkov = command(workspace, &tools.program("checkov"), checkov);
    run(checkov.arg("deploy/checkov.yaml").arg("--directory").arg(FOLDER))
}
