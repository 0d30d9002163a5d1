//! Dense rows: a tall matrix, row by row, and the three products that a low-pass term needs.
//!
//! Every product adds up in an order that does not depend on the number of threads: a row
//! of a result is one task, and sums over all rows go by fixed spans of them.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::mix::mix;
use crate::model::LowRank;

/// Widths are multiples of this: two of the widest vectors, and what a model's file holds.
pub(crate) const WIDTH_STEP: usize = LowRank::WIDTH_STEP;

/// Spans that sums over all rows are made of, whatever the number of threads.
const SPANS: usize = 16;

/// Rows that are multiplied together, while they are in the cache.
const BLOCK: usize = 64;

/// Rows of one tile.
const TILE: usize = 4;

/// A matrix of `rows × width`, row by row; `width` is a multiple of [`WIDTH_STEP`].
pub(crate) struct Rows {
    width: usize,
    values: Vec<f32>,
}

impl Rows {
    /// A matrix of zeros.
    pub(crate) fn zeros(rows: usize, width: usize) -> Self {
        assert!(width > 0 && width.is_multiple_of(WIDTH_STEP), "width {width}");
        Self { width, values: vec![0.0; rows * width] }
    }

    /// A matrix of random signs, the same for the same seed.
    pub(crate) fn signs(rows: usize, width: usize, seed: u64) -> Self {
        let mut matrix = Self::zeros(rows, width);
        let fill = |(row, values): (usize, &mut [f32])| {
            for (word, signs) in values.chunks_mut(64).enumerate() {
                let bits = mix(seed ^ mix((row * (width / WIDTH_STEP) + word) as u64));
                for (bit, value) in signs.iter_mut().enumerate() {
                    *value = if bits >> bit & 1 == 0 { 1.0 } else { -1.0 };
                }
            }
        };
        matrix.values.par_chunks_mut(width).enumerate().for_each(fill);
        matrix
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// Sets everything to zero.
    pub(crate) fn clear(&mut self) {
        self.values.par_chunks_mut(self.width).for_each(|row| row.fill(0.0));
    }

    /// All rows, to be written in parallel.
    pub(crate) fn par_rows_mut(&mut self) -> rayon::slice::ChunksMut<'_, f32> {
        self.values.par_chunks_mut(self.width)
    }

    /// `Aᵀ A`, `width × width`; only what is on and above the diagonal is right.
    ///
    /// Costs `rows × width²/2` multiply-adds.
    pub(crate) fn gram(&self) -> Vec<f32> {
        let (width, rows) = (self.width, self.values.len() / self.width);
        let span = rows.div_ceil(SPANS).max(1) * width;
        let of_span = |values: &[f32]| {
            let mut gram = vec![0.0; width * width];
            let arch = Arch::new();
            for block in values.chunks(BLOCK * width) {
                arch.dispatch(AddGram { block, width, gram: &mut gram });
            }
            gram
        };
        let spans: Vec<Vec<f32>> = self.values.par_chunks(span).map(of_span).collect();
        let mut total = vec![0.0; width * width];
        for gram in spans {
            total.iter_mut().zip(gram).for_each(|(sum, value)| *sum += value);
        }
        total
    }

    /// Replaces `A` by `A R`, where `R` is upper triangular, `width × width`.
    ///
    /// Costs `rows × width²/2` multiply-adds.
    pub(crate) fn multiply_by_upper(&mut self, upper: &[f32]) {
        let width = self.width;
        let arch = Arch::new();
        self.values.par_chunks_mut(BLOCK * width).for_each_init(
            || Vec::with_capacity(BLOCK * width),
            |copy, block| {
                copy.clear();
                copy.extend_from_slice(block);
                block.fill(0.0);
                arch.dispatch(AddUpper { rows: copy, upper, width, result: block });
            },
        );
    }
}

/// `result += factor × row`, for the sparse products.
#[inline(always)]
pub(crate) fn add_scaled<S: Simd>(simd: S, result: &mut [f32], factor: f32, row: &[f32]) {
    let factor = simd.splat_f32s(factor);
    let (sums, _) = S::as_mut_simd_f32s(result);
    let (values, _) = S::as_simd_f32s(row);
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = simd.mul_add_f32s(factor, *value, *sum);
    }
}

struct AddGram<'a> {
    block: &'a [f32],
    width: usize,
    gram: &'a mut [f32],
}

impl WithSimd for AddGram<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { block, width, gram } = self;
        let depth = block.len() / width;
        for first in (0..width).step_by(TILE) {
            for column in (0..width).step_by(2 * S::F32_LANES) {
                if column + 2 * S::F32_LANES > first {
                    let place = (first, column);
                    // Row `first` of Aᵀ is column `first` of A.
                    let left = Strided { values: block, row: 1, step: width };
                    add_tile(simd, left, block, width, depth, place, gram);
                }
            }
        }
    }
}

struct AddUpper<'a> {
    rows: &'a [f32],
    upper: &'a [f32],
    width: usize,
    result: &'a mut [f32],
}

impl WithSimd for AddUpper<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rows, upper, width, result } = self;
        let count = rows.len() / width;
        let whole = count - count % TILE;
        for column in (0..width).step_by(2 * S::F32_LANES) {
            // Below the diagonal there is nothing.
            let depth = (column + 2 * S::F32_LANES).min(width);
            for first in (0..whole).step_by(TILE) {
                let left = Strided { values: rows, row: width, step: 1 };
                add_tile(simd, left, upper, width, depth, (first, column), result);
            }
            for row in whole..count {
                let range = row * width + column..row * width + column + 2 * S::F32_LANES;
                for (step, value) in rows[row * width..][..depth].iter().enumerate() {
                    let right = &upper[step * width + column..][..2 * S::F32_LANES];
                    add_scaled(simd, &mut result[range.clone()], *value, right);
                }
            }
        }
    }
}

/// The left side of a product, whose rows may lie across.
#[derive(Clone, Copy)]
struct Strided<'a> {
    values: &'a [f32],
    row: usize,
    step: usize,
}

/// Adds `Σ left[r, d] × right[d, c]` to the tile of [`TILE`] rows and two vectors of columns at
/// `place`.
#[inline(always)]
fn add_tile<S: Simd>(
    simd: S,
    left: Strided<'_>,
    right: &[f32],
    width: usize,
    depth: usize,
    (first, column): (usize, usize),
    result: &mut [f32],
) {
    let lanes = S::F32_LANES;
    let mut sums = [[simd.splat_f32s(0.0); 2]; TILE];
    for step in 0..depth {
        let vectors = S::as_simd_f32s(&right[step * width + column..][..2 * lanes]).0;
        for (row, sums) in sums.iter_mut().enumerate() {
            let factor = left.values[(first + row) * left.row + step * left.step];
            let factor = simd.splat_f32s(factor);
            sums[0] = simd.mul_add_f32s(factor, vectors[0], sums[0]);
            sums[1] = simd.mul_add_f32s(factor, vectors[1], sums[1]);
        }
    }
    for (row, sums) in sums.into_iter().enumerate() {
        let place = &mut result[(first + row) * width + column..][..2 * lanes];
        let place = S::as_mut_simd_f32s(place).0;
        place[0] = simd.add_f32s(place[0], sums[0]);
        place[1] = simd.add_f32s(place[1], sums[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_equal_their_definitions() {
        let (rows, width) = (131, 64);
        let mut matrix = Rows::signs(rows, width, 7);
        for (place, value) in matrix.values.iter_mut().enumerate() {
            *value *= (place % 13) as f32 / 8.0;
        }
        let entry = |row: usize, column: usize| f64::from(matrix.values[row * width + column]);
        let gram = matrix.gram();
        for left in 0..width {
            for right in left..width {
                let expected: f64 = (0..rows).map(|row| entry(row, left) * entry(row, right)).sum();
                let found = f64::from(gram[left * width + right]);
                assert!((found - expected).abs() < 1e-3, "{left} {right}: {found} {expected}");
            }
        }
        let mut upper = vec![0.0; width * width];
        for row in 0..width {
            for column in row..width {
                upper[row * width + column] = (row as f32 - column as f32) / 16.0 + 1.0;
            }
        }
        let expected: Vec<f64> = (0..rows * width)
            .map(|place| {
                let (row, column) = (place / width, place % width);
                let product = |step| entry(row, step) * f64::from(upper[step * width + column]);
                (0..=column).map(product).sum()
            })
            .collect();
        matrix.multiply_by_upper(&upper);
        for (found, expected) in matrix.values.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-3, "{found} {expected}");
        }
    }
}
