//! Putting files into a folder so that each appears whole.
//!
//! They are written into a folder beside, which only the owner can enter and which is removed
//! at the end, and then linked or renamed to where they belong. A link, unlike a rename, fails
//! if the name is taken in between.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{Existing, WriteError};

/// A file to be written.
pub(super) struct File<'a> {
    pub(super) name: &'static str,
    pub(super) text: &'a str,
    pub(super) readers: Readers,
}

/// Who may read a file, where there are modes.
#[derive(Clone, Copy)]
pub(super) enum Readers {
    /// Mode 0600.
    Owner,
    /// Mode 0644.
    All,
}

/// Writes the files.
pub(super) fn write(
    folder: &Path,
    files: &[File<'_>],
    existing: Existing,
) -> Result<(), WriteError> {
    fs::create_dir_all(folder).map_err(at(folder))?;
    if existing == Existing::Keep {
        let taken = files.iter().map(|file| folder.join(file.name));
        // A link that leads nowhere takes the name, too.
        if let Some(file) = taken.into_iter().find(|path| path.symlink_metadata().is_ok()) {
            return Err(WriteError::Exists { file });
        }
    }
    let beside = Beside::create(folder)?;
    for file in files {
        let path = beside.path.join(file.name);
        write_new(&path, file).map_err(at(&path))?;
    }
    let mut placed = Placed { paths: Vec::new() };
    for file in files {
        let (from, to) = (beside.path.join(file.name), folder.join(file.name));
        match existing {
            Existing::Replace => fs::rename(&from, &to).map_err(at(&to))?,
            Existing::Keep => match fs::hard_link(&from, &to) {
                Ok(()) => placed.paths.push(to),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Err(WriteError::Exists { file: to });
                }
                Err(error) => return Err(at(&to)(error)),
            },
        }
    }
    placed.paths.clear();
    Ok(())
}

fn write_new(path: &Path, file: &File<'_>) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(match file.readers {
        Readers::Owner => 0o600,
        Readers::All => 0o644,
    });
    let mut opened = options.open(path)?;
    opened.write_all(file.text.as_bytes())?;
    opened.sync_all()
}

fn at(file: &Path) -> impl Fn(io::Error) -> WriteError {
    move |source| WriteError::Io { file: file.to_owned(), source }
}

/// The folder beside; removed when dropped.
struct Beside {
    path: PathBuf,
}

impl Beside {
    fn create(folder: &Path) -> Result<Self, WriteError> {
        let path = folder.join(format!(".certificates-{}", std::process::id()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        builder.mode(0o700);
        builder.create(&path).map_err(at(&path))?;
        Ok(Self { path })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // What cannot be removed is for the owner's eyes only.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Files that were linked; removed when dropped before all are.
struct Placed {
    paths: Vec<PathBuf>,
}

impl Drop for Placed {
    fn drop(&mut self) {
        for path in &self.paths {
            let _ = fs::remove_file(path);
        }
    }
}
