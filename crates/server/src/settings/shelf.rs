//! `[shelf]`: the steps between scores and a shelf.

use std::num::NonZeroUsize;

use recommender::shelf::{
    AuthorCap, Blend, Diversity, HoldBack, ImpressionDecay, Rotation, SeriesGate, ShelfSettings,
};
use serde::Deserialize;

use recommender::shelf::candidates::CANDIDATES;

use super::Check;

const MS_PER_DAY: f64 = 86_400_000.0;

/// The steps between scores and a shelf; see [`ShelfSettings`].
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ShelfSection {
    candidates: NonZeroUsize,
    next_volume: bool,
    hold_back_disliked: bool,
    diversity: f32,
    diversity_places: usize,
    author_books: usize,
    author_places: usize,
    rotation_band: f32,
    category_prior: f32,
    impression_factor: f32,
    impression_half_life_days: f64,
}

impl ShelfSection {
    /// The steps as the engine takes them.
    #[must_use]
    pub fn engine(&self) -> ShelfSettings {
        let diversity = Diversity { weight: self.diversity, places: self.diversity_places };
        let authors = AuthorCap { books: self.author_books, places: self.author_places };
        let rotation = Rotation { band: self.rotation_band };
        let blend = Blend { prior: self.category_prior };
        let half_life_ms = self.impression_half_life_days * MS_PER_DAY;
        let impressions = ImpressionDecay { factor: self.impression_factor, half_life_ms };
        ShelfSettings {
            candidates: self.candidates.get(),
            series: self.next_volume.then_some(SeriesGate),
            disliked: self.hold_back_disliked.then_some(HoldBack),
            diversity: (diversity.weight > 0.0).then_some(diversity),
            authors: (authors.books > 0).then_some(authors),
            impressions: (impressions.factor < 1.0).then_some(impressions),
            rotation: (rotation.band > 1.0).then_some(rotation),
            blend: (blend.prior > 0.0).then_some(blend),
        }
    }

    pub(super) fn check(&self, check: &mut Check) {
        let candidates = self.candidates.get();
        check.expect("shelf.candidates", candidates, candidates <= CANDIDATES, "1 to 300");
        let weight = self.diversity;
        check.expect("shelf.diversity", weight, (0.0..=1.0).contains(&weight), "0 to 1");
        // Every place is compared with all before it.
        let places = self.diversity_places;
        check.expect("shelf.diversity_places", places, places <= 500, "0 to 500");
        let band = self.rotation_band;
        check.expect("shelf.rotation_band", band, (1.0..=1e6).contains(&band), "1 to 1000000");
        let prior = self.category_prior;
        check.expect("shelf.category_prior", prior, (0.0..=1e6).contains(&prior), "0 to 1000000");
        let factor = self.impression_factor;
        let fits = (0.01..=1.0).contains(&factor);
        check.expect("shelf.impression_factor", factor, fits, "0.01 to 1");
        let days = self.impression_half_life_days;
        let fits = (0.01..=36_600.0).contains(&days);
        check.expect("shelf.impression_half_life_days", days, fits, "0.01 to 36600");
    }
}
