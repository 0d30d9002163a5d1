//! A rustls configuration out of the files' contents.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig};

use super::files::Contents;
use super::{Problem, TlsError, TlsFiles, certificate, pem};

/// What ALPN offers, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// A configuration and what is known of it.
pub(super) struct Built {
    pub(super) config: Arc<ServerConfig>,
    /// When the server's certificate ceases to be valid.
    pub(super) expires: SystemTime,
    left_out: LeftOut,
}

/// Authorities that are not valid now, by their number in the file.
type LeftOut = Vec<(usize, Problem)>;

impl Built {
    /// Builds a configuration that shares nothing with any other.
    pub(super) fn new(
        files: &TlsFiles,
        contents: &Contents,
        now: SystemTime,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let chain = pem::certificates(&contents.certificate).map_err(of(&files.certificate))?;
        let expires = certificate::check_server(&chain, now).map_err(of(&files.certificate))?;
        let key = certified_key(files, contents, chain, &provider)?;
        let versions = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| of(&files.certificate)(refused(&error)))?;
        let resolver = Arc::new(SingleCertAndKey::from(key));
        let mut left_out = LeftOut::new();
        let mut config = match (&files.client_ca, &contents.client_ca) {
            (Some(file), Some(pem)) => {
                let roots;
                (roots, left_out) = authorities(pem, now).map_err(of(file))?;
                let verifier = verifier(roots, &provider).map_err(of(file))?;
                let config = versions.with_client_cert_verifier(verifier);
                without_resumption(config.with_cert_resolver(resolver))
            }
            _ => {
                let config = versions.with_no_client_auth().with_cert_resolver(resolver);
                with_tickets(config).map_err(of(&files.certificate))?
            }
        };
        config.alpn_protocols = PROTOCOLS.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Self { config: Arc::new(config), expires, left_out })
    }

    /// Tells the log which authorities were left out.
    pub(super) fn tell(&self, files: &TlsFiles) {
        let Some(file) = &files.client_ca else { return };
        for (certificate, problem) in &self.left_out {
            let file = file.display();
            tracing::warn!(%file, certificate, %problem, "leaving out an authority of clients");
        }
    }
}

/// Names the file in a problem.
fn of(file: &Path) -> impl Fn(Problem) -> TlsError {
    move |problem| TlsError { file: file.to_owned(), problem }
}

fn certified_key(
    files: &TlsFiles,
    contents: &Contents,
    chain: Vec<CertificateDer<'static>>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let der = pem::key(&contents.key).map_err(of(&files.key))?;
    let key = provider
        .key_provider
        .load_private_key(der)
        .map_err(|error| of(&files.key)(Problem::BadKey { reason: error.to_string() }))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            let certificate = files.certificate.clone();
            Err(of(&files.key)(Problem::KeyMismatch { certificate }))
        }
        Err(error) => Err(of(&files.certificate)(refused(&error))),
    }
}

/// The authorities in a file, and those of them that are not valid now and not among the first.
fn authorities(pem: &[u8], now: SystemTime) -> Result<(RootCertStore, LeftOut), Problem> {
    let mut roots = RootCertStore::empty();
    let mut left_out = Vec::new();
    for (place, der) in pem::certificates(pem)?.into_iter().enumerate() {
        let number = place + 1;
        certificate::check_authority(&der, number)?;
        if let Err(problem) = certificate::check_valid(&der, now) {
            left_out.push((number, problem));
            continue;
        }
        roots
            .add(der)
            .map_err(|error| Problem::BadCertificate { number, reason: error.to_string() })?;
    }
    if roots.is_empty()
        && let Some((_, problem)) = left_out.pop()
    {
        return Err(problem);
    }
    Ok((roots, left_out))
}

fn verifier(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Problem> {
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| Problem::Refused { reason: error.to_string() })
}

/// Every connection shows its certificate again, to be held against authorities and clock.
fn without_resumption(mut config: ServerConfig) -> ServerConfig {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config
}

/// Sessions are kept by clients, in tickets under keys that only this configuration has.
fn with_tickets(mut config: ServerConfig) -> Result<ServerConfig, Problem> {
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = ring::Ticketer::new().map_err(|error| refused(&error))?;
    Ok(config)
}

fn refused(error: &Error) -> Problem {
    Problem::Refused { reason: error.to_string() }
}
