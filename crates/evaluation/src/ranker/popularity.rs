//! Popularity: the same list for everyone, without what each has. What a model must beat.
//! Trending is the same, by what was liked lately.

use recommender::Interactions;
use recommender::learn::trend::trend;
use recommender::model::Liked;
use recommender::watch::{Cancelled, Watch};

use crate::ranker::Ranker;
use crate::run::Options;

/// Items by the sum of their values, highest first.
pub(crate) struct Popularity {
    order: Vec<u32>,
}

impl Popularity {
    /// Items by what was liked lately; where that is equal, by the sum of their values.
    /// `times_ms` has a time for each entry.
    pub(crate) fn trending(train: &Interactions, times_ms: &[i64], half_life_ms: f64) -> Self {
        let entries = (0..train.user_count()).flat_map(|user| {
            let (items, values) = train.user(user);
            items.iter().zip(values)
        });
        let events =
            entries.zip(times_ms).map(|((item, value), time)| (*item, *value, Some(*time)));
        let trend = trend(train.item_count(), events, half_life_ms);
        Self::by(&trend, &train.item_sums())
    }

    /// Highest first; equal ones by the second score, then by item.
    fn by(scores: &[f32], then: &[f32]) -> Self {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        let descending = |scores: &[f32], left: u32, right: u32| {
            scores[right as usize].total_cmp(&scores[left as usize])
        };
        order.sort_unstable_by(|left, right| {
            let by_scores = descending(scores, *left, *right);
            by_scores.then(descending(then, *left, *right)).then(left.cmp(right))
        });
        Self { order }
    }
}

impl Ranker for Popularity {
    const NAME: &'static str = "popularity";

    /// The items of the history, sorted.
    type Memory = Vec<u32>;

    fn fit(train: &Interactions, _: &Options, _: &Watch<'_>) -> Result<Self, Cancelled> {
        let sums = train.item_sums();
        Ok(Self::by(&sums, &sums))
    }

    fn rank(&self, history: &[Liked], k: usize, known: &mut Vec<u32>) -> Vec<u32> {
        known.clear();
        known.extend(history.iter().map(|liked| liked.item));
        known.sort_unstable();
        let is_new = |item: &u32| known.binary_search(item).is_err();
        self.order.iter().copied().filter(is_new).take(k).collect()
    }
}
