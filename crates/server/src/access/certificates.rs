//! Whose certificate: by its alternative names, as the settings list them.
//!
//! Certificates come here verified: the transport has held them against the authorities.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::hash::sha256;
use super::{Identity, IdentityKind, Roles};
use crate::settings::AccessSection;

/// So many certificates are remembered; then all are forgotten at once.
const KNOWN_MAX: usize = 1024;

/// A longer name is none: names are shown in logs.
const NAME_LEN_MAX: usize = 256;

/// Who the certificates stand for.
pub(super) struct Certificates {
    /// Roles by `dns:…` or `uri:…`.
    named: HashMap<String, Roles>,
    /// The roles of everybody else.
    others: Roles,
    /// By the certificate's bytes, so that each is parsed once and not for every request. The
    /// hash need not be hard to foresee: only an authority's certificates come here.
    known: Mutex<HashMap<Vec<u8>, Identity, Xxh3DefaultBuilder>>,
}

impl Certificates {
    /// As the settings have it.
    pub(super) fn of(section: &AccessSection) -> Self {
        Self::new(section.named_certificates(), section.certificate_roles())
    }

    pub(super) fn new(named: HashMap<String, Roles>, others: Roles) -> Self {
        Self { named, others, known: Mutex::default() }
    }

    /// Whose certificate this is, in DER.
    pub(super) fn identify(&self, der: &[u8]) -> Identity {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = known.get(der) {
            return identity.clone();
        }
        let identity = self.parse(der);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(der.to_vec(), identity.clone());
        identity
    }

    /// The name is the first that the settings list, else the first there is, else a
    /// fingerprint; the roles are those of all names that they list.
    fn parse(&self, der: &[u8]) -> Identity {
        let names = names(der);
        let listed: Vec<(&String, Roles)> =
            names.iter().filter_map(|name| Some((name, *self.named.get(name)?))).collect();
        let name = listed.first().map(|(name, _)| *name).or(names.first());
        let name: Arc<str> = name.map_or_else(|| fingerprint(der), |name| name.as_str().into());
        let roles = if listed.is_empty() {
            self.others
        } else {
            listed.iter().flat_map(|(_, roles)| roles.iter()).collect()
        };
        Identity { kind: IdentityKind::Certificate, name, roles }
    }
}

/// The alternative names, as the settings write them; DNS names in lower case.
fn names(der: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(format!("dns:{}", name.to_ascii_lowercase())),
        GeneralName::URI(name) => Some(format!("uri:{name}")),
        _ => None,
    };
    let names = extension.value.general_names.iter().filter_map(name);
    names.filter(|name| is_fine(name)).collect()
}

/// Whether a log can show it as it is.
fn is_fine(name: &str) -> bool {
    name.len() <= NAME_LEN_MAX && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A name for a certificate that has none: the beginning of its SHA-256.
fn fingerprint(der: &[u8]) -> Arc<str> {
    let digits: String = sha256(der)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}").into()
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("named", &self.named)
            .field("others", &self.others)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;
    use crate::access::Role;

    fn der(names: &[SanType]) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.subject_alt_names = names.to_vec();
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn dns(name: &str) -> SanType {
        SanType::DnsName(name.try_into().unwrap())
    }

    fn uri(name: &str) -> SanType {
        SanType::URI(name.try_into().unwrap())
    }

    fn check(names: &[SanType], expected: &str, roles: &[Role]) {
        let listed = [
            ("dns:marketplace", [Role::Reader].into_iter().collect()),
            ("uri:spiffe://shop.example/web", [Role::Writer].into_iter().collect()),
        ];
        let listed = listed.map(|(name, roles): (&str, Roles)| (name.to_owned(), roles));
        let others = [Role::Admin].into_iter().collect();
        let certificates = Certificates::new(listed.into(), others);
        let der = der(names);
        // The second time it is known.
        for identity in [certificates.identify(&der), certificates.identify(&der)] {
            assert!(identity.name.starts_with(expected), "{identity}");
            assert_eq!(identity.roles, roles.iter().copied().collect());
        }
    }

    #[test]
    fn roles_go_by_the_names_that_are_listed() {
        check(&[dns("Marketplace")], "dns:marketplace", &[Role::Reader]);
        let web = uri("spiffe://shop.example/web");
        check(std::slice::from_ref(&web), "uri:spiffe://shop.example/web", &[Role::Writer]);
        let both = [dns("other"), web, dns("marketplace")];
        check(&both, "uri:spiffe://shop.example/web", &[Role::Reader, Role::Writer]);
    }

    #[test]
    fn names_that_are_not_listed_have_the_roles_of_the_others() {
        check(&[dns("other")], "dns:other", &[Role::Admin]);
        check(&[uri("spiffe://shop.example/WEB")], "uri:spiffe://shop.example/WEB", &[Role::Admin]);
        check(&[], "sha256:", &[Role::Admin]);
    }

    #[test]
    fn a_name_that_would_spoil_a_log_is_none() {
        check(&[uri("spiffe://a\u{1b}[31m"), dns("fine")], "dns:fine", &[Role::Admin]);
        check(&[uri(&"x".repeat(300))], "sha256:", &[Role::Admin]);
    }

    #[test]
    fn bytes_that_are_no_certificate_have_a_fingerprint() {
        let certificates = Certificates::new(HashMap::new(), Roles::default());
        let identity = certificates.identify(b"no certificate");
        assert!(identity.name.starts_with("sha256:") && identity.roles.is_empty(), "{identity}");
    }

    #[test]
    fn only_so_many_are_remembered() {
        let certificates = Certificates::new(HashMap::new(), Roles::default());
        for number in 0..3 * KNOWN_MAX {
            certificates.identify(&number.to_be_bytes());
        }
        assert!(certificates.known.lock().unwrap().len() <= KNOWN_MAX);
    }
}
