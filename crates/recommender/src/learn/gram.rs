//! The Gram matrix: how often two items are liked by the same users.
//!
//! `G = Xᵀ W X`, with users' rows weighted by `W = diag(history length^−a)`, so that a
//! reader of a thousand books does not outvote a hundred readers of ten. Only the `m`
//! strongest entries of each row are kept, which bounds memory at `8·m` bytes an item.

use rayon::prelude::*;

use crate::interactions::{ByItem, Interactions};
use crate::watch::{Cancelled, Stage, Watch};

/// What the Gram matrix is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GramSettings {
    /// `a`: users weigh (history length)^−a.
    pub user_exponent: f32,
    /// `m`: how many entries of a row are kept, the diagonal not counted.
    pub row_entries: usize,
}

/// A sparse symmetric matrix of items × items: a diagonal and, for each row, at most
/// `m` other entries, ordered by cosine, highest first.
pub struct Gram {
    diagonal: Vec<f32>,
    row_entries: usize,
    lengths: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Gram {
    /// Computes the matrix on the current rayon pool.
    ///
    /// Costs `O(Σ (history length)²)` time; a row is summed in the order of its users,
    /// so the result does not depend on the number of threads.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if `watch` says so.
    pub fn new(
        interactions: &Interactions,
        settings: &GramSettings,
        watch: &Watch<'_>,
    ) -> Result<Self, Cancelled> {
        Self::with_items(interactions, interactions.by_item(), settings, watch)
    }

    /// [`Gram::new`], where the matrix by item is there already.
    pub(super) fn with_items(
        interactions: &Interactions,
        by_item: ByItem,
        settings: &GramSettings,
        watch: &Watch<'_>,
    ) -> Result<Self, Cancelled> {
        let items = interactions.item_count();
        let row_entries = settings.row_entries.min(items.saturating_sub(1)).max(1);
        let weighted = Weighted::new(interactions, by_item, settings);
        let mut gram = Self {
            diagonal: weighted.diagonal(),
            row_entries,
            lengths: vec![0; items],
            columns: vec![0; items * row_entries],
            values: vec![0.0; items * row_entries],
        };
        let diagonal = &gram.diagonal;
        let progress = watch.stage(Stage::Gram, items);
        gram.lengths
            .par_iter_mut()
            .zip(gram.columns.par_chunks_mut(row_entries))
            .zip(gram.values.par_chunks_mut(row_entries))
            .enumerate()
            .try_for_each_init(
                || RowSum::new(diagonal),
                |sum, (item, ((length, columns), values))| {
                    sum.add_row(&weighted, item);
                    *length = sum.take_strongest(item, columns, values);
                    progress.step()
                },
            )?;
        Ok(gram)
    }

    /// The number of items.
    #[must_use]
    pub fn item_count(&self) -> usize {
        self.diagonal.len()
    }

    /// `G[item, item]`.
    #[must_use]
    pub fn diagonal(&self, item: usize) -> f32 {
        self.diagonal[item]
    }

    /// The kept entries of one row: items and values, nearest by cosine first.
    #[must_use]
    pub fn row(&self, item: usize) -> (&[u32], &[f32]) {
        let start = item * self.row_entries;
        let range = start..start + self.lengths[item] as usize;
        (&self.columns[range.clone()], &self.values[range])
    }
}

/// Interactions with the weights of their users.
struct Weighted<'a> {
    interactions: &'a Interactions,
    by_item: ByItem,
    user_weights: Vec<f32>,
}

impl<'a> Weighted<'a> {
    fn new(interactions: &'a Interactions, by_item: ByItem, settings: &GramSettings) -> Self {
        let weight = |user: usize| {
            let length = interactions.user(user).0.len();
            (length.max(1) as f32).powf(-settings.user_exponent)
        };
        let user_weights = (0..interactions.user_count()).map(weight).collect();
        Self { interactions, by_item, user_weights }
    }

    fn diagonal(&self) -> Vec<f32> {
        let of = |item: usize| {
            let users = self.by_item.item(item);
            users.map(|(user, value)| self.user_weights[user] * value * value).sum()
        };
        (0..self.interactions.item_count()).into_par_iter().map(of).collect()
    }
}

/// One row under construction: a dense accumulator and the places it has touched.
struct RowSum {
    cells: Vec<Cell>,
    touched: Vec<u32>,
    ranked: Vec<Entry>,
}

/// A sum, and what makes it a cosine: side by side, because the places of a row lie far apart in
/// memory, and each costs a fetch.
#[derive(Clone, Copy)]
struct Cell {
    sum: f32,
    inverse_root: f32,
}

/// An entry of a row by its rank: ascending order is highest cosine first, then lowest item.
struct Entry {
    rank: u64,
    value: f32,
}

impl Entry {
    fn new(item: u32, cosine: f32, value: f32) -> Self {
        // The bits of floats ascend with their value, once those of negative ones are turned.
        let bits = cosine.to_bits();
        let ascending = if cosine.is_sign_negative() { !bits } else { bits | 1 << 31 };
        Self { rank: u64::from(!ascending) << 32 | u64::from(item), value }
    }

    fn item(&self) -> u32 {
        self.rank as u32
    }
}

impl RowSum {
    fn new(diagonal: &[f32]) -> Self {
        let cell = |own: &f32| Cell { sum: 0.0, inverse_root: own.sqrt().recip() };
        Self { cells: diagonal.iter().map(cell).collect(), touched: Vec::new(), ranked: Vec::new() }
    }

    fn add_row(&mut self, weighted: &Weighted<'_>, item: usize) {
        for (user, value) in weighted.by_item.item(item) {
            let weight = weighted.user_weights[user] * value;
            let (others, other_values) = weighted.interactions.user(user);
            for (&other, &other_value) in others.iter().zip(other_values) {
                let sum = &mut self.cells[other as usize].sum;
                if *sum == 0.0 {
                    self.touched.push(other);
                }
                *sum += weight * other_value;
            }
        }
    }

    /// Writes the entries with the highest cosine and clears the accumulator.
    fn take_strongest(&mut self, item: usize, columns: &mut [u32], values: &mut [f32]) -> u32 {
        self.ranked.clear();
        for other in self.touched.drain(..) {
            let cell = &mut self.cells[other as usize];
            // An item whose sums cancelled out is there more than once.
            if other as usize != item && cell.sum != 0.0 {
                self.ranked.push(Entry::new(other, cell.sum * cell.inverse_root, cell.sum));
            }
            cell.sum = 0.0;
        }
        let kept = columns.len().min(self.ranked.len());
        if kept < self.ranked.len() {
            self.ranked.select_nth_unstable_by_key(kept, |entry| entry.rank);
            self.ranked.truncate(kept);
        }
        self.ranked.sort_unstable_by_key(|entry| entry.rank);
        for (place, entry) in self.ranked.iter().enumerate() {
            columns[place] = entry.item();
            values[place] = entry.value;
        }
        kept as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_holds_weighted_co_occurrences_nearest_first() {
        let mut interactions = Interactions::new(4);
        interactions.push_user([(0, 1.0), (1, 1.0)]);
        interactions.push_user([(0, 1.0), (1, 1.0)]);
        interactions.push_user([(0, 1.0), (2, 1.0), (1, 1.0), (3, 1.0)]);
        let settings = GramSettings { user_exponent: 1.0, row_entries: 2 };
        let gram = Gram::new(&interactions, &settings, &Watch::IGNORE).unwrap();
        assert_eq!(gram.diagonal(0), 1.25);
        assert_eq!(gram.diagonal(3), 0.25);
        // 0 and 1 share all their users; 2 and 3 tie, and the lower number comes first.
        assert_eq!(gram.row(0), (&[1, 2][..], &[1.25, 0.25][..]));
        assert_eq!(gram.row(3), (&[2, 0][..], &[0.25, 0.25][..]));
    }
}
