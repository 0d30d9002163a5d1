//! What one request is answered from.

use std::sync::Arc;

use crate::clock::now_ms;
use crate::generation::Generation;
use crate::rules::{RuleSet, StoredRules};

/// A generation, and the rules resolved against it.
#[derive(Debug)]
pub struct Serving {
    generation: Arc<Generation>,
    rules: Arc<RuleSet>,
}

impl Serving {
    /// Resolves rules against a generation, as of now.
    pub(super) fn new(generation: Arc<Generation>, rules: Arc<StoredRules>) -> Self {
        let rules = Arc::new(RuleSet::new(rules, &generation, now_ms()));
        Self { generation, rules }
    }

    /// The same rules with another generation. If that differs in offers only, which no rule goes
    /// by, they are not resolved anew unless one has begun or ended.
    pub(super) fn with_generation(&self, generation: Arc<Generation>) -> Self {
        let is_same = generation.is_described_as(&self.generation);
        if is_same && self.rules.valid_ms().contains(&now_ms()) {
            return Self { generation, rules: Arc::clone(&self.rules) };
        }
        Self::new(generation, Arc::clone(self.rules.stored()))
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
