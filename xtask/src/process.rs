//! Runs other programs, with their output on the terminal.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::workspace::Workspace;

/// The Cargo that started this program, in the workspace's root; `arguments` are
/// split at spaces.
pub(crate) fn cargo(workspace: &Workspace, arguments: &str) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    command(workspace, cargo.as_ref(), arguments)
}

/// Any program, in the workspace's root; `arguments` are split at spaces.
pub(crate) fn command(workspace: &Workspace, program: &Path, arguments: &str) -> Command {
    let mut command = Command::new(program);
    command.args(arguments.split_whitespace()).current_dir(&workspace.root);
    command
}

/// Runs a command to its end.
///
/// # Errors
///
/// If it cannot be started or does not succeed.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_owned();
    let name = name.display();
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name}: {status}");
    }
    Ok(())
}
