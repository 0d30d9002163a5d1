//! The image that is shipped: the program, authorities of certificates, and nothing else.
//!
//! No base image is fetched, and no daemon runs: buildah puts a static program into an empty image,
//! keeps images in a folder of its own under the target folder, and starts the result.

mod build;
mod trial;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::workspace::Workspace;

/// The most bytes of an image's files.
const BYTES_MAX: u64 = 40_000_000;

/// Builds the program and the image, holds it to its size, and tries it. With `program`, that one is
/// put into the image instead.
///
/// # Errors
///
/// If it cannot be built, is too large, or does not start and stop as it should.
pub(crate) fn image(workspace: &Workspace, program: Option<PathBuf>) -> anyhow::Result<()> {
    let folder = workspace.target.join("image");
    fs::create_dir_all(&folder)?;
    let program = match program {
        Some(program) => program,
        None => build::program(workspace, &folder)?,
    };
    let buildah = Buildah { workspace, folder: folder.clone() };
    // Nothing is left of an earlier run.
    buildah.say(&mut buildah.command("rm --all"))?;
    buildah.say(&mut buildah.command("rmi --all --force"))?;
    let image = build::image(&buildah, &program)?;
    let archive = fs::metadata(&image.archive)?.len();
    println!(
        "{}: {} bytes of files, {archive} bytes as {}",
        image.name,
        image.bytes,
        image.archive.display()
    );
    ensure!(image.bytes <= BYTES_MAX, "found {} bytes, expected {BYTES_MAX} at most", image.bytes);
    trial::start_and_stop(&buildah, &image.name)
}

/// Buildah with images and containers in a folder of its own.
struct Buildah<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
}

impl Buildah<'_> {
    fn command(&self, arguments: &str) -> std::process::Command {
        let mut command = crate::process::command(self.workspace, Path::new("buildah"), "");
        command.args(["--storage-driver", "vfs", "--root"]).arg(self.folder.join("storage"));
        command.arg("--runroot").arg(self.folder.join("run")).args(arguments.split_whitespace());
        command.env("BUILDAH_ISOLATION", "chroot");
        command
    }

    /// Runs a command to its end; what it says, without the end of the line.
    fn say(&self, command: &mut std::process::Command) -> anyhow::Result<String> {
        let output = command.stderr(std::process::Stdio::inherit()).output()?;
        ensure!(output.status.success(), "buildah: {}", output.status);
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }
}
