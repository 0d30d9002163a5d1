//! Merging: sparse rows added to sparse rows.

use super::Prior;
use crate::learn::ridge::ItemWeights;

/// The entries of one row.
pub(super) fn row(weights: &ItemWeights, item: u32) -> impl Iterator<Item = (u32, f32)> + Clone {
    let range = range(&weights.offsets, item);
    weights.targets[range.clone()].iter().copied().zip(weights.weights[range].iter().copied())
}

fn range(offsets: &[u64], item: u32) -> std::ops::Range<usize> {
    offsets[item as usize] as usize..offsets[item as usize + 1] as usize
}

/// The same matrix by its columns.
pub(super) fn transpose(weights: &ItemWeights) -> ItemWeights {
    let items = weights.offsets.len() - 1;
    let entries = (0..items as u32).flat_map(|source| {
        row(weights, source).map(move |(target, weight)| (target, source, weight))
    });
    group(items, weights.targets.len(), entries)
}

/// Groups entries `(row, column, weight)` by row; within a row their order stays.
fn group(
    items: usize,
    count: usize,
    entries: impl Iterator<Item = (u32, u32, f32)> + Clone,
) -> ItemWeights {
    let mut offsets = vec![0_u64; items + 1];
    entries.clone().for_each(|(row, ..)| offsets[row as usize + 1] += 1);
    for item in 0..items {
        offsets[item + 1] += offsets[item];
    }
    let mut next = offsets.clone();
    let mut grouped = ItemWeights { offsets, targets: vec![0; count], weights: vec![0.0; count] };
    for (row, column, weight) in entries {
        let place = next[row as usize] as usize;
        grouped.targets[place] = column;
        grouped.weights[place] = weight;
        next[row as usize] += 1;
    }
    grouped
}

/// Adds the priors of the cold items to the weights. What meets in one place is added up. A row
/// gets `entries` of them at most, the strongest: many cold items may be alike, and a request
/// pays for every entry of the rows of its history.
pub(super) fn add(
    weights: &ItemWeights,
    cold: &[u32],
    priors: &[Prior],
    entries_max: usize,
) -> ItemWeights {
    let items = weights.offsets.len() - 1;
    let count = priors.iter().map(|prior| prior.column.len() + prior.row.len()).sum();
    let columns = cold.iter().zip(priors).flat_map(|(&item, prior)| {
        prior.column.iter().map(move |&(source, weight)| (source, item, weight))
    });
    let rows = cold.iter().zip(priors).flat_map(|(&item, prior)| {
        prior.row.iter().map(move |&(target, weight)| (item, target, weight))
    });
    let added = group(items, count, columns.chain(rows));
    let mut result = ItemWeights {
        offsets: Vec::with_capacity(items + 1),
        targets: Vec::with_capacity(weights.targets.len() + count),
        weights: Vec::with_capacity(weights.targets.len() + count),
    };
    result.offsets.push(0);
    let (mut entries, mut strongest) = (Vec::new(), Vec::new());
    for source in 0..items as u32 {
        entries.clear();
        strongest.clear();
        strongest.extend(row(&added, source));
        super::keep_strongest(&mut strongest, entries_max);
        entries.extend(row(weights, source).chain(strongest.iter().copied()));
        // The sort is stable, so sums have one order; two sorted runs cost it little.
        entries.sort_by_key(|(target, _)| *target);
        entries.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0.0 };
            same
        });
        result.targets.extend(entries.iter().map(|(target, _)| target));
        result.weights.extend(entries.iter().map(|(_, weight)| weight));
        result.offsets.push(result.targets.len() as u64);
    }
    result
}
