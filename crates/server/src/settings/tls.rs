//! `[tls]`: certificates, and how often to look whether they have changed.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use transport::tls::TlsFiles;

use super::Check;

/// Files in PEM; an empty name is none.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSection {
    certificate: PathBuf,
    key: PathBuf,
    client_ca: PathBuf,
    reload_ms: NonZeroU32,
}

impl TlsSection {
    /// The files, if there is to be TLS.
    #[must_use]
    pub fn files(&self) -> Option<TlsFiles> {
        let named = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
        let certificate = named(&self.certificate)?;
        Some(TlsFiles { certificate, key: self.key.clone(), client_ca: named(&self.client_ca) })
    }

    /// How often to look whether the files have changed.
    #[must_use]
    pub fn reload(&self) -> Duration {
        Duration::from_millis(self.reload_ms.get().into())
    }

    pub(super) fn check(&self, check: &mut Check) {
        let is_named = |path: &PathBuf| !path.as_os_str().is_empty();
        let (certificate, key) = (is_named(&self.certificate), is_named(&self.key));
        let needed = key || is_named(&self.client_ca);
        let expected = "a file, because another one of [tls] is named";
        check.expect("tls.certificate", "empty", certificate || !needed, expected);
        check.expect("tls.key", "empty", key || !certificate, expected);
        check.expect_path("tls.certificate", &self.certificate);
        check.expect_path("tls.key", &self.key);
        check.expect_path("tls.client_ca", &self.client_ca);
    }
}
