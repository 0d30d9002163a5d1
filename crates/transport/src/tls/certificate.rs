//! What must be true of a certificate before it is served with or trusted.
//!
//! rustls would serve with an expired certificate and leave it to every client to refuse it.
//! It is said here instead, at the start or when the files change.

use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::Problem;

/// X.509 version 3, as [`X509Certificate::version`] counts.
const VERSION_3: u32 = 2;

/// What a certificate is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Server,
    Client,
}

/// Checks a chain that begins with one's own certificate, and returns when that expires.
///
/// Of those after the first it checks only that they are certificates: each peer builds its
/// own path and may need none of them.
pub(super) fn check(
    chain: &[CertificateDer<'_>],
    purpose: Purpose,
    now: SystemTime,
) -> Result<SystemTime, Problem> {
    let (first, others) = chain
        .split_first()
        .ok_or(Problem::Missing { expected: "a certificate", found: Vec::new() })?;
    let certificate = parse(first, 1)?;
    check_version(&certificate)?;
    check_time(&certificate, now)?;
    check_purpose(&certificate, purpose)?;
    for (place, der) in others.iter().enumerate() {
        parse(der, place + 2)?;
    }
    Ok(not_after(&certificate))
}

/// Checks an authority, the `number`th of its file.
pub(super) fn check_authority(der: &CertificateDer<'_>, number: usize) -> Result<(), Problem> {
    let certificate = parse(der, number)?;
    // Roots of version 1 cannot say what they are.
    if certificate.version().0 == VERSION_3 && !certificate.is_ca() {
        return Err(Problem::NotAnAuthority { number });
    }
    Ok(())
}

/// Checks that a certificate is valid now.
pub(super) fn check_valid(der: &CertificateDer<'_>, now: SystemTime) -> Result<(), Problem> {
    check_time(&parse(der, 1)?, now)
}

fn parse<'a>(der: &'a CertificateDer<'_>, number: usize) -> Result<X509Certificate<'a>, Problem> {
    let bad = |reason: String| Problem::BadCertificate { number, reason };
    let (rest, certificate) =
        X509Certificate::from_der(der).map_err(|error| bad(error.to_string()))?;
    if !rest.is_empty() {
        return Err(bad(format!("{} bytes follow its end", rest.len())));
    }
    Ok(certificate)
}

fn check_version(certificate: &X509Certificate<'_>) -> Result<(), Problem> {
    let version = certificate.version().0;
    if version != VERSION_3 {
        return Err(Problem::OldVersion { found: version.saturating_add(1) });
    }
    Ok(())
}

fn check_time(certificate: &X509Certificate<'_>, now: SystemTime) -> Result<(), Problem> {
    let from = SystemTime::from(certificate.validity().not_before.to_datetime());
    let at = not_after(certificate);
    if now < from {
        return Err(Problem::NotYetValid { from });
    }
    if now > at {
        return Err(Problem::Expired { at });
    }
    Ok(())
}

fn check_purpose(certificate: &X509Certificate<'_>, purpose: Purpose) -> Result<(), Problem> {
    let usage = certificate
        .extended_key_usage()
        .map_err(|error| Problem::BadCertificate { number: 1, reason: error.to_string() })?;
    let Some(usage) = usage else { return Ok(()) };
    match purpose {
        Purpose::Server if !usage.value.server_auth && !usage.value.any => {
            Err(Problem::NotForServers)
        }
        Purpose::Client if !usage.value.client_auth && !usage.value.any => {
            Err(Problem::NotForClients)
        }
        _ => Ok(()),
    }
}

fn not_after(certificate: &X509Certificate<'_>) -> SystemTime {
    certificate.validity().not_after.to_datetime().into()
}
