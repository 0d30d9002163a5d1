//! Certificates for one run, and what clients need of them.

use std::path::Path;
use std::sync::Arc;

use evaluation::load::{Target, Tls};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use crate::Failure;

/// The server's certificate with its chain, in the folder of the run.
pub(crate) const CERTIFICATE: &str = "server.pem";

/// Its key.
pub(crate) const KEY: &str = "server.key";

/// An authority made for one run.
pub(crate) struct Authority {
    pem: String,
    roots: RootCertStore,
}

impl Authority {
    /// Makes an authority, and writes a certificate for `localhost` and its key to a folder.
    pub(crate) fn write(folder: &Path) -> Result<Self, Failure> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key)?;
        let pem = certificate.pem();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone())?;
        let issuer = Issuer::new(params, key);
        let server_key = KeyPair::generate()?;
        let params = CertificateParams::new(vec!["localhost".to_owned()])?;
        let server = params.signed_by(&server_key, &issuer)?;
        std::fs::write(folder.join(CERTIFICATE), server.pem())?;
        std::fs::write(folder.join(KEY), server_key.serialize_pem())?;
        Ok(Self { pem, roots })
    }

    /// For the good client.
    pub(crate) fn trusted(&self) -> Tls {
        Tls {
            authorities: self.pem.clone().into_bytes(),
            identity: None,
            name: Some("localhost".to_owned()),
        }
    }

    /// For attackers: TLS for a protocol, by its name in ALPN.
    pub(crate) fn connector(&self, protocol: &str) -> Result<TlsConnector, Failure> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// A target as tonic wants it.
pub(crate) fn endpoint(target: &Target) -> Result<Endpoint, tonic::transport::Error> {
    let Some(tls) = &target.tls else {
        return Endpoint::from_shared(format!("http://{}", target.address));
    };
    let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&tls.authorities));
    if let Some(name) = &tls.name {
        config = config.domain_name(name);
    }
    Endpoint::from_shared(format!("https://{}", target.address))?.tls_config(config)
}
