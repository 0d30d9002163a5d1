//! Certificates of a run.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::Failure;

/// The name in every server's certificate.
pub(crate) const SERVER_NAME: &str = "localhost";

/// Who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, in PEM.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Result<Self, Failure> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A pair for the server.
    pub(crate) fn server(&self) -> Result<Pair, Failure> {
        self.server_with(|_| {})
    }

    pub(crate) fn server_with(
        &self,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Result<Pair, Failure> {
        self.pair(SERVER_NAME, ExtendedKeyUsagePurpose::ServerAuth, change)
    }

    /// A pair for a client.
    pub(crate) fn client(&self) -> Result<Pair, Failure> {
        self.pair("marketplace", ExtendedKeyUsagePurpose::ClientAuth, |_| {})
    }

    fn pair(
        &self,
        name: &str,
        purpose: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Result<Pair, Failure> {
        let mut params = CertificateParams::new([name.to_owned()])?;
        params.extended_key_usages = vec![purpose];
        change(&mut params);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?.pem();
        Ok(Pair { certificate, key: key.serialize_pem() })
    }
}

impl Pair {
    pub(crate) fn der(&self) -> Result<CertificateDer<'static>, Failure> {
        Ok(CertificateDer::from_pem_slice(self.certificate.as_bytes())?)
    }
}

/// For a client of HTTP/2 that trusts the authorities in `roots`, PEM, and shows a certificate.
pub(crate) fn client_config(
    roots: &str,
    identity: Option<&Pair>,
) -> Result<Arc<ClientConfig>, Failure> {
    let mut store = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(roots.as_bytes()) {
        store.add(root?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store);
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(pair) => {
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())?;
            config.with_client_auth_cert(vec![pair.der()?], key)?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}
