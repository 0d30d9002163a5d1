//! The same input gives the same bits.

use recommender::learn::{Learnt, learn};
use recommender::watch::{Cancelled, Watch};
use std::sync::atomic::AtomicBool;

use crate::shop;

fn fit_with(threads: usize) -> Learnt {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let interactions = shop::interactions(500, 2_000, 7);
    pool.install(|| learn(&interactions, &shop::SETTINGS, &Watch::IGNORE)).unwrap()
}

#[test]
fn a_fit_is_bit_identical_for_one_two_and_five_threads() {
    let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
    let one = fit_with(1);
    for threads in [2, 5] {
        let other = fit_with(threads);
        assert_eq!(one, other);
        assert_eq!(bits(&one.weights.weights), bits(&other.weights.weights));
        assert_eq!(bits(&one.low_pass.source), bits(&other.low_pass.source));
    }
}

#[test]
fn a_cancelled_fit_ends_with_an_error() {
    let cancelled = AtomicBool::new(true);
    let watch = Watch { cancelled: &cancelled, ..Watch::IGNORE };
    let interactions = shop::interactions(50, 100, 7);
    assert_eq!(learn(&interactions, &shop::SETTINGS, &watch), Err(Cancelled));
}
