//! What a model says of all items for one history: the scores of its sparse part, and the sum of
//! the history's factors. Added up once; any number of shelves are ranked by it.
//!
//! A history touches some ten thousand of up to a million items, all over the place. Its rows
//! ascend, so they are walked side by side: first what they say of the items of the first range,
//! then of the second, and so on. The scores of a range stay in the processor's cache while they
//! are added up. A range of which the history touches much is kept as it is; of others only the
//! items that it touches.

use crate::bits::BitSet;
use crate::model::{Liked, Model};

use super::top::{Best, offer_all};

/// Items of a range: 256 KiB of scores. Tests have many ranges of few items.
const RANGE: usize = if cfg!(test) { 1 << 8 } else { 1 << 16 };

/// How many items of a range there are for an entry at least, for the range to be kept as a list
/// of those that the history touches.
const ITEMS_PER_ENTRY: usize = 4;

/// The scores of one history, in memory that is used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scores {
    /// The first item of each range that is kept whole, ascending.
    whole: Vec<u32>,
    /// The scores of these ranges, one after another; after them zeros.
    values: Vec<f32>,
    /// How many of the values are theirs.
    kept: usize,
    /// Of the other ranges, the items whose score is not zero, each once.
    listed: Vec<(u32, f32)>,
    /// The history's factors, added up.
    user: Vec<f32>,
    walks: Vec<Walk>,
}

/// What of a history's row is about a range: its entries from `start` to `end`.
#[derive(Clone, Copy, Debug, Default)]
struct Walk {
    start: usize,
    end: usize,
}

impl Scores {
    /// Adds up `Σ weight × B[i, j]` over the history, in its order, and its factors.
    ///
    /// Costs one multiply-add for each weight in the rows of the history and for each of its
    /// factors, and a look at each row for every range.
    pub(crate) fn add_up(&mut self, model: &Model, history: &[Liked]) {
        self.values[..self.kept].fill(0.0);
        self.kept = 0;
        self.whole.clear();
        self.listed.clear();
        self.walks.clear();
        self.walks.resize(history.len(), Walk::default());
        let items = model.item_count();
        for first in (0..items).step_by(RANGE) {
            // The last range is shorter.
            let length = RANGE.min(items - first);
            let entries = self.add_up_range(model, history, first as u32, length);
            if entries * ITEMS_PER_ENTRY < length {
                self.list_range(model, history, first as u32);
            } else {
                self.whole.push(first as u32);
                self.kept += length;
            }
        }
        model.low_rank().add_up(history, &mut self.user);
    }

    /// Adds up the scores of a range, after the values that are kept. Returns the number of
    /// entries of the rows that are about it.
    fn add_up_range(
        &mut self,
        model: &Model,
        history: &[Liked],
        first: u32,
        length: usize,
    ) -> usize {
        let end = self.kept + length;
        if self.values.len() < end {
            self.values.resize(end, 0.0);
        }
        let values = &mut self.values[self.kept..end];
        let mut entries = 0;
        for (liked, walk) in history.iter().zip(&mut self.walks) {
            let (targets, weights) = model.row(liked.item);
            walk.start = walk.end;
            for (target, weight) in targets[walk.start..].iter().zip(&weights[walk.start..]) {
                let Some(score) = values.get_mut((target - first) as usize) else {
                    break;
                };
                *score += liked.weight * weight;
                walk.end += 1;
            }
            entries += walk.end - walk.start;
        }
        entries
    }

    /// Turns the values of the range that was added up last into a list.
    fn list_range(&mut self, model: &Model, history: &[Liked], first: u32) {
        let values = &mut self.values[self.kept..];
        for (liked, walk) in history.iter().zip(&self.walks) {
            let (targets, _) = model.row(liked.item);
            for &target in &targets[walk.start..walk.end] {
                let score = std::mem::take(&mut values[(target - first) as usize]);
                if score != 0.0 {
                    self.listed.push((target, score));
                }
            }
        }
    }

    /// Offers every eligible item with a positive score.
    ///
    /// Costs a comparison for each item that is kept.
    pub(crate) fn offer(&self, eligible: &BitSet, best: &mut Best) {
        for (first, values) in self.whole_ranges() {
            offer_all(first, values, eligible, best);
        }
        for &(item, score) in &self.listed {
            if score >= best.threshold() && eligible.contains(item) {
                best.offer(item, score);
            }
        }
    }

    /// Sets the scores of items, which ascend, by both parts of the model.
    ///
    /// Costs `factors` for each of them, and `O(log items)` for each item that is listed.
    pub(crate) fn score(&self, model: &Model, items: &mut [(u32, f32)]) {
        self.look_up(items);
        model.low_rank().add_scores(&self.user, items);
    }

    /// Sets the scores of items, which ascend, by the sparse part alone.
    pub(crate) fn look_up(&self, items: &mut [(u32, f32)]) {
        items.iter_mut().for_each(|(_, score)| *score = 0.0);
        for (first, values) in self.whole_ranges() {
            let from = items.partition_point(|(item, _)| *item < first);
            for (item, score) in &mut items[from..] {
                let Some(value) = values.get((*item - first) as usize) else { break };
                *score = *value;
            }
        }
        for &(item, score) in &self.listed {
            if let Ok(place) = items.binary_search_by_key(&item, |(item, _)| *item) {
                items[place].1 = score;
            }
        }
    }

    /// The history's factors, added up.
    pub(crate) fn user(&self) -> &[f32] {
        &self.user
    }

    /// The ranges that are kept whole, each with its first item.
    fn whole_ranges(&self) -> impl Iterator<Item = (u32, &[f32])> {
        self.whole.iter().copied().zip(self.values[..self.kept].chunks(RANGE))
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::shelf::candidates::tests::random_model;

    #[test]
    fn scores_are_the_sums_of_contributions_over_all_ranges_and_models_in_turn() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        // One with six ranges, the last of them shorter, then one with three.
        let models = [(1400, 32), (700, 0)].map(|(items, width)| {
            assert!(items as usize > 2 * RANGE);
            random_model(&mut random, items, width)
        });
        let mut scores = Scores::default();
        let mut with_both = 0;
        for turn in 0..120 {
            let model = &models[turn % 2];
            let items = model.item_count() as u32;
            // About as many entries as a range must have to be kept whole.
            let history: Vec<Liked> = (0..random.random_range(1..10))
                .map(|_| Liked {
                    item: random.random_range(0..items),
                    weight: random.random_range(-0.3..1.0),
                })
                .collect();
            let share = [0.02, 1.0][random.random_range(0..2)];
            let mut found: Vec<(u32, f32)> = (0..items)
                .filter(|_| random.random_bool(share))
                .map(|item| (item, f32::NAN))
                .collect();
            scores.add_up(model, &history);
            with_both += usize::from(!scores.whole.is_empty() && !scores.listed.is_empty());
            scores.score(model, &mut found);
            for (item, score) in found {
                let expected: f32 = model.contributions(&history, item).sum();
                let size: f32 = model.contributions(&history, item).map(f32::abs).sum();
                let differs = (score - expected).abs();
                assert!(differs <= size * 1e-3 + 1e-4, "{item}: {score}, expected {expected}");
            }
        }
        assert!(with_both > 10, "{with_both} histories had ranges of both kinds");
    }
}
