//! The workspace as Cargo sees it.

use std::path::{Path, PathBuf};

use cargo_metadata::{MetadataCommand, Package};

/// Where things are, and which crates there are.
pub(crate) struct Workspace {
    /// The folder of the root manifest.
    pub(crate) root: PathBuf,
    /// The folder that builds write to.
    pub(crate) target: PathBuf,
    /// The crates of the workspace.
    pub(crate) members: Vec<Package>,
}

impl Workspace {
    /// Asks Cargo for the workspace around the current folder.
    ///
    /// # Errors
    ///
    /// If there is none, or a manifest is not valid.
    pub(crate) fn find() -> anyhow::Result<Self> {
        // Without dependencies: nothing is resolved, so nothing is downloaded.
        let metadata = MetadataCommand::new().no_deps().exec()?;
        Ok(Self {
            root: metadata.workspace_root.into(),
            target: metadata.target_directory.into(),
            members: metadata.packages,
        })
    }

    /// The file or folder at this path below the root.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }
}
