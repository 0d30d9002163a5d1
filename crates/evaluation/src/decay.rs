//! Decay: what was liked long ago counts less.
//!
//! An interaction counts half for every half-life that it is older than the moment of the
//! split, in training and in the histories that are folded in (Ding and Li 2005, *Time weight
//! collaborative filtering*, an exponential forgetting).

use recommender::Interactions;

use crate::split::{Split, Times};

/// A day in milliseconds.
pub(crate) const DAY_MS: f64 = 86_400_000.0;

/// Beyond so many half-lives an interaction loses no more: a value may not reach zero.
const HALF_LIVES_MAX: f64 = 20.0;

/// The training part and the histories of a split, each value halved by age.
pub(crate) struct Decayed {
    pub(crate) train: Interactions,
    pub(crate) histories: Interactions,
}

impl Decayed {
    pub(crate) fn new(split: &Split, times: &Times, half_life_days: f64) -> Self {
        let halve = |interactions, times_ms: &[i64]| {
            halve(interactions, times_ms, times.moment_ms, half_life_days * DAY_MS)
        };
        Self {
            train: halve(&split.train, &times.train_ms),
            histories: halve(&split.histories, &times.histories_ms),
        }
    }
}

fn halve(
    interactions: &Interactions,
    times_ms: &[i64],
    now_ms: i64,
    half_life_ms: f64,
) -> Interactions {
    let mut halved = Interactions::new(interactions.item_count());
    let mut times = times_ms.iter();
    for user in 0..interactions.user_count() {
        let (items, values) = interactions.user(user);
        let row = items.iter().zip(values).zip(times.by_ref());
        halved.push_user(row.map(|((item, value), time_ms)| {
            let half_lives = now_ms.saturating_sub(*time_ms) as f64 / half_life_ms;
            (*item, value * (-half_lives.clamp(0.0, HALF_LIVES_MAX)).exp2() as f32)
        }));
    }
    halved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_halved_for_every_half_life_and_never_zero() {
        let mut interactions = Interactions::new(3);
        interactions.push_user([(0, 1.0), (2, 0.5)]);
        interactions.push_user([]);
        interactions.push_user([(1, 1.0)]);
        let halved = halve(&interactions, &[100, 80, i64::MIN], 100, 10.0);
        assert_eq!(halved.user(0), (&[0, 2][..], &[1.0, 0.125][..]));
        assert_eq!(halved.user(1), (&[][..], &[][..]));
        assert_eq!(halved.user(2).1, [2.0_f32.powi(-20)]);
    }
}
