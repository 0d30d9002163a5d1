//! The calling side: whom it trusts, and who it says it is.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use tokio::sync::watch;

use super::certificate::Purpose;
use super::config::{authorities, certified_key, refused};
use super::files::read;
use super::reload::{Built, Reload, Shared, Side, of};
use super::{TlsError, certificate, pem};

/// Where authority, certificate and key of a client are, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTlsFiles {
    /// The authorities that servers' certificates must be of.
    pub authorities: PathBuf,
    /// What is shown to servers that want to know who calls (mutual TLS).
    pub identity: Option<ClientIdentity>,
}

/// A client's certificate and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate, and after it those between it and its authority.
    pub certificate: PathBuf,
    /// The key of that certificate: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub key: PathBuf,
}

/// The TLS configuration of a client in use; a clone is the same one.
///
/// Like [`Tls`](super::Tls) it is looked after by a [`Watcher`](super::Watcher).
#[derive(Clone)]
pub struct ClientTls {
    pub(super) shared: Arc<Shared<Client>>,
}

impl ClientTls {
    /// Reads the files and builds the configuration: TLS 1.2 and 1.3, HTTP/2 by ALPN.
    ///
    /// # Errors
    ///
    /// [`TlsError`] if a file is missing or is not what it should be, if the key belongs to
    /// another certificate, or if the certificate is not valid now.
    pub fn load(files: ClientTlsFiles) -> Result<Self, TlsError> {
        Shared::load(files).map(|shared| Self { shared })
    }

    /// The configuration for the next handshake.
    #[must_use]
    pub fn current(&self) -> Arc<ClientConfig> {
        self.shared.config()
    }

    /// When the client's certificate ceases to be valid; `None` if there is none.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        self.shared.expires()
    }

    /// Reads the files again and replaces the configuration if any of them has changed.
    /// Channels then make new connections, and end those before when their calls have ended.
    ///
    /// # Errors
    ///
    /// [`TlsError`], as from [`load`](Self::load); the configuration before stays in use.
    pub fn reload(&self) -> Result<Reload, TlsError> {
        self.shared.renew(SystemTime::now()).map_err(|failure| failure.error)
    }

    /// Tells of each replacement from now on.
    pub(crate) fn replaced(&self) -> watch::Receiver<()> {
        self.shared.replaced()
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = &self.shared.files;
        formatter.debug_struct("ClientTls").field("files", files).finish_non_exhaustive()
    }
}

/// The side that calls.
pub(super) struct Client;

/// What is in a client's files. It has no `Debug`: a key is among it.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    authorities: Vec<u8>,
    /// Certificate and key.
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Side for Client {
    type Files = ClientTlsFiles;
    type Contents = Contents;
    type Config = ClientConfig;

    fn read(files: &ClientTlsFiles) -> Result<Contents, TlsError> {
        let identity = files.identity.as_ref();
        let identity = identity.map(|one| Ok((read(&one.certificate)?, read(&one.key)?)));
        Ok(Contents { authorities: read(&files.authorities)?, identity: identity.transpose()? })
    }

    fn build(
        files: &ClientTlsFiles,
        contents: &Contents,
        now: SystemTime,
    ) -> Result<Built<ClientConfig>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let (roots, left_out) =
            authorities(&contents.authorities, now).map_err(of(&files.authorities))?;
        let versions = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| of(&files.authorities)(refused(&error)))?
            .with_root_certificates(roots);
        let mut expires = None;
        let mut config = match (&files.identity, &contents.identity) {
            (Some(identity), Some((certificate, key))) => {
                let of_certificate = of(&identity.certificate);
                let chain = pem::certificates(certificate).map_err(&of_certificate)?;
                let until = certificate::check(&chain, Purpose::Client, now);
                expires = Some(until.map_err(&of_certificate)?);
                let pair = (&*identity.certificate, &*identity.key);
                let key = certified_key(pair, key, chain, &provider)?;
                versions.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
            }
            _ => versions.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let left_out = Some((files.authorities.clone(), left_out));
        Ok(Built { config: Arc::new(config), expires, left_out })
    }
}
