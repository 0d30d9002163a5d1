//! `foreword import`.
use crate::arguments::ImportSource;
use anyhow::Result;
use server::{data_folder::DataFolder, settings::Settings};
pub(super) async fn run(
    _: &DataFolder,
    _: &Settings,
    _: ImportSource,
) -> Result<std::process::ExitCode> {
    anyhow::bail!("no")
}
