//! Tokens that were verified, so that each is verified once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::access::Standing;

/// The most tokens that are remembered.
pub const VERIFIED_MAX: usize = 4096;

/// SHA-256 of a token.
pub(super) type Hash = [u8; 32];

/// Tokens by their hashes. `Debug` shows how many.
#[derive(Default)]
pub(super) struct Verified {
    halves: Mutex<Halves>,
}

/// Two halves: once the new one is full, it becomes the old one, and what nobody has shown since
/// is forgotten. No token needs to be looked for that could go.
#[derive(Default)]
struct Halves {
    new: HashMap<Hash, Standing>,
    old: HashMap<Hash, Standing>,
}

impl Verified {
    pub(super) fn find(&self, hash: &Hash) -> Option<Standing> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = halves.new.get(hash) {
            return Some(known.clone());
        }
        let known = halves.old.remove(hash)?;
        halves.insert(*hash, known.clone());
        Some(known)
    }

    pub(super) fn insert(&self, hash: Hash, known: Standing) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.insert(hash, known);
    }
}

impl Halves {
    fn insert(&mut self, hash: Hash, known: Standing) {
        if self.new.len() >= VERIFIED_MAX / 2 {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(hash, known);
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Verified").field("tokens", &(halves.new.len() + halves.old.len())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Identity, IdentityKind, Roles};

    fn hash(number: usize) -> Hash {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    #[test]
    fn what_is_shown_again_stays_and_the_rest_is_forgotten() {
        let identity =
            Identity { kind: IdentityKind::Token, name: "ann".into(), roles: Roles::all() };
        let known = Standing { identity, ends_ms: Some(1) };
        let verified = Verified::default();
        for number in 0..3 * VERIFIED_MAX {
            verified.insert(hash(number), known.clone());
            assert_eq!(verified.find(&hash(0)).as_ref(), Some(&known), "{number}");
            let halves = verified.halves.lock().unwrap();
            assert!(halves.new.len() + halves.old.len() <= VERIFIED_MAX);
        }
        assert_eq!(verified.find(&hash(1)), None);
    }
}
