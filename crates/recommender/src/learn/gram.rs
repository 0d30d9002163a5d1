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
                || RowSum::new(items),
                |sum, (item, ((length, columns), values))| {
                    sum.add_row(&weighted, item);
                    *length = sum.take_strongest(diagonal, item, columns, values);
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
    sums: Vec<f32>,
    touched: Vec<u32>,
    ranked: Vec<(f32, u32)>,
}

impl RowSum {
    fn new(items: usize) -> Self {
        Self { sums: vec![0.0; items], touched: Vec::new(), ranked: Vec::new() }
    }

    fn add_row(&mut self, weighted: &Weighted<'_>, item: usize) {
        for (user, value) in weighted.by_item.item(item) {
            let weight = weighted.user_weights[user] * value;
            let (others, other_values) = weighted.interactions.user(user);
            for (&other, &other_value) in others.iter().zip(other_values) {
                let sum = &mut self.sums[other as usize];
                if *sum == 0.0 {
                    self.touched.push(other);
                }
                *sum += weight * other_value;
            }
        }
    }

    /// Writes the entries with the highest cosine and clears the accumulator.
    fn take_strongest(
        &mut self,
        diagonal: &[f32],
        item: usize,
        columns: &mut [u32],
        values: &mut [f32],
    ) -> u32 {
        self.ranked.clear();
        for &other in &self.touched {
            let sum = self.sums[other as usize];
            if other as usize != item {
                self.ranked.push((sum / diagonal[other as usize].sqrt(), other));
            }
        }
        let by_cosine = |left: &(f32, u32), right: &(f32, u32)| {
            right.0.total_cmp(&left.0).then(left.1.cmp(&right.1))
        };
        let kept = columns.len().min(self.ranked.len());
        if kept < self.ranked.len() {
            self.ranked.select_nth_unstable_by(kept, by_cosine);
            self.ranked.truncate(kept);
        }
        self.ranked.sort_unstable_by(by_cosine);
        for (place, (_, other)) in self.ranked.iter().enumerate() {
            columns[place] = *other;
            values[place] = self.sums[*other as usize];
        }
        for other in self.touched.drain(..) {
            self.sums[other as usize] = 0.0;
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
