//! Popularity: the same list for everyone, without what each has. What a model must beat.
//! Popular lately is the same, by what was liked lately; trending is what rises, as the service
//! shows it.

use recommender::Interactions;
use recommender::learn::lately::lately;
use recommender::learn::rise::rise;
use recommender::model::Liked;
use recommender::watch::{Cancelled, Watch};

use crate::ranker::Ranker;
use crate::run::Options;
use crate::split::entries;

/// Items by the sum of their values, highest first.
pub(crate) struct Popularity {
    order: Vec<u32>,
}

impl Popularity {
    /// Items by what was liked lately; where that is equal, by the sum of their values.
    /// `times_ms` has a time for each entry.
    pub(crate) fn lately(train: &Interactions, times_ms: &[i64], half_life_ms: f64) -> Self {
        let trend = lately(train.item_count(), dated(train, times_ms), half_life_ms);
        Self::by(&trend, &train.item_sums())
    }

    /// Items by how much they rise, and only those that do, as the service shows what is
    /// trending: where few rise, lists are short.
    pub(crate) fn rising(train: &Interactions, times_ms: &[i64], half_life_ms: f64) -> Self {
        let rises = rise(train.item_count(), dated(train, times_ms), half_life_ms);
        let mut rising = Self::by(&rises, &rises);
        rising.order.retain(|item| rises[*item as usize] > 0.0);
        rising
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

/// The interactions as events: item, weight, time in ms.
fn dated(
    train: &Interactions,
    times_ms: &[i64],
) -> impl Iterator<Item = (u32, f32, Option<i64>)> + Clone {
    let entries = (0..train.user_count()).flat_map(|user| entries(train, user));
    entries.zip(times_ms).map(|((item, value), time)| (item, value, Some(*time)))
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
