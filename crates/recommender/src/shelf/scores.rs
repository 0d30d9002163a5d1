//! Scores of one request: one number an item, of which only some are touched.
//!
//! A history touches some thousand of up to a million items, so the array is neither cleared
//! nor searched as a whole: it is kept in blocks of one cache line, and the blocks that were
//! touched are noted.

use crate::bits::BitSet;
use crate::model::{Liked, Model};

use super::top::Best;

/// Items of a block: one cache line of scores.
const BLOCK: usize = 16;

/// Working memory for the scores of one request, all zero between requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scores {
    values: Vec<f32>,
    /// Whether a block was touched, a byte each: writing a byte needs no reading.
    touched: Vec<u8>,
}

impl Scores {
    /// Adds up the sparse part: `Σ weight × B[i, j]` over the history.
    ///
    /// Costs one multiply-add for each weight in the rows of the history.
    pub(crate) fn add_up(&mut self, model: &Model, history: &[Liked]) {
        let blocks = model.item_count().div_ceil(BLOCK);
        self.values.resize(blocks * BLOCK, 0.0);
        // Whole words, so that they can be searched by word.
        self.touched.resize(blocks.next_multiple_of(WORD), 0);
        for liked in history {
            let (targets, weights) = model.row(liked.item);
            for (&target, weight) in targets.iter().zip(weights) {
                self.values[target as usize] += liked.weight * weight;
                self.touched[target as usize / BLOCK] = 1;
            }
        }
    }

    /// The score of an item of the model.
    pub(crate) fn get(&self, item: u32) -> f32 {
        self.values[item as usize]
    }

    /// Offers every eligible item with a positive score.
    ///
    /// Costs one vector comparison a touched block and one byte of each other.
    pub(crate) fn offer(&self, eligible: &BitSet, best: &mut Best) {
        for block in touched_blocks(&self.touched) {
            let first = block * BLOCK;
            let scores = &self.values[first..first + BLOCK];
            let threshold = best.threshold();
            if !scores.iter().fold(false, |any, score| any | (*score > threshold)) {
                continue;
            }
            let bits = eligible.words()[first / 64] >> (first % 64);
            for (place, &score) in scores.iter().enumerate() {
                if bits >> place & 1 != 0 {
                    best.offer((first + place) as u32, score);
                }
            }
        }
    }

    /// Sets every score back to zero.
    pub(crate) fn clear(&mut self) {
        for block in touched_blocks(&self.touched) {
            self.values[block * BLOCK..(block + 1) * BLOCK].fill(0.0);
        }
        self.touched.fill(0);
    }
}

const WORD: usize = size_of::<u64>();

/// The places of bytes that are not zero, ascending. The length is a multiple of a word.
fn touched_blocks(touched: &[u8]) -> impl Iterator<Item = usize> {
    let (words, _) = touched.as_chunks::<WORD>();
    words.iter().enumerate().filter(|(_, word)| u64::from_ne_bytes(**word) != 0).flat_map(
        |(place, word)| {
            (0..WORD).filter(|byte| word[*byte] != 0).map(move |byte| place * WORD + byte)
        },
    )
}
