//! Services that a command asks, as the arguments name them.

use std::path::Path;

use anyhow::{Context, Result};
use evaluation::load::{AsciiMetadataValue, Target, Tls};

use crate::arguments::TlsFiles;

/// A service at `[http://|https://]HOST:PORT`; without a scheme, with TLS if there are files for it.
/// `flag` is where the address was given.
pub(super) fn target(flag: &str, address: &str, tls: Option<&Tls>) -> Result<Target> {
    let (address, tls) = match address.split_once("://") {
        Some(("http", address)) => (address, None),
        Some(("https", host)) => {
            (host, Some(tls.with_context(|| format!("{flag} {address} needs --tls-ca"))?))
        }
        _ => (address, tls),
    };
    Ok(Target { address: address.to_owned(), tls: tls.cloned(), process: None })
}

/// What the files hold; `None` without any.
pub(super) fn tls(files: &TlsFiles) -> Result<Option<Tls>> {
    let read = |flag: &str, path: &Path| {
        std::fs::read(path).with_context(|| format!("cannot read {flag} {}", path.display()))
    };
    let Some(authorities) = &files.tls_ca else { return Ok(None) };
    let identity = match (&files.tls_cert, &files.tls_key) {
        (Some(certificate), Some(key)) => {
            Some((read("--tls-cert", certificate)?, read("--tls-key", key)?))
        }
        _ => None,
    };
    Ok(Some(Tls {
        authorities: read("--tls-ca", authorities)?,
        identity,
        name: files.tls_name.clone(),
    }))
}

/// What calls show of the token or key in a file, which `flag` names.
pub(super) fn authorization(flag: &str, path: &Path) -> Result<AsciiMetadataValue> {
    let named = || format!("{flag} {}", path.display());
    let token = std::fs::read_to_string(path).with_context(named)?;
    let authorization = evaluation::load::bearer(token.trim());
    authorization.with_context(|| format!("{}: expected one line of visible ASCII", named()))
}
