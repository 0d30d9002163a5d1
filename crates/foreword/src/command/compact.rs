//! `foreword compact`.

use std::process::ExitCode;

use anyhow::Result;
use server::backup::{self, BackupError, Compacted};
use server::data_folder::DataFolder;
use server::settings::Settings;

use crate::arguments::Output;
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;

pub(super) async fn run(
    data: &DataFolder,
    settings: &Settings,
    output: Output,
) -> Result<ExitCode> {
    data.check_shop(settings)?;
    let stop = Stop::listen()?;
    if settings.store.is_in_folder() && !data.serving()?.is_empty() {
        output::remark(
            "A server of this data folder is running: until this ends, it answers, but events and changes wait or are refused.",
        );
    }
    let store = data.store(settings).await?;
    let compacted = backup::compact(&store, progress::shown(), stop.wait()).await;
    store.close().await;
    match compacted {
        Ok(compacted) if output.json => super::print_json(&compacted)?,
        Ok(Compacted { bytes_before, bytes_after }) => output::say(format_args!(
            "The database had {} and has {}; nothing is left in it of what was deleted.",
            figures::bytes(bytes_before),
            figures::bytes(bytes_after)
        )),
        Err(BackupError::Interrupted) => {
            output::remark("stopped; what was deleted may be in the files still");
            return Ok(ExitCode::from(exit::INTERRUPTED));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(exit::SUCCESS)
}
