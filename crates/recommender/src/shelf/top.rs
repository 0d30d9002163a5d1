//! Top-k selection: the best eligible items, one of each work.

use std::cmp::{Ordering, Reverse};

use crate::bits::BitSet;

/// The best items so far, out of any number that are offered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Best {
    candidates: Vec<Candidate>,
    kept_max: usize,
    /// The worst of the best, once there are enough of them.
    last: Option<Candidate>,
    complete: bool,
}

/// A score and an item in one number: ascending order is best score first, then lowest item.
type Candidate = Reverse<u64>;

/// Items with a positive score, as numbers whose order is that of the scores. The bits of
/// positive floats ascend with their value.
fn candidate(item: u32, score: f32) -> Candidate {
    Reverse(u64::from(score.to_bits()) << 32 | u64::from(!item))
}

fn item_and_score(Reverse(candidate): Candidate) -> (u32, f32) {
    (!(candidate as u32), f32::from_bits((candidate >> 32) as u32))
}

/// The order of a shelf: best score first, equals by index.
pub(crate) fn by_score(left: &(u32, f32), right: &(u32, f32)) -> Ordering {
    right.1.total_cmp(&left.1).then(left.0.cmp(&right.0))
}

impl Best {
    /// Begins anew, to keep so many.
    pub(crate) fn start(&mut self, kept_max: usize) {
        self.candidates.clear();
        self.kept_max = kept_max;
        self.last = None;
        self.complete = true;
    }

    /// What a score must not be below to matter; above 0.
    pub(crate) fn threshold(&self) -> f32 {
        const SMALLEST: f32 = f32::from_bits(1);
        self.last.map_or(SMALLEST, |last| item_and_score(last).1)
    }

    /// Takes an item if it may be among the best. Each is offered once, in any order.
    pub(crate) fn offer(&mut self, item: u32, score: f32) {
        if score > 0.0 && self.last.is_none_or(|last| candidate(item, score) < last) {
            self.candidates.push(candidate(item, score));
            if self.candidates.len() >= self.kept_max * 2 {
                self.shrink();
            }
        }
    }

    /// The best, in no order.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (u32, f32)> {
        if self.candidates.len() > self.kept_max {
            self.shrink();
        }
        self.candidates.iter().copied().map(item_and_score)
    }

    fn shrink(&mut self) {
        let Some(last) = self.kept_max.checked_sub(1) else {
            self.candidates.clear();
            self.complete = false;
            return;
        };
        self.candidates.select_nth_unstable(last);
        self.candidates.truncate(self.kept_max);
        self.last = Some(self.candidates[last]);
        self.complete = false;
    }
}

/// Working memory of [`top_items`].
#[derive(Clone, Debug, Default)]
pub(crate) struct TopItems {
    best: Best,
    works: Vec<u32>,
    chosen: Vec<(u32, f32)>,
}

impl TopItems {
    /// What was chosen last.
    pub(crate) fn chosen(&self) -> &[(u32, f32)] {
        &self.chosen
    }

    /// Of ranked items, the first `count` that are of different works. `work` is what an item shares
    /// with its other editions, if it has any.
    pub(crate) fn choose(
        &mut self,
        ranked: &[(u32, f32)],
        count: usize,
        work: impl Fn(u32) -> Option<u32>,
    ) -> &[(u32, f32)] {
        let Self { works, chosen, .. } = self;
        choose_one_of_each_work(ranked.iter().copied(), count, work, works, chosen);
        chosen
    }
}

/// The `count` eligible items with the highest positive scores, best first, equals by
/// index, and no two of one work: the best edition stands for it.
///
/// Costs one comparison an item beside the selection.
pub(crate) fn top_items<'a>(
    scores: &[f32],
    eligible: &BitSet,
    count: usize,
    work: impl Fn(u32) -> Option<u32>,
    memory: &'a mut TopItems,
) -> &'a [(u32, f32)] {
    // Editions of one work crowd each other out: keep a few more than asked for, and
    // look again with twice as many if they were still too few.
    let mut kept_max = count * 2 + 16;
    loop {
        let TopItems { best, works, chosen } = memory;
        best.start(kept_max);
        offer_all(0, scores, eligible, best);
        best.candidates.sort_unstable();
        let ranked = best.candidates.iter().copied().map(item_and_score);
        choose_one_of_each_work(ranked, count, &work, works, chosen);
        if best.complete || chosen.len() == count {
            return &memory.chosen;
        }
        kept_max *= 2;
    }
}

/// Items that are compared with the threshold at one time; a part of a word of a set.
const BLOCK: usize = 16;

/// Offers all eligible items with a positive score. `scores` are those of the items from `first`
/// on, which is a multiple of 64.
pub(crate) fn offer_all(first: u32, scores: &[f32], eligible: &BitSet, best: &mut Best) {
    for (block, scores) in scores.chunks(BLOCK).enumerate() {
        // Most blocks hold nothing better; this check is one that compilers vectorise.
        let threshold = best.threshold();
        if !scores.iter().fold(false, |any, score| any | (*score >= threshold)) {
            continue;
        }
        let first = first + (block * BLOCK) as u32;
        let mut bits = (eligible.words()[first as usize / 64] >> (first % 64)) as u16;
        while bits != 0 {
            let place = bits.trailing_zeros();
            bits &= bits - 1;
            // The catalogue may have items that there are no scores of.
            match scores.get(place as usize) {
                Some(score) if *score >= threshold => best.offer(first + place, *score),
                _ => {}
            }
        }
    }
}

/// Of ranked items, the first `count` that are of different works. `work` is what an item shares
/// with its other editions, if it has any.
fn choose_one_of_each_work(
    ranked: impl Iterator<Item = (u32, f32)>,
    count: usize,
    work: impl Fn(u32) -> Option<u32>,
    works: &mut Vec<u32>,
    chosen: &mut Vec<(u32, f32)>,
) {
    works.clear();
    chosen.clear();
    for (item, score) in ranked {
        if chosen.len() == count {
            break;
        }
        if let Some(work) = work(item) {
            if works.contains(&work) {
                continue;
            }
            works.push(work);
        }
        chosen.push((item, score));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: sort everything.
    fn by_sorting(scores: &[f32], eligible: &BitSet, count: usize, works: &[u32]) -> Vec<u32> {
        let mut items: Vec<u32> =
            eligible.iter().filter(|item| scores[*item as usize] > 0.0).collect();
        items.sort_by(|left, right| {
            scores[*right as usize].total_cmp(&scores[*left as usize]).then(left.cmp(right))
        });
        let mut seen = Vec::new();
        items.retain(|item| {
            let new = !seen.contains(&works[*item as usize]);
            seen.push(works[*item as usize]);
            new
        });
        items.truncate(count);
        items
    }

    proptest! {
        #[test]
        fn the_selection_equals_sorting_everything(
            rows in prop::collection::vec((-3_i8..6, 0_u32..40, any::<bool>()), 0..400),
            count in 0_usize..30,
        ) {
            let scores: Vec<f32> = rows.iter().map(|row| f32::from(row.0) / 4.0).collect();
            let works: Vec<u32> = rows.iter().map(|row| row.1).collect();
            let mut eligible = BitSet::new(rows.len());
            for (item, row) in rows.iter().enumerate() {
                if row.2 {
                    eligible.insert(item as u32);
                }
            }
            let mut memory = TopItems::default();
            let top = top_items(&scores, &eligible, count, |item| Some(works[item as usize]), &mut memory);
            let found: Vec<u32> = top.iter().map(|(item, _)| *item).collect();
            prop_assert_eq!(found, by_sorting(&scores, &eligible, count, &works));
        }
    }
}
