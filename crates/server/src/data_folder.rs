//! The data folder: where everything that outlives the process lies.

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use storage::{DatabaseUrl, ModelFolder, ModelFolderError, Store, StoreError};

use crate::settings::Settings;

/// The file of a store in a data folder.
pub use storage::FILE_NAME as DATABASE_FILE;

/// The file that a running server keeps locked and writes its addresses into.
const SERVING: &str = "serving";

/// The folder has no books.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} holds no shop; `foreword demo` makes one, `foreword import` fills one; if the shop is in PostgreSQL, name the database with --database or the setting store.database",
    folder.display()
)]
pub struct NoShop {
    /// The folder.
    folder: PathBuf,
}

/// The folder of one shop's data.
#[derive(Clone, Debug)]
pub struct DataFolder {
    path: PathBuf,
}

impl DataFolder {
    /// The folder at a path; it need not exist yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The folder that the platform's convention gives to this program, such as
    /// `~/.local/share/foreword`, or `None` for an account without a home.
    #[must_use]
    pub fn of_platform() -> Option<Self> {
        let folders = directories::ProjectDirs::from("", "", "foreword")?;
        Some(Self::new(folders.data_local_dir()))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that there is a database, for whoever only reads one: a mistyped folder must
    /// not become an empty shop. One that the settings name is there, or cannot be reached.
    ///
    /// # Errors
    ///
    /// [`NoShop`] says what to do.
    pub fn check_shop(&self, settings: &Settings) -> Result<(), NoShop> {
        let is_there = || self.path.join(storage::FILE_NAME).exists();
        if !settings.store.is_in_folder() || is_there() { Ok(()) } else { Err(self.no_shop()) }
    }

    /// The folder has no books.
    pub(crate) fn no_shop(&self) -> NoShop {
        NoShop { folder: self.path.clone() }
    }

    /// Opens the database: the one that the settings name, else that of the folder, creating
    /// folder and file where they are missing.
    ///
    /// # Errors
    ///
    /// As [`Store::open`] and [`Store::connect`]; [`StoreError::DatabaseUrl`].
    pub async fn store(&self, settings: &Settings) -> Result<Store, StoreError> {
        let limits = settings.store.limits();
        if settings.store.is_in_folder() {
            return Store::open(&self.path, &limits).await;
        }
        let url = DatabaseUrl::parse(settings.store.database.expose())?;
        Store::connect(&url, &limits).await
    }

    /// Opens the folder of models, creating it where it is missing.
    ///
    /// # Errors
    ///
    /// As [`ModelFolder::open`].
    pub fn models(&self) -> Result<ModelFolder, ModelFolderError> {
        ModelFolder::open(&self.path.join("models"))
    }

    /// Says that a server of this folder answers at `addresses`, until the result is
    /// dropped. `None` if another server said so before.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn announce(&self, addresses: &[SocketAddr]) -> io::Result<Option<Announcement>> {
        let path = self.path.join(SERVING);
        let mut file = File::options().create(true).truncate(false).write(true).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let lines: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        file.set_len(0)?;
        io::Write::write_all(&mut file, lines.join("\n").as_bytes())?;
        Ok(Some(Announcement { _locked: file }))
    }

    /// Where a running server of this folder answers; none if there is none. The lock
    /// tells, so that the file of a killed server misleads nobody.
    ///
    /// # Errors
    ///
    /// If the file is there but cannot be read.
    pub fn serving(&self) -> io::Result<Vec<SocketAddr>> {
        let path = self.path.join(SERVING);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Vec::new()),
            Err(TryLockError::WouldBlock) => Ok(fs::read_to_string(&path)?
                .lines()
                .filter_map(|line| line.parse().ok())
                .collect()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// While this lives, others can find the server.
#[derive(Debug)]
pub struct Announcement {
    _locked: File,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_found_while_it_lives() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::new(folder.path());
        assert_eq!(data.serving().unwrap(), []);
        let addresses = ["127.0.0.1:50051".parse().unwrap(), "[::1]:50051".parse().unwrap()];
        let announcement = data.announce(&addresses).unwrap().unwrap();
        assert_eq!(data.serving().unwrap(), addresses);
        assert!(data.announce(&addresses).unwrap().is_none());
        drop(announcement);
        assert_eq!(data.serving().unwrap(), []);
    }
}
