//! The Python environment of the peers: a folder of its own, with exactly what the requirement
//! files pin. A copy of each file inside it, written last, says that it is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::child;

/// How long one step may take: a slow connection has to fetch about 150 MB.
const STEP_LIMIT: Duration = Duration::from_secs(1800);

/// Packages that are installed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// numpy and scipy, which all others need.
    Numpy,
    /// `implicit`.
    Implicit,
    /// `sansa`.
    Sansa,
}

impl Group {
    fn name(self) -> &'static str {
        match self {
            Self::Numpy => "requirements-numpy.txt",
            Self::Implicit => "requirements-implicit.txt",
            Self::Sansa => "requirements-sansa.txt",
        }
    }

    fn requirements(self) -> &'static str {
        match self {
            Self::Numpy => include_str!("../../peers/requirements-numpy.txt"),
            Self::Implicit => include_str!("../../peers/requirements-implicit.txt"),
            Self::Sansa => include_str!("../../peers/requirements-sansa.txt"),
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Numpy => "Python 3.11 or newer and a package index are needed",
            Self::Implicit => "a package index and a ready-made package for this system are needed",
            Self::Sansa => {
                "it is built with a C compiler against SuiteSparse (Debian: apt-get install gcc python3-dev libsuitesparse-dev libopenblas0-pthread)"
            }
        }
    }
}

/// A virtual environment.
pub(super) struct Environment<'a> {
    folder: PathBuf,
    cancelled: &'a AtomicBool,
}

impl<'a> Environment<'a> {
    /// Makes the environment in a folder, unless it is there.
    ///
    /// # Errors
    ///
    /// If there is no usable Python, or `cancelled` became true.
    pub(super) fn prepare(folder: &Path, cancelled: &'a AtomicBool) -> Result<Self> {
        // A relative program would be looked for from the child's folder.
        let folder = std::path::absolute(folder)?;
        let environment = Self { folder, cancelled };
        if environment.run(environment.python().arg("--version")).is_err() {
            let mut create = Command::new("python3");
            environment
                .run(create.args(["-m", "venv", "--clear"]).arg(&environment.folder))
                .context(
                    "cannot make a Python environment (Debian: apt-get install python3-venv)",
                )?;
        }
        Ok(environment)
    }

    /// Installs a group of packages, unless that has been done.
    ///
    /// # Errors
    ///
    /// If they cannot be had, or `cancelled` became true.
    pub(super) fn install(&self, group: Group) -> Result<()> {
        let stamp = self.folder.join(format!("installed-{}", group.name()));
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == group.requirements()) {
            return Ok(());
        }
        let file = self.folder.join(group.name());
        fs::write(&file, group.requirements())
            .with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = self.python();
        command
            .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"])
            // Ready-made packages, apart from those that a file excepts.
            .args(["--only-binary", ":all:", "--requirement"])
            .arg(&file);
        self.run(&mut command)
            .with_context(|| format!("cannot install Python packages; {}", group.advice()))?;
        fs::write(&stamp, group.requirements())
            .with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(())
    }

    /// The environment's Python, away from what else this machine has of it.
    pub(super) fn python(&self) -> Command {
        let mut command = Command::new(self.folder.join("bin").join("python"));
        command.env("PYTHONNOUSERSITE", "1").env_remove("PYTHONPATH").env_remove("PYTHONHOME");
        command
    }

    fn run(&self, command: &mut Command) -> Result<(), child::ChildError> {
        child::run(command, STEP_LIMIT, self.cancelled, |_| {})
    }
}
