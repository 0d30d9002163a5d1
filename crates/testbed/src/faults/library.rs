//! Builds the library, once a process, with the Cargo that runs the tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use super::FaultsError;
use crate::process;

/// How long Cargo may take, with its wait for others who build here.
const BUILD_LIMIT: Duration = Duration::from_secs(600);

/// The path of the library, which is built unless that has been done.
pub(super) fn build() -> Result<PathBuf, FaultsError> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(run_cargo).clone().map_err(|reason| FaultsError::Build { reason })
}

fn run_cargo() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--locked", "--package", "shim", "--message-format", "json"]);
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    let output = process::output(&mut command, BUILD_LIMIT).map_err(|error| error.to_string())?;
    let output = output.ok_or_else(|| format!("it took over {} s", BUILD_LIMIT.as_secs()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    let library = artifacts.filter_map(|message| library_of(&message)).next_back();
    library.ok_or_else(|| "Cargo names no library".to_owned())
}

fn library_of(message: &serde_json::Value) -> Option<PathBuf> {
    let is_ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == "shim";
    is_ours.then(|| message["filenames"][0].as_str().map(PathBuf::from)).flatten()
}
