//! Certificates and keys out of PEM, and what else was there if they are missing.

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Problem;

/// How many kinds of blocks an error lists.
const KINDS_LISTED: usize = 8;

/// How long the name of a kind may be to be listed.
const KIND_LEN_MAX: usize = 40;

/// All certificates, in the order of the file; at least one.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| damaged(&error))?;
    if found.is_empty() {
        return Err(Problem::Missing { expected: "a certificate", found: kinds(pem) });
    }
    Ok(found)
}

/// The first key.
pub(super) fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Problem> {
    let found = PrivateKeyDer::pem_slice_iter(pem).next();
    match found {
        Some(found) => found.map_err(|error| damaged(&error)),
        None => Err(Problem::Missing { expected: "an unencrypted private key", found: kinds(pem) }),
    }
}

/// Leaves out the parser's own words: they quote the file, and a key may be in it.
fn damaged(error: &pem::Error) -> Problem {
    let reason = match error {
        pem::Error::MissingSectionEnd { .. } => "its END line is missing",
        pem::Error::IllegalSectionStart { .. } => "its BEGIN line is not closed by five dashes",
        pem::Error::Base64Decode(_) => "its text is not Base64",
        _ => "it cannot be parsed",
    };
    Problem::DamagedPem { reason }
}

/// The kinds of blocks that a file begins, such as `ENCRYPTED PRIVATE KEY`.
fn kinds(pem: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(pem);
    let kinds = text.lines().filter_map(|line| {
        let kind = line.trim_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
        let is_plain = kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
        (is_plain && kind.len() <= KIND_LEN_MAX).then(|| kind.to_owned())
    });
    kinds.take(KINDS_LISTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_lists_what_else_was_there() {
        let pem = b"hello\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let problem = key(pem).unwrap_err().to_string();
        assert_eq!(
            problem,
            "has no PEM block with an unencrypted private key, found ENCRYPTED PRIVATE KEY"
        );
        let problem = certificates(b"").unwrap_err().to_string();
        assert_eq!(problem, "has no PEM block with a certificate, found no PEM at all");
    }

    #[test]
    fn a_damaged_block_is_told_without_quoting_it() {
        let check = |pem: &str, expected: &str| {
            let problem = key(pem.as_bytes()).unwrap_err().to_string();
            assert_eq!(problem, format!("has a damaged PEM block: {expected}"));
        };
        check("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n", "its END line is missing");
        check("-----BEGIN PRIVATE KEY\nc2VjcmV0\n", "its BEGIN line is not closed by five dashes");
        check(
            "-----BEGIN PRIVATE KEY-----\nsecret!\n-----END PRIVATE KEY-----\n",
            "its text is not Base64",
        );
    }
}
