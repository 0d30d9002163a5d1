//! JSON Web Tokens (RFC 7519) that others have signed, with HS256 or `EdDSA`.
//!
//! A token is held against one key: the one that it names, or the only one there is. The key
//! says which algorithm it is for, never the token, so that neither `none` nor a public key
//! taken for a secret gets anywhere. The signature comes first; nothing of the claims is looked
//! at before.
//!
//! A signature of Ed25519 takes some 60 µs to check, on a thread that moves bytes. So tokens that
//! were verified are remembered by their SHA-256, as many as [`VERIFIED_MAX`], until they
//! expire or the keys change.

mod claims;
mod compact;
mod file;
mod key_set;
mod object;
mod verified;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch::Sender;

use super::hash::sha256;
use super::{Refusal, Standing};
use compact::Compact;
use verified::Verified;

pub use file::{KeyFile, KeyFileError};
pub use key_set::{KeySet, KeySetError};
pub use verified::VERIFIED_MAX;
pub use watch::{LOOK_EVERY, Watcher};

/// What the claims of a token are held to, beside its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What `iss` must be; none takes any.
    pub issuer: Option<String>,
    /// What must be in `aud`; none takes any.
    pub audience: Option<String>,
    /// The claim with the roles: an array of names, or names with spaces between.
    pub roles_claim: String,
    /// How far the clocks may be apart.
    pub leeway: Duration,
}

/// What tokens are held against.
#[derive(Debug)]
pub struct Tokens {
    current: ArcSwap<Current>,
    changes: Sender<()>,
}

/// Keys and rules, and the tokens that they have let in: others begin with none.
#[derive(Debug)]
struct Current {
    rules: Arc<Rules>,
    keys: Arc<KeySet>,
    verified: Verified,
}

impl Tokens {
    /// Holds tokens against these rules and keys.
    #[must_use]
    pub fn new(rules: Rules, keys: KeySet) -> Self {
        let current = Current::new(Arc::new(rules), Arc::new(keys));
        Self { current: ArcSwap::from_pointee(current), changes: Sender::default() }
    }

    /// Tells of other keys and other rules.
    pub(super) fn changes(&self) -> &Sender<()> {
        &self.changes
    }

    /// Takes other keys, and forgets every token.
    pub fn replace(&self, keys: KeySet) {
        let keys = Arc::new(keys);
        self.current.rcu(|before| Current::new(Arc::clone(&before.rules), Arc::clone(&keys)));
        self.changes.send_replace(());
    }

    /// Takes other rules, and forgets every token.
    pub fn hold_to(&self, rules: Rules) {
        if *self.current.load().rules == rules {
            return;
        }
        let rules = Arc::new(rules);
        self.current.rcu(|before| Current::new(Arc::clone(&rules), Arc::clone(&before.keys)));
        self.changes.send_replace(());
    }

    /// Whose token this is, at this many milliseconds since 1970. `may_verify` is asked before a
    /// signature is checked, unless the token is known.
    ///
    /// # Errors
    ///
    /// [`Refusal::Expired`] for a token that was good once, [`Refusal::Invalid`] for any other, and
    /// what `may_verify` says.
    pub fn identify(
        &self,
        token: &str,
        now_ms: i64,
        may_verify: impl FnOnce() -> Result<(), Refusal>,
    ) -> Result<Standing, Refusal> {
        if token.len() > compact::LEN_MAX {
            return Err(Refusal::Invalid);
        }
        let hash = sha256(token.as_bytes());
        let current = self.current.load();
        if let Some(known) = current.verified.find(&hash) {
            let has_ended = known.ends_ms.is_some_and(|ends_ms| ends_ms <= now_ms);
            return if has_ended { Err(Refusal::Expired) } else { Ok(known) };
        }
        let compact = Compact::parse(token).ok_or(Refusal::Invalid)?;
        let key = current.keys.find(&compact.header).ok_or(Refusal::Invalid)?;
        may_verify()?;
        if !key.has_signed(compact.signed, &compact.signature) {
            return Err(Refusal::Invalid);
        }
        let claims = compact.claims().ok_or(Refusal::Invalid)?;
        let known = claims::check(&claims, &current.rules, now_ms)?;
        current.verified.insert(hash, known.clone());
        Ok(known)
    }
}

impl Current {
    fn new(rules: Arc<Rules>, keys: Arc<KeySet>) -> Self {
        Self { rules, keys, verified: Verified::default() }
    }
}

#[cfg(test)]
mod tests;
