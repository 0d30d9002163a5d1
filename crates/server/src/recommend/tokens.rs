//! Attribution tokens: names of answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::generation::Generation;

use super::ShelfKind;

/// Makes tokens that name an answer: model version, start of the process, a count and the letter of
/// the kind of shelf.
#[derive(Debug)]
pub(super) struct Tokens {
    started_ns: u64,
    count: AtomicU64,
}

impl Tokens {
    pub(super) fn new() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started_ns: since_1970.as_nanos() as u64, count: AtomicU64::new(0) }
    }

    pub(super) fn next(&self, generation: &Generation, kind: ShelfKind) -> String {
        let version = generation.model().map_or(0, |model| model.version.0);
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        format!("{version}.{:x}.{count:x}.{}", self.started_ns, kind.letter())
    }
}
