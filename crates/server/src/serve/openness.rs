//! Whether the service may be reached from other machines.

use transport::Address;

use super::ServeError;
use crate::settings::Settings;

/// Whether addresses beyond this machine may be served without authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// Loopback only.
    LoopbackOnly,
    /// Any address; whoever reaches it may ask.
    Insecure,
}

/// Refuses addresses beyond this machine, unless clients show who they are or it is meant. What
/// systemd hands over shows where it is once it is taken.
pub(crate) fn check_open(
    addresses: &[Address],
    settings: &Settings,
    openness: Openness,
) -> Result<(), ServeError> {
    let knows_clients = settings.access.asks_who_calls(&settings.tls);
    let is_beyond = |address: &&Address| **address != Address::Systemd && !address.is_local();
    match (addresses.iter().find(is_beyond), openness, knows_clients) {
        (Some(address), Openness::LoopbackOnly, false) => {
            Err(ServeError::Open { address: address.clone() })
        }
        _ => Ok(()),
    }
}

/// Says that secrets come in plaintext, where they do.
pub(super) fn warn_of_plaintext(addresses: &[Address], settings: &Settings) {
    let is_readable = settings.tls.files().is_none() && settings.access.asks_for_secrets();
    if is_readable && let Some(address) = addresses.iter().find(|address| !address.is_local()) {
        tracing::warn!(%address, "API keys and tokens come in plaintext: whoever can listen on the way can use them; set tls.certificate and tls.key unless a proxy in front has TLS");
    }
}
