//! The file of keys.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::{KeySet, KeySetError};

/// The longest file that is read.
const BYTES_MAX: u64 = 1 << 20;

/// Why there are no keys to be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be read.
    #[error("cannot read access.jwt_keys, {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is longer than keys are.
    #[error("access.jwt_keys, {}: has more than {BYTES_MAX} bytes, expected some keys", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("access.jwt_keys, {}: {source}", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KeySetError,
    },
}

/// A file of keys, as it was when it was read. `Debug` shows its path only.
#[derive(Clone)]
pub struct KeyFile {
    path: PathBuf,
    contents: Vec<u8>,
}

impl KeyFile {
    /// Reads a file and the keys in it.
    ///
    /// # Errors
    ///
    /// [`KeyFileError`] names the file and says what is wrong with it.
    pub fn open(path: &Path) -> Result<(Self, KeySet), KeyFileError> {
        let path = path.to_owned();
        let contents = read(&path)?;
        let keys = parse(&path, &contents)?;
        Ok((Self { path, contents }, keys))
    }

    /// Reads it again: the keys, if there are others now.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); the next call tries again.
    pub fn renew(&mut self) -> Result<Option<KeySet>, KeyFileError> {
        let contents = read(&self.path)?;
        if contents == self.contents {
            return Ok(None);
        }
        let keys = parse(&self.path, &contents)?;
        self.contents = contents;
        Ok(Some(keys))
    }
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyFile").field("path", &self.path).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    let failed = |source| KeyFileError::Read { path: path.to_owned(), source };
    // Opening a pipe would wait for somebody who writes.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("found no regular file, expected a file of keys")));
    }
    let mut contents = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(BYTES_MAX + 1).read_to_end(&mut contents).map_err(failed)?;
    if contents.len() as u64 > BYTES_MAX {
        return Err(KeyFileError::TooLong { path: path.to_owned() });
    }
    Ok(contents)
}

fn parse(path: &Path, contents: &[u8]) -> Result<KeySet, KeyFileError> {
    KeySet::parse(contents).map_err(|source| KeyFileError::Keys { path: path.to_owned(), source })
}
