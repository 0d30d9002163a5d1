//! Calls counted by many tasks at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::verdict::Verdict;

/// So many failures are kept in words.
const EXAMPLES_MAX: usize = 5;

/// How calls ended, and when it is enough.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    good: AtomicU64,
    failed: AtomicU64,
    /// Calls that were tried again.
    retried: AtomicU64,
    examples: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

impl Tally {
    /// Counts a call, or whatever else either succeeds or fails.
    pub(crate) fn count(&self, result: Result<(), String>) {
        match result {
            Ok(()) => {
                self.good.fetch_add(1, Ordering::Relaxed);
            }
            Err(why) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                self.keep(why);
            }
        }
    }

    /// Counts a call that is tried again.
    pub(crate) fn retry(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    fn keep(&self, why: String) {
        let mut examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
        if examples.len() < EXAMPLES_MAX {
            examples.push(why);
        }
    }

    pub(crate) fn good(&self) -> u64 {
        self.good.load(Ordering::Relaxed)
    }

    pub(crate) fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// Adds the failures to a verdict: there may be none.
    pub(crate) fn hold(&self, name: &'static str, verdict: &mut Verdict) {
        verdict.hold(name, self.failed.load(Ordering::Relaxed), 0);
        for example in &*self.examples.lock().unwrap_or_else(PoisonError::into_inner) {
            verdict.miss(format!("for example: {example}"));
        }
    }

    /// Tells all tasks that it is enough.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}
