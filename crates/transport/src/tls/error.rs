//! Why certificates, keys or authorities were refused.

use std::fmt::{self, Display};
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use time::OffsetDateTime;

/// A file that TLS cannot be used with.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct TlsError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    #[source]
    pub problem: Problem,
}

/// What is wrong with a file. Certificates are counted from 1, in the order of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It is missing, or this account may not read it.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// It is a folder, a pipe or a device.
    #[error("is not a regular file, expected PEM")]
    NotAFile,
    /// It is far longer than certificates and keys are.
    #[error("has more than {limit} bytes, expected PEM of at most that")]
    TooLarge {
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// It has no PEM block of the kind that is needed.
    #[error("has no PEM block with {expected}, found {}", Listed(found))]
    Missing {
        /// What was looked for.
        expected: &'static str,
        /// The kinds of the blocks that it has; of very many, the first.
        found: Vec<String>,
    },
    /// It has a PEM block that is cut or damaged.
    #[error("has a damaged PEM block: {reason}")]
    DamagedPem {
        /// What is wrong with the block.
        reason: &'static str,
    },
    /// A certificate cannot be understood.
    #[error("certificate {number} cannot be used: {reason}")]
    BadCertificate {
        /// Which one.
        number: usize,
        /// What the parser said.
        reason: String,
    },
    /// A certificate is of a version that rustls and its peers refuse.
    #[error(
        "is a certificate of X.509 version {found}, expected version 3; `openssl x509 -req` writes version 1 unless -extfile names a file with extensions, such as subjectAltName"
    )]
    OldVersion {
        /// Its version.
        found: u32,
    },
    /// The certificate is for later.
    #[error("is not valid before {}", moment(*from))]
    NotYetValid {
        /// When it becomes valid.
        from: SystemTime,
    },
    /// The certificate was valid until now.
    #[error("expired at {}", moment(*at))]
    Expired {
        /// When it ceased to be valid.
        at: SystemTime,
    },
    /// The certificate is for something else, such as a client.
    #[error(
        "is not a certificate for servers: its extended key usage has no server authentication"
    )]
    NotForServers,
    /// The certificate is for something else, such as a server.
    #[error(
        "is not a certificate for clients: its extended key usage has no client authentication"
    )]
    NotForClients,
    /// A certificate in the file of authorities cannot have issued others.
    #[error("certificate {number} is not an authority, expected basic constraints with CA:TRUE")]
    NotAnAuthority {
        /// Which one.
        number: usize,
    },
    /// The key cannot be used.
    #[error("has a key that cannot be used: {reason}")]
    BadKey {
        /// What rustls said.
        reason: String,
    },
    /// The key belongs to another certificate.
    #[error("is not the key of the first certificate in {}", certificate.display())]
    KeyMismatch {
        /// The file of the certificate.
        certificate: PathBuf,
    },
    /// rustls refused what was found for another reason.
    #[error("cannot be used: {reason}")]
    Refused {
        /// What rustls said.
        reason: String,
    },
}

/// Kinds of PEM blocks, as a list in a sentence.
struct Listed<'a>(&'a [String]);

impl Display for Listed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => formatter.write_str("no PEM at all"),
            kinds => formatter.write_str(&kinds.join(", ")),
        }
    }
}

/// A moment in UTC, as in RFC 3339, to the second.
pub(super) fn moment(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    let (hour, minute, second) = time.to_hms();
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn moments_are_written_in_utc_to_the_second() {
        assert_eq!(moment(UNIX_EPOCH), "1970-01-01T00:00:00Z");
        let later = UNIX_EPOCH + Duration::from_millis(1_796_083_205_900);
        assert_eq!(moment(later), "2026-12-01T00:00:05Z");
    }
}
