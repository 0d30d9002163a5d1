//! The serving side, and what both sides make of their files.

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

use super::certificate::Purpose;
use super::files::read;
use super::reload::{Built, LeftOut, Side, of};
use super::{Problem, TlsError, TlsFiles, certificate, pem};

/// What ALPN offers, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The side that serves.
pub(super) struct Server;

/// What is in a server's files. It has no `Debug`: a key is among it.
#[derive(PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Side for Server {
    type Files = TlsFiles;
    type Contents = Contents;
    type Config = ServerConfig;

    fn read(files: &TlsFiles) -> Result<Contents, TlsError> {
        Ok(Contents {
            certificate: read(&files.certificate)?,
            key: read(&files.key)?,
            client_ca: files.client_ca.as_deref().map(read).transpose()?,
        })
    }

    fn build(
        files: &TlsFiles,
        contents: &Contents,
        now: SystemTime,
    ) -> Result<Built<ServerConfig>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let of_certificate = of(&files.certificate);
        let chain = pem::certificates(&contents.certificate).map_err(&of_certificate)?;
        let expires = certificate::check(&chain, Purpose::Server, now).map_err(&of_certificate)?;
        let key = certified_key((&files.certificate, &files.key), &contents.key, chain, &provider)?;
        let versions = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| of_certificate(refused(&error)))?;
        let resolver = Arc::new(SingleCertAndKey::from(key));
        let mut left_out = None;
        let mut config = match (&files.client_ca, &contents.client_ca) {
            (Some(file), Some(pem)) => {
                let (roots, not_valid) = authorities(pem, now).map_err(of(file))?;
                left_out = Some((file.clone(), not_valid));
                let verifier = verifier(roots, &provider).map_err(of(file))?;
                let config = versions.with_client_cert_verifier(verifier);
                without_resumption(config.with_cert_resolver(resolver))
            }
            _ => {
                let config = versions.with_no_client_auth().with_cert_resolver(resolver);
                with_tickets(config).map_err(&of_certificate)?
            }
        };
        config.alpn_protocols = PROTOCOLS.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Built { config: Arc::new(config), expires: Some(expires), left_out })
    }
}

/// Joins a certificate and its key, whose files are named.
pub(super) fn certified_key(
    (certificate_file, key_file): (&Path, &Path),
    key: &[u8],
    chain: Vec<CertificateDer<'static>>,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let der = pem::key(key).map_err(of(key_file))?;
    let key = provider
        .key_provider
        .load_private_key(der)
        .map_err(|error| of(key_file)(Problem::BadKey { reason: error.to_string() }))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            let certificate = certificate_file.to_owned();
            Err(of(key_file)(Problem::KeyMismatch { certificate }))
        }
        Err(error) => Err(of(certificate_file)(refused(&error))),
    }
}

/// The authorities in a file, and those of them that are not valid now and not among the first.
pub(super) fn authorities(
    pem: &[u8],
    now: SystemTime,
) -> Result<(RootCertStore, LeftOut), Problem> {
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

pub(super) fn refused(error: &Error) -> Problem {
    Problem::Refused { reason: error.to_string() }
}
