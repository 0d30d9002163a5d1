//! Certificates to try TLS and mutual TLS with: an authority, a server's and a client's pair.
//!
//! They are for development. The authority's key lies beside them, so whoever reads the folder
//! can be the server or any client; a shop that is open to others needs certificates of an
//! authority that keeps its key to itself.
//!
//! All are X.509 version 3 with ECDSA on P-256. The server's names are subject alternative
//! names, because clients look at nothing else; the common name repeats the first for people.
//! Serial numbers are digests of new random keys, so no two are the same.

mod issue;
mod place;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustls::pki_types::ServerName;

/// The name of the server in the tutorial's client; `localhost` and loopback addresses are
/// always added.
pub const SERVER_NAME: &str = "recommendations";

/// The name of the client in the tutorial.
pub const CLIENT_NAME: &str = "marketplace";

/// How long the pairs are valid unless somebody asks for something else: 825 days, the most that
/// Apple's platforms accept of authorities that a user has added.
pub const VALIDITY_DEFAULT: Duration = days(825);

/// How long the authority is valid: ten years, so that it outlives every pair.
pub const VALIDITY_MAX: Duration = days(3650);

/// How many names may be added to the server's.
pub const NAMES_MAX: usize = 100;

/// What to write.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Names and addresses of the server beside [`SERVER_NAME`], `localhost`, `127.0.0.1` and `::1`.
    pub names: Vec<String>,
    /// How long the pairs are valid, at most [`VALIDITY_MAX`].
    pub validity: Duration,
    /// What happens to files that are there already.
    pub existing: Existing,
}

/// What happens to files that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and nothing is written.
    Keep,
    /// They are replaced, each in one step.
    Replace,
}

/// What was written. Keys have mode 0600.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Certificate of the authority, that both sides trust.
    pub authority: PathBuf,
    /// Its key, to sign more pairs with.
    pub authority_key: PathBuf,
    /// The server's certificate.
    pub server: PathBuf,
    /// Its key.
    pub server_key: PathBuf,
    /// The client's certificate.
    pub client: PathBuf,
    /// Its key.
    pub client_key: PathBuf,
    /// All names and addresses in the server's certificate.
    pub names: Vec<String>,
    /// When both pairs cease to be valid.
    pub expires: SystemTime,
}

/// Why no certificates were written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A name cannot be in a certificate.
    #[error("{name:?} is neither a host name nor an IP address")]
    BadName {
        /// The name.
        name: String,
    },
    /// There are too many names.
    #[error("{found} names to add, expected at most {NAMES_MAX}")]
    TooManyNames {
        /// How many there are.
        found: usize,
    },
    /// The pairs would outlive their authority, or not live at all.
    #[error("valid for {found:?}, expected more than nothing and at most {VALIDITY_MAX:?}")]
    BadValidity {
        /// How long they would be valid.
        found: Duration,
    },
    /// A file is there already and is to be kept.
    #[error("{} is there already, and nothing was written", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// A file or the folder could not be written.
    #[error("cannot write {}: {source}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A key or certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

/// Makes an authority and two pairs and writes them into a folder, which is made if it is missing:
/// `ca.pem`, `ca.key`, `server.pem`, `server.key`, `client.pem` and `client.key`.
///
/// They are valid from one hour before `now`, for clocks that are behind. Each file appears whole
/// or not at all, certificates after their keys.
///
/// # Errors
///
/// [`WriteError`]. Of files that are to be kept none is touched, and none that was written before
/// the error is left behind.
pub fn write_certificates(
    folder: &Path,
    plan: &Plan,
    now: SystemTime,
) -> Result<Written, WriteError> {
    check(plan)?;
    let names = server_names(&plan.names);
    let made = issue::make(&names, plan.validity, now)?;
    place::write(folder, &made.files(), plan.existing)?;
    let path = |name| folder.join(name);
    Ok(Written {
        authority: path("ca.pem"),
        authority_key: path("ca.key"),
        server: path("server.pem"),
        server_key: path("server.key"),
        client: path("client.pem"),
        client_key: path("client.key"),
        names,
        expires: made.expires,
    })
}

fn check(plan: &Plan) -> Result<(), WriteError> {
    if plan.names.len() > NAMES_MAX {
        return Err(WriteError::TooManyNames { found: plan.names.len() });
    }
    for name in &plan.names {
        let host = name.strip_prefix("*.").unwrap_or(name);
        let is_address_or_host = ServerName::try_from(name.as_str()).is_ok();
        let is_wildcard = matches!(ServerName::try_from(host), Ok(ServerName::DnsName(_)));
        if !is_address_or_host && !is_wildcard {
            return Err(WriteError::BadName { name: name.clone() });
        }
    }
    if plan.validity.as_secs() == 0 || plan.validity > VALIDITY_MAX {
        return Err(WriteError::BadValidity { found: plan.validity });
    }
    Ok(())
}

/// The names that are always there, then the others, each once.
fn server_names(added: &[String]) -> Vec<String> {
    let mut names: Vec<String> =
        [SERVER_NAME, "localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    for name in added {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 60 * 60)
}
