//! The low-pass term: what many users' tastes have in common, as a few hundred numbers an item.
//!
//! With `N = D_U^-½ X D_I^-½` the interactions normalised by the sums of users and of items, an
//! ideal low-pass filter of a user's row `r` is `r D_I^-½ V Vᵀ D_I^½`, where the columns of `V`
//! span the largest right singular vectors of `N`. Added to an item–item model it gains what a
//! sparse neighbourhood cannot see. Sources: Shen et al. (2021, *How powerful is graph
//! convolution for recommendation?*, GF-CF, section 4); Choi et al. (2023, *Blurring–sharpening
//! process models*, BSPM).
//!
//! `V` is found by subspace iteration on a block of random signs (Halko, Martinsson and Tropp
//! 2011, *Finding structure with randomness*, algorithm 4.4). Only the span counts, because
//! `V Vᵀ` is the same for every basis of it: no eigenvalues are computed, and each iteration ends
//! in a Cholesky QR.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::rows::{Rows, WIDTH_STEP, add_scaled};
use crate::interactions::{ByItem, Interactions};
use crate::watch::{Cancelled, Stage, Watch};

/// What a low-pass term is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LowPassSettings {
    /// `f`: how many numbers an item has, rounded up to a multiple of 32; a small catalogue gets
    /// fewer, as [`width`](Self::width) says. 0 means no term.
    pub factors: usize,
    /// `α`: how much the term weighs beside the sparse weights.
    pub weight: f32,
    /// How often the block is multiplied with `NᵀN`; four are enough for a good filter.
    pub iterations: usize,
}

/// How many items there are for a factor at least: more factors span nearly everything, and filter
/// nothing.
const ITEMS_PER_FACTOR: usize = 16;

impl LowPassSettings {
    /// How many numbers an item has where there are so many items: a multiple of 32, at most
    /// one for 16 items, and none below 512 items.
    #[must_use]
    pub fn width(&self, items: usize) -> usize {
        let most = items / ITEMS_PER_FACTOR / WIDTH_STEP * WIDTH_STEP;
        self.factors.next_multiple_of(WIDTH_STEP).min(most)
    }
}

/// A low-pass term: liking item `i` adds `source[i] × target[j] × ⟨i, j⟩` to the score of `j`,
/// where `⟨i, j⟩` is the product of the items' factors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LowPass {
    /// `f`; 0 without a term.
    pub width: usize,
    /// `items × f`, eight bits each, item by item.
    pub factors: Vec<i8>,
    /// What an item's factors are scaled by where it is liked.
    pub source: Vec<f32>,
    /// What they are scaled by where it is scored; `α` is in here.
    pub target: Vec<f32>,
}

impl LowPass {
    /// Learns the term on the current rayon pool; as [`learn`](super::learn) does, by itself.
    ///
    /// # Errors
    ///
    /// [`Cancelled`] if `watch` says so.
    pub fn fit(
        interactions: &Interactions,
        settings: &LowPassSettings,
        watch: &Watch<'_>,
    ) -> Result<Self, Cancelled> {
        fit(interactions, &interactions.by_item(), settings, watch)
    }

    /// The same term, weighing so many times as much.
    #[must_use]
    pub fn times(&self, weight: f32) -> Self {
        let target = self.target.iter().map(|scale| scale * weight).collect();
        Self { target, ..self.clone() }
    }
}

/// Learns the term on the current rayon pool.
///
/// Costs `iterations × (2·interactions·f + items·f²)` multiply-adds and
/// `8·f·items` bytes, beside 256 KiB a factor. Bit-identical for any number of threads.
///
/// # Errors
///
/// [`Cancelled`] if `watch` says so.
pub(crate) fn fit(
    interactions: &Interactions,
    by_item: &ByItem,
    settings: &LowPassSettings,
    watch: &Watch<'_>,
) -> Result<LowPass, Cancelled> {
    let width = settings.width(interactions.item_count());
    fit_width(width, interactions, by_item, settings, watch)
}

fn fit_width(
    width: usize,
    interactions: &Interactions,
    by_item: &ByItem,
    settings: &LowPassSettings,
    watch: &Watch<'_>,
) -> Result<LowPass, Cancelled> {
    let (users, items) = (interactions.user_count(), interactions.item_count());
    if width == 0 || interactions.is_empty() {
        return Ok(LowPass::default());
    }
    let item_sums = interactions.item_sums();
    let inverse_root = |sum: f32| if sum > 0.0 { sum.sqrt().recip() } else { 0.0 };
    let item_scales: Vec<f32> = item_sums.iter().map(|sum| inverse_root(*sum)).collect();
    let user_sum = |user| interactions.user(user).1.iter().sum::<f32>();
    let user_scales: Vec<f32> = (0..users).map(|user| inverse_root(user_sum(user))).collect();
    let normalised = Normalised { interactions, by_item, user_scales, item_scales };

    let progress = watch.stage(Stage::LowPass, settings.iterations.max(1));
    let mut basis = Rows::signs(items, width, 0);
    let mut next = Rows::zeros(items, width);
    for _ in 0..settings.iterations.max(1) {
        normalised.multiply(&basis, &mut next, watch)?;
        std::mem::swap(&mut basis, &mut next);
        orthonormalise(&mut basis);
        progress.step()?;
    }
    drop(next);
    Ok(quantise(&basis, &normalised.item_scales, settings.weight))
}

/// `N`, as its factors.
struct Normalised<'a> {
    interactions: &'a Interactions,
    by_item: &'a ByItem,
    user_scales: Vec<f32>,
    item_scales: Vec<f32>,
}

/// Users whose images are held at one time, so that memory does not grow with users.
const BLOCK_USERS: usize = 1 << 16;

impl Normalised<'_> {
    /// `next = NᵀN basis`, users by users: the sums of an item run over its users in ascending
    /// order, however they fall into blocks.
    fn multiply(&self, basis: &Rows, next: &mut Rows, watch: &Watch<'_>) -> Result<(), Cancelled> {
        let users = self.interactions.user_count();
        let mut images = Rows::zeros(users.min(BLOCK_USERS), basis.width());
        let mut taken = vec![0_usize; self.interactions.item_count()];
        next.clear();
        for first in (0..users).step_by(BLOCK_USERS) {
            let block = first..users.min(first + BLOCK_USERS);
            self.add_to_users(basis, block.clone(), &mut images);
            self.add_to_items(&images, block, next, &mut taken);
            watch.check()?;
        }
        Ok(())
    }

    /// `images = N basis`, of a block of users.
    fn add_to_users(&self, basis: &Rows, block: Range<usize>, images: &mut Rows) {
        let arch = Arch::new();
        images.par_rows_mut().zip(block).for_each(|(sum, user)| {
            let (items, values) = self.interactions.user(user);
            let scale = self.user_scales[user];
            let terms = items.iter().zip(values).map(|(&item, &value)| {
                let item = item as usize;
                (item, scale * value * self.item_scales[item])
            });
            sum.fill(0.0);
            arch.dispatch(AddUp { terms, rows: basis, sum });
        });
    }

    /// `next += Nᵀ images`, of a block of users; `taken` is how many of its users each item has
    /// added so far.
    fn add_to_items(
        &self,
        images: &Rows,
        block: Range<usize>,
        next: &mut Rows,
        taken: &mut [usize],
    ) {
        let arch = Arch::new();
        let rows = next.par_rows_mut().zip(taken).enumerate();
        rows.for_each(|(item, (sum, taken))| {
            let scale = self.item_scales[item];
            let users = self.by_item.item_from(item, *taken);
            let terms = users.take_while(|(user, _)| *user < block.end).map(|(user, value)| {
                *taken += 1;
                (user - block.start, scale * value * self.user_scales[user])
            });
            arch.dispatch(AddUp { terms, rows: images, sum });
        });
    }
}

/// `sum += Σ factor × row`.
struct AddUp<'a, T> {
    terms: T,
    rows: &'a Rows,
    sum: &'a mut [f32],
}

impl<T: Iterator<Item = (usize, f32)>> WithSimd for AddUp<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (row, factor) in self.terms {
            add_scaled(simd, self.sum, factor, self.rows.row(row));
        }
    }
}

/// Makes the columns orthonormal, by Cholesky QR: with `RᵀR = AᵀA`, `A R⁻¹` has orthonormal
/// columns (Golub and Van Loan, *Matrix Computations*, 5.2). Columns that depend on others, as
/// where there are fewer items than columns, become zero.
fn orthonormalise(rows: &mut Rows) {
    let inverse = inverse_factor(&rows.gram(), rows.width());
    rows.multiply_by_upper(&inverse);
}

/// A pivot this small beside the column's own length means that the column depends on others.
const DEPENDENT: f64 = 1e-6;

/// `R⁻¹`, where `RᵀR` is the matrix given by its upper triangle.
fn inverse_factor(gram: &[f32], width: usize) -> Vec<f32> {
    let mut factor: Vec<f64> = gram.iter().copied().map(f64::from).collect();
    // R, row by row: right-looking, so that the inner loop runs along rows.
    let mut is_dependent = vec![false; width];
    for pivot in 0..width {
        let (above, rest) = factor.split_at_mut((pivot + 1) * width);
        let row = &mut above[pivot * width..];
        let own = f64::from(gram[pivot * width + pivot]);
        is_dependent[pivot] = row[pivot] <= own * DEPENDENT || row[pivot] <= f64::MIN_POSITIVE;
        if is_dependent[pivot] {
            row[pivot..].fill(0.0);
            row[pivot] = 1.0;
            continue;
        }
        let root = row[pivot].sqrt();
        row[pivot..].iter_mut().for_each(|value| *value /= root);
        for (below, target) in rest.chunks_exact_mut(width).enumerate() {
            let below = pivot + 1 + below;
            let scale = row[below];
            let (sums, values) = (&mut target[below..], &row[below..]);
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum -= scale * value);
        }
    }
    invert_upper(&factor, &is_dependent, width)
}

/// The inverse of an upper triangular matrix; columns that depend on others come out as zero.
fn invert_upper(factor: &[f64], is_dependent: &[bool], width: usize) -> Vec<f32> {
    let mut inverse = vec![0.0_f64; width * width];
    for row in (0..width).rev() {
        let (above, below) = inverse.split_at_mut((row + 1) * width);
        let result = &mut above[row * width..];
        result[row] = 1.0;
        for step in row + 1..width {
            let scale = factor[row * width + step];
            let known = &below[(step - row - 1) * width..][step..width];
            result[step..].iter_mut().zip(known).for_each(|(sum, value)| *sum -= scale * value);
        }
        let pivot = factor[row * width + row];
        result[row..].iter_mut().for_each(|value| *value /= pivot);
    }
    let narrowed = |(place, value): (usize, f64)| {
        if is_dependent[place % width] { 0.0 } else { value as f32 }
    };
    inverse.into_iter().enumerate().map(narrowed).collect()
}

/// Rounds each item's factors to eight bits, with a scale of their own.
fn quantise(basis: &Rows, item_scales: &[f32], weight: f32) -> LowPass {
    let (items, width) = (item_scales.len(), basis.width());
    let mut term = LowPass {
        width,
        factors: vec![0; items * width],
        source: vec![0.0; items],
        target: vec![0.0; items],
    };
    term.factors
        .par_chunks_mut(width)
        .zip(&mut term.source)
        .zip(&mut term.target)
        .zip(item_scales)
        .enumerate()
        .for_each(|(item, (((factors, source), target), item_scale))| {
            let row = basis.row(item);
            let largest = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            if largest > 0.0 && *item_scale > 0.0 {
                let step = largest / f32::from(i8::MAX);
                for (factor, value) in factors.iter_mut().zip(row) {
                    *factor = (value / step).round() as i8;
                }
                *source = step * item_scale;
                *target = step / item_scale * weight;
            }
        });
    term
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit_all(interactions: &Interactions, iterations: usize) -> LowPass {
        let settings = LowPassSettings { factors: 32, weight: 1.0, iterations };
        fit_width(32, interactions, &interactions.by_item(), &settings, &Watch::IGNORE).unwrap()
    }

    #[test]
    fn small_catalogues_have_fewer_factors() {
        let settings = LowPassSettings { factors: 500, weight: 1.0, iterations: 1 };
        let widths = [100, 511, 512, 1_700, 10_000, 1_000_000].map(|items| settings.width(items));
        assert_eq!(widths, [0, 0, 32, 96, 512, 512]);
        assert_eq!(LowPassSettings { factors: 0, ..settings }.width(1000), 0);
    }

    fn score(term: &LowPass, liked: usize, scored: usize) -> f32 {
        let factors = |item: usize| &term.factors[item * term.width..(item + 1) * term.width];
        let product: f32 = factors(liked)
            .iter()
            .zip(factors(scored))
            .map(|(left, right)| f32::from(*left) * f32::from(*right))
            .sum();
        term.source[liked] * term.target[scored] * product
    }

    #[test]
    fn with_as_many_factors_as_items_nothing_is_filtered_away() {
        // Four items, two of them alike, one without a user: V Vᵀ is the projector on what N
        // spans, so liking 0 gives half a point to 0 and to 1, and none to 2.
        let mut interactions = Interactions::new(4);
        interactions.push_user([(0, 1.0), (1, 1.0)]);
        interactions.push_user([(0, 1.0), (1, 1.0)]);
        interactions.push_user([(2, 1.0)]);
        let term = fit_all(&interactions, 6);
        for (liked, scored, expected) in
            [(0, 0, 0.5), (0, 1, 0.5), (1, 0, 0.5), (0, 2, 0.0), (2, 2, 1.0), (3, 0, 0.0)]
        {
            let found = score(&term, liked, scored);
            assert!((found - expected).abs() < 0.02, "{liked} {scored}: {found} {expected}");
        }
    }

    #[test]
    fn the_term_is_bit_identical_for_any_number_of_threads() {
        let mut interactions = Interactions::new(60);
        for user in 0..200_u32 {
            let items = (0..6).map(|step| (user * 7 + step * (user % 5 + 1)) % 60);
            let mut items: Vec<u32> = items.collect();
            items.sort_unstable();
            items.dedup();
            interactions.push_user(items.into_iter().map(|item| (item, 1.0)));
        }
        let of = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit_all(&interactions, 3))
        };
        assert_eq!(of(1), of(3));
    }
}
