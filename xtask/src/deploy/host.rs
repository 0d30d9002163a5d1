//! What needs no cluster: the Dockerfile, and the units of systemd.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, ensure};

use crate::debian::have;
use crate::process::{command, run};
use crate::skip::Skip;
use crate::workspace::Workspace;

use super::Tools;

/// How exposed the service may be by what `systemd-analyze security` counts, in tenths: 0 is not at all.
const EXPOSURE_MAX: u32 = 15;

const UNITS: [&str; 2] = ["foreword.service", "foreword.socket"];

/// What else every system has.
const OTHER_UNITS: [&str; 6] = [
    "basic.target",
    "multi-user.target",
    "network-online.target",
    "shutdown.target",
    "sockets.target",
    "sysinit.target",
];
const PROGRAMS: [&str; 2] = ["usr/bin/foreword", "bin/kill"];

pub(super) fn check_dockerfile(workspace: &Workspace, tools: &Tools) -> anyhow::Result<()> {
    run(command(workspace, &tools.program("hadolint"), "--failure-threshold info")
        .arg("deploy/Dockerfile"))
}

/// Holds the units against systemd.
pub(super) fn check_units(workspace: &Workspace, skips: &mut Vec<Skip>) -> anyhow::Result<()> {
    let analyze = match have(workspace, "systemd-analyze", "systemd") {
        Ok(analyze) => analyze,
        Err(error) => {
            skips.push(Skip::tool("systemd-analyze", format!("{error:#}")));
            return Ok(());
        }
    };
    // A system of its own, with what the units speak of.
    let root = tempfile::tempdir()?;
    let units = root.path().join("etc/systemd/system");
    fs::create_dir_all(&units)?;
    for name in UNITS {
        fs::copy(workspace.path("deploy/systemd").join(name), units.join(name)).context(name)?;
    }
    for name in OTHER_UNITS {
        fs::write(units.join(name), "[Unit]\n")?;
    }
    for program in PROGRAMS {
        let program = root.path().join(program);
        fs::create_dir_all(program.parent().context("a program is in a folder")?)?;
        fs::write(&program, "#!/bin/true\n")?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    }
    let mut verify = command(workspace, &analyze, "verify --man=no --generators=no");
    run(verify.arg("--root").arg(root.path()).args(UNITS))?;
    let security = format!("security --offline=true --no-pager --threshold={EXPOSURE_MAX}");
    let mut security = command(workspace, &analyze, &security);
    let output =
        security.arg(units.join(UNITS[0])).output().context("cannot start systemd-analyze")?;
    let table = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{table}{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", table.lines().last().unwrap_or_default());
    Ok(())
}
