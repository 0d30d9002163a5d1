//! Candidates: the best items for a history, by both parts of the model, in two stages.
//!
//! The definition, which the tests hold this to: (1) the [`CANDIDATES`] eligible items with the
//! highest positive sparse scores, equals by index; (2) to their scores the low-rank part is
//! added, and what is positive then is ordered by it. Where (1) finds fewer than are asked for,
//! the eligible ones among the [`WIDEN_MAX`] most popular items are candidates too.
//!
//! The product of factors is made for the best of the sparse part only: what the neighbours say
//! nothing of is hardly ever among the first, and for a million items it would cost too much.

use crate::bits::BitSet;
use crate::model::Model;

use super::scores::Scores;
use super::top::{Best, by_score};

/// How many items get the low-rank part.
pub const CANDIDATES: usize = 300;

/// How many of the most popular items are looked at where the history says too little.
pub const WIDEN_MAX: usize = 4096;

/// Working memory of [`candidates`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    best: Best,
    ranked: Vec<(u32, f32)>,
}

/// The best eligible items by the scores of a history, with these, all positive, best first,
/// equals by index. At least `count` of them if so many candidates have a positive score.
///
/// `by_popularity` has the indexes of all items, the most popular first. Costs a comparison for
/// each item that the history touches and `factors` for each candidate.
pub(crate) fn candidates<'a>(
    model: &Model,
    scores: &Scores,
    eligible: &BitSet,
    by_popularity: &[u32],
    count: usize,
    memory: &'a mut Memory,
) -> &'a [(u32, f32)] {
    let Memory { best, ranked } = memory;
    best.start(CANDIDATES.max(count));
    scores.offer(eligible, best);
    ranked.clear();
    ranked.extend(best.take());
    let low_rank = model.low_rank();
    if low_rank.width() > 0 && ranked.len() < count {
        let is_eligible =
            |item: &u32| (*item as usize) < model.item_count() && eligible.contains(*item);
        let popular = by_popularity.iter().copied().take(WIDEN_MAX);
        widen(popular.filter(is_eligible), scores, ranked);
    }
    low_rank.add_scores(scores.user(), ranked);
    ranked.retain(|(_, score)| *score > 0.0);
    ranked.sort_unstable_by(by_score);
    ranked
}

/// Adds the popular items that are not there yet.
fn widen(popular: impl Iterator<Item = u32>, scores: &Scores, ranked: &mut Vec<(u32, f32)>) {
    // Fewer than were asked for: all that have a positive score are there already.
    let found = ranked.len();
    ranked.extend(popular.map(|item| (item, 0.0)));
    let popular = &mut ranked[found..];
    popular.sort_unstable_by_key(|(item, _)| *item);
    scores.look_up(popular);
    let mut place = 0;
    ranked.retain(|(_, score)| {
        place += 1;
        place <= found || *score <= 0.0
    });
}

#[cfg(test)]
pub(super) mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::learn::Learnt;
    use crate::learn::low_pass::LowPass;
    use crate::learn::ridge::ItemWeights;
    use crate::model::Liked;
    use crate::{Interactions, ItemNumber};

    /// No multiple of a range of scores, nor of a word of a set.
    const ITEMS: u32 = 1400;

    /// A model of random numbers, in which popular items have longer rows.
    pub(in crate::shelf) fn random_model(
        random: &mut ChaCha8Rng,
        items: u32,
        width: usize,
    ) -> Model {
        let mut weights =
            ItemWeights { offsets: vec![0], targets: Vec::new(), weights: Vec::new() };
        for item in 0..items {
            let share = 40.0 / f64::from(item + 50);
            for target in (0..items).filter(|target| *target != item) {
                if random.random_bool(share) {
                    weights.targets.push(target);
                    // Few values, so that scores tie.
                    weights.weights.push(f32::from(random.random_range(-2_i8..6)) / 4.0);
                }
            }
            weights.offsets.push(weights.targets.len() as u64);
        }
        let mut scales = || (0..items).map(|_| random.random_range(0.0..0.002)).collect();
        let (source, target) = (scales(), scales());
        let factors = (0..items as usize * width).map(|_| random.random()).collect();
        let low_pass = LowPass { width, factors, source, target };
        let numbers: Vec<ItemNumber> = (1..=items).map(ItemNumber).collect();
        let interactions = Interactions::new(items as usize);
        let trend = vec![0.0; items as usize];
        Model::new(&numbers, &interactions, Learnt { weights, low_pass }, trend, 0)
    }

    /// The definition, on every item.
    fn by_definition(
        model: &Model,
        history: &[Liked],
        eligible: &BitSet,
        by_popularity: &[u32],
        count: usize,
    ) -> Vec<u32> {
        let mut sparse = vec![0.0_f32; ITEMS as usize];
        for liked in history {
            let (targets, weights) = model.row(liked.item);
            for (target, weight) in targets.iter().zip(weights) {
                sparse[*target as usize] += liked.weight * weight;
            }
        }
        let mut ranked: Vec<(u32, f32)> = (0..ITEMS)
            .filter(|item| eligible.contains(*item))
            .map(|item| (item, sparse[item as usize]))
            .filter(|(_, score)| *score > 0.0)
            .collect();
        ranked.sort_by(by_score);
        ranked.truncate(CANDIDATES.max(count));
        if ranked.len() < count && model.low_rank().width() > 0 {
            for item in by_popularity.iter().take(WIDEN_MAX) {
                if eligible.contains(*item) && sparse[*item as usize] <= 0.0 {
                    ranked.push((*item, sparse[*item as usize]));
                }
            }
        }
        let mut user = Vec::new();
        model.low_rank().add_up(history, &mut user);
        if model.low_rank().width() > 0 {
            model.low_rank().add_scores(&user, &mut ranked);
        }
        ranked.retain(|(_, score)| *score > 0.0);
        ranked.sort_by(by_score);
        ranked.into_iter().map(|(item, _)| item).collect()
    }

    #[test]
    fn candidates_equal_their_definition() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let by_popularity: Vec<u32> = (0..ITEMS).collect();
        let (mut scores, mut memory) = (Scores::default(), Memory::default());
        for width in [0, 32, 96] {
            let model = random_model(&mut random, ITEMS, width);
            for _ in 0..60 {
                let history: Vec<Liked> = (0..random.random_range(1..40))
                    .map(|_| Liked {
                        item: random.random_range(0..ITEMS),
                        weight: random.random_range(-0.3..1.0),
                    })
                    .collect();
                let share = [0.01, 0.3, 1.0][random.random_range(0..3)];
                let mut eligible = BitSet::new(ITEMS as usize);
                (0..ITEMS)
                    .filter(|_| random.random_bool(share))
                    .for_each(|item| eligible.insert(item));
                let count = random.random_range(1..60);
                let expected = by_definition(&model, &history, &eligible, &by_popularity, count);
                scores.add_up(&model, &history);
                let found =
                    candidates(&model, &scores, &eligible, &by_popularity, count, &mut memory);
                let found: Vec<u32> = found.iter().map(|(item, _)| *item).collect();
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn the_product_of_two_items_is_that_of_their_factors() {
        let mut random = ChaCha8Rng::seed_from_u64(6);
        let model = random_model(&mut random, ITEMS, 64);
        for _ in 0..100 {
            let (liked, scored) = (random.random_range(0..ITEMS), random.random_range(0..ITEMS));
            let mut user = Vec::new();
            model.low_rank().add_up(&[Liked { item: liked, weight: 1.0 }], &mut user);
            let mut one = [(scored, 0.0)];
            model.low_rank().add_scores(&user, &mut one);
            let product = model.low_rank().weight(liked, scored);
            assert!((one[0].1 - product).abs() <= product.abs() * 1e-3 + 1e-4);
        }
    }
}
