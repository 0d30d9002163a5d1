//! Who may do what: identities, their roles, and how a request shows whose it is.
//!
//! There are three ways in, each there if the settings name it: certificates of mutual TLS, JSON
//! Web Tokens and API keys. Where there is none, nobody is asked: everybody may do everything,
//! and is told apart by address.
//!
//! Invariants:
//!
//! - A bearer credential that is presented counts, and nothing else: a bad one is refused even
//!   if the certificate is good.
//! - Identifying a request waits for nothing: it needs no database and no network.
//! - No secret, and no hash of one, is part of an error, of a log line or of `Debug`.

mod anonymous;
pub mod api_key;
mod bearer;
mod certificates;
mod hash;
mod identity;
pub mod jwt;
mod keyring;
pub mod keys;
mod role;

use std::future::Future;
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderMap;
use storage::Store;
use tokio::sync::watch;
use transport::Peer;

use crate::rates::RateLimits;
use crate::repeat::{Poll, WITHIN_A_SECOND};
use crate::settings::{AccessSection, Rate, Settings};
use api_key::ApiKey;
use bearer::bearer;
use certificates::Certificates;
use jwt::{KeyFile, KeyFileError, Tokens, Watcher};
use keyring::Keyring;

pub use identity::{Identity, IdentityKind, Standing};
pub use role::{Role, Roles, UnknownRole};

/// The longest time between two looks for keys that were revoked.
const KEYS_POLL_MAX: Duration = Duration::from_millis(500);

/// How long a look may take.
const KEYS_PATIENCE: Duration = Duration::from_secs(5);

/// How many new tokens of one address are verified. A signature takes some 60 µs of a thread that
/// moves bytes, and strangers can have as many as they like.
const NEW_TOKENS: Rate = Rate {
    calls_per_second: NonZeroU32::new(200).expect("it is not zero"),
    burst: NonZeroU32::new(1000).expect("it is not zero"),
};

/// Why nobody knows whose request it is. It says no more than a stranger may learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing was presented.
    Missing,
    /// What was presented is not, or no longer, good for anything.
    Invalid,
    /// It was good once; told only to who has shown the secret of it.
    Expired,
    /// Too many new tokens come from this address; so long is to be waited.
    TooMany(Duration),
}

/// The ways in, and what is known of those who may come.
#[derive(Debug)]
pub struct Access {
    certificates: Option<ArcSwap<Certificates>>,
    tokens: Option<(Arc<Tokens>, KeyFile)>,
    keys: Option<Keyring>,
    /// How many tokens that nobody knows yet are verified for each address.
    strangers: RateLimits,
    /// Tells that somebody who was known may not be any more.
    changes: watch::Sender<()>,
}

impl Access {
    /// The ways in that the settings name. API keys are known after the first
    /// [`renew`](Self::renew).
    ///
    /// # Errors
    ///
    /// [`KeyFileError`] if there is to be a file of keys and it cannot be used.
    pub fn open(settings: &Settings) -> Result<Self, KeyFileError> {
        let section = &settings.access;
        let files = settings.tls.files();
        let asks_for_certificates = files.is_some_and(|files| files.client_ca.is_some());
        let certificates =
            asks_for_certificates.then(|| ArcSwap::from_pointee(Certificates::of(section)));
        let tokens = section.jwt_keys().map(|path| {
            let (file, keys) = KeyFile::open(path)?;
            Ok((Arc::new(Tokens::new(section.jwt_rules(), keys)), file))
        });
        let tokens = tokens.transpose()?;
        let changes = tokens.as_ref().map(|(tokens, _)| tokens.changes().clone());
        let keys = section.api_keys.then(Keyring::default);
        let strangers = RateLimits::new(Some(NEW_TOKENS));
        let changes = changes.unwrap_or_default();
        Ok(Self { certificates, tokens, keys, strangers, changes })
    }

    /// Takes up other roles of certificates and other rules for tokens. The ways in stay those of
    /// the start, so that none is opened or closed unseen.
    pub fn follow(&self, section: &AccessSection) {
        if let Some(certificates) = &self.certificates {
            certificates.store(Arc::new(Certificates::of(section)));
        }
        if let Some((tokens, _)) = &self.tokens {
            tokens.hold_to(section.jwt_rules());
        }
        self.changes.send_replace(());
    }

    /// Tells, after each change, that whoever was identified is to be identified again.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Whose request it is, at this many milliseconds since 1970, and until when.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if that is not shown.
    pub fn identify(
        &self,
        headers: &HeaderMap,
        peer: Option<&Peer>,
        now_ms: i64,
    ) -> Result<Standing, Refusal> {
        let may_verify = || {
            let allowed = self.strangers.check(&anonymous::identity(peer));
            allowed.map_err(|(_, wait)| Refusal::TooMany(wait))
        };
        self.identify_if(headers, peer, now_ms, may_verify)
    }

    /// Whose request it is that was [identified](Self::identify) before: no stranger's.
    pub(crate) fn identify_again(
        &self,
        headers: &HeaderMap,
        peer: Option<&Peer>,
        now_ms: i64,
    ) -> Result<Standing, Refusal> {
        self.identify_if(headers, peer, now_ms, || Ok(()))
    }

    fn identify_if(
        &self,
        headers: &HeaderMap,
        peer: Option<&Peer>,
        now_ms: i64,
        may_verify: impl FnOnce() -> Result<(), Refusal>,
    ) -> Result<Standing, Refusal> {
        let for_ever = |identity| Standing { identity, ends_ms: None };
        if !self.asks() {
            return Ok(for_ever(anonymous::identity(peer)));
        }
        match bearer(headers)? {
            Some(credential) => self.identify_bearer(credential, now_ms, may_verify),
            None => {
                let certificates = self.certificates.as_ref().ok_or(Refusal::Missing)?;
                let shown = peer.and_then(|peer| peer.certificates().first());
                let identity = shown.map(|shown| certificates.load().identify(shown));
                identity.map(for_ever).ok_or(Refusal::Missing)
            }
        }
    }

    fn identify_bearer(
        &self,
        credential: &str,
        now_ms: i64,
        may_verify: impl FnOnce() -> Result<(), Refusal>,
    ) -> Result<Standing, Refusal> {
        if ApiKey::looks_like(credential) {
            let keys = self.keys.as_ref().ok_or(Refusal::Invalid)?;
            return keys.identify(credential, now_ms);
        }
        let (tokens, _) = self.tokens.as_ref().ok_or(Refusal::Invalid)?;
        tokens.identify(credential, now_ms, may_verify)
    }

    /// What a request has to show, as words for a refusal.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        match (&self.keys, &self.tokens, &self.certificates) {
            (Some(_), Some(_), _) => "an API key or a JSON Web Token as `authorization: Bearer …`",
            (Some(_), None, _) => "an API key as `authorization: Bearer …`",
            (None, Some(_), _) => "a JSON Web Token as `authorization: Bearer …`",
            (None, None, Some(_)) => "a certificate, and no `authorization`",
            (None, None, None) => "nothing",
        }
    }

    /// Whether there is a way in, so that nobody comes without.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.certificates.is_some() || self.tokens.is_some() || self.keys.is_some()
    }

    /// Forgets addresses that have sent no new tokens for a while, for ever.
    pub async fn keep_small(&self) {
        self.strangers.keep_small().await;
    }

    /// Looks whether the file of keys for tokens changes, as long as the result lives; none if
    /// there is no such file.
    ///
    /// # Errors
    ///
    /// The operating system's, if it starts no thread.
    pub fn watch(&self) -> io::Result<Option<Watcher>> {
        let tokens = self.tokens.as_ref();
        tokens.map(|(tokens, file)| Watcher::start(file.clone(), Arc::clone(tokens))).transpose()
    }

    /// Brings in the store's API keys if they changed.
    ///
    /// # Errors
    ///
    /// [`storage::StoreError`]; the keys that are known stay so.
    pub async fn renew(&self, store: &Store) -> Result<(), storage::StoreError> {
        if let Some(keys) = &self.keys
            && keys.renew(store).await?
        {
            self.changes.send_replace(());
        }
        Ok(())
    }

    /// Renews at every `interval`, but at least every half second, so that a key that is revoked
    /// is refused within a second; until `stop` ends, or not at all if no keys are taken.
    pub async fn keep_current(
        &self,
        store: &Store,
        interval: Duration,
        stop: impl Future<Output = ()>,
    ) {
        if self.keys.is_none() {
            return;
        }
        let poll = Poll {
            interval: interval.min(KEYS_POLL_MAX),
            wait_max: WITHIN_A_SECOND,
            patience: KEYS_PATIENCE,
            failing: "cannot look for new or revoked API keys; those that were known are taken on",
            recovered: "new and revoked API keys are found again",
            failures: None,
        };
        poll.repeat(|| self.renew(store), stop).await;
    }
}
