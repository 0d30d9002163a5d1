//! The settings that are tuned, each with the size of its step and its bounds.

use recommender::learn::LearnSettings;

/// Which way a setting is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// One setting that is tuned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    LowPassWeight,
    Regularisation,
    ItemExponent,
    UserExponent,
    DistanceExponent,
    Neighbours,
    Factors,
}

/// Tuning goes no further: a fit would take minutes where it should take seconds.
const NEIGHBOURS_MAX: usize = 300;
const FACTORS_MAX: usize = 512;

impl Axis {
    /// What costs least to try comes first.
    pub(super) const ALL: [Self; 7] = [
        Self::LowPassWeight,
        Self::Regularisation,
        Self::ItemExponent,
        Self::UserExponent,
        Self::DistanceExponent,
        Self::Factors,
        Self::Neighbours,
    ];

    /// The settings with this one moved; `None` if it is at its bound.
    pub(super) fn moved(
        self,
        settings: &LearnSettings,
        direction: Direction,
        step: f32,
    ) -> Option<LearnSettings> {
        let sign = if direction == Direction::Up { 1.0 } else { -1.0 };
        let times = |value: f32, factor: f32, min: f32, max: f32| {
            (value * factor.powf(sign * step)).clamp(min, max)
        };
        // Rounded, so that steps that lead back to a value lead to the same one.
        let plus =
            |value: f32, by: f32| ((value + sign * step * by).clamp(0.0, 1.0) * 1e4).round() / 1e4;
        let mut next = *settings;
        let (ridge, low_pass) = (&mut next.ridge, &mut next.low_pass);
        match self {
            // There is no term to weigh or to widen.
            Self::LowPassWeight | Self::Factors if low_pass.factors == 0 => return None,
            Self::LowPassWeight => low_pass.weight = times(low_pass.weight, 1.6, 0.01, 10.0),
            Self::Regularisation => {
                ridge.regularisation = times(ridge.regularisation, 2.0, 1e-3, 1e5);
            }
            Self::ItemExponent => ridge.item_exponent = plus(ridge.item_exponent, 0.1),
            Self::UserExponent => ridge.gram.user_exponent = plus(ridge.gram.user_exponent, 0.2),
            Self::DistanceExponent => {
                ridge.distance_exponent = plus(ridge.distance_exponent, 0.3);
            }
            Self::Neighbours => {
                let neighbours = times(ridge.neighbours as f32, 1.5, 20.0, NEIGHBOURS_MAX as f32);
                ridge.neighbours = neighbours.round() as usize;
                // Rows that are shorter than twice the neighbourhood cost quality.
                ridge.gram.row_entries = ridge.gram.row_entries.max(ridge.neighbours * 2);
            }
            Self::Factors => {
                let factors = times(low_pass.factors as f32, 2.0, 32.0, FACTORS_MAX as f32);
                low_pass.factors = (factors.round() as usize).next_multiple_of(32);
            }
        }
        let is_wrong_way = is_larger(settings, &next) && direction == Direction::Up;
        (next != *settings && !is_wrong_way).then_some(next)
    }
}

/// Whether a model takes longer to learn than another.
pub(super) fn is_larger(settings: &LearnSettings, other: &LearnSettings) -> bool {
    settings.ridge.neighbours > other.ridge.neighbours
        || settings.low_pass.factors > other.low_pass.factors
}
