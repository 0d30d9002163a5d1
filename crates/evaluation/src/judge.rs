//! The judge: from the lists of all models to a report.
//!
//! Invariant: what is judged does not depend on the number of threads nor on who made the
//! lists; means are added up in the order of the users.

use rayon::prelude::*;
use recommender::Interactions;
use recommender::quality::{self, ListQuality};

use crate::lists::{Lists, ListsError};
use crate::machine::Machine;
use crate::metrics::bootstrap::{RESAMPLES, Resampled};
use crate::metrics::exposure::{self, share};
use crate::metrics::segments;
use crate::report::{Change, Difference, Report, Row};
use crate::split::Split;

/// Judges the lists of several models on one split; the first is compared with each of the
/// others. `seed` is that of the bootstrap. On the current rayon pool.
///
/// # Errors
///
/// [`ListsError`] if lists do not fit the split.
pub fn judge(split: &Split, measured: &[Lists], k: usize, seed: u64) -> Result<Report, ListsError> {
    for lists in measured {
        lists.check(split)?;
    }
    let scene = Scene::new(split, k);
    let qualities: Vec<Vec<ListQuality>> =
        measured.iter().map(|lists| scene.qualities(lists)).collect();
    // Series 2m is the recall of model m, 2m + 1 its NDCG.
    let series: Vec<Vec<f64>> = qualities
        .iter()
        .flat_map(|lists| [column(lists, |list| list.recall), column(lists, |list| list.ndcg)])
        .collect();
    let resampled = Resampled::new(&series, seed);
    let rows: Vec<Row> = measured
        .iter()
        .zip(&qualities)
        .enumerate()
        .map(|(place, (lists, qualities))| scene.row(lists, qualities, &resampled, place))
        .collect();
    let differences = differences(&rows, &resampled);
    let unseen = |item: &&u32| scene.item_users[**item as usize] == 0;
    Ok(Report {
        users: split.train.user_count(),
        items: split.train.item_count(),
        interactions: split.train.len(),
        held_out: split.held_out_count(),
        users_tested: split.held_out.len(),
        items_unseen: scene.item_users.iter().filter(|users| **users == 0).count(),
        held_out_of_items_unseen: split.held_out.iter().flatten().filter(unseen).count(),
        histories_popularity: scene.histories_popularity(),
        protocol: split.protocol.clone(),
        left_out: split.left_out,
        k,
        seed,
        resamples: RESAMPLES,
        threads: rayon::current_num_threads(),
        machine: Machine::this(),
        rows,
        differences,
        skipped: Vec::new(),
    })
}

/// What all models are judged by.
struct Scene<'a> {
    split: &'a Split,
    k: usize,
    /// Training users of each item.
    item_users: Vec<u32>,
    /// Training users who have any item.
    users: usize,
    item_segments: Vec<u8>,
    history_lens: Vec<usize>,
}

impl<'a> Scene<'a> {
    fn new(split: &'a Split, k: usize) -> Self {
        let item_users = split.train.item_users();
        let history_lens = lens(&split.histories);
        let users = lens(&split.train).into_iter().filter(|len| *len > 0).count();
        let item_segments = segments::item_segments(&item_users);
        Self { split, k, item_users, users, item_segments, history_lens }
    }

    fn qualities(&self, lists: &Lists) -> Vec<ListQuality> {
        let pairs = lists.lists.par_iter().zip(&self.split.held_out);
        pairs.map(|(list, held_out)| quality::judge(list, held_out, self.k)).collect()
    }

    fn row(
        &self,
        lists: &Lists,
        qualities: &[ListQuality],
        resampled: &Resampled,
        place: usize,
    ) -> Row {
        let mean = ListQuality::mean(qualities);
        let held_out = &self.split.held_out;
        Row {
            model: lists.model.clone(),
            settings: lists.settings.clone(),
            recall: mean.recall,
            recall_interval: resampled.of_mean(2 * place),
            ndcg: mean.ndcg,
            ndcg_interval: resampled.of_mean(2 * place + 1),
            mrr: mean.reciprocal_rank,
            hit_rate: mean.hit,
            exposure: exposure::measure(&lists.lists, &self.item_users, self.users, self.k),
            by_history: segments::of_users(qualities, &self.history_lens),
            by_popularity: segments::of_items(&lists.lists, held_out, &self.item_segments, self.k),
            fit_seconds: lists.fit_seconds,
            rank_seconds: lists.rank_seconds,
            peak_bytes: lists.peak_bytes,
        }
    }

    fn histories_popularity(&self) -> f64 {
        let users = 0..self.split.histories.user_count();
        let popularity = users.filter_map(|user| {
            let (items, _) = self.split.histories.user(user);
            let sum: f64 =
                items.iter().map(|item| f64::from(self.item_users[*item as usize])).sum();
            (!items.is_empty()).then(|| sum / items.len() as f64)
        });
        let (sum, count) =
            popularity.fold((0.0, 0.0), |(sum, count), one| (sum + one, count + 1.0));
        share(sum, count)
    }
}

fn lens(interactions: &Interactions) -> Vec<usize> {
    (0..interactions.user_count()).map(|user| interactions.user(user).0.len()).collect()
}

fn column(lists: &[ListQuality], of: fn(&ListQuality) -> f64) -> Vec<f64> {
    lists.iter().map(of).collect()
}

/// The first model beside each of the others.
fn differences(rows: &[Row], resampled: &Resampled) -> Vec<Difference> {
    let Some(first) = rows.first() else { return Vec::new() };
    let change = |mean: f64, other_mean: f64, series: usize, other: usize| {
        let interval = (other_mean > 0.0).then(|| resampled.of_ratio(series, other))??;
        Some(Change { relative: mean / other_mean - 1.0, interval })
    };
    let beside = |(place, other): (usize, &Row)| Difference {
        model: first.model.clone(),
        against: other.model.clone(),
        recall: change(first.recall, other.recall, 0, 2 * place),
        ndcg: change(first.ndcg, other.ndcg, 1, 2 * place + 1),
    };
    rows.iter().enumerate().skip(1).map(beside).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::report::sample;

    fn lists(model: &str, lists: Vec<Vec<u32>>) -> Lists {
        Lists {
            model: model.to_owned(),
            settings: String::new(),
            lists,
            fit_seconds: 0.0,
            rank_seconds: 0.0,
            peak_bytes: None,
        }
    }

    #[test]
    fn a_report_worked_out_by_hand() {
        let report = sample::report();
        assert_eq!(
            [report.users, report.items, report.held_out, report.users_tested],
            [4, 6, 8, 4]
        );
        // Items 1 to 5 are nobody's, and 1 and 2 are to be found by all four.
        assert_eq!([report.items_unseen, report.held_out_of_items_unseen], [5, 8]);
        assert_eq!(report.histories_popularity, 4.0);
        let [first, second] = &report.rows[..] else { panic!("two models") };
        assert_eq!((first.recall, first.ndcg, first.mrr, first.hit_rate), (1.0, 1.0, 1.0, 1.0));
        assert_eq!((second.recall, second.mrr, second.hit_rate), (0.5, 0.5, 1.0));
        // Equal users leave no doubt.
        assert_eq!((second.recall_interval.low, second.recall_interval.high), (0.5, 0.5));
        let difference = &report.differences[0];
        assert_eq!((difference.model.as_str(), difference.against.as_str()), ("a<b", "c"));
        let recall = difference.recall.unwrap();
        assert_eq!((recall.relative, recall.interval.low, recall.interval.high), (1.0, 1.0, 1.0));
    }

    #[test]
    fn lists_that_do_not_fit_are_not_judged() {
        let mut train = Interactions::new(2);
        train.push_user([(0, 1.0)]);
        let split = Split::of_train(train, vec![vec![1]], String::new());
        let short = lists("short", vec![]);
        let expected = ListsError::Count { model: "short".to_owned(), found: 0, expected: 1 };
        assert_eq!(judge(&split, &[short], 20, 7), Err(expected));
    }

    /// History, held-out items and list.
    type User = (BTreeSet<u32>, BTreeSet<u32>, Vec<u32>);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_order_of_the_users_does_not_matter(
            users in prop::collection::vec(
                (prop::collection::btree_set(0_u32..8, 0..5), prop::collection::btree_set(8_u32..20, 1..6),
                 Just((8_u32..20).collect::<Vec<_>>()).prop_shuffle()),
                1..12,
            ),
        ) {
            let judged = |users: &[&User]| {
                let mut train = Interactions::new(20);
                for (history, _, _) in users {
                    train.push_user(history.iter().map(|item| (*item, 1.0)));
                }
                let held_out = users.iter().map(|user| user.1.iter().copied().collect()).collect();
                let split = Split::of_train(train, held_out, String::new());
                let ranked = lists("m", users.iter().map(|user| user.2.clone()).collect());
                judge(&split, &[ranked], 5, 7).unwrap().rows.remove(0)
            };
            let one = judged(&users.iter().collect::<Vec<_>>());
            let other = judged(&users.iter().rev().collect::<Vec<_>>());
            for (one, other) in [
                (one.recall, other.recall),
                (one.ndcg, other.ndcg),
                (one.mrr, other.mrr),
                (one.exposure.novelty, other.exposure.novelty),
                (one.exposure.gini, other.exposure.gini),
                (one.exposure.coverage, other.exposure.coverage),
            ] {
                prop_assert!((one - other).abs() < 1e-9, "{one} {other}");
            }
            prop_assert_eq!(one.by_popularity, other.by_popularity);
        }
    }
}
