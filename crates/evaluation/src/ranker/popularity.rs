//! Popularity: the same list for everyone, without what each has. What a model must beat.

use recommender::Interactions;
use recommender::model::Liked;
use recommender::watch::{Cancelled, Watch};

use crate::ranker::Ranker;
use crate::run::Options;

/// Items by the sum of their values, highest first.
pub(crate) struct Popularity {
    order: Vec<u32>,
}

impl Ranker for Popularity {
    const NAME: &'static str = "popularity";

    /// The items of the history, sorted.
    type Memory = Vec<u32>;

    fn fit(train: &Interactions, _: &Options, _: &Watch<'_>) -> Result<Self, Cancelled> {
        let sums = train.item_sums();
        let mut order: Vec<u32> = (0..train.item_count() as u32).collect();
        order.sort_unstable_by(|left, right| {
            sums[*right as usize].total_cmp(&sums[*left as usize]).then(left.cmp(right))
        });
        Ok(Self { order })
    }

    fn rank(&self, history: &[Liked], k: usize, known: &mut Vec<u32>) -> Vec<u32> {
        known.clear();
        known.extend(history.iter().map(|liked| liked.item));
        known.sort_unstable();
        let is_new = |item: &u32| known.binary_search(item).is_err();
        self.order.iter().copied().filter(is_new).take(k).collect()
    }
}
