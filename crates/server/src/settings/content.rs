//! `[content]`: what the catalogue says about books that few users have met.

use std::num::NonZeroU32;

use recommender::learn::content::{ContentSettings, KindWeights};
use serde::Deserialize;

use super::Check;

/// What the catalogue says about books that few users have met.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ContentSection {
    half_users: f32,
    scale: f32,
    direct: f32,
    neighbours: NonZeroU32,
    regularisation: f32,
    feature_items: NonZeroU32,
    entries: NonZeroU32,
    authors: f32,
    series: f32,
    categories: f32,
    language: f32,
    publisher: f32,
    title: f32,
}

impl ContentSection {
    /// As the engine takes it.
    #[must_use]
    pub fn engine(&self) -> ContentSettings {
        ContentSettings {
            half_users: self.half_users,
            scale: self.scale,
            direct: self.direct,
            neighbours: self.neighbours.get() as usize,
            regularisation: self.regularisation,
            feature_items: self.feature_items.get() as usize,
            entries: self.entries.get() as usize,
        }
    }

    /// How much each kind of feature counts.
    #[must_use]
    pub fn kinds(&self) -> KindWeights {
        KindWeights {
            authors: self.authors,
            series: self.series,
            categories: self.categories,
            language: self.language,
            publisher: self.publisher,
            title: self.title,
        }
    }

    pub(super) fn check(&self, check: &mut Check) {
        let users = self.half_users;
        let fits = (0.01..=1e6).contains(&users);
        check.expect("content.half_users", users, fits, "0.01 to 1000000");
        let ridge = self.regularisation;
        let fits = (1e-3..=1e3).contains(&ridge);
        check.expect("content.regularisation", ridge, fits, "0.001 to 1000");
        for (key, factor) in [
            ("content.scale", self.scale),
            ("content.direct", self.direct),
            ("content.authors", self.authors),
            ("content.series", self.series),
            ("content.categories", self.categories),
            ("content.language", self.language),
            ("content.publisher", self.publisher),
            ("content.title", self.title),
        ] {
            check.expect(key, factor, (0.0..=100.0).contains(&factor), "0 to 100");
        }
        for (key, count, most) in [
            ("content.neighbours", self.neighbours, 1000),
            ("content.feature_items", self.feature_items, 100_000),
            ("content.entries", self.entries, 10_000),
        ] {
            check.expect(key, count, count.get() <= most, format!("1 to {most}"));
        }
    }
}
