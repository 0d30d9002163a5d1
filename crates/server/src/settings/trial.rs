//! What `foreword serve --check-config` tries beyond reading the settings: everything that a
//! start would trip over, without listening and without a change to anything.
//!
//! A part of the service that reads a file of its own adds a row to `CHECKS`.

use std::{fs, io};

use super::Settings;
use crate::access::jwt::KeyFile;
use crate::data_folder::DataFolder;
use crate::serve::{Openness, ServeError, check_open};

/// What a start would have.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The settings, read and checked.
    pub settings: &'a Settings,
    /// The data folder.
    pub data: &'a DataFolder,
    /// Whether other machines may be served without authentication.
    pub openness: Openness,
}

/// What is wrong, in words that say what to do; reads files and does not write.
type Check = fn(&Trial<'_>) -> Result<(), String>;

/// Each check by what it looks at.
const CHECKS: [(&str, Check); 4] = [
    ("addresses", addresses),
    ("certificates", certificates),
    ("keys of tokens", token_keys),
    ("data folder", data_folder),
];

/// A check that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was looked at.
    pub what: &'static str,
    /// What is wrong.
    pub message: String,
}

impl Trial<'_> {
    /// Everything that is wrong.
    #[must_use]
    pub fn failures(&self) -> Vec<Failure> {
        let failed = CHECKS
            .iter()
            .filter_map(|(what, check)| check(self).err().map(|message| Failure { what, message }));
        failed.collect()
    }
}

fn addresses(trial: &Trial<'_>) -> Result<(), String> {
    let listen = &trial.settings.serve.listen;
    check_open(listen, trial.settings, trial.openness).map_err(|error| error.to_string())
}

fn certificates(trial: &Trial<'_>) -> Result<(), String> {
    let Some(files) = trial.settings.tls.files() else { return Ok(()) };
    let loaded = transport::tls::Tls::load(files);
    loaded.map(|_| ()).map_err(|error| ServeError::from(error).to_string())
}

fn token_keys(trial: &Trial<'_>) -> Result<(), String> {
    let Some(path) = trial.settings.access.jwt_keys() else { return Ok(()) };
    KeyFile::open(path).map(|_| ()).map_err(|error| error.to_string())
}

/// A service makes the folder and the shop where there is none.
fn data_folder(trial: &Trial<'_>) -> Result<(), String> {
    let path = trial.data.path();
    let shown = path.display();
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("{shown} cannot be used: {error}; --data-dir chooses another")),
        Ok(about) if !about.is_dir() => {
            Err(format!("{shown} is no folder; --data-dir chooses another"))
        }
        Ok(about) if about.permissions().readonly() => {
            Err(format!("{shown} is read-only, expected a folder to write into"))
        }
        Ok(_) => fs::read_dir(path)
            .map(|_| ())
            .map_err(|error| format!("{shown} cannot be read: {error}")),
    }
}
