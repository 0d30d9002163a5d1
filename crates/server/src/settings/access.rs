//! `[access]`: who may do what, and how they show who they are.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Check, TlsSection};
use crate::access::jwt::Rules;
use crate::access::{Role, Roles};

/// More than this between two clocks is a defect of one of them.
const LEEWAY_MS_MAX: u32 = 300_000;

/// Ways in, and roles of certificates; an empty text is none.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessSection {
    /// Whether the store's API keys are taken.
    pub api_keys: bool,
    jwt_keys: PathBuf,
    jwt_issuer: String,
    jwt_audience: String,
    jwt_roles_claim: String,
    jwt_leeway_ms: u32,
    certificate_roles: RoleNames,
    certificates: BTreeMap<String, RoleNames>,
}

/// Roles, as a list of their names.
#[derive(Clone, Copy, Debug)]
struct RoleNames(Roles);

impl<'de> Deserialize<'de> for RoleNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        let roles = names.iter().map(|name| name.parse::<Role>().map_err(D::Error::custom));
        Ok(Self(roles.collect::<Result<_, _>>()?))
    }
}

impl AccessSection {
    /// Whether there is a way in, so that nobody comes without showing who they are.
    #[must_use]
    pub fn asks_who_calls(&self, tls: &TlsSection) -> bool {
        self.api_keys || self.jwt_keys().is_some() || asks_for_certificates(tls)
    }

    /// Whether requests bring secrets along, which only TLS keeps from those on the way.
    #[must_use]
    pub fn asks_for_secrets(&self) -> bool {
        self.api_keys || self.jwt_keys().is_some()
    }

    /// The file of keys for tokens.
    #[must_use]
    pub fn jwt_keys(&self) -> Option<&Path> {
        (!self.jwt_keys.as_os_str().is_empty()).then_some(&*self.jwt_keys)
    }

    /// What the claims of tokens are held to.
    #[must_use]
    pub fn jwt_rules(&self) -> Rules {
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        Rules {
            issuer: given(&self.jwt_issuer),
            audience: given(&self.jwt_audience),
            roles_claim: self.jwt_roles_claim.clone(),
            leeway: Duration::from_millis(self.jwt_leeway_ms.into()),
        }
    }

    /// Roles of certificates by alternative name: `dns:` and a name in lower case, or `uri:`.
    #[must_use]
    pub fn named_certificates(&self) -> HashMap<String, Roles> {
        let named = self.certificates.iter().map(|(name, roles)| {
            let is_dns = name.starts_with(DNS);
            (if is_dns { name.to_ascii_lowercase() } else { name.clone() }, roles.0)
        });
        named.collect()
    }

    /// The roles of all other certificates.
    #[must_use]
    pub fn certificate_roles(&self) -> Roles {
        self.certificate_roles.0
    }

    pub(super) fn check(&self, tls: &TlsSection, check: &mut Check) {
        for name in self.certificates.keys() {
            let rest = name.strip_prefix(DNS).or_else(|| name.strip_prefix("uri:"));
            let expected = "names such as \"dns:marketplace\" or \"uri:spiffe://shop.example/web\"";
            let fits = rest.is_some_and(|rest| !rest.is_empty());
            check.expect("access.certificates", &**name, fits, expected);
        }
        let unused = !self.certificates.is_empty() && !asks_for_certificates(tls);
        let expected = "tls.client_ca to be set, because without it nobody shows a certificate";
        check.expect("access.certificates", "not empty", !unused, expected);
        check.expect_path("access.jwt_keys", &self.jwt_keys);
        let claim = &*self.jwt_roles_claim;
        check.expect("access.jwt_roles_claim", "empty", !claim.is_empty(), "the name of a claim");
        let leeway = self.jwt_leeway_ms;
        let expected = format!("at most {LEEWAY_MS_MAX}");
        check.expect("access.jwt_leeway_ms", leeway, leeway <= LEEWAY_MS_MAX, expected);
    }
}

const DNS: &str = "dns:";

fn asks_for_certificates(tls: &TlsSection) -> bool {
    tls.files().is_some_and(|files| files.client_ca.is_some())
}
