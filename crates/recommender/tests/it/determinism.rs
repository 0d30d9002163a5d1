//! The same input gives the same bits.

use recommender::learn::content::{
    ContentSettings, Description, Features, KindWeights, add_content,
};
use recommender::learn::ridge::ItemWeights;
use recommender::learn::{Learnt, learn};
use recommender::watch::{Cancelled, Watch};
use std::sync::atomic::AtomicBool;

use crate::shop;

fn fit_with(threads: usize) -> Learnt {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let interactions = shop::interactions(520, 2_000, 7);
    pool.install(|| {
        let Learnt { weights, low_pass } = learn(&interactions, &shop::SETTINGS, &Watch::IGNORE)?;
        let weights = with_content(weights, &interactions.item_users())?;
        Ok::<_, Cancelled>(Learnt { weights, low_pass })
    })
    .unwrap()
}

/// A content prior for every item, with authors and categories that many of them share.
fn with_content(weights: ItemWeights, users: &[u32]) -> Result<ItemWeights, Cancelled> {
    let names: Vec<([String; 1], [String; 1])> = (0..users.len())
        .map(|item| ([format!("author {}", item % 83)], [format!("category {}", item % 7)]))
        .collect();
    let items = names.iter().map(|(authors, categories)| Description {
        authors,
        categories,
        ..Description::default()
    });
    let kinds = KindWeights {
        authors: 2.0,
        series: 1.0,
        categories: 1.0,
        language: 1.0,
        publisher: 1.0,
        title: 1.0,
    };
    let settings = ContentSettings {
        half_users: 1e6,
        scale: 0.5,
        direct: 0.3,
        neighbours: 20,
        regularisation: 0.5,
        feature_items: 30,
        entries: 40,
    };
    add_content(weights, users, &Features::new(items, &kinds), &settings, &Watch::IGNORE)
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
