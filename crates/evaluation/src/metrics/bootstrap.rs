//! The paired bootstrap: how much a mean over users could differ had other users been tested.
//!
//! Users are drawn with replacement, the same draw for all models, so that what is easy or
//! hard for everybody cancels out of a difference (Efron and Tibshirani 1993, *An introduction
//! to the bootstrap*, chapter 13: percentile intervals; Sakai 2006, *Evaluating evaluation
//! metrics based on the bootstrap*). It says nothing of other splits, shops or times.
//!
//! Invariant: the same values and seed give the same intervals for any number of threads; each
//! resample draws from a stream of its own and adds up in the order of its draws.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::Serialize;

/// How many times users are drawn anew.
pub const RESAMPLES: usize = 1000;

/// Bounds that hold 95 % of the resampled values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Interval {
    /// 2.5 % are below.
    pub low: f64,
    /// 2.5 % are above.
    pub high: f64,
}

/// The means of several series over resampled users.
#[derive(Clone, Debug, PartialEq)]
pub struct Resampled {
    series: usize,
    /// Resample by resample, the mean of each series.
    means: Vec<f64>,
}

impl Resampled {
    /// Draws as many users as there are, [`RESAMPLES`] times. A series has a value for each
    /// user. Costs `O(resamples × users × series)`, on the current rayon pool.
    ///
    /// # Panics
    ///
    /// If the series differ in length.
    #[must_use]
    pub fn new(series: &[Vec<f64>], seed: u64) -> Self {
        let users = series.first().map_or(0, Vec::len);
        assert!(series.iter().all(|values| values.len() == users), "a value for each user");
        // By user, so that a draw reads one stretch of memory.
        let by_user: Vec<f64> =
            (0..users).flat_map(|user| series.iter().map(move |values| values[user])).collect();
        let resample = |number: usize| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(number as u64);
            let mut sums = vec![0.0; series.len()];
            for _ in 0..users {
                let begin = random.random_range(0..users) * series.len();
                for (sum, value) in sums.iter_mut().zip(&by_user[begin..]) {
                    *sum += value;
                }
            }
            sums.into_iter().map(|sum| if users == 0 { 0.0 } else { sum / users as f64 })
        };
        let means: Vec<Vec<f64>> =
            (0..RESAMPLES).into_par_iter().map(|number| resample(number).collect()).collect();
        Self { series: series.len(), means: means.concat() }
    }

    /// The interval of one series' mean.
    ///
    /// # Panics
    ///
    /// If there is no such series.
    #[must_use]
    pub fn of_mean(&self, series: usize) -> Interval {
        interval(self.of(series).collect())
    }

    /// The interval of how much larger one series' mean is than another's, as a part of the
    /// other; `None` if the other is 0 in any resample.
    ///
    /// # Panics
    ///
    /// If there is no such series.
    #[must_use]
    pub fn of_ratio(&self, series: usize, other: usize) -> Option<Interval> {
        if self.of(other).any(|mean| mean == 0.0) {
            return None;
        }
        let pairs = self.of(series).zip(self.of(other));
        Some(interval(pairs.map(|(mean, other)| mean / other - 1.0).collect()))
    }

    fn of(&self, series: usize) -> impl Iterator<Item = f64> {
        assert!(series < self.series, "series {series} of {}", self.series);
        self.means.iter().copied().skip(series).step_by(self.series)
    }
}

fn interval(mut values: Vec<f64>) -> Interval {
    values.sort_unstable_by(f64::total_cmp);
    Interval { low: quantile(&values, 0.025), high: quantile(&values, 0.975) }
}

/// Of ascending values; between two of them, on the straight line (Hyndman and Fan 1996,
/// *Sample quantiles in statistical packages*, definition 7).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * share;
    let (below, above) = (sorted[place as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn quantiles_lie_on_the_line_between_two_values() {
        let values = [1.0, 2.0, 4.0];
        assert_eq!(
            [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| quantile(&values, share)),
            [1.0, 1.5, 2.0, 3.0, 4.0]
        );
    }

    #[test]
    fn the_interval_of_coins_is_that_of_the_binomial_distribution() {
        // 400 fair coins: the standard deviation of the mean is 0.025, so ± 0.049.
        let coins: Vec<f64> = (0..400).map(|coin| f64::from(coin % 2)).collect();
        let interval = Resampled::new(&[coins], 7).of_mean(0);
        assert!((interval.low - 0.451).abs() < 0.005, "{interval:?}");
        assert!((interval.high - 0.549).abs() < 0.005, "{interval:?}");
    }

    #[test]
    fn a_difference_of_paired_models_is_surer_than_their_means() {
        let one: Vec<f64> = (0..300).map(|user| 0.1 + f64::from(user % 10) / 10.0).collect();
        let better: Vec<f64> = one.iter().map(|value| value * 1.06).collect();
        let resampled = Resampled::new(&[better, one], 7);
        let ratio = resampled.of_ratio(0, 1).unwrap();
        assert!((ratio.low - 0.06).abs() < 1e-9 && (ratio.high - 0.06).abs() < 1e-9, "{ratio:?}");
        assert!(resampled.of_mean(0).low < resampled.of_mean(1).high);
    }

    #[test]
    fn a_difference_to_nothing_is_not_told() {
        assert_eq!(Resampled::new(&[vec![1.0], vec![0.0]], 7).of_ratio(0, 1), None);
    }

    #[test]
    fn intervals_are_bit_identical_for_one_and_two_threads() {
        let values: Vec<f64> = (0..97).map(|user| f64::from(user).sin()).collect();
        let of = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Resampled::new(&[values.clone(), values.clone()], 3))
        };
        assert_eq!(of(1), of(2));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_interval_holds_the_mean_and_the_order_of_users_hardly_matters(
            mut values in prop::collection::vec(0.0..1.0_f64, 1..60),
            seed: u64,
        ) {
            let interval = Resampled::new(std::slice::from_ref(&values), seed).of_mean(0);
            let centre = mean(&values);
            prop_assert!(interval.low <= centre + 1e-12 && centre <= interval.high + 1e-12);
            values.reverse();
            let reversed = Resampled::new(std::slice::from_ref(&values), seed).of_mean(0);
            let width = interval.high - interval.low;
            prop_assert!((reversed.low - interval.low).abs() <= 0.25 * width + 1e-12);
            prop_assert!((reversed.high - interval.high).abs() <= 0.25 * width + 1e-12);
        }
    }
}
