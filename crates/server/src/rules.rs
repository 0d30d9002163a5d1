//! The shop's rules, resolved: what the engine is told of them.
//!
//! Rules name books, authors, series and categories; the engine wants the numbers of one
//! catalogue, and knows no clock. So a set is of one generation and of one stretch of time, in
//! which no rule begins or ends. Nothing is resolved while a request waits.
//!
//! Each layer has its own words. A boost of the contract and of the store weighs in the engine;
//! burying is `Bury` with a depth in the contract, and `Last` or `Out` in store and engine.

use std::ops::Range;
use std::sync::Arc;

use recommender::shelf::{Rule as EngineRule, Rules, Target};
use storage::{RULES_MAX, Rule, RuleEffect, RuleTarget, Store, StoreError, Surface};

use crate::generation::Generation;

/// The rules of the store, as they were at one moment.
#[derive(Debug, Default)]
pub struct StoredRules {
    revision: i64,
    turn: u64,
    rules: Vec<Rule>,
}

/// Rules, resolved against one generation and for one stretch of time.
#[derive(Debug)]
pub struct RuleSet {
    stored: Arc<StoredRules>,
    recommend: Rules,
    similar_books: Rules,
    trending: Rules,
    /// How many are in force.
    in_force: usize,
    /// While no rule begins or ends, in milliseconds since 1970.
    valid_ms: Range<i64>,
}

impl StoredRules {
    /// Reads all rules, at the caller's turn.
    ///
    /// # Errors
    ///
    /// As every method of [`Store`] that reads.
    pub async fn read(store: &Store, turn: u64) -> Result<Self, StoreError> {
        // The revision first: a change in between is then seen as one more change.
        let revision = store.rules_revision().await?;
        Ok(Self { revision, turn, rules: store.rules_after(None, RULES_MAX).await? })
    }

    /// Rules that no store has.
    #[must_use]
    pub fn draft(rules: Vec<Rule>) -> Self {
        Self { revision: 0, turn: 0, rules }
    }

    /// The revision that they were read at, or an earlier one.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// The turn of whoever read them: later ones know more, whatever the revision.
    #[must_use]
    pub fn turn(&self) -> u64 {
        self.turn
    }
}

impl RuleSet {
    /// Resolves the rules that are in force at a moment. Costs about a microsecond a rule, and a few
    /// nanoseconds for each book that is buried, on each of the three shelves. Where single books
    /// are boosted, they take up to eight bytes for each book of the shop and each shelf.
    #[must_use]
    pub fn new(stored: Arc<StoredRules>, generation: &Generation, now_ms: i64) -> Self {
        let is_in_force = |rule: &&Rule| {
            rule.starts_ms.is_none_or(|starts| starts <= now_ms)
                && rule.ends_ms.is_none_or(|ends| now_ms < ends)
        };
        let in_force: Vec<&Rule> = stored.rules.iter().filter(is_in_force).collect();
        let resolved = |surface| {
            let covers = |rule: &&&Rule| rule.surfaces.cover(surface);
            let rules = in_force.iter().filter(covers).filter_map(|rule| resolve(rule, generation));
            Rules::new(&rules.collect::<Vec<_>>(), generation.shop().catalogue)
        };
        Self {
            recommend: resolved(Surface::Recommend),
            similar_books: resolved(Surface::SimilarBooks),
            trending: resolved(Surface::Trending),
            in_force: in_force.len(),
            valid_ms: around(&stored.rules, now_ms),
            stored,
        }
    }

    /// What the engine is told for one shelf.
    #[must_use]
    pub fn of(&self, surface: Surface) -> &Rules {
        match surface {
            Surface::Recommend => &self.recommend,
            Surface::SimilarBooks => &self.similar_books,
            Surface::Trending => &self.trending,
        }
    }

    /// What it was resolved from.
    #[must_use]
    pub fn stored(&self) -> &Arc<StoredRules> {
        &self.stored
    }

    /// How many rules are in force.
    #[must_use]
    pub fn in_force(&self) -> usize {
        self.in_force
    }

    /// While no rule begins or ends, in milliseconds since 1970.
    #[must_use]
    pub fn valid_ms(&self) -> &Range<i64> {
        &self.valid_ms
    }
}

/// How many books of the shop a rule is about; for one book, all its editions.
#[must_use]
pub fn matches(target: &RuleTarget, generation: &Generation) -> usize {
    let catalogue = generation.shop().catalogue;
    find(target, generation).map_or(0, |target| target.items(catalogue).len())
}

/// What a rule is about, if the shop has such books.
fn find(target: &RuleTarget, generation: &Generation) -> Option<Target> {
    let catalogue = generation.shop().catalogue;
    match target {
        RuleTarget::Book(id) => generation.index_of_id(id).map(Target::Item),
        RuleTarget::Author(name) => catalogue.author_number(name).map(Target::Author),
        RuleTarget::Series(name) => catalogue.series_number(name).map(Target::Series),
        RuleTarget::Category(slug) => catalogue.category_number(slug).map(Target::Category),
    }
}

fn resolve(rule: &Rule, generation: &Generation) -> Option<EngineRule> {
    let target = find(&rule.target, generation)?;
    Some(match (rule.effect, target) {
        (RuleEffect::Pin(place), Target::Item(item)) => {
            EngineRule::Pin { item, place: place as usize }
        }
        // The store refuses such a rule.
        (RuleEffect::Pin(_), _) => return None,
        // The engine wants it above 0, also where so small a number is not one of its own.
        (RuleEffect::Boost(factor), target) => {
            EngineRule::Weigh { target, factor: (factor as f32).max(f32::MIN_POSITIVE) }
        }
        (RuleEffect::Last, target) => EngineRule::Last(target),
        (RuleEffect::Out, target) => EngineRule::Out(target),
    })
}

/// The stretch of time around a moment in which no rule begins or ends.
fn around(rules: &[Rule], now_ms: i64) -> Range<i64> {
    let ends = |rule: &Rule| rule.starts_ms.into_iter().chain(rule.ends_ms);
    rules.iter().flat_map(ends).fold(i64::MIN..i64::MAX, |valid, end| {
        if end <= now_ms {
            valid.start.max(end)..valid.end
        } else {
            valid.start..valid.end.min(end)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(starts_ms: Option<i64>, ends_ms: Option<i64>) -> Rule {
        Rule {
            id: "a".to_owned(),
            target: RuleTarget::Category("mystery".to_owned()),
            effect: RuleEffect::Last,
            surfaces: [Surface::Trending].into_iter().collect(),
            starts_ms,
            ends_ms,
            note: None,
        }
    }

    #[test]
    fn a_rule_is_in_force_from_its_start_until_just_before_its_end() {
        let stored = Arc::new(StoredRules {
            revision: 1,
            turn: 0,
            rules: vec![rule(Some(10), Some(20)), rule(None, Some(15)), rule(Some(30), None)],
        });
        for (now_ms, in_force, valid_ms) in [
            (9, 1, i64::MIN..10),
            (10, 2, 10..15),
            (14, 2, 10..15),
            (15, 1, 15..20),
            (20, 0, 20..30),
            (30, 1, 30..i64::MAX),
        ] {
            let set = RuleSet::new(Arc::clone(&stored), &Generation::default(), now_ms);
            assert_eq!((set.in_force(), set.valid_ms()), (in_force, &valid_ms), "at {now_ms}");
        }
    }
}
