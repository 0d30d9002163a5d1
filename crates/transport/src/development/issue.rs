//! Making keys and certificates.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use time::OffsetDateTime;

use super::place::{File, Readers};
use super::{CLIENT_NAME, SERVER_NAME, VALIDITY_MAX};

/// For clocks of clients that are behind.
const VALID_BEFORE: Duration = Duration::from_secs(60 * 60);

/// An authority and two pairs, in PEM.
pub(super) struct Made {
    authority: Pair,
    server: Pair,
    client: Pair,
    /// When both pairs cease to be valid.
    pub(super) expires: SystemTime,
}

struct Pair {
    certificate: String,
    key: String,
}

/// Makes an authority and two pairs.
pub(super) fn make(
    names: &[String],
    validity: Duration,
    now: SystemTime,
) -> Result<Made, rcgen::Error> {
    let from = now - VALID_BEFORE;
    let expires = now + validity;
    let mut params = params("Foreword development authority", from, now + VALIDITY_MAX, &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let issue = |params: CertificateParams| -> Result<Pair, rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &authority)?;
        Ok(Pair { certificate: certificate.pem(), key: key.serialize_pem() })
    };
    let server = leaf(SERVER_NAME, from, expires, names, ExtendedKeyUsagePurpose::ServerAuth)?;
    let client_names = [CLIENT_NAME.to_owned()];
    let client =
        leaf(CLIENT_NAME, from, expires, &client_names, ExtendedKeyUsagePurpose::ClientAuth)?;
    Ok(Made {
        server: issue(server)?,
        client: issue(client)?,
        authority: Pair { certificate: authority.pem(), key: authority.key().serialize_pem() },
        expires,
    })
}

fn leaf(
    name: &str,
    from: SystemTime,
    expires: SystemTime,
    names: &[String],
    purpose: ExtendedKeyUsagePurpose,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = params(name, from, expires, names)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    // Strict verifiers, such as Python's since 3.13, want to find the issuer's key by it.
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn params(
    name: &str,
    from: SystemTime,
    expires: SystemTime,
    names: &[String],
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = OffsetDateTime::from(from);
    params.not_after = OffsetDateTime::from(expires);
    Ok(params)
}

impl Made {
    /// The files, in the order in which they are to appear.
    pub(super) fn files(&self) -> [File<'_>; 6] {
        let Self { authority, server, client, .. } = self;
        [
            secret("ca.key", &authority.key),
            secret("server.key", &server.key),
            secret("client.key", &client.key),
            public("ca.pem", &authority.certificate),
            public("server.pem", &server.certificate),
            public("client.pem", &client.certificate),
        ]
    }
}

fn secret<'a>(name: &'static str, text: &'a str) -> File<'a> {
    File { name, text, readers: Readers::Owner }
}

fn public<'a>(name: &'static str, text: &'a str) -> File<'a> {
    File { name, text, readers: Readers::All }
}
