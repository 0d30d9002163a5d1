//! The same input gives the same bits.

use recommender::learn::ridge::{self, ItemWeights};
use recommender::watch::{Cancelled, Watch};
use std::sync::atomic::AtomicBool;

use crate::shop;

fn fit_with(threads: usize) -> ItemWeights {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let interactions = shop::interactions(500, 2_000, 7);
    pool.install(|| ridge::fit(&interactions, &shop::SETTINGS, &Watch::IGNORE)).unwrap()
}

#[test]
fn a_fit_is_bit_identical_for_one_two_and_five_threads() {
    let bits = |model: &ItemWeights| model.weights.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
    let one = fit_with(1);
    for threads in [2, 5] {
        let other = fit_with(threads);
        assert_eq!((&one.offsets, &one.targets), (&other.offsets, &other.targets));
        assert_eq!(bits(&one), bits(&other));
    }
}

#[test]
fn a_cancelled_fit_ends_with_an_error() {
    let cancelled = AtomicBool::new(true);
    let watch = Watch { cancelled: &cancelled, ..Watch::IGNORE };
    let interactions = shop::interactions(50, 100, 7);
    assert_eq!(ridge::fit(&interactions, &shop::SETTINGS, &watch), Err(Cancelled));
}
