//! A static program, and an image with it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::process::{cargo, command, run};
use crate::python::succeeds;
use crate::workspace::Workspace;

use super::Buildah;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Writes into the program what it was built of, for scanners of known vulnerabilities.
const AUDITABLE: &str = "cargo-auditable";
const AUDITABLE_VERSION: &str = "0.7.7";

/// Whose certificates the program trusts where nobody says whose: a database, a collector of traces.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Whoever the program is in a container; also in the chart.
const USER: &str = "65532:65532";

/// An image, and what it has.
pub(super) struct Image {
    pub(super) name: String,
    /// Of all its files.
    pub(super) bytes: u64,
    pub(super) archive: PathBuf,
}

/// Builds the program, linked to nothing; what debuggers want goes into a file beside it.
pub(super) fn program(workspace: &Workspace, folder: &Path) -> anyhow::Result<PathBuf> {
    let tools = folder.join("tools");
    let auditable = tools.join("bin").join(AUDITABLE);
    if !succeeds(command(workspace, &auditable, "auditable --version").env("RUSTFLAGS", "")) {
        let install = "install --quiet --locked --version";
        let mut install = cargo(workspace, install);
        run(install.args([AUDITABLE_VERSION, AUDITABLE, "--root"]).arg(&tools))?;
    }
    let arguments = "auditable build --profile dist --locked --package foreword --target";
    let mut build = command(workspace, &auditable, arguments);
    run(build.arg(TARGET).env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    let built = workspace.target.join(TARGET).join("dist/foreword");
    let (program, debug) = (folder.join("foreword"), folder.join("foreword.debug"));
    let objcopy = |arguments: &str| command(workspace, "objcopy".as_ref(), arguments);
    run(objcopy("--only-keep-debug").args([&built, &debug]))?;
    run(objcopy("--strip-debug").args([&built, &program]))?;
    check(workspace, &program)?;
    Ok(program)
}

/// Whether it is static, and says what it was built of.
fn check(workspace: &Workspace, program: &Path) -> anyhow::Result<()> {
    let headers = |arguments| -> anyhow::Result<String> {
        let output = command(workspace, "readelf".as_ref(), arguments).arg(program).output()?;
        Ok(String::from_utf8(output.stdout)?)
    };
    let is_static = !headers("--program-headers --wide")?.contains("INTERP");
    ensure!(is_static, "{}: found a dynamic loader, expected a static program", program.display());
    let is_auditable = headers("--section-headers --wide")?.contains(".dep-v0");
    ensure!(is_auditable, "{}: expected the section .dep-v0", program.display());
    Ok(())
}

/// Puts a program into an empty image.
pub(super) fn image(buildah: &Buildah<'_>, program: &Path) -> anyhow::Result<Image> {
    let version = env!("CARGO_PKG_VERSION");
    let name = format!("localhost/foreword:{version}");
    let container = buildah.say(&mut buildah.command("from --quiet scratch"))?;
    let mut files = vec![(program, "/foreword", "0755")];
    let authorities = Path::new(AUTHORITIES);
    if authorities.exists() {
        files.push((authorities, AUTHORITIES, "0644"));
    }
    let mut bytes = 0;
    for (from, to, mode) in files {
        bytes += fs::metadata(from).with_context(|| from.display().to_string())?.len();
        let mut copy = buildah.command("copy --quiet --chown 0:0 --chmod");
        buildah.say(copy.args([mode, &container]).arg(from).arg(to))?;
    }
    // Where the data is mounted, for whoever mounts nothing; what it lies in is not the program's.
    let empty = buildah.folder.join("empty");
    fs::create_dir_all(&empty)?;
    for (owner, folder) in [("0:0", "/var/lib"), (USER, "/var/lib/foreword")] {
        let mut copy = buildah.command("copy --quiet --chown");
        buildah.say(copy.args([owner, &container]).arg(&empty).arg(folder))?;
    }

    let mut config = buildah.command("config --env FOREWORD_DATA_DIR=/var/lib/foreword --user");
    config.args([USER, "--entrypoint", r#"["/foreword"]"#]);
    for port in ["50051", "50052", "5000"] {
        config.args(["--port", port]);
    }
    for (label, value) in labels(buildah.workspace, version)? {
        let value = format!("org.opencontainers.image.{label}={value}");
        config.args(["--label", &value, "--annotation", &value]);
    }
    buildah.say(config.arg(&container))?;
    buildah.say(buildah.command("commit --quiet --rm --format oci").args([&container, &name]))?;
    let archive = buildah.folder.join("foreword.oci.tar");
    if archive.exists() {
        fs::remove_file(&archive)?;
    }
    let to = format!("oci-archive:{}", archive.display());
    buildah.say(buildah.command("push --quiet").args([&name, &to]))?;
    Ok(Image { name, bytes, archive })
}

/// Annotations of the OCI that can be known here.
fn labels(workspace: &Workspace, version: &str) -> anyhow::Result<Vec<(&'static str, String)>> {
    let head = command(workspace, "git".as_ref(), "rev-parse HEAD").output()?;
    Ok(vec![
        ("title", "Foreword".to_owned()),
        ("description", "Book recommendations as a service".to_owned()),
        ("licenses", env!("CARGO_PKG_LICENSE").to_owned()),
        ("version", version.to_owned()),
        ("revision", String::from_utf8(head.stdout)?.trim_end().to_owned()),
    ])
}
