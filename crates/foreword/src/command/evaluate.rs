//! `foreword evaluate`.
use crate::arguments::Evaluate;
use anyhow::Result;
use server::{data_folder::DataFolder, settings::Settings};
pub(super) async fn run(
    _: &DataFolder,
    _: &Settings,
    _: &Evaluate,
) -> Result<std::process::ExitCode> {
    anyhow::bail!("no")
}
