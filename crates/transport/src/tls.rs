//! TLS whose certificate, key and authorities change while it runs.
//!
//! [`Tls`], for servers, and [`ClientTls`], for those that call them, hold one complete rustls
//! configuration behind an atomic swap. A handshake takes the one that is current when it begins;
//! open connections go on with theirs. A new configuration is built whole before it is swapped
//! in, so a bad pair of files never replaces a good one.
//!
//! [`Watcher`] compares the files' contents with those in use, about once a second, on a thread
//! of its own. It polls on purpose, instead of asking the kernel for events: the contents say the
//! truth after Kubernetes has swapped its `..data` link, after a rename, after a write in place
//! and over NFS alike; no event can be missed; and three small reads a second cost nothing. What
//! it sees half-written fails, or is mended, by the next poll.
//!
//! Invariants:
//!
//! - No session is resumed across configurations: each has ticket keys of its own. Under mutual
//!   TLS none is resumed at all, because a resumed session is not held against the authorities
//!   and its client's certificate may have expired since.
//! - Contents of keys are never part of an error, of a log line or of `Debug`.
//!
//! An authority is trusted until the files change, even if it expires before: like rustls, this
//! holds only the certificates below it against the clock.

mod certificate;
mod client;
mod config;
mod error;
mod files;
mod pem;
mod reload;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::ServerConfig;

use self::config::Server;
use self::reload::Shared;

pub use self::client::{ClientIdentity, ClientTls, ClientTlsFiles};
pub use self::error::{Problem, TlsError};
pub use self::reload::Reload;
pub use self::watch::{INTERVAL_MIN, Watcher};

/// Where certificate, key and authorities are, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, and after it the certificates between it and its authority.
    pub certificate: PathBuf,
    /// The key of that certificate: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub key: PathBuf,
    /// The authorities of clients' certificates. If it is given, every client needs one.
    pub client_ca: Option<PathBuf>,
}

/// The TLS configuration in use; a clone is the same one.
#[derive(Clone)]
pub struct Tls {
    shared: Arc<Shared<Server>>,
}

impl Tls {
    /// Reads the files and builds the configuration: TLS 1.2 and 1.3, HTTP/2 and then HTTP/1.1
    /// by ALPN.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if a file is missing or is not what it should be, if the key belongs to
    /// another certificate, or if the certificate is not valid now.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        Shared::load(files).map(|shared| Self { shared })
    }

    /// The configuration for the next handshake.
    #[must_use]
    pub fn current(&self) -> Arc<ServerConfig> {
        self.shared.config()
    }

    /// Whether a client is refused unless it shows a certificate of a known authority.
    #[must_use]
    pub fn requires_client_certificate(&self) -> bool {
        self.shared.files.client_ca.is_some()
    }

    /// When the server's certificate ceases to be valid.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "a server always has a certificate")]
    pub fn expires(&self) -> SystemTime {
        self.shared.expires().expect("a server has a certificate")
    }

    /// Reads the files again and replaces the configuration if any of them has changed.
    ///
    /// # Errors
    ///
    /// [`TlsError`], as from [`load`](Self::load); the configuration before stays in use.
    pub fn reload(&self) -> Result<Reload, TlsError> {
        self.shared.renew(SystemTime::now()).map_err(|failure| failure.error)
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Tls")
            .field("files", &self.shared.files)
            .field("expires", &self.expires())
            .finish_non_exhaustive()
    }
}
