//! Creating what others must not read: a store tells who read what.
//!
//! Modes are a thing of Unix; elsewhere a new folder or file gets the system's defaults.
//! What exists already keeps its mode: whoever changed it had a reason.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Creates a folder and its missing parents, with mode 0700. They outlast a power cut.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    let folders = path.ancestors().filter(|folder| !folder.as_os_str().is_empty());
    let missing: Vec<&Path> = folders.take_while(|folder| !folder.exists()).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(path)?;
    for folder in missing.into_iter().rev() {
        match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent)?,
            _ => sync_folder(Path::new("."))?,
        }
    }
    Ok(())
}

/// Makes what was created, renamed and removed in a folder durable.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere, the file system does so by itself.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Opens a file for writing, as it is; creates it with mode 0600 if it is missing.
pub(crate) fn create_or_open(path: &Path) -> io::Result<File> {
    writing().create(true).truncate(false).open(path)
}

/// Creates an empty file with mode 0600 if it is missing. SQLite gives the log and the
/// shared memory beside a database the mode of the database.
///
/// An existing file is not even opened: closing it again would release every lock that
/// SQLite holds on it in this process.
pub(crate) fn create_missing(path: &Path) -> io::Result<()> {
    match writing().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

fn writing() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    options.mode(0o600);
    options
}
