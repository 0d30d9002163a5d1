//! Neighbourhood ridge: the item–item model.
//!
//! EASE (Steck 2019, *Embarrassingly shallow autoencoders for sparse data*) with a
//! neighbourhood as its sparsity pattern: for each target item `j` with its `k` nearest
//! items `N` by cosine, column `j` of `B` is `w` on `N` and zero elsewhere, where
//! `(G_NN + λ D^2b) w = G_Nj` and `D` holds each item's number of users over their mean:
//! popular items are held back more, like the frequency-scaled regularisation of Rendle et al. (2021,
//! *Revisiting the performance of iALS*); and each neighbour by `(c₀ / cos)^p`, so that those
//! further away have to say more to be heard: an adaptive ridge, after the adaptive lasso (Zou
//! 2006, *The adaptive lasso and its oracle properties*, section 3). Every column stands alone, so
//! they are solved in parallel and could be refreshed one by one.

use rayon::prelude::*;

use super::cholesky::System;
use super::gram::{Gram, GramSettings};
use crate::interactions::Interactions;
use crate::watch::{Cancelled, Stage, Watch};

/// What a neighbourhood ridge is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RidgeSettings {
    /// How the Gram matrix is made.
    pub gram: GramSettings,
    /// `k`: how many items an item's score is explained by.
    pub neighbours: usize,
    /// `λ`: what is added to the diagonal for an item of average popularity.
    pub regularisation: f32,
    /// `b`: for an item with `d` users, `λ·(d / mean d)^2b` is added.
    pub item_exponent: f32,
    /// `p`: a neighbour's part of the diagonal is multiplied by `(0.1 / cosine)^p`.
    pub distance_exponent: f32,
}

/// `c₀`: the cosine at which the distance changes nothing.
const COSINE_NEUTRAL: f32 = 0.1;

/// The sparse matrix `B` by source item: `weights[e]` is what liking the item of the
/// row adds to the score of item `targets[e]`. Targets ascend within a row.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemWeights {
    /// Where each row starts; one more than there are items.
    pub offsets: Vec<u64>,
    /// The item that is scored.
    pub targets: Vec<u32>,
    /// What is added to its score.
    pub weights: Vec<f32>,
}

/// The columns of `B`: each item with what explains it.
pub struct Columns {
    lengths: Vec<u32>,
    sources: Vec<u32>,
    weights: Vec<f32>,
    neighbours: usize,
}

impl Columns {
    /// Solves for all columns on the current rayon pool.
    ///
    /// Costs `O(items × (k·m + k³/3))` time and `8·items·k` bytes. Bit-identical for any number
    /// of threads.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if `watch` says so.
    pub fn solve(
        interactions: &Interactions,
        gram: &Gram,
        settings: &RidgeSettings,
        watch: &Watch<'_>,
    ) -> Result<Self, Cancelled> {
        let ridges = ridges(interactions, settings);
        let items = gram.item_count();
        let neighbours = settings.neighbours.max(1);
        let mut columns = Self {
            lengths: vec![0; items],
            sources: vec![0; items * neighbours],
            weights: vec![0.0; items * neighbours],
            neighbours,
        };
        let progress = watch.stage(Stage::Solve, items);
        let Self { lengths, sources, weights, .. } = &mut columns;
        lengths
            .par_iter_mut()
            .zip(sources.par_chunks_mut(neighbours))
            .zip(weights.par_chunks_mut(neighbours))
            .enumerate()
            .try_for_each_init(
                || Column::new(items, settings.distance_exponent),
                |column, (item, ((length, sources), weights))| {
                    *length = column.solve(gram, &ridges, item, sources, weights);
                    progress.step()
                },
            )?;
        Ok(columns)
    }

    /// Turns columns (targets) into rows (sources).
    #[must_use]
    pub fn into_weights(self) -> ItemWeights {
        by_source(&self.lengths, &self.sources, &self.weights, self.neighbours)
    }
}

/// The smallest pivot, as a part of the target's ridge. Dropping the small entries of `G`
/// can cost a system its definiteness; a pivot never gets this small otherwise.
const PIVOT_MIN: f32 = 1e-3;

/// Rounding may leave a neighbour less than any real one has.
const COSINE_MIN: f32 = 1e-4;

/// What is added to the diagonal for each item: `λ·(d / mean d)^2b`.
fn ridges(interactions: &Interactions, settings: &RidgeSettings) -> Vec<f32> {
    let users = interactions.item_users();
    let liked = users.iter().filter(|users| **users > 0).count();
    let mean = interactions.len() as f32 / liked.max(1) as f32;
    let ridge = |users: &u32| {
        let scale = ((*users).max(1) as f32 / mean).powf(2.0 * settings.item_exponent);
        (settings.regularisation * scale).max(f32::MIN_POSITIVE)
    };
    users.iter().map(ridge).collect()
}

/// One column of `B` under construction.
struct Column {
    system: System,
    /// Place in the neighbourhood + 1 of each item, or 0.
    places: Vec<u16>,
    distance_exponent: f32,
}

impl Column {
    fn new(items: usize, distance_exponent: f32) -> Self {
        Self { system: System::new(), places: vec![0; items], distance_exponent }
    }

    /// Learns column `target`, and nothing else, from the rows of the Gram matrix of the target and
    /// of its neighbours, and their ridges; the columns before leave no trace. So a column whose rows
    /// changed can be learnt again alone. Returns how many neighbours it has.
    fn solve(
        &mut self,
        gram: &Gram,
        ridges: &[f32],
        target: usize,
        sources: &mut [u32],
        weights: &mut [f32],
    ) -> u32 {
        let (row, values) = gram.row(target);
        let size = row.len().min(sources.len()).min(usize::from(u16::MAX) - 1);
        let (nearest, right) = (&row[..size], &values[..size]);
        self.system.clear(size, ridges[target] * PIVOT_MIN);
        for (place, item) in nearest.iter().enumerate() {
            self.places[*item as usize] = place as u16 + 1;
        }
        for (place, (&item, &value)) in nearest.iter().zip(right).enumerate() {
            let item = item as usize;
            let cosine = value / (gram.diagonal(item) * gram.diagonal(target)).sqrt();
            let distance = (COSINE_NEUTRAL / cosine.max(COSINE_MIN)).powf(self.distance_exponent);
            self.system.set(place, place, gram.diagonal(item) + ridges[item] * distance);
            self.system.set_right(place, value);
            let (others, other_values) = gram.row(item);
            for (other, other_value) in others.iter().zip(other_values) {
                let other_place = usize::from(self.places[*other as usize]);
                if other_place != 0 {
                    self.system.set(place, other_place - 1, *other_value);
                }
            }
        }
        for item in nearest {
            self.places[*item as usize] = 0;
        }
        sources[..size].copy_from_slice(nearest);
        weights[..size].copy_from_slice(self.system.solve());
        size as u32
    }
}

/// Turns columns (targets) into rows (sources). Visiting targets in order leaves each
/// row sorted.
fn by_source(lengths: &[u32], sources: &[u32], weights: &[f32], neighbours: usize) -> ItemWeights {
    let column = |item: usize| {
        let range = item * neighbours..item * neighbours + lengths[item] as usize;
        sources[range.clone()].iter().copied().zip(weights[range].iter().copied())
    };
    let mut offsets = vec![0_u64; lengths.len() + 1];
    for item in 0..lengths.len() {
        for (source, _) in column(item) {
            offsets[source as usize + 1] += 1;
        }
    }
    for item in 0..lengths.len() {
        offsets[item + 1] += offsets[item];
    }
    let entries = offsets[lengths.len()] as usize;
    let mut next = offsets.clone();
    let mut result =
        ItemWeights { offsets, targets: vec![0; entries], weights: vec![0.0; entries] };
    for target in 0..lengths.len() {
        for (source, weight) in column(target) {
            let place = next[source as usize] as usize;
            result.targets[place] = target as u32;
            result.weights[place] = weight;
            next[source as usize] += 1;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_worked_out_by_hand() {
        // Two readers of {0, 1}, one of {1, 2}. With a = 0: G_00 = 2, G_11 = 3, G_22 = 1,
        // G_01 = 2, G_12 = 1, G_02 = 0. With k = 1 each item has one neighbour:
        // 0 ← 1 (the only one), 1 ← 0 (cosine 2/√6 beats 1/√3), 2 ← 1 (the only one).
        // B[1,0] = 2/(3+1) = 0.5, B[0,1] = 2/(2+1) = 2/3, B[1,2] = 1/(3+1) = 0.25.
        let mut interactions = Interactions::new(3);
        interactions.push_user([(0, 1.0), (1, 1.0)]);
        interactions.push_user([(0, 1.0), (1, 1.0)]);
        interactions.push_user([(1, 1.0), (2, 1.0)]);
        let gram = GramSettings { user_exponent: 0.0, row_entries: 10 };
        let settings = RidgeSettings {
            gram,
            neighbours: 1,
            regularisation: 1.0,
            item_exponent: 0.0,
            distance_exponent: 0.0,
        };
        let gram = Gram::new(&interactions, &gram, &Watch::IGNORE).unwrap();
        let columns = Columns::solve(&interactions, &gram, &settings, &Watch::IGNORE).unwrap();
        let model = columns.into_weights();
        assert_eq!(model.offsets, [0, 1, 3, 3]);
        assert_eq!(model.targets, [1, 0, 2]);
        for (found, expected) in model.weights.iter().zip([2.0 / 3.0, 0.5, 0.25]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
