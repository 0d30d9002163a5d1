//! The folder of certificates, and the ways in which files in it change.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

/// Kubernetes' name for the link to the current version of a volume.
const DATA: &str = "..data";

/// How files are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Written beside and renamed, one after the other.
    Rename,
    /// Emptied and written, one after the other.
    InPlace,
    /// All at once, as Kubernetes does it: each file is a link through `..data`, and that is
    /// replaced. The folder of the version before is removed.
    DataLink,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::Rename, Self::InPlace, Self::DataLink];
}

/// A folder with the files of a server.
pub(crate) struct Volume {
    folder: TempDir,
    versions: AtomicU64,
}

impl Volume {
    pub(crate) fn new(folder: TempDir) -> Self {
        Self { folder, versions: AtomicU64::new(0) }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes all files for the first time.
    pub(crate) fn begin(&self, files: &[(&str, &str)]) -> io::Result<()> {
        files.iter().try_for_each(|(name, text)| fs::write(self.path().join(name), text))
    }

    /// Replaces some of the files.
    pub(crate) fn put(&self, way: Way, files: &[(&str, &str)]) -> io::Result<()> {
        match way {
            Way::Rename => files.iter().try_for_each(|(name, text)| self.rename(name, text)),
            Way::InPlace => self.begin(files),
            Way::DataLink => self.publish(files),
        }
    }

    fn rename(&self, name: &str, text: &str) -> io::Result<()> {
        let new = self.path().join(format!("{name}.new"));
        fs::write(&new, text)?;
        fs::rename(new, self.path().join(name))
    }

    fn publish(&self, files: &[(&str, &str)]) -> io::Result<()> {
        let root = self.path();
        let version = format!("..version.{}", self.versions.fetch_add(1, Ordering::Relaxed));
        fs::create_dir(root.join(&version))?;
        let names = names(root)?;
        for name in &names {
            fs::copy(root.join(name), root.join(&version).join(name))?;
        }
        for (name, text) in files {
            fs::write(root.join(&version).join(name), text)?;
        }
        let before = fs::read_link(root.join(DATA));
        link(Path::new(&version), &root.join(DATA))?;
        for name in names {
            // The first time, it is still a file.
            if !root.join(&name).is_symlink() {
                link(&Path::new(DATA).join(&name), &root.join(&name))?;
            }
        }
        before.map_or(Ok(()), |before| fs::remove_dir_all(root.join(before)))
    }
}

/// The names of the files, or links to files, of a folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with("..") {
            names.push(name.into_owned());
        }
    }
    Ok(names)
}

/// A link that takes the place of whatever is there.
fn link(target: &Path, place: &Path) -> io::Result<()> {
    let new = place.with_file_name("..link");
    symlink(target, &new)?;
    fs::rename(new, place)
}
