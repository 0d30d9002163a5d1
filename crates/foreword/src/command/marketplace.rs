//! `foreword marketplace`.

use std::process::ExitCode;
use std::sync::LazyLock;

use anyhow::Result;
use marketplace::settings::{Document, HOST_VARIABLE, REFERENCE, Settings};
use marketplace::{Marketplace, MarketplaceError, Openness};
use server::settings::{Reference, Sources};
use server::telemetry::log;

use super::serve::addresses;
use crate::arguments::Shop;
use crate::exit;
use crate::output;
use crate::signal::Stop;

static KEYS: LazyLock<Reference> = LazyLock::new(|| Reference::of_part(REFERENCE));

pub(super) async fn run(mut sources: Sources, shop: &Shop) -> Result<ExitCode> {
    let listen = addresses(&shop.listen).await?;
    if !listen.is_empty() {
        sources.flag("--listen", "marketplace.listen", listen);
    }
    if let Some(target) = &shop.recommendations {
        sources.set(format!("marketplace.recommendations={target}"));
    }
    let log = sources.read()?.log;
    let settings = settings(&sources)?;
    log::start(log.format, log.levels());
    let stop = Stop::listen()?;
    let openness = if shop.insecure { Openness::Insecure } else { Openness::LocalDemo };
    let marketplace = start(&settings, openness)?;
    match marketplace.url() {
        Some(url) => output::say(format_args!("{} on {url}. Ctrl-C stops it.", settings.title)),
        None => output::say(format_args!("{} is open. Ctrl-C stops it.", settings.title)),
    }
    marketplace.run(stop.wait()).await?;
    Ok(exit::SUCCESS)
}

/// The shop's settings.
pub(super) fn settings(sources: &Sources) -> Result<Settings> {
    Ok(sources.read_part::<Document>(&KEYS)?.marketplace)
}

/// A shop that listens, and finds the service where the settings say, else the environment.
pub(super) fn start(
    settings: &Settings,
    openness: Openness,
) -> Result<Marketplace, MarketplaceError> {
    let host = std::env::var(HOST_VARIABLE).ok();
    Marketplace::start(settings, host.as_deref(), openness)
}
