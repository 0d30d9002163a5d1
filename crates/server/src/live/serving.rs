//! What one request is answered from.

use std::sync::Arc;

use crate::clock::now_ms;
use crate::generation::Generation;
use crate::rules::{RuleSet, StoredRules};

/// A generation, and the rules resolved against it.
#[derive(Debug)]
pub struct Serving {
    generation: Arc<Generation>,
    rules: RuleSet,
}

impl Serving {
    /// Resolves rules against a generation, as of now.
    pub(super) fn new(generation: Arc<Generation>, rules: Arc<StoredRules>) -> Self {
        let rules = RuleSet::new(rules, &generation, now_ms());
        Self { generation, rules }
    }

    /// Model and books.
    #[must_use]
    pub fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// The rules that hold.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }
}
