//! The run: fits every model, ranks for every user, judges every list.
//!
//! Invariant: quality does not depend on the number of threads, because means are added
//! up in the order of users.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use recommender::learn::LearnSettings;
use recommender::model::Liked;
use recommender::watch::{Cancelled, Stage, Watch};

use crate::memory::Peak;
use crate::metrics::{ListQuality, judge};
use crate::ranker::{ItemKnn, Popularity, Ranker, Served};
use crate::report::{Report, Row};
use crate::split::Split;

/// What is measured, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Settings of the engine's own model.
    pub model: LearnSettings,
    /// How long the lists are.
    pub k: usize,
    /// `K` of cosine `ItemKNN`: how many neighbours an item has.
    pub item_knn_neighbours: usize,
}

impl Options {
    /// Lists of 20, as in published tables, and 200 neighbours, as `ItemKNN` is often run.
    #[must_use]
    pub fn new(model: LearnSettings) -> Self {
        Self { model, k: 20, item_knn_neighbours: 200 }
    }
}

/// Measures neighbourhood ridge as it is served, popularity and cosine `ItemKNN`, one
/// after the other, on the current rayon pool.
///
/// `watch` is told a stage ("popularity: ranking"), how much of it is done, and how much
/// there is; from any thread, about 100 times a stage. Without a held-out item, metrics are 0.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
///
/// # Panics
///
/// If `k` is 0, or the test part has more users than the training part.
pub fn evaluate(
    split: &Split,
    options: &Options,
    watch: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<Report, Cancelled> {
    assert!(options.k > 0, "lists of 0 items");
    let users = split.train.user_count();
    assert!(split.test.len() <= users, "{} test users of {users}", split.test.len());
    let tested: Vec<usize> =
        (0..split.test.len()).filter(|user| !split.test[*user].is_empty()).collect();
    let run = Run { split, options, tested: &tested, watch, cancelled };
    Ok(Report {
        users,
        items: split.train.item_count(),
        interactions: split.train.len(),
        held_out: split.held_out(),
        users_tested: tested.len(),
        threads: rayon::current_num_threads(),
        k: options.k,
        rows: vec![
            run.measure::<Served>()?,
            run.measure::<Popularity>()?,
            run.measure::<ItemKnn>()?,
        ],
    })
}

struct Run<'a> {
    split: &'a Split,
    options: &'a Options,
    tested: &'a [usize],
    watch: &'a (dyn Fn(&str, usize, usize) + Sync),
    cancelled: &'a AtomicBool,
}

/// What the lists of one model are worth.
struct Quality {
    recall: f64,
    ndcg: f64,
    coverage: f64,
}

impl Run<'_> {
    fn measure<R: Ranker>(&self) -> Result<Row, Cancelled> {
        let peak = Peak::start();
        let fit_start = Instant::now();
        let progress = |stage: Stage, done, total| {
            (self.watch)(&format!("{}: {}", R::NAME, stage.name()), done, total);
        };
        let watch = Watch { cancelled: self.cancelled, progress: &progress };
        let ranker = R::fit(&self.split.train, self.options, &watch)?;
        let fit_seconds = fit_start.elapsed().as_secs_f64();
        let rank_start = Instant::now();
        let quality = self.rank_all(&ranker)?;
        Ok(Row {
            model: R::NAME.to_owned(),
            recall: quality.recall,
            ndcg: quality.ndcg,
            coverage: quality.coverage,
            fit_seconds,
            rank_seconds: rank_start.elapsed().as_secs_f64(),
            peak_bytes: peak.bytes(),
        })
    }

    fn rank_all<R: Ranker>(&self, ranker: &R) -> Result<Quality, Cancelled> {
        let Split { train, test } = self.split;
        let shown: Vec<AtomicBool> =
            (0..train.item_count()).map(|_| AtomicBool::new(false)).collect();
        let done = AtomicUsize::new(0);
        let rank_one = |memory: &mut (R::Memory, Vec<Liked>), user: &usize| {
            let (memory, history) = memory;
            let (items, weights) = train.user(*user);
            history.clear();
            let liked = items.iter().zip(weights);
            history.extend(liked.map(|(&item, &weight)| Liked { item, weight }));
            let ranked = ranker.rank(history, self.options.k, memory);
            for item in &ranked {
                shown[*item as usize].store(true, Ordering::Relaxed);
            }
            self.step(R::NAME, &done)?;
            Ok(judge(&ranked, &test[*user], self.options.k))
        };
        let memory = || (R::Memory::default(), Vec::new());
        let lists: Vec<ListQuality> =
            self.tested.par_iter().map_init(memory, rank_one).collect::<Result<_, Cancelled>>()?;
        let covered = shown.into_iter().filter_map(|shown| shown.into_inner().then_some(1.0));
        Ok(Quality {
            recall: share(lists.iter().map(|list| list.recall), lists.len()),
            ndcg: share(lists.iter().map(|list| list.ndcg), lists.len()),
            coverage: share(covered, train.item_count()),
        })
    }

    /// Notes that one more user is done.
    fn step(&self, model: &str, done: &AtomicUsize) -> Result<(), Cancelled> {
        let total = self.tested.len();
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of((total / 100).max(1)) || done == total {
            (self.watch)(&format!("{model}: ranking"), done, total);
        }
        if self.cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

/// A sum as a part of a whole; of nothing, 0.
fn share(parts: impl Iterator<Item = f64>, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { parts.sum::<f64>() / whole as f64 }
}

#[cfg(test)]
mod tests {
    use recommender::Interactions;
    use recommender::learn::gram::GramSettings;
    use recommender::learn::low_pass::LowPassSettings;
    use recommender::learn::ridge::RidgeSettings;

    use super::*;
    use crate::split::hold_out;

    fn options() -> Options {
        let gram = GramSettings { user_exponent: 0.3, row_entries: 50 };
        let ridge =
            RidgeSettings { gram, neighbours: 20, regularisation: 4.0, item_exponent: 0.25 };
        let low_pass = LowPassSettings { factors: 32, weight: 0.3, iterations: 4 };
        Options { k: 5, ..Options::new(LearnSettings { ridge, low_pass }) }
    }

    /// Four tastes of ten items each; every user likes seven items of one taste, and an
    /// item that all tastes share.
    fn tastes() -> Split {
        let mut interactions = Interactions::new(41);
        for user in 0..120_u32 {
            let taste = user % 4 * 10;
            let items = (0..7).map(|step| taste + (user / 4 + step * 3) % 10);
            interactions.push_user(items.chain([40]).map(|item| (item, 1.0)));
        }
        hold_out(&interactions, 0.25, 0.0, 3)
    }

    fn measure(split: &Split, threads: usize) -> Report {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let cancelled = AtomicBool::new(false);
        pool.install(|| evaluate(split, &options(), &|_, _, _| {}, &cancelled)).unwrap()
    }

    #[test]
    fn where_tastes_differ_the_engine_beats_popularity() {
        let split = tastes();
        let report = measure(&split, 2);
        let sizes = [report.users, report.items, report.users_tested, report.threads, report.k];
        assert_eq!(sizes, [120, 41, 120, 2, 5]);
        assert_eq!([report.interactions, report.held_out], [720, 240]);
        let [ridge, popularity, knn] = &report.rows[..] else { panic!("three models") };
        for model in [ridge, knn] {
            assert!(model.recall > 0.7, "{model:?}");
            assert!(model.recall > 3.0 * popularity.recall, "{model:?} {popularity:?}");
            assert!(model.ndcg > 2.0 * popularity.ndcg, "{model:?} {popularity:?}");
            assert!(model.coverage > 0.9 && model.coverage <= 1.0, "{model:?}");
        }
        assert!(popularity.coverage < ridge.coverage);
    }

    #[test]
    fn quality_is_bit_identical_for_one_and_two_threads() {
        let split = tastes();
        let of = |report: Report| {
            report.rows.into_iter().map(|row| (row.recall, row.ndcg, row.coverage)).collect()
        };
        let one: Vec<(f64, f64, f64)> = of(measure(&split, 1));
        assert_eq!(one, of(measure(&split, 2)));
    }

    #[test]
    fn an_evaluation_worked_out_by_hand() {
        // Popularity is 0, 1, 2. User 0 has 0 and is shown 1, 2: the held-out 2 comes second.
        // User 1 has 0, 1 and is shown 2. User 2 is not tested.
        let mut train = Interactions::new(3);
        train.push_user([(0, 1.0)]);
        train.push_user([(0, 1.0), (1, 1.0)]);
        train.push_user([(0, 1.0), (1, 1.0), (2, 1.0)]);
        let report = measure(&Split { train, test: vec![vec![2], vec![2], vec![]] }, 1);
        assert_eq!([report.users_tested, report.held_out, report.interactions], [2, 2, 6]);
        let popularity = &report.rows[1];
        assert_eq!(popularity.recall, 1.0);
        assert!((popularity.ndcg - (1.0 / 3.0_f64.log2() + 1.0) / 2.0).abs() < 1e-12);
        assert!((popularity.coverage - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn without_held_out_items_the_metrics_are_zero() {
        let report = measure(&Split { train: Interactions::new(0), test: vec![] }, 1);
        assert!(report.rows.iter().all(|row| row.recall == 0.0 && row.coverage == 0.0));
    }

    #[test]
    fn a_cancelled_evaluation_stops_wherever_it_is() {
        let split = tastes();
        for stop_at in ["neighbourhood ridge: solving for the weights", "popularity: ranking"] {
            let cancelled = AtomicBool::new(false);
            let watch = |stage: &str, _, _| {
                if stage == stop_at {
                    cancelled.store(true, Ordering::Relaxed);
                }
            };
            let result = evaluate(&split, &options(), &watch, &cancelled);
            assert_eq!(result, Err(Cancelled), "{stop_at}");
        }
    }
}
