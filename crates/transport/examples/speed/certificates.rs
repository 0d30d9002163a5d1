//! Certificates of a run: an authority, a server's and a client's pair, in a folder that goes
//! with the run.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};
use transport::development::{Existing, Plan, VALIDITY_DEFAULT, Written, write_certificates};
use transport::tls::{Tls, TlsFiles};

use crate::Failure;

/// A name in the server's certificate.
pub(crate) const SERVER_NAME: &str = "localhost";

/// Both sides' certificates.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: TempDir,
    files: Written,
}

impl Certificates {
    pub(crate) fn make() -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let plan =
            Plan { names: Vec::new(), validity: VALIDITY_DEFAULT, existing: Existing::Replace };
        let files = write_certificates(folder.path(), &plan, SystemTime::now())?;
        Ok(Self { folder, files })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// For the load: HTTP/2, with a certificate of its own.
    pub(crate) fn for_load(&self) -> Result<Arc<ClientConfig>, Failure> {
        let mut authorities = RootCertStore::empty();
        authorities.add(CertificateDer::from_pem_file(&self.files.authority)?)?;
        let certificate = CertificateDer::from_pem_file(&self.files.client)?;
        let key = PrivateKeyDer::from_pem_file(&self.files.client_key)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(authorities)
            .with_client_auth_cert(vec![certificate], key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }

    /// The same for a client of tonic.
    pub(crate) fn for_tonic(&self) -> Result<ClientTlsConfig, Failure> {
        let read = |path| std::fs::read(path);
        let identity = Identity::from_pem(read(&self.files.client)?, read(&self.files.client_key)?);
        Ok(ClientTlsConfig::new()
            .domain_name(SERVER_NAME)
            .ca_certificate(Certificate::from_pem(read(&self.files.authority)?))
            .identity(identity))
    }
}

/// What the server's process makes of the folder: mutual TLS.
pub(crate) fn for_server(folder: &Path) -> Result<Tls, Failure> {
    Ok(Tls::load(TlsFiles {
        certificate: folder.join("server.pem"),
        key: folder.join("server.key"),
        client_ca: Some(folder.join("ca.pem")),
    })?)
}
