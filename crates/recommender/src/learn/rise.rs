//! Rise: what is liked more lately than it used to be.
//!
//! An item's recent count `r` is held against the count `e` that its own long run lets expect: its
//! part of the long run's likes, times all recent ones. Its rise is `ln((r + k) / (e + k))`, where
//! `k` shrinks the rates of items of which little is known towards 1: the mean of a gamma–Poisson
//! model with prior `Gamma(k, k)` (`DuMouchel` 1999, *Bayesian data mining in large frequency
//! tables*). Both counts decay with the age of their events, by half-lives of which the
//! long run's is [`LONG_RUN`] times the recent one's.

use super::lately::lately;

/// How many times the recent half-life the long run's is.
pub const LONG_RUN: f64 = 8.0;

/// `k`: an item needs about so many recent events to be told from chance.
const PRIOR: f64 = 5.0;

/// How much each item rises; 0 for those that do not.
///
/// Events are `(item, weight, time in ms)`, as for [`lately`]. Events that reach back less than
/// two half-lives have no long run to be held against: then the recent counts stand in,
/// what is liked most.
#[must_use]
pub fn rise<I>(item_count: usize, events: I, half_life_ms: f64) -> Vec<f32>
where
    I: Iterator<Item = (u32, f32, Option<i64>)> + Clone,
{
    let recent = lately(item_count, events.clone(), half_life_ms);
    let times = || events.clone().filter_map(|(_, _, time)| time);
    let span =
        times().max().zip(times().min()).map_or(0, |(last, first)| last.saturating_sub(first));
    // Spans beyond 2^53 ms are long enough either way.
    if (span as f64) < 2.0 * half_life_ms {
        return recent;
    }
    let long = lately(item_count, events, half_life_ms * LONG_RUN);
    let sum = |counts: &[f32]| counts.iter().map(|count| f64::from(*count)).sum::<f64>();
    let part = sum(&recent) / sum(&long);
    let of = |(recent, long): (&f32, &f32)| {
        let expected = f64::from(*long) * part;
        ((f64::from(*recent) + PRIOR) / (expected + PRIOR)).ln().max(0.0) as f32
    };
    if part.is_finite() { recent.iter().zip(&long).map(of).collect() } else { recent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_liked_as_always_does_not_rise_and_what_is_liked_more_does() {
        // An old favourite, ten a day for a hundred days, and a newcomer of the last five days.
        let day = |day: i64| Some(day * 1000);
        let favourite = (0..100).flat_map(|at| vec![(0, 1.0, day(at)); 10]);
        let newcomer = (95..100).flat_map(|at| vec![(1, 1.0, day(at)); 4]);
        let faded = (0..50).flat_map(|at| vec![(2, 1.0, day(at)); 10]);
        let events: Vec<(u32, f32, Option<i64>)> = favourite.chain(newcomer).chain(faded).collect();
        let rises = rise(4, events.iter().copied(), 5_000.0);
        assert!(rises[1] > rises[0] && rises[1] > 0.5, "{rises:?}");
        assert_eq!(&rises[2..], [0.0, 0.0]);
        let counts = lately(4, events.iter().copied(), 5_000.0);
        assert!(counts[0] > counts[1], "the plain count puts the favourite first");
    }

    #[test]
    fn a_rise_worked_out_by_hand() {
        // Half-life 1, long run 8. Item 0 at times 0 and 8: recent 2^-8 + 1, long 2^-1 + 1.
        // Item 1 at time 0: recent 2^-8, long 2^-1. All: recent 1 + 2^-7, long 2.
        let events = [(0, 1.0, Some(0)), (0, 1.0, Some(8)), (1, 1.0, Some(0))];
        let expected_0 = 1.5 * (1.0 + 1.0 / 128.0) / 2.0;
        let rise_0 = ((1.0 + 1.0 / 256.0 + 5.0) / (expected_0 + 5.0_f64)).ln();
        let rises = rise(2, events.into_iter(), 1.0);
        assert!((f64::from(rises[0]) - rise_0).abs() < 1e-6, "{rises:?} {rise_0}");
        assert_eq!(rises[1], 0.0);
    }

    #[test]
    fn a_young_shop_counts_and_one_without_times_has_no_rise() {
        let events = [(0, 1.0, Some(0)), (1, 1.0, Some(1)), (1, 1.0, Some(1))];
        assert_eq!(rise(2, events.into_iter(), 1.0), [0.5, 2.0]);
        assert_eq!(rise(2, [(0, 1.0, None)].into_iter(), 1.0), [0.0, 0.0]);
    }
}
