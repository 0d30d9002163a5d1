//! Whose request it is.

use std::fmt;
use std::sync::Arc;

use super::Roles;

/// Who calls, as far as that was shown. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// How it was shown.
    pub kind: IdentityKind,
    /// What is said of it in logs and counted against in limits: a SAN, a token's subject, a
    /// key's id, or an address. Never a secret.
    pub name: Arc<str>,
    /// What it may do.
    pub roles: Roles,
}

/// Who calls, and for how long that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who calls.
    pub identity: Identity,
    /// From when on what was shown is refused, in milliseconds since 1970, if ever.
    pub ends_ms: Option<i64>,
}

/// How an identity was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentityKind {
    /// By nothing: nobody is asked, and the name is an address.
    Anonymous,
    /// By a certificate of mutual TLS.
    Certificate,
    /// By a JSON Web Token.
    Token,
    /// By an API key.
    ApiKey,
}

impl IdentityKind {
    /// Its name in logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Certificate => "certificate",
            Self::Token => "token",
            Self::ApiKey => "api_key",
        }
    }
}

/// Kind and name, such as `api_key:3fa9c2d1`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.name)
    }
}
