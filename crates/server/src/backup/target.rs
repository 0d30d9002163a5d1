//! The file that a backup becomes: written beside, under another name, until it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::Existing;
use super::error::BackupError;
use crate::clock::now_ms;

/// A file that is being written, beside the one that it becomes. Dropping it removes it.
pub(super) struct Unfinished {
    beside: PathBuf,
    target: PathBuf,
    existing: Existing,
}

impl Unfinished {
    /// Creates it, for its owner only.
    pub(super) fn create(target: &Path, existing: Existing) -> Result<(Self, File), BackupError> {
        if existing == Existing::Keep && target.symlink_metadata().is_ok() {
            return Err(BackupError::Exists { path: target.to_owned() });
        }
        let Some(name) = target.file_name().filter(|_| !target.is_dir()) else {
            return Err(BackupError::io(target)(ErrorKind::IsADirectory.into()));
        };
        let mut name = name.to_owned();
        // In a container each process has the same number, and one may have been killed.
        let (process, now_ms) = (std::process::id(), now_ms());
        name.push(format!(".{process}.{now_ms}.unfinished"));
        let beside = target.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(&beside).map_err(BackupError::io(&beside))?;
        Ok((Self { beside, target: target.to_owned(), existing }, file))
    }

    /// Where it is now.
    pub(super) fn path(&self) -> &Path {
        &self.beside
    }

    /// Gives it its name, and waits until that is on disk too.
    pub(super) fn finish(self) -> Result<(), BackupError> {
        match self.existing {
            Existing::Replace => {
                fs::rename(&self.beside, &self.target).map_err(BackupError::io(&self.target))?;
            }
            Existing::Keep => self.rename_if_free()?,
        }
        let folder = match self.target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        sync_folder(folder).map_err(BackupError::io(folder))
    }

    /// Gives it its name unless some file has it by now: a second name fails then, a rename
    /// would not.
    fn rename_if_free(&self) -> Result<(), BackupError> {
        match fs::hard_link(&self.beside, &self.target) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(BackupError::Exists { path: self.target.clone() })
            }
            // Some file systems know one name a file.
            Err(_) if self.target.symlink_metadata().is_err() => {
                fs::rename(&self.beside, &self.target).map_err(BackupError::io(&self.target))
            }
            Err(error) => Err(BackupError::io(&self.target)(error)),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It is gone if it was renamed. Otherwise there is nobody left to tell.
        let _ = fs::remove_file(&self.beside);
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Only Unix opens folders.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
