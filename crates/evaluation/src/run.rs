//! The run: fits every model of this crate and ranks for every tested user.
//!
//! Invariant: lists do not depend on the number of threads.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use rayon::prelude::*;
use recommender::Interactions;
use recommender::learn::LearnSettings;
use recommender::model::Liked;
use recommender::watch::{Cancelled, Stage, Watch};

use crate::decay::{DAY_MS, Decayed};
use crate::judge::judge;
use crate::lists::Lists;
use crate::memory::Peak;
use crate::ranker::{ItemKnn, Popularity, Ranker, Served, fold_in};
use crate::report::Report;
use crate::split::{Split, Times};

/// What is measured, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Settings of the engine's own model.
    pub model: LearnSettings,
    /// Where they come from, for people to read; may be empty.
    pub origin: String,
    /// How long the lists are.
    pub k: usize,
    /// `K` of cosine `ItemKNN`: how many neighbours an item has.
    pub item_knn_neighbours: usize,
    /// After how many days an event counts half for what is trending or was popular lately; used
    /// where there are times.
    pub trend_half_life_days: f64,
    /// Half-lives in days with which the engine's model and both are measured as well;
    /// used where there are times.
    pub half_lives_days: Vec<f64>,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Options {
    /// Lists of 20, as in published tables, 200 neighbours, as `ItemKNN` is often run, and
    /// trends of 14 days, as the service's are by default.
    #[must_use]
    pub fn new(model: LearnSettings) -> Self {
        Self {
            model,
            origin: String::new(),
            k: 20,
            item_knn_neighbours: 200,
            trend_half_life_days: 14.0,
            half_lives_days: Vec::new(),
            seed: 7,
        }
    }

    /// The settings of the engine's own model, and where they come from.
    fn told(&self) -> String {
        let Self { model, origin, .. } = self;
        if origin.is_empty() { plain(model) } else { format!("{} ({origin})", plain(model)) }
    }
}

/// Measures the models of this crate as [`measure`] does and judges them.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
///
/// # Panics
///
/// If `k` is 0.
pub fn evaluate(
    split: &Split,
    options: &Options,
    watch: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<Report, Cancelled> {
    let lists = measure(split, options, watch, cancelled)?;
    Ok(judge(split, &lists, options.k, options.seed)
        .expect("rankers list different, new items of the catalogue for each tested user"))
}

/// Measures the engine as it is served, popularity and cosine `ItemKNN`, one
/// after the other, on the current rayon pool; where there are times, what is trending and what
/// was popular lately as well, and these and the engine with each half-life.
///
/// `watch` is told a stage ("popularity: ranking"), how much of it is done, and how much
/// there is; from any thread, about 100 times a stage.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
///
/// # Panics
///
/// If `k` is 0.
pub fn measure(
    split: &Split,
    options: &Options,
    watch: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<Vec<Lists>, Cancelled> {
    assert!(options.k > 0, "lists of 0 items");
    let run = Run { split, options, watch, cancelled };
    let ours = options.told();
    let neighbours = format!("{} neighbours", options.item_knn_neighbours);
    let mut measured = vec![
        run.fit_and_rank::<Served>(ours, &split.train, &split.histories)?,
        run.fit_and_rank::<Popularity>(String::new(), &split.train, &split.histories)?,
        run.fit_and_rank::<ItemKnn>(neighbours, &split.train, &split.histories)?,
    ];
    if let Some(times) = &split.times {
        measured.extend(run.of_late(times, options.trend_half_life_days)?);
        for &days in &options.half_lives_days {
            measured.push(run.decayed(times, days)?);
            if days != options.trend_half_life_days {
                measured.extend(run.of_late(times, days)?);
            }
        }
    }
    Ok(measured)
}

/// Measures the engine as it is served, under another name.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
pub(crate) fn measure_as(
    name: &str,
    split: &Split,
    options: &Options,
    watch: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<Lists, Cancelled> {
    let run = Run { split, options, watch, cancelled };
    let label = Label { model: name.to_owned(), settings: plain(&options.model) };
    run.measure(label, &split.histories, |watch| Served::fit(&split.train, options, watch))
}

/// Settings for people to read: the names and values of a structure, without its types.
fn plain(settings: &impl Debug) -> String {
    let text = format!("{settings:?}").replace(['}', ','], "");
    let is_type = |word: &&str| *word != "{" && !word.starts_with(char::is_uppercase);
    let words: Vec<&str> = text.split_whitespace().filter(is_type).collect();
    let mut plain = String::new();
    for word in words {
        let is_name = word.ends_with(':');
        if !plain.is_empty() {
            plain.push_str(if is_name && !plain.ends_with(':') { ", " } else { " " });
        }
        plain.push_str(word);
    }
    plain.replace(':', "").replace('_', " ")
}

struct Run<'a> {
    split: &'a Split,
    options: &'a Options,
    watch: &'a (dyn Fn(&str, usize, usize) + Sync),
    cancelled: &'a AtomicBool,
}

/// What a measurement is called.
struct Label {
    model: String,
    settings: String,
}

impl Run<'_> {
    fn fit_and_rank<R: Ranker>(
        &self,
        settings: String,
        train: &Interactions,
        histories: &Interactions,
    ) -> Result<Lists, Cancelled> {
        let label = Label { model: R::NAME.to_owned(), settings };
        self.measure(label, histories, |watch| R::fit(train, self.options, watch))
    }

    /// What rises, as the service has it, and what was popular lately.
    fn of_late(&self, times: &Times, half_life_days: f64) -> Result<[Lists; 2], Cancelled> {
        let measure = |name: &str, fit: fn(&Interactions, &[i64], f64) -> Popularity| {
            let settings = format!("half-life {half_life_days} days");
            let label = Label { model: format!("{name}, {half_life_days} days"), settings };
            let half_life_ms = half_life_days * DAY_MS;
            let fit = |_: &Watch<'_>| Ok(fit(&self.split.train, &times.train_ms, half_life_ms));
            self.measure(label, &self.split.histories, fit)
        };
        Ok([
            measure("trending", Popularity::rising)?,
            measure("popular lately", Popularity::lately)?,
        ])
    }

    fn decayed(&self, times: &Times, half_life_days: f64) -> Result<Lists, Cancelled> {
        let decayed = Decayed::new(self.split, times, half_life_days);
        let label = Label {
            model: format!("{}, {half_life_days} days", Served::NAME),
            settings: format!("half-life {half_life_days} days, {}", self.options.told()),
        };
        let fit = |watch: &Watch<'_>| Served::fit(&decayed.train, self.options, watch);
        self.measure(label, &decayed.histories, fit)
    }

    fn measure<R: Ranker>(
        &self,
        label: Label,
        histories: &Interactions,
        fit: impl FnOnce(&Watch<'_>) -> Result<R, Cancelled>,
    ) -> Result<Lists, Cancelled> {
        let Label { model, settings } = label;
        let peak = Peak::start();
        let fit_start = Instant::now();
        let progress = |stage: Stage, done, total| {
            (self.watch)(&format!("{model}: {}", stage.name()), done, total);
        };
        let ranker = fit(&Watch { cancelled: self.cancelled, progress: &progress })?;
        let fit_seconds = fit_start.elapsed().as_secs_f64();
        let rank_start = Instant::now();
        let lists = self.rank_all(&model, &ranker, histories)?;
        let rank_seconds = rank_start.elapsed().as_secs_f64();
        Ok(Lists { model, settings, lists, fit_seconds, rank_seconds, peak_bytes: peak.bytes() })
    }

    fn rank_all<R: Ranker>(
        &self,
        model: &str,
        ranker: &R,
        histories: &Interactions,
    ) -> Result<Vec<Vec<u32>>, Cancelled> {
        let done = AtomicUsize::new(0);
        let rank_one = |memory: &mut (R::Memory, Vec<Liked>), user: usize| {
            let (memory, history) = memory;
            fold_in(histories, user, history);
            let ranked = ranker.rank(history, self.options.k, memory);
            self.step(model, &done)?;
            Ok(ranked)
        };
        let memory = || (R::Memory::default(), Vec::new());
        (0..histories.user_count()).into_par_iter().map_init(memory, rank_one).collect()
    }

    /// Notes that one more user is done.
    fn step(&self, model: &str, done: &AtomicUsize) -> Result<(), Cancelled> {
        let total = self.split.held_out.len();
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of((total / 100).max(1)) || done == total {
            (self.watch)(&format!("{model}: ranking"), done, total);
        }
        if self.cancelled.load(Ordering::Relaxed) { Err(Cancelled) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::{Period, by_time};
    use crate::testing::{small, tastes};

    fn options() -> Options {
        Options { k: 5, ..Options::new(small()) }
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
        let [ours, popularity, knn] = &report.rows[..] else { panic!("three models") };
        for model in [ours, knn] {
            assert!(model.recall > 0.7, "{model:?}");
            assert!(model.recall > 3.0 * popularity.recall, "{model:?} {popularity:?}");
            assert!(model.ndcg > 2.0 * popularity.ndcg, "{model:?} {popularity:?}");
            assert!(model.exposure.coverage > 0.9 && model.exposure.coverage <= 1.0, "{model:?}");
        }
        assert!(popularity.exposure.coverage < ours.exposure.coverage);
    }

    #[test]
    fn quality_is_bit_identical_for_one_and_two_threads() {
        let split = tastes();
        let of = |threads| {
            let mut report = measure(&split, threads);
            report.threads = 0;
            for row in &mut report.rows {
                (row.fit_seconds, row.rank_seconds, row.peak_bytes) = (0.0, 0.0, None);
            }
            report
        };
        assert_eq!(of(1), of(2));
    }

    #[test]
    fn an_evaluation_worked_out_by_hand() {
        // Popularity is 0, 1, 2. User 0 has 0 and is shown 1, 2: the held-out 2 comes second.
        // User 1 has 0, 1 and is shown 2. User 2 is not tested.
        let mut train = Interactions::new(3);
        train.push_user([(0, 1.0)]);
        train.push_user([(0, 1.0), (1, 1.0)]);
        train.push_user([(0, 1.0), (1, 1.0), (2, 1.0)]);
        let report =
            measure(&Split::of_train(train, vec![vec![2], vec![2], vec![]], String::new()), 1);
        assert_eq!([report.users_tested, report.held_out, report.interactions], [2, 2, 6]);
        let popularity = &report.rows[1];
        assert_eq!(popularity.recall, 1.0);
        assert!((popularity.ndcg - (1.0 / 3.0_f64.log2() + 1.0) / 2.0).abs() < 1e-12);
        assert!((popularity.exposure.coverage - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn where_there_are_times_what_is_liked_lately_is_ranked_too() {
        // Item 0 was liked by three users long ago, item 1 by two lately.
        let day = |day: f64| (day * DAY_MS) as i64;
        let mut before = Interactions::new(4);
        [0, 0, 0, 1, 1].iter().for_each(|item| before.push_user([(*item, 1.0)]));
        before.push_user([(2, 1.0)]);
        let times_ms = [0.0, 0.0, 0.0, 100.0, 100.0, 100.0].map(day).to_vec();
        let before = Period { users: (0..6).collect(), interactions: before, times_ms };
        let mut after = Interactions::new(4);
        after.push_user([(1, 1.0)]);
        let after = Period { users: vec![5], interactions: after, times_ms: vec![day(110.0)] };
        let split = by_time(before, &after, day(101.0), 0.5, 0);
        let mut options = Options { half_lives_days: vec![10.0, 14.0], ..options() };
        // The numbers below are those of the sparse part.
        options.model.low_pass.factors = 0;
        let cancelled = AtomicBool::new(false);
        let report = evaluate(&split, &options, &|_, _, _| {}, &cancelled).unwrap();
        let ranks: Vec<(&str, f64)> =
            report.rows.iter().map(|row| (row.model.as_str(), row.mrr)).collect();
        let expected = [
            ("Foreword", 0.5),
            ("popularity", 0.5),
            ("cosine ItemKNN", 0.0),
            ("trending, 14 days", 1.0),
            ("popular lately, 14 days", 1.0),
            ("Foreword, 10 days", 1.0),
            ("trending, 10 days", 1.0),
            ("popular lately, 10 days", 1.0),
            ("Foreword, 14 days", 1.0),
        ];
        assert_eq!(ranks, expected);
    }

    #[test]
    fn settings_are_told_without_their_types() {
        let expected = "gram user exponent 0.5, row entries 50, neighbours 20, \
                        regularisation 4.0, item exponent 0.25, distance exponent 0.0";
        assert_eq!(plain(&options().model.ridge), expected);
    }

    #[test]
    fn without_held_out_items_the_metrics_are_zero() {
        let report = measure(&Split::of_train(Interactions::new(0), vec![], String::new()), 1);
        assert!(report.rows.iter().all(|row| row.recall == 0.0 && row.exposure.coverage == 0.0));
    }

    #[test]
    fn a_cancelled_evaluation_stops_wherever_it_is() {
        let split = tastes();
        for stop_at in ["Foreword: solving for the weights", "popularity: ranking"] {
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
