//! Programs that Debian has packages of.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use crate::process::{self, command, run};
use crate::python::succeeds;
use crate::workspace::Workspace;

/// Sees to it that there is a program; where it is.
pub(crate) fn have(workspace: &Workspace, program: &str, package: &str) -> anyhow::Result<PathBuf> {
    if find(program).is_none() && may_install_debian_packages() {
        install_debian_package(workspace, package)?;
    }
    find(program).with_context(|| format!("there is no {program}"))
}

/// A program by its name, where programs are looked for.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The same of a program whose package would start a service: taken out of the package, which is
/// not installed.
///
/// # Errors
///
/// If it is missing, and the package cannot be had.
pub(crate) fn have_unpacked(
    workspace: &Workspace,
    program: &str,
    package: &str,
) -> anyhow::Result<PathBuf> {
    let folder = workspace.target.join("debian").join(package);
    let unpacked = folder.join("usr/bin").join(program);
    if let Some(found) = find(program).or_else(|| unpacked.is_file().then(|| unpacked.clone())) {
        return Ok(found);
    }
    if !succeeds(Command::new("apt-get").arg("--version")) {
        anyhow::bail!("there is no {program}");
    }
    std::fs::create_dir_all(&folder)?;
    if may_install_debian_packages() {
        run(&mut command(workspace, "apt-get".as_ref(), "update --quiet"))?;
    }
    let mut download = command(workspace, "apt-get".as_ref(), "download --quiet");
    run(download.arg(package).current_dir(&folder))?;
    for archive in std::fs::read_dir(&folder)? {
        let archive = archive?.path();
        if archive.extension().is_some_and(|extension| extension == "deb") {
            let mut unpack = command(workspace, "dpkg-deb".as_ref(), "--extract");
            run(unpack.arg(&archive).arg(&folder))?;
        }
    }
    unpacked.is_file().then_some(unpacked).with_context(|| format!("no {program} in {package}"))
}

/// Installs a package of Debian; for where [`may_install_debian_packages`].
pub(crate) fn install_debian_package(workspace: &Workspace, name: &str) -> anyhow::Result<()> {
    for arguments in ["update --quiet", &format!("install --quiet --yes {name}")] {
        let mut command = process::command(workspace, "apt-get".as_ref(), arguments);
        process::run(command.env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(())
}

/// Whether this is Debian or a descendant, and we are root.
pub(crate) fn may_install_debian_packages() -> bool {
    is_root() && succeeds(Command::new("apt-get").arg("--version"))
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    let user = Command::new("id").arg("-u").output();
    user.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
