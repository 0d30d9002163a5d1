//! Tuning: chooses the settings of a model on a validation part, within a time budget.
//!
//! Pattern search (Hooke and Jeeves 1961, *Direct search solution of numerical and statistical
//! problems*): from the settings it begins with, one setting after the other is moved a step up
//! or down for as long as that helps; when none helps, the steps are halved, once. What is learnt
//! with settings that did not move is kept, so that most trials cost one part of a fit. Settings
//! ask for no more factors than the catalogue is given: more of them would be the same model.
//!
//! Nothing here sees a test part: give it a split of what may be learnt from.

mod axis;
mod parts;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use recommender::learn::LearnSettings;
use recommender::watch::Cancelled;
use serde::Serialize;

use self::axis::{Axis, Direction};
use self::parts::Parts;
use crate::split::Split;

/// What is tuned, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TuneOptions {
    /// What it begins with.
    pub start: LearnSettings,
    /// When no new trial is begun any more.
    pub budget: Duration,
    /// How long the judged lists are.
    pub k: usize,
    /// The most users that lists are judged of; more make it slower and more exact.
    pub users_max: usize,
}

/// One set of settings, and what it was worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// The settings, with as many factors as the model has.
    #[serde(skip)]
    pub settings: LearnSettings,
    /// NDCG@k: the mean over the users judged.
    pub ndcg: f64,
    /// Recall@k: the mean over the users judged.
    pub recall: f64,
    /// Wall-clock time of the trial; parts that were learnt before cost nothing.
    pub seconds: f64,
}

impl Trial {
    /// What is maximised: the geometric mean of NDCG and recall, so that a percent of one counts as
    /// much as a percent of the other.
    #[must_use]
    pub fn quality(&self) -> f64 {
        (self.ndcg * self.recall).sqrt()
    }
}

/// What came of tuning.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuned {
    /// Every trial, in order; the first is what it began with.
    pub trials: Vec<Trial>,
    /// The place of the best one.
    pub best: usize,
    /// The users judged.
    pub users: usize,
    /// Whether the search came to its end before the budget did.
    pub is_finished: bool,
}

impl Tuned {
    /// The best trial.
    #[must_use]
    pub fn best(&self) -> &Trial {
        &self.trials[self.best]
    }

    /// The best settings, to be kept. Where they have all the factors that the catalogue is given,
    /// those of `start` are asked for, so that a catalogue that grows gets them.
    #[must_use]
    pub fn chosen(&self, start: &LearnSettings) -> LearnSettings {
        let mut chosen = self.best().settings;
        if chosen.low_pass.factors == self.start().settings.low_pass.factors {
            chosen.low_pass.factors = start.low_pass.factors;
        }
        chosen
    }

    /// The trials that ended within a budget, and the first in any case: one that is under way
    /// when the budget is over is let to its end.
    #[must_use]
    pub fn ended_within(&self, budget: Duration) -> &[Trial] {
        let mut seconds = 0.0;
        let ended = self.trials.iter().take_while(|trial| {
            seconds += trial.seconds;
            seconds <= budget.as_secs_f64()
        });
        &self.trials[..ended.count().max(1)]
    }

    /// The trial that was the best when a budget was over.
    #[must_use]
    pub fn best_within(&self, budget: Duration) -> &Trial {
        let trials = self.ended_within(budget);
        let better = |best, trial| if is_better(trial, best) { trial } else { best };
        trials.iter().fold(&trials[0], better)
    }

    /// The trial that it began with.
    #[must_use]
    pub fn start(&self) -> &Trial {
        &self.trials[0]
    }
}

/// Chooses settings on the current rayon pool.
///
/// `watch` is told of each trial's steps, with how much of the budget is used in thousandths.
/// The first trial is always made, however small the budget.
///
/// # Errors
///
/// [`Cancelled`] soon after `cancelled` becomes true.
pub fn tune(
    split: &Split,
    options: &TuneOptions,
    watch: &(dyn Fn(&str, usize, usize) + Sync),
    cancelled: &AtomicBool,
) -> Result<Tuned, Cancelled> {
    let began = Instant::now();
    let used = || began.elapsed().as_secs_f64() / options.budget.as_secs_f64().max(1e-9);
    let trials_made = AtomicUsize::new(0);
    let tell = |step: &str| {
        let trial = trials_made.load(Ordering::Relaxed) + 1;
        watch(&format!("trial {trial}: {step}"), (used() * 1000.0).min(1000.0) as usize, 1000);
    };
    let items = split.train.item_count();
    let mut search = Search {
        items,
        parts: Parts::new(split, options, &tell, cancelled),
        trials: Vec::new(),
        best: 0,
        trials_made: &trials_made,
    };
    search.try_settings(capped(options.start, items))?;
    let is_finished = search.run(&|| used() >= 1.0)?;
    let Search { trials, best, parts, .. } = search;
    Ok(Tuned { trials, best, users: parts.user_count(), is_finished })
}

/// A gain has to be this much of the best, or more; less is noise.
const GAIN_MIN: f64 = 2e-4;

/// Whether a trial takes the place of the best so far.
fn is_better(trial: &Trial, best: &Trial) -> bool {
    // More neighbours and factors cost time at every training: they have to pay for it.
    let cost = if axis::is_larger(&trial.settings, &best.settings) { 5.0 } else { 1.0 };
    trial.quality() > best.quality() * (1.0 + GAIN_MIN * cost)
}

/// The settings, with as many factors as a model of so many items has.
fn capped(mut settings: LearnSettings, items: usize) -> LearnSettings {
    settings.low_pass.factors = settings.low_pass.width(items);
    settings
}

struct Search<'a> {
    /// How many items the catalogue has.
    items: usize,
    parts: Parts<'a>,
    trials: Vec<Trial>,
    best: usize,
    trials_made: &'a AtomicUsize,
}

impl Search<'_> {
    /// Moves along every axis until nothing helps, then once more with halved steps. Tells
    /// whether it came to its end.
    fn run(&mut self, is_over: &dyn Fn() -> bool) -> Result<bool, Cancelled> {
        for step in [1.0, 0.5] {
            loop {
                let before = self.best;
                for axis in Axis::ALL {
                    for direction in [Direction::Up, Direction::Down] {
                        let place = self.best;
                        while let Some(next) = self.moved(axis, direction, step) {
                            if self.is_known(&next) {
                                break;
                            }
                            if is_over() {
                                return Ok(false);
                            }
                            if !self.try_settings(next)? {
                                break;
                            }
                        }
                        if self.best != place {
                            // It helped in this direction: the other leads back.
                            break;
                        }
                    }
                }
                if self.best == before {
                    break;
                }
            }
        }
        Ok(true)
    }

    /// The best settings so far, with one of them moved.
    fn moved(&self, axis: Axis, direction: Direction, step: f32) -> Option<LearnSettings> {
        let best = self.trials[self.best].settings;
        axis.moved(&best, direction, step).map(|next| capped(next, self.items))
    }

    fn is_known(&self, settings: &LearnSettings) -> bool {
        self.trials.iter().any(|trial| trial.settings == *settings)
    }

    /// Makes a trial; tells whether it is the best so far.
    fn try_settings(&mut self, settings: LearnSettings) -> Result<bool, Cancelled> {
        let began = Instant::now();
        let quality = self.parts.measure(&settings)?;
        let seconds = began.elapsed().as_secs_f64();
        let trial = Trial { settings, ndcg: quality.ndcg, recall: quality.recall, seconds };
        let is_better = self.trials.get(self.best).is_some_and(|best| is_better(&trial, best));
        self.trials.push(trial);
        self.trials_made.store(self.trials.len(), Ordering::Relaxed);
        if is_better {
            self.best = self.trials.len() - 1;
        }
        Ok(is_better)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{small, tastes, tastes_among};

    fn options(budget: Duration) -> TuneOptions {
        let mut start = small();
        // Far from the best, so that there is something to find.
        start.ridge.regularisation = 500.0;
        start.ridge.distance_exponent = 0.5;
        TuneOptions { start, budget, k: 5, users_max: 100 }
    }

    fn tuned(budget: Duration) -> Tuned {
        tune(&tastes(), &options(budget), &|_, _, _| {}, &AtomicBool::new(false)).unwrap()
    }

    #[test]
    fn tuning_never_ends_below_where_it_began() {
        let tuned = tuned(Duration::from_secs(600));
        assert!(tuned.is_finished && tuned.trials.len() > 8);
        assert!(tuned.best().quality() >= tuned.start().quality());
        assert!(tuned.trials.iter().all(|trial| trial.quality() <= tuned.best().quality() * 1.002));
        // Every second of 120, so that there are at most 100.
        assert_eq!(tuned.users, 60);
    }

    #[test]
    fn a_trial_asks_for_no_more_factors_than_its_model_has() {
        for (items, has_term) in [(41, false), (1100, true)] {
            let mut options = options(Duration::from_secs(600));
            options.start.low_pass.factors = 512;
            let split = tastes_among(items);
            let tuned = tune(&split, &options, &|_, _, _| {}, &AtomicBool::new(false)).unwrap();
            let start = tuned.start().settings.low_pass;
            assert_eq!(start.factors > 0, has_term, "{items}");
            let (best, chosen) = (tuned.best().settings, tuned.chosen(&options.start));
            let has_all = best.low_pass.factors == start.factors;
            let kept = if has_all { 512 } else { best.low_pass.factors };
            assert_eq!(chosen.low_pass.factors, kept, "a catalogue that grows");
            for (place, trial) in tuned.trials.iter().enumerate() {
                let low_pass = trial.settings.low_pass;
                assert_eq!(low_pass.factors, low_pass.width(items));
                assert!(low_pass.factors <= start.factors, "{items}: {low_pass:?}");
                assert!(has_term || low_pass.weight == start.weight, "{low_pass:?} has no term");
                let mut earlier = tuned.trials[..place].iter();
                assert!(earlier.all(|earlier| earlier.settings != trial.settings), "{trial:?}");
            }
        }
    }

    #[test]
    fn what_ends_after_a_budget_is_not_counted() {
        let trial = |ndcg, seconds| Trial {
            settings: options(Duration::ZERO).start,
            ndcg,
            recall: ndcg,
            seconds,
        };
        let trials = vec![trial(0.1, 2.0), trial(0.3, 3.0), trial(0.2, 4.0), trial(0.9, 5.0)];
        let tuned = Tuned { trials, best: 3, users: 1, is_finished: false };
        for (budget, ended, ndcg) in [(0, 1, 0.1), (4, 1, 0.1), (5, 2, 0.3), (10, 3, 0.3)] {
            let budget = Duration::from_secs(budget);
            let best = tuned.best_within(budget).ndcg;
            assert_eq!((tuned.ended_within(budget).len(), best), (ended, ndcg), "{budget:?}");
        }
        assert_eq!(tuned.best_within(Duration::from_secs(14)).ndcg, 0.9);
    }

    #[test]
    fn parts_that_are_kept_are_those_that_would_be_learnt() {
        let split = tastes();
        let options = options(Duration::ZERO);
        let cancelled = AtomicBool::new(false);
        let mut kept = Parts::new(&split, &options, &|_| {}, &cancelled);
        let mut settings = options.start;
        for axis in Axis::ALL {
            settings = axis.moved(&settings, Direction::Down, 1.0).unwrap_or(settings);
            let mut fresh = Parts::new(&split, &options, &|_| {}, &cancelled);
            let measured = kept.measure(&settings).unwrap();
            assert_eq!(measured, fresh.measure(&settings).unwrap(), "{axis:?}");
        }
    }

    #[test]
    fn a_budget_of_nothing_makes_one_trial() {
        let tuned = tuned(Duration::ZERO);
        assert_eq!((tuned.trials.len(), tuned.best, tuned.is_finished), (1, 0, false));
    }

    #[test]
    fn a_cancelled_tuning_stops() {
        let options = options(Duration::from_secs(600));
        let cancelled = AtomicBool::new(true);
        assert_eq!(tune(&tastes(), &options, &|_, _, _| {}, &cancelled), Err(Cancelled));
    }

    #[test]
    fn exponents_that_are_stepped_down_end_at_zero() {
        for (from, steps) in [(0.3, 3), (0.25, 3), (0.9, 9)] {
            let mut settings = options(Duration::ZERO).start;
            settings.ridge.item_exponent = from;
            for _ in 0..steps {
                settings = Axis::ItemExponent.moved(&settings, Direction::Down, 1.0).unwrap();
            }
            assert_eq!(settings.ridge.item_exponent, 0.0, "{from}");
            assert_eq!(Axis::ItemExponent.moved(&settings, Direction::Down, 1.0), None);
        }
    }

    #[test]
    fn a_step_up_never_makes_a_model_smaller() {
        let mut settings = options(Duration::ZERO).start;
        (settings.ridge.neighbours, settings.low_pass.factors) = (1000, 1024);
        for axis in Axis::ALL {
            if let Some(moved) = axis.moved(&settings, Direction::Up, 1.0) {
                assert!(!axis::is_larger(&settings, &moved), "{axis:?}");
            }
        }
    }
}
