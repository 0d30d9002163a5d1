//! `foreword serve`.

mod check;

use std::process::ExitCode;

use anyhow::{Context, Result};
use server::data_folder::DataFolder;
use server::serve::{Openness, Service};
use server::settings::{Address, Sources};
use server::telemetry::log;

use super::train::train_beside;
use crate::arguments::{Listening, Output, Serve};
use crate::exit;
use crate::signal::{Stop, reloads};

pub(super) async fn run(
    data: &DataFolder,
    mut sources: Sources,
    serve: &Serve,
) -> Result<ExitCode> {
    let openness = apply(&serve.listening, &mut sources).await?;
    if serve.check_config {
        return check::run(data, &sources, openness, Output { json: serve.json }).await;
    }
    let settings = sources.read()?;
    log::start(settings.log.format, settings.log.levels());
    let (stop, reloads) = (Stop::listen()?, reloads()?);
    let service = train_beside(Service::start(data, &settings, openness).await?, data);
    service.reload_on(reloads).run(stop.wait()).await?;
    Ok(exit::SUCCESS)
}

/// Puts the command line's addresses over the settings'.
pub(super) async fn apply(listening: &Listening, sources: &mut Sources) -> Result<Openness> {
    let addresses = addresses(&listening.listen).await?;
    if !addresses.is_empty() {
        sources.flag("--listen", "serve.listen", addresses);
    }
    Ok(if listening.insecure { Openness::Insecure } else { Openness::LoopbackOnly })
}

/// The addresses that `--listen` names, host names resolved.
pub(super) async fn addresses(listen: &[String]) -> Result<Vec<String>> {
    let mut addresses = Vec::new();
    for name in listen {
        if name.parse::<Address>().is_ok() {
            addresses.push(name.clone());
            continue;
        }
        let found = tokio::net::lookup_host(name).await.with_context(|| {
            format!("--listen {name}: expected an address and a port, unix:/path or systemd")
        })?;
        addresses.extend(found.map(|address| address.to_string()));
    }
    Ok(addresses)
}
