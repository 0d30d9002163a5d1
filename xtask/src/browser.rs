//! A real browser, and what tests drive it with: Chromium, Node.js, and the npm packages that
//! `crates/marketplace/tests/browser/package-lock.json` pins.
//!
//! The packages lie under the target folder. A copy of the lock file beside them, written last,
//! says that they are complete.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::debian::have;
use crate::process::{command, run};
use crate::workspace::Workspace;

const PINNED: &str = "crates/marketplace/tests/browser";

/// A browser and what drives it.
pub(crate) struct Browser {
    /// The program.
    pub(crate) chromium: PathBuf,
    /// The folder of the npm packages.
    pub(crate) packages: PathBuf,
}

impl Browser {
    /// Finds the browser and installs the packages, unless that has been done; on Debian, as root,
    /// installs the browser first where it is missing.
    ///
    /// # Errors
    ///
    /// If something is missing and cannot be installed.
    pub(crate) fn prepare(workspace: &Workspace) -> anyhow::Result<Self> {
        let chromium = have(workspace, "chromium", "chromium")?;
        have(workspace, "node", "nodejs")?;
        have(workspace, "npm", "npm")?;
        let folder = workspace.target.join("browser");
        let pinned = workspace.path(PINNED);
        let lock = read(&pinned.join("package-lock.json"))?;
        if !fs::read(folder.join("installed")).is_ok_and(|installed| installed == lock) {
            install(workspace, &pinned, &folder)?;
            fs::write(folder.join("installed"), lock)?;
        }
        Ok(Self { chromium, packages: folder.join("node_modules") })
    }
}

fn install(workspace: &Workspace, pinned: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(pinned.join(name), folder.join(name)).with_context(|| name.to_owned())?;
    }
    let mut npm = command(workspace, "npm".as_ref(), "ci --ignore-scripts --no-audit --no-fund");
    run(npm.current_dir(folder)).context("cannot install npm packages")
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
