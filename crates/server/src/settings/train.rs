//! `[train]`: what a model is learnt with.

use std::num::{NonZeroU32, NonZeroUsize};

use recommender::learn::LearnSettings;
use recommender::learn::gram::GramSettings;
use recommender::learn::low_pass::LowPassSettings;
use recommender::learn::ridge::RidgeSettings;
use serde::Deserialize;

use super::Check;

/// Training.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Train {
    neighbours: NonZeroU32,
    row_entries: NonZeroU32,
    user_exponent: f32,
    regularisation: f32,
    item_exponent: f32,
    factors: u32,
    low_pass_weight: f32,
    low_pass_iterations: NonZeroU32,
    /// The most items of one user that are learnt from.
    pub history_items_max: NonZeroUsize,
    /// Threads to train with; 0 takes one for each core.
    pub threads: usize,
    /// An event counts half for what is trending after this many days.
    pub trend_half_life_days: f64,
}

impl Train {
    /// The model's settings as the engine takes them.
    #[must_use]
    pub fn engine(&self) -> LearnSettings {
        let ridge = RidgeSettings {
            gram: GramSettings {
                user_exponent: self.user_exponent,
                row_entries: self.row_entries.get() as usize,
            },
            neighbours: self.neighbours.get() as usize,
            regularisation: self.regularisation,
            item_exponent: self.item_exponent,
        };
        let low_pass = LowPassSettings {
            factors: self.factors as usize,
            weight: self.low_pass_weight,
            iterations: self.low_pass_iterations.get() as usize,
        };
        LearnSettings { ridge, low_pass }
    }

    pub(super) fn check(&self, check: &mut Check) {
        let mut numbers = |key, found: f32, range: std::ops::RangeInclusive<f32>, expected| {
            check.expect(key, found, range.contains(&found), expected);
        };
        numbers("train.user_exponent", self.user_exponent, 0.0..=2.0, "0 to 2");
        numbers("train.item_exponent", self.item_exponent, 0.0..=2.0, "0 to 2");
        let ridge = 1e-6..=1e6;
        numbers("train.regularisation", self.regularisation, ridge, "0.000001 to 1000000");
        numbers("train.low_pass_weight", self.low_pass_weight, 0.0..=100.0, "0 to 100");
        let mut counts = |key, found: u32, max: u32, expected| {
            check.expect(key, found, found <= max, expected);
        };
        counts("train.neighbours", self.neighbours.get(), 2000, "1 to 2000");
        counts("train.row_entries", self.row_entries.get(), 100_000, "1 to 100000");
        counts("train.factors", self.factors, 2048, "0 to 2048");
        counts("train.low_pass_iterations", self.low_pass_iterations.get(), 100, "1 to 100");
        let days = self.trend_half_life_days;
        check.expect("train.trend_half_life_days", days, days.is_finite() && days > 0.0, "above 0");
        check.expect("train.threads", self.threads, self.threads <= 1024, "0 to 1024");
    }
}
