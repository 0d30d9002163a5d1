//! Lines of rules.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use storage::{Rule, RuleEffect, RuleTarget, Surface, Surfaces};

use super::value::{FieldError, Moment, by_name, name_of};

const SURFACES: [(Surface, &str); 3] = [
    (Surface::Recommend, "SURFACE_RECOMMEND"),
    (Surface::SimilarBooks, "SURFACE_SIMILAR_BOOKS"),
    (Surface::Trending, "SURFACE_TRENDING"),
];

/// One of `book_id`, `author`, `series` and `category`, and one of `pin`, `boost` and `bury`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backup) struct RuleLine {
    rule_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    book_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    series: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<Pin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boost: Option<Boost>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bury: Option<Bury>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    surfaces: Vec<Cow<'static, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start_time: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_time: Option<Moment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    place: u32,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Boost {
    factor: f64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Bury {
    depth: Depth,
}

#[derive(Debug, Deserialize, Serialize)]
enum Depth {
    #[serde(rename = "DEPTH_LAST")]
    Last,
    #[serde(rename = "DEPTH_OUT")]
    Out,
}

impl From<Rule> for RuleLine {
    fn from(rule: Rule) -> Self {
        let surfaces = rule.surfaces.iter().map(|surface| name_of(&SURFACES, surface)).collect();
        let mut line = Self {
            rule_id: rule.id,
            surfaces,
            start_time: rule.starts_ms.map(Moment),
            end_time: rule.ends_ms.map(Moment),
            note: rule.note,
            ..Self::default()
        };
        match rule.target {
            RuleTarget::Book(id) => line.book_id = Some(id),
            RuleTarget::Author(name) => line.author = Some(name),
            RuleTarget::Series(name) => line.series = Some(name),
            RuleTarget::Category(slug) => line.category = Some(slug),
        }
        match rule.effect {
            RuleEffect::Pin(place) => line.pin = Some(Pin { place }),
            RuleEffect::Boost(factor) => line.boost = Some(Boost { factor }),
            RuleEffect::Last => line.bury = Some(Bury { depth: Depth::Last }),
            RuleEffect::Out => line.bury = Some(Bury { depth: Depth::Out }),
        }
        line
    }
}

impl RuleLine {
    pub(super) fn rule(self) -> Result<Rule, FieldError> {
        const TARGET: &str = "one of book_id, author, series and category";
        const EFFECT: &str = "one of pin, boost and bury";
        let target = match (self.book_id, self.author, self.series, self.category) {
            (Some(id), None, None, None) => RuleTarget::Book(id),
            (None, Some(name), None, None) => RuleTarget::Author(name),
            (None, None, Some(name), None) => RuleTarget::Series(name),
            (None, None, None, Some(slug)) => RuleTarget::Category(slug),
            _ => return Err(FieldError::new("rule", &self.rule_id, TARGET)),
        };
        let effect = match (self.pin, self.boost, self.bury) {
            (Some(Pin { place }), None, None) => RuleEffect::Pin(place),
            (None, Some(Boost { factor }), None) => RuleEffect::Boost(factor),
            (None, None, Some(Bury { depth: Depth::Last })) => RuleEffect::Last,
            (None, None, Some(Bury { depth: Depth::Out })) => RuleEffect::Out,
            _ => return Err(FieldError::new("rule", &self.rule_id, EFFECT)),
        };
        let surface = |name: &Cow<'_, str>| by_name(&SURFACES, "surfaces", name);
        Ok(Rule {
            id: self.rule_id,
            target,
            effect,
            surfaces: self.surfaces.iter().map(surface).collect::<Result<Surfaces, _>>()?,
            starts_ms: self.start_time.map(|time| time.0),
            ends_ms: self.end_time.map(|time| time.0),
            note: self.note,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surfaces_have_the_names_of_the_contract() {
        assert_eq!(SURFACES.map(|(surface, _)| surface), Surface::ALL);
        for (place, (_, name)) in SURFACES.into_iter().enumerate() {
            let known = api::v1::Surface::from_str_name(name).unwrap();
            assert_eq!(known as usize, place + 1);
        }
    }
}
