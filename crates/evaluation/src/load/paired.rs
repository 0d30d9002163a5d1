//! Several targets in turn, round by round: what changes with the hour, such as the machine's
//! other work, changes for all of them.
//!
//! Every second round goes backwards (A B, B A, A B, …), so that none is always first. Each
//! round has a ratio of its own, and the median of those is what tells two targets apart.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use tonic::transport::Channel;

use crate::load::{LoadError, Outcome, Plan, Report, Target, run};

/// Which target is next: its round and its place among the targets, both from 0.
///
/// ```
/// use evaluation::load::paired::order;
///
/// let targets: Vec<usize> = order(2, 3).map(|(_round, target)| target).collect();
/// assert_eq!(targets, [0, 1, 1, 0, 0, 1]);
/// ```
pub fn order(targets: usize, rounds: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rounds).flat_map(move |round| {
        (0..targets)
            .map(move |place| (round, if round % 2 == 0 { place } else { targets - 1 - place }))
    })
}

/// All rounds of all targets.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// In the order in which they were given.
    pub targets: Vec<Rounds>,
    /// Each target but the first, in proportion to the first, over the rounds that both ended.
    pub ratios: Vec<Ratios>,
}

/// The rounds of one target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rounds {
    /// Where it is.
    pub address: String,
    /// Medians over the rounds; a round that was stopped is left out unless it is the only one.
    pub median: Figures,
    /// Each round.
    pub rounds: Vec<Report>,
}

/// The figures that are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Good answers per second.
    pub good_per_second: f64,
    /// Latency: median.
    pub p50_us: f64,
    /// Latency: 90th percentile.
    pub p90_us: f64,
    /// Latency: 99th percentile.
    pub p99_us: f64,
    /// Latency: 99.9th percentile.
    pub p999_us: f64,
    /// CPU time of the server for each call, if its process is watched.
    pub cpu_us_per_request: Option<f64>,
}

/// One target in proportion to the first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ratios {
    /// Where it is.
    pub address: String,
    /// Where the first is.
    pub to: String,
    /// Good answers per second.
    pub good_per_second: Option<Ratio>,
    /// Median latency.
    pub p50: Option<Ratio>,
    /// 90th percentile of the latency.
    pub p90: Option<Ratio>,
    /// 99th percentile of the latency.
    pub p99: Option<Ratio>,
    /// 99.9th percentile of the latency.
    pub p999: Option<Ratio>,
    /// CPU time of the server for each call.
    pub cpu_per_request: Option<Ratio>,
}

/// A ratio of each round; there is at least one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// Their median.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Each, in the order of the rounds.
    pub rounds: Vec<f64>,
}

/// How far a paired run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The round, from 0.
    pub round: usize,
    /// The target, from 0.
    pub target: usize,
    /// Runs that are over.
    pub runs_done: usize,
    /// Time that the run took so far, warm-up included.
    pub elapsed: Duration,
}

/// Runs a plan against every target, round by round; `call` as in [`run()`].
///
/// # Errors
///
/// [`LoadError`] of the first run that could not begin, whatever was measured before.
pub fn run_paired<C, A>(
    plan: &Plan,
    targets: &[Target],
    rounds: usize,
    call: &C,
    watch: &dyn Fn(Place),
    cancelled: &Arc<AtomicBool>,
) -> Result<Paired, LoadError>
where
    C: Fn(Channel, u64) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Outcome> + Send + 'static,
{
    run_prepared(plan, targets, rounds, call, &|_| {}, watch, cancelled)
}

/// As [`run_paired`]; before each run, `prepare` is told the target's place. So one service can be
/// measured in several states: it is given as several targets.
///
/// # Errors
///
/// As [`run_paired`].
pub fn run_prepared<C, A>(
    plan: &Plan,
    targets: &[Target],
    rounds: usize,
    call: &C,
    prepare: &dyn Fn(usize),
    watch: &dyn Fn(Place),
    cancelled: &Arc<AtomicBool>,
) -> Result<Paired, LoadError>
where
    C: Fn(Channel, u64) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Outcome> + Send + 'static,
{
    let mut reports: Vec<Vec<Report>> = vec![Vec::new(); targets.len()];
    for (runs_done, (round, target)) in order(targets.len(), rounds).enumerate() {
        if runs_done > 0 && cancelled.load(Ordering::Relaxed) {
            break;
        }
        prepare(target);
        let watch = |elapsed| watch(Place { round, target, runs_done, elapsed });
        let measured = run(plan, &targets[target], call.clone(), &watch, cancelled)?;
        reports[target].push(Report::from(&measured));
    }
    Ok(Paired::new(targets, reports))
}

impl Paired {
    fn new(targets: &[Target], reports: Vec<Vec<Report>>) -> Self {
        let compared: Vec<Vec<Figures>> = reports.iter().map(|rounds| ended(rounds)).collect();
        let targets = targets.iter().zip(reports).map(|(target, rounds)| {
            let median = match &rounds[..] {
                [only] => Figures::from(only),
                _ => Figures::median(&ended(&rounds)),
            };
            Rounds { address: target.address.clone(), median, rounds }
        });
        let targets: Vec<Rounds> = targets.collect();
        let ratios = targets.iter().zip(&compared).skip(1).map(|(target, figures)| {
            Ratios::new(&target.address, figures, &targets[0].address, &compared[0])
        });
        Self { ratios: ratios.collect(), targets }
    }

    /// Requests that did not end well, and those that were never sent.
    #[must_use]
    pub fn wrong_and_unsent(&self) -> (u64, u64) {
        let reports = || self.targets.iter().flat_map(|target| &target.rounds);
        (reports().map(|report| report.wrong).sum(), reports().map(|report| report.unsent).sum())
    }
}

/// The figures of the rounds that came to their end. Only the last run can have been stopped,
/// so that the same place is the same round for all targets.
fn ended(rounds: &[Report]) -> Vec<Figures> {
    rounds.iter().filter(|report| !report.stopped_early).map(Figures::from).collect()
}

impl From<&Report> for Figures {
    fn from(report: &Report) -> Self {
        Self {
            good_per_second: report.good_per_second,
            p50_us: report.latency.p50_us,
            p90_us: report.latency.p90_us,
            p99_us: report.latency.p99_us,
            p999_us: report.latency.p999_us,
            cpu_us_per_request: report.server.and_then(|server| server.cpu_us_per_request),
        }
    }
}

impl Figures {
    fn median(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(rounds.iter().map(figure)).unwrap_or(0.0);
        Self {
            good_per_second: of(|round| round.good_per_second),
            p50_us: of(|round| round.p50_us),
            p90_us: of(|round| round.p90_us),
            p99_us: of(|round| round.p99_us),
            p999_us: of(|round| round.p999_us),
            cpu_us_per_request: median(rounds.iter().filter_map(|round| round.cpu_us_per_request)),
        }
    }
}

impl Ratios {
    fn new(address: &str, these: &[Figures], to: &str, those: &[Figures]) -> Self {
        let of = |figure: fn(&Figures) -> Option<f64>| Ratio::new(these, those, figure);
        Self {
            address: address.to_owned(),
            to: to.to_owned(),
            good_per_second: of(|round| Some(round.good_per_second)),
            p50: of(|round| Some(round.p50_us)),
            p90: of(|round| Some(round.p90_us)),
            p99: of(|round| Some(round.p99_us)),
            p999: of(|round| Some(round.p999_us)),
            cpu_per_request: of(|round| round.cpu_us_per_request),
        }
    }
}

impl Ratio {
    /// A round whose figures are unknown or 0 has no ratio.
    fn new(
        these: &[Figures],
        those: &[Figures],
        figure: fn(&Figures) -> Option<f64>,
    ) -> Option<Self> {
        let ratio = |(this, that): (&Figures, &Figures)| Some(figure(this)? / figure(that)?);
        let rounds: Vec<f64> =
            these.iter().zip(those).filter_map(ratio).filter(|ratio| ratio.is_finite()).collect();
        Some(Self {
            median: median(rounds.iter().copied())?,
            min: rounds.iter().copied().fold(f64::INFINITY, f64::min),
            max: rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            rounds,
        })
    }
}

/// The middle one, or the mean of the two in the middle; `None` if there are none.
pub fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => None,
        count if count % 2 == 1 => Some(figures[middle]),
        _ => Some(f64::midpoint(figures[middle - 1], figures[middle])),
    }
}
