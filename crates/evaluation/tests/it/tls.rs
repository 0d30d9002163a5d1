//! TLS and mutual TLS, with real handshakes.

use std::sync::Arc;

use evaluation::load::{Arrivals, LoadError, Measured, Target, Tls, run};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::shop::{Shop, ask, plan, some};

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for a name, and its key.
    fn certify(&self, name: &str) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem().into_bytes(), key.serialize_pem().into_bytes())
    }

    fn trusted(&self) -> Tls {
        Tls { authorities: self.pem.clone().into_bytes(), ..Tls::default() }
    }

    /// A server with a certificate for `name`; with `clients`, only for those it certified.
    fn serve(&self, name: &str, clients: Option<&Self>) -> Shop {
        let (certificate, key) = self.certify(name);
        let mut tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
        if let Some(clients) = clients {
            tls = tls.client_ca_root(Certificate::from_pem(&clients.pem));
        }
        Shop::start_with(Some(tls), |_| Box::pin(async { Ok(vec![1]) }))
    }
}

fn measure(address: &str, tls: Option<Tls>) -> Result<Measured, LoadError> {
    let target = Target { address: address.to_owned(), tls, process: None };
    let plan = plan(Arrivals::Closed { in_flight: some(1) }, 100);
    run(&plan, &target, ask(), &|_| {}, &Arc::default())
}

fn answered(measured: &Result<Measured, LoadError>) -> u64 {
    measured.as_ref().map_or(0, |measured| measured.outcomes.good())
}

#[test]
fn a_server_is_asked_over_tls_if_its_authority_is_trusted() {
    let authority = Authority::new();
    let shop = authority.serve("localhost", None);
    let address = format!("localhost:{}", shop.address.port());
    let trusting = measure(&address, Some(authority.trusted())).unwrap();
    assert!(trusting.outcomes.good() > 0 && trusting.outcomes.wrong() == 0);
    let stranger = measure(&address, Some(Authority::new().trusted()));
    let Err(LoadError::Connect(error)) = stranger else { panic!("{stranger:?}") };
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(answered(&measure(&address, None)), 0, "plaintext was answered");
}

#[test]
fn the_name_of_the_certificate_may_be_another_than_that_of_the_address() {
    let authority = Authority::new();
    let shop = authority.serve("shop.example", None);
    let address = shop.address.to_string();
    assert!(measure(&address, Some(authority.trusted())).is_err());
    let named = Tls { name: Some("shop.example".to_owned()), ..authority.trusted() };
    assert!(answered(&measure(&address, Some(named))) > 0);
}

#[test]
fn mutual_tls_needs_a_certificate_that_the_server_trusts() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let shop = authority.serve("localhost", Some(&clients));
    let address = format!("localhost:{}", shop.address.port());
    let with = |identity| measure(&address, Some(Tls { identity, ..authority.trusted() }));
    let known = with(Some(clients.certify("loader"))).unwrap();
    assert!(known.outcomes.good() > 0 && known.outcomes.wrong() == 0);
    assert_eq!(answered(&with(None)), 0);
    assert_eq!(answered(&with(Some(Authority::new().certify("loader")))), 0);
}

#[test]
fn a_file_without_a_certificate_is_told() {
    let authority = Authority::new();
    let shop = authority.serve("localhost", None);
    let address = format!("localhost:{}", shop.address.port());
    let identity = Some((b"nothing".to_vec(), b"nothing".to_vec()));
    let error = measure(&address, Some(Tls { identity, ..authority.trusted() })).unwrap_err();
    assert!(error.to_string().starts_with("cannot use the certificates for localhost"), "{error}");
}
