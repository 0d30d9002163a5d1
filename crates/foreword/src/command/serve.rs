//! `foreword serve`.

use std::process::ExitCode;

use anyhow::Result;
use server::data_folder::DataFolder;
use server::serve::{Openness, Service};
use server::settings::Settings;

use crate::arguments::Listening;
use crate::exit;
use crate::signal::Stop;

pub(super) async fn run(
    data: &DataFolder,
    mut settings: Settings,
    listening: &Listening,
) -> Result<ExitCode> {
    let openness = apply(listening, &mut settings);
    let stop = Stop::listen()?;
    Service::start(data, &settings, openness).await?.run(stop.wait()).await?;
    Ok(exit::SUCCESS)
}

/// Puts the command line's addresses over the settings'.
pub(super) fn apply(listening: &Listening, settings: &mut Settings) -> Openness {
    if !listening.listen.is_empty() {
        settings.serve.listen.clone_from(&listening.listen);
    }
    if listening.insecure { Openness::Insecure } else { Openness::LoopbackOnly }
}
