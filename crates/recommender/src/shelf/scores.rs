//! The sparse part's scores of one request, added up range by range.
//!
//! A history touches some ten thousand of up to a million items, all over the place. Its rows
//! ascend, so they are walked side by side: first what they say of the items of the first range,
//! then of the second, and so on. The scores of a range stay in the processor's cache while they
//! are added up, looked at and set back to zero.

use crate::bits::BitSet;
use crate::model::{Liked, Model};

use super::top::{Best, offer_all};

/// Items of a range: 256 KiB of scores. Tests have many ranges of few items.
const RANGE: usize = if cfg!(test) { 1 << 8 } else { 1 << 16 };

/// Working memory for the scores of one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scores {
    /// Those of one range; all zero between ranges.
    values: Vec<f32>,
    walks: Vec<Walk>,
}

/// What of a history's row is about the range: its entries from `start` to `end`.
#[derive(Clone, Copy, Debug, Default)]
struct Walk {
    start: usize,
    end: usize,
}

impl Scores {
    /// Adds up `Σ weight × B[i, j]` over the history, in its order, and gives the scores of each
    /// range to `take`, which must take them all.
    ///
    /// Costs one multiply-add for each weight in the rows of the history, and a look at each row
    /// for every range.
    pub(crate) fn add_up(
        &mut self,
        model: &Model,
        history: &[Liked],
        mut take: impl FnMut(RangeScores<'_>),
    ) {
        let Self { values, walks } = self;
        let items = model.item_count();
        values.resize(items.min(RANGE), 0.0);
        walks.clear();
        walks.resize(history.len(), Walk::default());
        for first in (0..items).step_by(RANGE) {
            // The last range is shorter.
            let values = &mut values[..RANGE.min(items - first)];
            let first = first as u32;
            let mut range = RangeScores { model, history, first, values, walks, entries: 0 };
            range.add_up();
            take(range);
        }
    }
}

/// The scores of a range of items.
pub(crate) struct RangeScores<'a> {
    model: &'a Model,
    history: &'a [Liked],
    first: u32,
    values: &'a mut [f32],
    walks: &'a mut [Walk],
    /// Entries of the rows that are about this range.
    entries: usize,
}

/// How many items of a range there are for an entry at least, for its scores to be found by
/// walking the rows again.
const ITEMS_PER_ENTRY: usize = 4;

impl RangeScores<'_> {
    fn add_up(&mut self) {
        for (liked, walk) in self.history.iter().zip(&mut *self.walks) {
            let (targets, weights) = self.model.row(liked.item);
            walk.start = walk.end;
            for (target, weight) in targets[walk.start..].iter().zip(&weights[walk.start..]) {
                let Some(score) = self.values.get_mut((target - self.first) as usize) else {
                    break;
                };
                *score += liked.weight * weight;
                walk.end += 1;
            }
            self.entries += walk.end - walk.start;
        }
    }

    /// Offers every eligible item with a positive score, and sets the scores back to zero.
    ///
    /// Costs a step an entry, or, where they are many, a comparison an item.
    pub(crate) fn offer(self, eligible: &BitSet, best: &mut Best) {
        if self.entries * ITEMS_PER_ENTRY < self.values.len() {
            self.for_each(|item, score| {
                if score >= best.threshold() && eligible.contains(item) {
                    best.offer(item, score);
                }
            });
        } else {
            offer_all(self.first, self.values, eligible, best);
            self.values.fill(0.0);
        }
    }

    /// Shows every item with a score that is not zero to `see`, once, and sets the scores back to
    /// zero.
    pub(crate) fn for_each(self, mut see: impl FnMut(u32, f32)) {
        for (liked, walk) in self.history.iter().zip(&*self.walks) {
            let (targets, _) = self.model.row(liked.item);
            for target in &targets[walk.start..walk.end] {
                let score = &mut self.values[(target - self.first) as usize];
                if *score != 0.0 {
                    see(*target, *score);
                    *score = 0.0;
                }
            }
        }
    }
}
