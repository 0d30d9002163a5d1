//! Cholesky: solves the small dense systems of the ridge, one an item.
//!
//! Solves `A x = b` for a symmetric positive definite `A` of a few hundred rows, in
//! f32 with the widest SIMD that the processor has (chosen at run time by `pulp`). The
//! factorisation is left-looking over panels of eight columns (Golub and Van Loan,
//! *Matrix Computations*, 4.2): one vector of rows is loaded once and updates eight
//! columns in registers. `b` rides along as one more row of `A`, so that the forward
//! substitution costs nothing of its own.

use pulp::{Arch, Simd, WithSimd};

/// Columns that are updated together: enough independent sums to keep two FMA units busy.
const PANEL: usize = 8;

/// The widest vector, in f32 lanes, that rows are padded for.
const LANES_MAX: usize = 16;

/// A system `A x = b` under construction, its factor and its solution, in reused memory.
///
/// `A` is kept by columns, lower triangle, padded to whole panels with an identity.
pub(crate) struct System {
    arch: Arch,
    size: usize,
    padded: usize,
    stride: usize,
    matrix: Vec<f32>,
    solution: Vec<f32>,
    pivot_min: f32,
}

impl System {
    pub(crate) fn new() -> Self {
        Self {
            arch: Arch::new(),
            size: 0,
            padded: 0,
            stride: 0,
            matrix: Vec::new(),
            solution: Vec::new(),
            pivot_min: 0.0,
        }
    }

    /// Starts a system of `size` unknowns with `A = 0`, `b = 0`.
    ///
    /// Pivots below `pivot_min` are raised to it: a matrix whose small entries were
    /// dropped may have lost its definiteness.
    pub(crate) fn clear(&mut self, size: usize, pivot_min: f32) {
        self.size = size;
        self.pivot_min = pivot_min;
        self.padded = size.next_multiple_of(PANEL);
        self.stride = self.padded + LANES_MAX;
        self.matrix.clear();
        self.matrix.resize(self.stride * (self.padded + 1), 0.0);
        self.solution.clear();
        self.solution.resize(self.stride, 0.0);
        for index in size..self.padded {
            self.matrix[index * self.stride + index] = 1.0;
        }
    }

    /// Sets `A[row, column]` and `A[column, row]`.
    pub(crate) fn set(&mut self, row: usize, column: usize, value: f32) {
        let (low, high) = (row.min(column), row.max(column));
        self.matrix[low * self.stride + high] = value;
    }

    /// Sets `b[row]`.
    pub(crate) fn set_right(&mut self, row: usize, value: f32) {
        self.matrix[row * self.stride + self.padded] = value;
    }

    /// Solves the system and returns `x`. Costs `size³/3 + size²` multiply-adds.
    pub(crate) fn solve(&mut self) -> &[f32] {
        self.arch.dispatch(Solve(&mut *self));
        &self.solution[..self.size]
    }
}

struct Solve<'a>(&'a mut System);

impl WithSimd for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let System { padded, stride, matrix, solution, pivot_min, .. } = self.0;
        for panel in (0..*padded).step_by(PANEL) {
            let (done, rest) = matrix.split_at_mut(panel * *stride);
            let columns = &mut rest[..PANEL * *stride];
            update_and_factor_diagonal(simd, done, columns, panel, *stride, *pivot_min);
            update_and_divide_below(simd, done, columns, panel, *stride, *padded);
        }
        substitute_back(simd, matrix, solution, *padded, *stride);
    }
}

/// One vector of rows for each column of a panel.
type Tile<S> = [<S as Simd>::f32s; PANEL];

/// Loads `rows` of the panel and subtracts what the columns to its left take away:
/// `A[rows, c] − Σ_p L[rows, p] · L[c, p]`.
#[inline(always)]
fn updated_tile<S: Simd>(
    simd: S,
    done: &[f32],
    columns: &[f32],
    panel: usize,
    stride: usize,
    row: usize,
) -> Tile<S> {
    let mut tile: Tile<S> = [simd.splat_f32s(0.0); PANEL];
    for (sums, column) in tile.iter_mut().zip(columns.chunks_exact(stride)) {
        *sums = load::<S>(column, row);
    }
    for column in done.chunks_exact(stride) {
        let rows = load::<S>(column, row);
        let pivots = &column[panel..panel + PANEL];
        for (sums, pivot) in tile.iter_mut().zip(pivots) {
            *sums = simd.negate_mul_add_f32s(rows, simd.splat_f32s(*pivot), *sums);
        }
    }
    tile
}

/// Brings the panel's diagonal block up to date and factors it, in place.
#[inline(always)]
fn update_and_factor_diagonal<S: Simd>(
    simd: S,
    done: &[f32],
    columns: &mut [f32],
    panel: usize,
    stride: usize,
    pivot_min: f32,
) {
    let mut block = [[0.0_f32; LANES_MAX]; PANEL];
    for first in (0..PANEL).step_by(S::F32_LANES) {
        let tile = updated_tile(simd, done, columns, panel, stride, panel + first);
        for (block_column, sums) in block.iter_mut().zip(tile) {
            store::<S>(block_column, first, sums);
        }
    }
    for column in 0..PANEL {
        let (finished, rest) = block.split_at_mut(column);
        let sums = &mut rest[0];
        for left in finished {
            let factor = left[column];
            sums.iter_mut().zip(left).for_each(|(sum, value)| *sum -= *value * factor);
        }
        let pivot = sums[column].max(pivot_min).sqrt();
        sums.iter_mut().for_each(|sum| *sum /= pivot);
        sums[column] = pivot;
    }
    for (column, block_column) in columns.chunks_exact_mut(stride).zip(&block) {
        column[panel..panel + PANEL].copy_from_slice(&block_column[..PANEL]);
    }
}

/// Brings the rows below the diagonal block up to date and divides them by it. The
/// right-hand side is the last of them.
#[inline(always)]
fn update_and_divide_below<S: Simd>(
    simd: S,
    done: &[f32],
    columns: &mut [f32],
    panel: usize,
    stride: usize,
    padded: usize,
) {
    for row in (panel + PANEL..=padded).step_by(S::F32_LANES) {
        let mut tile = updated_tile(simd, done, columns, panel, stride, row);
        for column in 0..PANEL {
            let mut sums = tile[column];
            for left in 0..column {
                let factor = simd.splat_f32s(columns[left * stride + panel + column]);
                sums = simd.negate_mul_add_f32s(tile[left], factor, sums);
            }
            let pivot = columns[column * stride + panel + column];
            tile[column] = simd.mul_f32s(sums, simd.splat_f32s(1.0 / pivot));
        }
        for (column, sums) in columns.chunks_exact_mut(stride).zip(tile) {
            store::<S>(column, row, sums);
        }
    }
}

/// Solves `Lᵀ x = y`, where `y` is the last row of the factor.
#[inline(always)]
fn substitute_back<S: Simd>(
    simd: S,
    matrix: &[f32],
    solution: &mut [f32],
    padded: usize,
    stride: usize,
) {
    for row in (0..padded).rev() {
        let column = &matrix[row * stride..(row + 1) * stride];
        let (below, known) = (&column[row + 1..padded], &solution[row + 1..padded]);
        let (below_vectors, below_tail) = S::as_simd_f32s(below);
        let (known_vectors, known_tail) = S::as_simd_f32s(known);
        let mut sums = simd.splat_f32s(0.0);
        for (left, right) in below_vectors.iter().zip(known_vectors) {
            sums = simd.mul_add_f32s(*left, *right, sums);
        }
        let mut sum = simd.reduce_sum_f32s(sums);
        for (left, right) in below_tail.iter().zip(known_tail) {
            sum += left * right;
        }
        solution[row] = (column[padded] - sum) / column[row];
    }
}

#[inline(always)]
fn load<S: Simd>(column: &[f32], row: usize) -> S::f32s {
    S::as_simd_f32s(&column[row..row + S::F32_LANES]).0[0]
}

#[inline(always)]
fn store<S: Simd>(column: &mut [f32], row: usize, values: S::f32s) {
    S::as_mut_simd_f32s(&mut column[row..row + S::F32_LANES]).0[0] = values;
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    /// A random symmetric positive definite system: `A = R Rᵀ + size·I`.
    fn check(size: usize, seed: u64) {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |_| random.random_range(-1.0..1.0);
        let root: Vec<f64> = (0..size * size).map(&mut draw).collect();
        let expected: Vec<f64> = (0..size).map(&mut draw).collect();
        let entry = |row: usize, column: usize| -> f64 {
            let product = |k| root[row * size + k] * root[column * size + k];
            let ridge = if row == column { size as f64 } else { 0.0 };
            (0..size).map(product).sum::<f64>() + ridge
        };
        let mut system = System::new();
        system.clear(size, 1e-6);
        for row in 0..size {
            for column in 0..=row {
                system.set(row, column, entry(row, column) as f32);
            }
            let right: f64 = (0..size).map(|column| entry(row, column) * expected[column]).sum();
            system.set_right(row, right as f32);
        }
        for (found, expected) in system.solve().iter().zip(&expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-4, "{size}: {found} {expected}");
        }
    }

    #[test]
    fn random_systems_of_any_size_are_solved() {
        for size in (0..40).chain([63, 64, 65, 200]) {
            check(size, size as u64);
        }
    }

    #[test]
    fn a_singular_system_gives_finite_numbers() {
        let mut system = System::new();
        system.clear(9, 1e-3);
        for row in 0..9 {
            for column in 0..=row {
                system.set(row, column, 1.0);
            }
            system.set_right(row, 1.0);
        }
        assert!(system.solve().iter().all(|value| value.is_finite()));
    }
}
