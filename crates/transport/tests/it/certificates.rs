//! Certificates for tests, and those that `transport::development` writes.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use transport::development::{
    Existing, Plan, VALIDITY_DEFAULT, VALIDITY_MAX, WriteError, Written, write_certificates,
};
use transport::tls::{Tls, TlsFiles};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::tls::{Versions, meet};

/// An authority of tests.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key, in PEM.
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::of(params)
    }

    pub(crate) fn of(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self { issuer: CertifiedIssuer::self_signed(params, key).unwrap() }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A pair for the server `localhost`.
    pub(crate) fn server(&self) -> Pair {
        self.server_with(|_| {})
    }

    pub(crate) fn server_with(&self, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        self.pair("localhost", ExtendedKeyUsagePurpose::ServerAuth, change)
    }

    /// A pair for a client.
    pub(crate) fn client(&self) -> Pair {
        self.client_with(|_| {})
    }

    pub(crate) fn client_with(&self, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        self.pair("marketplace", ExtendedKeyUsagePurpose::ClientAuth, change)
    }

    fn pair(
        &self,
        name: &str,
        purpose: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Pair {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![purpose];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A client that trusts an authority and shows a certificate if it has one.
pub(crate) fn client(authority: &str, pair: Option<&Pair>, versions: Versions) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for der in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(der.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match pair {
        None => config.with_no_client_auth(),
        Some(pair) => {
            let chain: Result<Vec<_>, _> =
                CertificateDer::pem_slice_iter(pair.certificate.as_bytes()).collect();
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
            config.with_client_auth_cert(chain.unwrap(), key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

fn plan() -> Plan {
    Plan { names: Vec::new(), validity: VALIDITY_DEFAULT, existing: Existing::Keep }
}

fn write(folder: &Path, plan: &Plan) -> Written {
    write_certificates(folder, plan, SystemTime::now()).unwrap()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const SIX: [&str; 6] = ["ca.key", "ca.pem", "client.key", "client.pem", "server.key", "server.pem"];

#[test]
fn what_is_written_serves_mutual_tls_under_every_name() {
    let folder = TempDir::new().unwrap();
    let names = ["shop.example", "10.1.2.3", "*.shop.example"].map(str::to_owned).to_vec();
    let written = write(folder.path(), &Plan { names, ..plan() });
    let tls = Tls::load(TlsFiles {
        certificate: written.server,
        key: written.server_key,
        client_ca: Some(written.authority.clone()),
    });
    let tls = tls.unwrap();
    let pair = Pair { certificate: text(&written.client), key: text(&written.client_key) };
    for versions in crate::tls::EACH_VERSION {
        let client = Arc::new(client(&text(&written.authority), Some(&pair), versions));
        for name in written.names.iter().map(|name| name.replace('*', "www")) {
            meet(&tls, &client, &name).unwrap_or_else(|refused| panic!("{name}: {refused:?}"));
        }
        assert!(meet(&tls, &client, "elsewhere.example").is_err());
    }
}

#[test]
fn certificates_have_what_strict_verifiers_ask_for() {
    let folder = TempDir::new().unwrap();
    let now = SystemTime::now();
    let written = write_certificates(folder.path(), &plan(), now).unwrap();
    assert_eq!(written.expires, now + VALIDITY_DEFAULT);
    let mut serials = Vec::new();
    for (path, name) in [
        (&written.authority, "CN=Foreword development authority"),
        (&written.server, "CN=recommendations"),
        (&written.client, "CN=marketplace"),
    ] {
        let der = CertificateDer::from_pem_file(path).unwrap();
        let (_, certificate) = X509Certificate::from_der(&der).unwrap();
        assert_eq!(certificate.version().0, 2);
        assert_eq!(certificate.subject().to_string(), name);
        let is_authority = path == &written.authority;
        assert_eq!(certificate.is_ca(), is_authority);
        let usage = certificate.key_usage().unwrap().unwrap().value;
        assert_eq!(usage.key_cert_sign(), is_authority);
        assert_eq!(usage.digital_signature(), !is_authority);
        let purposes = certificate.extended_key_usage().unwrap().map(|usage| {
            assert!(!usage.value.any);
            (usage.value.server_auth, usage.value.client_auth)
        });
        let expected = [None, Some((true, false)), Some((false, true))];
        assert_eq!(purposes, expected[serials.len()]);
        let has = |oid: &str| {
            certificate.extensions().iter().any(|extension| extension.oid.to_id_string() == oid)
        };
        assert!(has("2.5.29.14"), "no subject key identifier");
        assert_eq!(has("2.5.29.35"), !is_authority, "authority key identifier");
        serials.push(certificate.raw_serial_as_string());
    }
    serials.dedup();
    assert_eq!(serials.len(), 3);
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    write(folder.path(), &plan());
    for name in SIX {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        // The account's mask may take more away.
        let others = mode & 0o077;
        assert!(if name.ends_with(".key") { mode == 0o600 } else { others & !0o044 == 0 });
    }
}

#[test]
fn files_that_are_there_stay_unless_told_otherwise() {
    let folder = TempDir::new().unwrap();
    let written = write(folder.path(), &plan());
    let before = text(&written.authority);
    fs::remove_file(&written.server).unwrap();
    let refused = write_certificates(folder.path(), &plan(), SystemTime::now());
    assert!(matches!(&refused, Err(WriteError::Exists { .. })), "{refused:?}");
    assert_eq!(text(&written.authority), before);
    assert_eq!(names_in(folder.path()).len(), 5, "nothing new is there");

    write(folder.path(), &Plan { existing: Existing::Replace, ..plan() });
    assert_ne!(text(&written.authority), before);
    assert_eq!(names_in(folder.path()), SIX);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_not_followed() {
    let folder = TempDir::new().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, folder.path().join("ca.key")).unwrap();
    let refused = write_certificates(folder.path(), &plan(), SystemTime::now());
    assert!(matches!(&refused, Err(WriteError::Exists { .. })), "{refused:?}");
    write(folder.path(), &Plan { existing: Existing::Replace, ..plan() });
    assert_eq!(names_in(folder.path()), SIX);
}

#[test]
fn what_no_certificate_can_hold_is_refused_before_anything_is_written() {
    let folder = TempDir::new().unwrap();
    let check = |plan: Plan, expected: &str| {
        let refused = write_certificates(folder.path(), &plan, SystemTime::now());
        assert_eq!(refused.unwrap_err().to_string(), expected);
        assert!(names_in(folder.path()).is_empty());
    };
    for name in ["", "two words", "a,b", "ümlaut", "http://shop", "*.10.1.2.3", "*"] {
        let names = vec![name.to_owned()];
        check(
            Plan { names, ..plan() },
            &format!("{name:?} is neither a host name nor an IP address"),
        );
    }
    let names = vec!["shop".to_owned(); 101];
    check(Plan { names, ..plan() }, "101 names to add, expected at most 100");
    for validity in [Duration::ZERO, VALIDITY_MAX + Duration::from_secs(1)] {
        let refused =
            write_certificates(folder.path(), &Plan { validity, ..plan() }, SystemTime::now());
        assert!(matches!(refused, Err(WriteError::BadValidity { found }) if found == validity));
    }
}

#[test]
fn the_folder_is_made_and_nothing_else_is_left_in_it() {
    let folder = TempDir::new().unwrap();
    let inner = folder.path().join("new/certificates");
    write(&inner, &plan());
    assert_eq!(names_in(&inner), SIX);
}
