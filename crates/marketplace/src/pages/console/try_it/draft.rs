//! Changes of rules that are only tried. They travel in the form, so that the shop keeps nothing;
//! what comes back is held to bounds, and the service holds each rule to its own.

use api::v1::bury::Depth;
use api::v1::rule::{Effect, Target};
use api::v1::{Boost, Bury, Pin, Rule};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::chart::number;
use crate::language::{Words, fill};

/// Changes of a draft.
const CHANGES_MAX: usize = 20;

/// Bytes of a draft as it is written into the form, which has room for as much again.
const BYTES_MAX: usize = 8 << 10;

/// Changes that are not saved, in their order.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Draft(Vec<Change>);

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Change {
    Put(RuleFields),
    Delete { rule: String },
}

/// A rule as the form has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RuleFields {
    #[serde(default)]
    pub(super) rule_id: String,
    /// `book`, `author`, `series` or `category`.
    #[serde(default)]
    pub(super) target: String,
    #[serde(default)]
    pub(super) about: String,
    /// `pin`, `boost`, `last` or `out`.
    #[serde(default)]
    pub(super) effect: String,
    #[serde(default)]
    pub(super) number: String,
}

/// Why a change is not in the draft.
#[derive(Debug, PartialEq)]
pub(super) enum AddError {
    Full,
    Malformed,
}

impl Draft {
    /// As a form has it; one that is not ours counts as none.
    pub(super) fn read(text: &str) -> Self {
        let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let mut draft: Self = serde_json::from_slice(&bytes).unwrap_or_default();
        draft.0.truncate(CHANGES_MAX);
        draft
    }

    /// As a form has it.
    pub(super) fn written(&self) -> String {
        let json = serde_json::to_vec(self).expect("a draft is plain data");
        if self.is_empty() { String::new() } else { URL_SAFE_NO_PAD.encode(json) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn first(&self) -> Option<&Change> {
        self.0.first()
    }

    /// Adds a rule.
    pub(super) fn add(&mut self, rule: &RuleFields) -> Result<(), AddError> {
        let rule = rule.trimmed();
        rule.message().ok_or(AddError::Malformed)?;
        self.change(Change::Put(rule))
    }

    /// Adds a change, in place of one of the same rule.
    pub(super) fn change(&mut self, change: Change) -> Result<(), AddError> {
        let before = self.0.clone();
        self.0.retain(|one| one.rule() != change.rule());
        self.0.push(change);
        if self.0.len() > CHANGES_MAX || self.written().len() > BYTES_MAX {
            self.0 = before;
            return Err(AddError::Full);
        }
        Ok(())
    }

    /// Takes out the change at a place; there may be none.
    pub(super) fn take_out(&mut self, place: usize) {
        if place < self.0.len() {
            self.0.remove(place);
        }
    }

    /// The stored rules as they would be.
    pub(super) fn applied(&self, stored: &[Rule]) -> Vec<Rule> {
        let mut rules = stored.to_vec();
        for change in &self.0 {
            let place = rules.iter().position(|rule| rule.rule_id == change.rule());
            match (change, place) {
                (Change::Put(rule), Some(place)) => rules[place] = rule.over(Some(&rules[place])),
                (Change::Put(rule), None) => rules.push(rule.over(None)),
                (Change::Delete { .. }, Some(place)) => drop(rules.remove(place)),
                (Change::Delete { .. }, None) => {}
            }
        }
        rules
    }

    /// Each change in words.
    pub(super) fn told(&self, words: &Words) -> Vec<String> {
        let texts = &words.try_it;
        let told = |change: &Change| match change {
            Change::Put(rule) => {
                let values = [("rule", rule.rule_id.as_str()), ("text", &rule.told(words))];
                fill(&texts.change_put, &values)
            }
            Change::Delete { rule } => fill(&texts.change_delete, &[("rule", rule)]),
        };
        self.0.iter().map(told).collect()
    }
}

impl Change {
    /// The id of the rule.
    fn rule(&self) -> &str {
        match self {
            Self::Put(rule) => &rule.rule_id,
            Self::Delete { rule } => rule,
        }
    }
}

impl RuleFields {
    /// The fields of a rule.
    pub(super) fn of(rule: &Rule) -> Self {
        let (target, about) = match &rule.target {
            Some(Target::BookId(id)) => ("book", id.as_str()),
            Some(Target::Author(name)) => ("author", name.as_str()),
            Some(Target::Series(name)) => ("series", name.as_str()),
            Some(Target::Category(slug)) => ("category", slug.as_str()),
            None => ("", ""),
        };
        let (effect, number) = match &rule.effect {
            Some(Effect::Pin(pin)) => ("pin", pin.place.to_string()),
            Some(Effect::Boost(boost)) => ("boost", boost.factor.to_string()),
            Some(Effect::Bury(bury)) if bury.depth() == Depth::Out => ("out", String::new()),
            Some(Effect::Bury(_)) => ("last", String::new()),
            None => ("", String::new()),
        };
        Self {
            rule_id: rule.rule_id.clone(),
            target: target.to_owned(),
            about: about.to_owned(),
            effect: effect.to_owned(),
            number,
        }
    }

    /// The rule; what the form does not have stays as it was before.
    pub(super) fn over(&self, before: Option<&Rule>) -> Rule {
        let (target, effect) = self.message().unzip();
        let before = before.cloned().unwrap_or_default();
        Rule { rule_id: self.rule_id.clone(), target, effect, ..before }
    }

    /// The rule in words.
    pub(super) fn told(&self, words: &Words) -> String {
        let texts = &words.try_it;
        let about = match self.target.as_str() {
            "author" => &texts.about_author,
            "series" => &texts.about_series,
            "category" => &texts.about_category,
            _ => &texts.about_book,
        };
        let about = fill(about, &[("name", &self.about)]);
        let effect = match self.effect.as_str() {
            "pin" => &texts.rule_pin,
            "boost" => &texts.rule_boost,
            "last" => &texts.rule_last,
            _ => &texts.rule_out,
        };
        let number = self.number.parse().map_or_else(|_| self.number.clone(), number);
        fill(effect, &[("about", &about), ("number", &number)])
    }

    /// What a rule may be about, with which of it this is.
    pub(super) fn targets(&self, words: &Words) -> Vec<(&'static str, String, bool)> {
        let texts = &words.try_it;
        let choices = [
            ("book", &texts.target_book),
            ("author", &texts.target_author),
            ("series", &texts.target_series),
            ("category", &texts.target_category),
        ];
        choices.map(|(name, text)| (name, text.clone(), name == self.target)).to_vec()
    }

    /// What may become of the books, with which of it this is.
    pub(super) fn effects(&self, words: &Words) -> Vec<(&'static str, String, bool)> {
        let texts = &words.try_it;
        let choices = [
            ("pin", &texts.pin),
            ("boost", &texts.boost),
            ("last", &texts.bury_last),
            ("out", &texts.bury_out),
        ];
        choices.map(|(name, text)| (name, text.clone(), name == self.effect)).to_vec()
    }

    fn trimmed(&self) -> Self {
        let trim = |text: &String| text.trim().to_owned();
        Self {
            rule_id: trim(&self.rule_id),
            target: trim(&self.target),
            about: trim(&self.about),
            effect: trim(&self.effect),
            number: trim(&self.number),
        }
    }

    /// As the contract has it; `None` if something is missing.
    fn message(&self) -> Option<(Target, Effect)> {
        let about = || self.about.clone();
        let target = match self.target.as_str() {
            "book" => Target::BookId(about()),
            "author" => Target::Author(about()),
            "series" => Target::Series(about()),
            "category" => Target::Category(about()),
            _ => return None,
        };
        let effect = match self.effect.as_str() {
            "pin" => Effect::Pin(Pin { place: self.number.parse().ok()? }),
            "boost" => Effect::Boost(Boost { factor: self.number.parse().ok()? }),
            "last" => Effect::Bury(Bury { depth: Depth::Last.into() }),
            "out" => Effect::Bury(Bury { depth: Depth::Out.into() }),
            _ => return None,
        };
        (!self.rule_id.is_empty() && !self.about.is_empty()).then_some((target, effect))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, effect: &str, number: &str) -> RuleFields {
        RuleFields {
            rule_id: id.to_owned(),
            target: "book".to_owned(),
            about: "7".to_owned(),
            effect: effect.to_owned(),
            number: number.to_owned(),
        }
    }

    fn delete(id: &str) -> Change {
        Change::Delete { rule: id.to_owned() }
    }

    #[test]
    fn a_draft_comes_back_from_the_form_as_it_was() {
        let mut draft = Draft::default();
        draft.add(&rule("window", "pin", "2")).unwrap();
        draft.change(delete("old")).unwrap();
        assert_eq!(Draft::read(&draft.written()), draft);
        assert_eq!(Draft::default().written(), "");
        for text in ["", "x", "!", "AAAA"] {
            assert_eq!(Draft::read(text), Draft::default());
        }
    }

    #[test]
    fn what_is_no_rule_is_not_taken() {
        let mut draft = Draft::default();
        for bad in [
            rule("", "pin", "1"),
            rule("a", "pin", "x"),
            rule("a", "boost", ""),
            rule("a", "sink", "1"),
        ] {
            assert_eq!(draft.add(&bad), Err(AddError::Malformed), "{bad:?}");
        }
        assert_eq!(draft.add(&rule(" a ", "out", "")), Ok(()));
        assert_eq!(draft.first(), Some(&Change::Put(rule("a", "out", ""))));
    }

    #[test]
    fn a_full_draft_takes_no_more_and_keeps_what_it_has() {
        let mut draft = Draft::default();
        for number in 0..CHANGES_MAX {
            draft.change(delete(&number.to_string())).unwrap();
        }
        assert_eq!(draft.change(delete("more")), Err(AddError::Full));
        assert_eq!(draft.change(delete("0")), Ok(()));
        let mut draft = Draft::default();
        let long = RuleFields { about: "x".repeat(BYTES_MAX), ..rule("a", "out", "") };
        assert_eq!(draft.add(&long), Err(AddError::Full));
        assert!(draft.is_empty());
    }

    #[test]
    fn the_last_change_of_a_rule_counts_and_keeps_what_the_form_does_not_have() {
        let stored = |id: &str, note: &str| Rule {
            rule_id: id.to_owned(),
            note: note.to_owned(),
            ..Rule::default()
        };
        let mut draft = Draft::default();
        draft.change(delete("a")).unwrap();
        draft.add(&rule("a", "boost", "2")).unwrap();
        draft.change(delete("b")).unwrap();
        draft.add(&rule("c", "last", "")).unwrap();
        let rules = draft.applied(&[stored("a", "of summer"), stored("b", "")]);
        let ids: Vec<&str> = rules.iter().map(|rule| rule.rule_id.as_str()).collect();
        assert_eq!(ids, ["a", "c"]);
        assert_eq!(rules[0].note, "of summer");
        assert_eq!(rules[0].effect, Some(Effect::Boost(Boost { factor: 2.0 })));
        assert_eq!(RuleFields::of(&rules[0]), rule("a", "boost", "2"));
    }
}
