//! `foreword serve`.

use std::process::ExitCode;

use anyhow::{Context, Result};
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
    let openness = apply(listening, &mut settings).await?;
    let stop = Stop::listen()?;
    Service::start(data, &settings, openness).await?.run(stop.wait()).await?;
    Ok(exit::SUCCESS)
}

/// Puts the command line's addresses over the settings'.
pub(super) async fn apply(listening: &Listening, settings: &mut Settings) -> Result<Openness> {
    if !listening.listen.is_empty() {
        settings.serve.listen.clear();
    }
    for name in &listening.listen {
        if let Ok(address) = name.parse() {
            settings.serve.listen.push(address);
            continue;
        }
        let addresses = tokio::net::lookup_host(name).await.with_context(|| {
            format!("--listen {name}: expected an address and a port, unix:/path or systemd")
        })?;
        settings.serve.listen.extend(addresses.map(server::settings::Address::Tcp));
    }
    Ok(if listening.insecure { Openness::Insecure } else { Openness::LoopbackOnly })
}
