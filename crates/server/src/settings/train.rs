//! `[train]`: what a model is learnt with.

use std::num::{NonZeroU32, NonZeroUsize};

use recommender::learn::LearnSettings;
use recommender::learn::gram::GramSettings;
use recommender::learn::low_pass::LowPassSettings;
use recommender::learn::ridge::RidgeSettings;
use serde::Deserialize;

use super::preset::Preset;
use super::shown::Origin;
use super::source::Source;
use super::{Check, Settings, SettingsError};

/// Training.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Train {
    /// How much a training may cost.
    pub preset: Preset,
    /// Whether settings that tuning chose are taken for keys that nobody has set.
    pub tuned: bool,
    neighbours: NonZeroU32,
    row_entries: NonZeroU32,
    user_exponent: f32,
    regularisation: f32,
    item_exponent: f32,
    distance_exponent: f32,
    factors: u32,
    low_pass_weight: f32,
    low_pass_iterations: NonZeroU32,
    /// The most items of one user that are learnt from.
    pub history_items_max: NonZeroUsize,
    /// How long a measured quality holds for new models, in hours; 0 measures none.
    pub measure_hours: f64,
    /// Threads to train with; 0 takes one for each core.
    pub threads: usize,
    /// An event counts half for what is trending after this many days.
    pub trend_half_life_days: f64,
    /// An event counts half for what is popular after this many days.
    pub popularity_half_life_days: f64,
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
            distance_exponent: self.distance_exponent,
        };
        let low_pass = LowPassSettings {
            factors: self.factors as usize,
            weight: self.low_pass_weight,
            iterations: self.low_pass_iterations.get() as usize,
        };
        LearnSettings { ridge, low_pass }
    }

    /// Settings of the engine as the `[train]` section of a settings file.
    #[must_use]
    pub fn to_toml(engine: &LearnSettings) -> String {
        // Whole, so that nobody adds a setting that is not kept.
        let LearnSettings { ridge, low_pass } = *engine;
        let RidgeSettings { gram, neighbours, regularisation, item_exponent, distance_exponent } =
            ridge;
        let GramSettings { user_exponent, row_entries } = gram;
        let LowPassSettings { factors, weight, iterations } = low_pass;
        let mut text = String::from("[train]\n");
        let mut line = |key: &str, value: &dyn std::fmt::Display| {
            text.push_str(&format!("{key} = {value}\n"));
        };
        line("neighbours", &neighbours);
        line("row_entries", &row_entries);
        line("user_exponent", &format_args!("{user_exponent:?}"));
        line("regularisation", &format_args!("{regularisation:?}"));
        line("item_exponent", &format_args!("{item_exponent:?}"));
        line("distance_exponent", &format_args!("{distance_exponent:?}"));
        line("factors", &factors);
        line("low_pass_weight", &format_args!("{weight:?}"));
        line("low_pass_iterations", &iterations);
        text
    }

    pub(super) fn check(&self, check: &mut Check) {
        let mut numbers = |key, found: f32, range: std::ops::RangeInclusive<f32>, expected| {
            check.expect(key, found, range.contains(&found), expected);
        };
        numbers("train.user_exponent", self.user_exponent, 0.0..=2.0, "0 to 2");
        numbers("train.item_exponent", self.item_exponent, 0.0..=2.0, "0 to 2");
        numbers("train.distance_exponent", self.distance_exponent, 0.0..=2.0, "0 to 2");
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
        for (key, days) in [
            ("train.trend_half_life_days", self.trend_half_life_days),
            ("train.popularity_half_life_days", self.popularity_half_life_days),
        ] {
            check.expect(key, days, days.is_finite() && days > 0.0, "above 0");
        }
        let hours = self.measure_hours;
        let fits = (0.0..=87_600.0).contains(&hours);
        check.expect("train.measure_hours", hours, fits, "0 to 87600");
        check.expect("train.threads", self.threads, self.threads <= 1024, "0 to 1024");
    }
}

impl Settings {
    /// Whether any value was chosen by tuning.
    #[must_use]
    pub fn is_tuned(&self) -> bool {
        self.origin.layers.entries.values().any(|entry| entry.source == Source::Tuned)
    }

    /// What tuning chose, by key of `[train]`, whether it was taken or not.
    #[must_use]
    pub fn tuned(&self) -> Option<&toml::Table> {
        self.origin.layers.tuned.as_ref()
    }

    /// These settings, with what tuning chose for the keys of `[train]` that nobody has set.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if the text is none that [`Train::to_toml`] writes, or out of bounds.
    pub fn with_tuned(&self, text: &str) -> Result<Self, SettingsError> {
        let problem = match text.parse::<toml::Table>() {
            Ok(table) => match table.get("train").and_then(toml::Value::as_table) {
                Some(values) => return self.with_tuned_values(values),
                None => "the tuned settings have no [train]".to_owned(),
            },
            Err(error) => format!("the tuned settings cannot be read: {error}"),
        };
        let mut layers = (*self.origin.layers).clone();
        layers.other(problem);
        layers.read()
    }

    /// As [`with_tuned`](Self::with_tuned), with the values by key of `[train]`.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if a value is of another kind, or out of bounds.
    pub fn with_tuned_values(&self, values: &toml::Table) -> Result<Self, SettingsError> {
        let mut layers = (*self.origin.layers).clone();
        layers.fill("train", values, &Source::Tuned);
        layers.tuned = Some(values.clone());
        let mut settings: Self = layers.read()?;
        layers.refuse(settings.check())?;
        let sources = std::sync::Arc::clone(&self.origin.sources);
        settings.origin = Origin { sources, layers: std::sync::Arc::new(layers) };
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Settings::read(Some(file.path())).unwrap()
    }

    #[test]
    fn what_tuning_chose_gives_way_to_what_somebody_set() {
        // Every one is another than by default.
        let mut chosen = LearnSettings {
            ridge: RidgeSettings {
                gram: GramSettings { user_exponent: 0.75, row_entries: 321 },
                neighbours: 33,
                regularisation: 1e-5,
                item_exponent: 0.125,
                distance_exponent: 0.0,
            },
            low_pass: LowPassSettings { factors: 96, weight: 1.5, iterations: 7 },
        };
        let text = Train::to_toml(&chosen);
        assert_eq!(settings("").with_tuned(&text).unwrap().train.engine(), chosen);
        let mine = settings("[train]\nneighbours = 44").with_tuned(&text).unwrap();
        chosen.ridge.neighbours = 44;
        assert_eq!(mine.train.engine(), chosen);
        assert_eq!(settings(&text).train.engine().ridge.regularisation, 1e-5, "it is a file too");
    }

    #[test]
    fn a_preset_gives_way_to_what_somebody_set() {
        let fast = settings("[train]\npreset = \"fast\"\nfactors = 64").train.engine();
        let balanced = settings("").train.engine();
        assert_eq!(settings("[train]\npreset = \"balanced\"").train.engine(), balanced);
        assert_eq!(fast.low_pass.factors, 64);
        assert!(fast.ridge.gram.row_entries < balanced.ridge.gram.row_entries);
        assert!(
            settings("[train]\npreset = \"best\"").train.engine().ridge.neighbours
                > balanced.ridge.neighbours
        );
    }

    #[test]
    fn what_tuning_chose_gives_way_to_a_preset_that_somebody_set() {
        let text = "[train]\nneighbours = 33\nregularisation = 12.5";
        for (preset, neighbours) in
            [("", 33), ("preset = \"fast\"", 120), ("preset = \"balanced\"", 200)]
        {
            let settings = settings(&format!("[train]\n{preset}")).with_tuned(text).unwrap();
            let ridge = settings.train.engine().ridge;
            assert_eq!((ridge.neighbours, ridge.regularisation), (neighbours, 12.5), "{preset}");
        }
    }

    #[test]
    fn tuned_settings_that_cannot_be_read_are_refused() {
        for text in ["[train", "", "[train]\nneighbours = -1"] {
            assert!(settings("").with_tuned(text).is_err(), "{text}");
        }
    }
}
