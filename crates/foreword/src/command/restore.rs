//! `foreword restore`.

use std::process::ExitCode;

use anyhow::Result;
use server::backup;
use server::data_folder::DataFolder;
use server::settings::Settings;

use crate::arguments::Restore;
use crate::output;
use crate::progress;
use crate::signal::Stop;

pub(super) async fn run(
    data: &DataFolder,
    settings: &Settings,
    arguments: &Restore,
) -> Result<ExitCode> {
    let Restore { file, output } = arguments;
    let stop = Stop::listen()?;
    let restored = backup::restore(data, settings, file, progress::shown(), stop.wait()).await;
    let is_restored = restored.is_ok();
    let code = super::backup::end(restored, "Restored", "stopped; nothing was stored", *output)?;
    if is_restored && !output.json {
        let program = super::program();
        output::remark(format_args!("Models are not in backups; `{program} train` makes one."));
    }
    Ok(code)
}
