//! Top-k selection: the best eligible items, one of each work.

use std::cmp::Reverse;

use crate::bits::BitSet;

/// Working memory of [`top_items`].
#[derive(Clone, Debug, Default)]
pub(crate) struct TopItems {
    candidates: Vec<Candidate>,
    works: Vec<u32>,
    chosen: Vec<(u32, f32)>,
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

/// The `count` eligible items with the highest positive scores, best first, equals by
/// index, and no two of one work: the best edition stands for it.
///
/// Costs one comparison an item beside the selection.
pub(crate) fn top_items<'a>(
    scores: &[f32],
    eligible: &BitSet,
    count: usize,
    work: impl Fn(u32) -> u32,
    memory: &'a mut TopItems,
) -> &'a [(u32, f32)] {
    // Editions of one work crowd each other out: keep a few more than asked for, and
    // look again with twice as many if they were still too few.
    let mut kept_max = count * 2 + 16;
    loop {
        let complete = keep_best(scores, eligible, kept_max, &mut memory.candidates);
        memory.candidates.sort_unstable();
        choose_one_of_each_work(count, &work, memory);
        if complete || memory.chosen.len() == count {
            return &memory.chosen;
        }
        kept_max *= 2;
    }
}

/// Leaves the best `kept_max` candidates in `candidates`, unordered, and tells whether
/// these were all there are.
fn keep_best(
    scores: &[f32],
    eligible: &BitSet,
    kept_max: usize,
    candidates: &mut Vec<Candidate>,
) -> bool {
    candidates.clear();
    let mut complete = true;
    let mut threshold = 0.0;
    for (block, (scores, eligible)) in scores.chunks(64).zip(eligible.words()).enumerate() {
        // Most blocks hold nothing better; this check is one that compilers vectorise.
        if *eligible == 0 || !scores.iter().fold(false, |any, score| any | (*score > threshold)) {
            continue;
        }
        for (bit, &score) in scores.iter().enumerate() {
            // Equal scores lose to the earlier items that set the threshold.
            if score > threshold && eligible & 1 << bit != 0 {
                candidates.push(candidate((block * 64 + bit) as u32, score));
                if candidates.len() >= kept_max * 2 {
                    candidates.select_nth_unstable(kept_max - 1);
                    candidates.truncate(kept_max);
                    threshold = item_and_score(candidates[kept_max - 1]).1;
                    complete = false;
                }
            }
        }
    }
    complete
}

fn choose_one_of_each_work(count: usize, work: impl Fn(u32) -> u32, memory: &mut TopItems) {
    let TopItems { candidates, works, chosen } = memory;
    works.clear();
    chosen.clear();
    for (item, score) in candidates.iter().copied().map(item_and_score) {
        if chosen.len() == count {
            break;
        }
        let work = work(item);
        if !works.contains(&work) {
            works.push(work);
            chosen.push((item, score));
        }
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
            let top = top_items(&scores, &eligible, count, |item| works[item as usize], &mut memory);
            let found: Vec<u32> = top.iter().map(|(item, _)| *item).collect();
            prop_assert_eq!(found, by_sorting(&scores, &eligible, count, &works));
        }
    }
}
