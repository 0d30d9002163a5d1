//! `foreword backup`, and how the report of a backup is printed.

use std::process::ExitCode;

use anyhow::Result;
use server::backup::{self, BackupError, BackupReport, Existing};
use server::data_folder::DataFolder;
use server::settings::Settings;

use crate::arguments::{Backup, Output};
use crate::exit;
use crate::figures;
use crate::output;
use crate::progress;
use crate::signal::Stop;
use crate::table;

pub(super) async fn run(
    data: &DataFolder,
    settings: &Settings,
    arguments: &Backup,
) -> Result<ExitCode> {
    let Backup { file, output, .. } = arguments;
    let stop = Stop::listen()?;
    if arguments.verify {
        let verified = backup::verify(file, progress::shown(), stop.wait()).await;
        return end(verified, "Whole, and as it was written", "stopped", *output);
    }
    data.check_shop(settings)?;
    let existing = if arguments.force { Existing::Replace } else { Existing::Keep };
    let store = data.store(settings).await?;
    let written = backup::backup(&store, file, existing, progress::shown(), stop.wait()).await;
    store.close().await;
    end(written, "Written and verified", "stopped; there is no new file", *output)
}

/// Prints what became of a file: what it holds after `done`, or `stopped` if it was.
pub(super) fn end(
    ended: Result<BackupReport, BackupError>,
    done: &str,
    stopped: &str,
    output: Output,
) -> Result<ExitCode> {
    match ended {
        Ok(report) if output.json => super::print_json(&report)?,
        Ok(report) => output::say(text(&report, done)),
        Err(BackupError::Interrupted) => {
            output::remark(stopped);
            return Ok(ExitCode::from(exit::INTERRUPTED));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(exit::SUCCESS)
}

fn text(report: &BackupReport, done: &str) -> String {
    let mut rows = table::of_figures(&["what", "rows"]);
    for (kind, count) in report.rows.iter() {
        rows.add_row([kind.to_string().replace('_', " "), figures::count(count)]);
    }
    let (file, bytes) = (report.file.display(), figures::bytes(report.bytes));
    let header = &report.header;
    format!(
        "{rows}\n{done}: {file}, {bytes}, taken {} of {} by version {}",
        header.written, header.database, header.program
    )
}
