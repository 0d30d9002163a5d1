//! Cosine `ItemKNN`: the classical item–item baseline.
//!
//! Deshpande and Karypis (2004, *Item-based top-N recommendation algorithms*): each item of
//! the history votes for its `K` nearest items, and an item's score is the sum of the
//! cosines of those that vote for it. Votes weigh as much as the user likes the voter;
//! with values of 1 this is the plain sum. Nothing is filled up: an item without a vote is
//! not ranked.

use recommender::Interactions;
use recommender::learn::gram::{Gram, GramSettings};
use recommender::model::Liked;
use recommender::watch::{Cancelled, Watch};

use crate::ranker::Ranker;
use crate::run::Options;

/// Plain co-occurrences, the `K` strongest of each item by cosine.
pub(crate) struct ItemKnn {
    gram: Gram,
    norms: Vec<f32>,
}

/// A dense accumulator and the items it holds a score of.
#[derive(Default)]
pub(crate) struct Memory {
    scores: Vec<f32>,
    voted: Vec<u32>,
}

impl Ranker for ItemKnn {
    const NAME: &'static str = "cosine ItemKNN";

    type Memory = Memory;

    fn fit(train: &Interactions, options: &Options, watch: &Watch<'_>) -> Result<Self, Cancelled> {
        let settings =
            GramSettings { user_exponent: 0.0, row_entries: options.item_knn_neighbours };
        let gram = Gram::new(train, &settings, watch)?;
        let norms = (0..gram.item_count()).map(|item| gram.diagonal(item).sqrt()).collect();
        Ok(Self { gram, norms })
    }

    fn rank(&self, history: &[Liked], k: usize, memory: &mut Memory) -> Vec<u32> {
        let Memory { scores, voted } = memory;
        scores.resize(self.gram.item_count(), 0.0);
        self.vote(history, scores, voted);
        for liked in history {
            scores[liked.item as usize] = 0.0;
        }
        let mut ranked: Vec<u32> =
            voted.iter().copied().filter(|item| scores[*item as usize] > 0.0).collect();
        let by_score = |left: &u32, right: &u32| {
            scores[*right as usize].total_cmp(&scores[*left as usize]).then(left.cmp(right))
        };
        if k < ranked.len() {
            ranked.select_nth_unstable_by(k, by_score);
            ranked.truncate(k);
        }
        ranked.sort_unstable_by(by_score);
        for item in voted.drain(..) {
            scores[item as usize] = 0.0;
        }
        ranked
    }
}

impl ItemKnn {
    /// Adds up the votes; cosines are above zero, so a score of zero is a first vote.
    fn vote(&self, history: &[Liked], scores: &mut [f32], voted: &mut Vec<u32>) {
        for liked in history {
            let (others, products) = self.gram.row(liked.item as usize);
            let norm = self.norms[liked.item as usize];
            for (&other, &product) in others.iter().zip(products) {
                let score = &mut scores[other as usize];
                if *score == 0.0 {
                    voted.push(other);
                }
                *score += liked.weight * product / (norm * self.norms[other as usize]);
            }
        }
    }
}
