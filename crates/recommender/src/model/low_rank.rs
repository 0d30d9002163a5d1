//! The low-rank part of a model: a few hundred numbers an item, eight bits each.
//!
//! Liking item `i` adds `source[i] × target[j] × ⟨i, j⟩` to the score of item `j`. For one user
//! the items of the history are added up once, and each candidate then costs one product.

use pulp::{Arch, Simd, WithSimd};

use super::Liked;
use crate::array::Array;
use crate::learn::low_pass::LowPass;

/// Factors of items, with two scales each.
#[derive(Clone, Debug, Default)]
pub struct LowRank {
    pub(super) width: usize,
    pub(super) factors: Array<i8>,
    pub(super) source: Array<f32>,
    pub(super) target: Array<f32>,
}

impl From<LowPass> for LowRank {
    fn from(term: LowPass) -> Self {
        Self {
            width: term.width,
            factors: term.factors.into(),
            source: term.source.into(),
            target: term.target.into(),
        }
    }
}

impl LowRank {
    /// Widths are multiples of this.
    pub const WIDTH_STEP: usize = 32;

    /// How many numbers an item has; 0 without a low-rank part.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// What liking one item adds to the score of another.
    ///
    /// # Panics
    ///
    /// If one of them is not in the model.
    #[must_use]
    pub fn weight(&self, liked: u32, scored: u32) -> f32 {
        if self.width == 0 {
            return 0.0;
        }
        let (left, right) = (self.item(liked), self.item(scored));
        let product = Arch::new().dispatch(Product { left, right });
        self.source[liked as usize] * self.target[scored as usize] * product as f32
    }

    /// Adds up the factors of a history, into `user`; none without a low-rank part. Costs
    /// `history × width`.
    ///
    /// # Panics
    ///
    /// If an item of the history is not in the model.
    pub fn add_up(&self, history: &[Liked], user: &mut Vec<f32>) {
        user.clear();
        user.resize(self.width, 0.0);
        if self.width == 0 {
            return;
        }
        Arch::new().dispatch(AddUp { low_rank: self, history, user });
    }

    /// Adds to each candidate's score what the factors of a history say; nothing without a
    /// low-rank part. Costs `candidates × width`.
    ///
    /// # Panics
    ///
    /// If a candidate is not in the model.
    pub fn add_scores(&self, user: &[f32], candidates: &mut [(u32, f32)]) {
        if self.width == 0 {
            return;
        }
        Arch::new().dispatch(AddScores { low_rank: self, user, candidates });
    }

    fn item(&self, item: u32) -> &[i8] {
        &self.factors[item as usize * self.width..][..self.width]
    }
}

struct Product<'a> {
    left: &'a [i8],
    right: &'a [i8],
}

impl WithSimd for Product<'_> {
    type Output = i32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> i32 {
        // Eight bits times eight bits, a few thousand times at most: this fits.
        let pairs = self.left.iter().zip(self.right);
        pairs.map(|(left, right)| i32::from(*left) * i32::from(*right)).sum()
    }
}

struct AddUp<'a> {
    low_rank: &'a LowRank,
    history: &'a [Liked],
    user: &'a mut [f32],
}

impl WithSimd for AddUp<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let source = &*self.low_rank.source;
        for liked in self.history {
            let scale = liked.weight * source[liked.item as usize];
            let factors = self.low_rank.item(liked.item);
            for (sum, factor) in self.user.iter_mut().zip(factors) {
                *sum += scale * f32::from(*factor);
            }
        }
    }
}

struct AddScores<'a> {
    low_rank: &'a LowRank,
    user: &'a [f32],
    candidates: &'a mut [(u32, f32)],
}

impl WithSimd for AddScores<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (low_rank, target) = (self.low_rank, &*self.low_rank.target);
        for (item, score) in self.candidates {
            // Lanes that are added up apart, so that they fit vectors.
            let mut sums = [0.0_f32; LowRank::WIDTH_STEP];
            let factors = low_rank.item(*item).chunks_exact(LowRank::WIDTH_STEP);
            for (factors, user) in factors.zip(self.user.chunks_exact(LowRank::WIDTH_STEP)) {
                for ((sum, factor), user) in sums.iter_mut().zip(factors).zip(user) {
                    *sum += user * f32::from(*factor);
                }
            }
            *score += target[*item as usize] * sums.iter().sum::<f32>();
        }
    }
}
