//! From samples to figures and verdicts.
//!
//! Every round has a ratio of its own, of two runs that are seconds apart; the median of those
//! is held against a gate. What changes with the hour, such as the machine's other work, then
//! changes for both.

use serde::Serialize;

use crate::client::Sample;
use crate::server::Kind;
use crate::shape::Shape;

/// Above this share of a core the client may be what limits.
const CLIENT_SHARE_MAX: f64 = 0.95;

/// A ratio of two servers' requests per second, and the least that it is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    pub(crate) of: Kind,
    pub(crate) to: Kind,
    pub(crate) at_least: Option<f64>,
}

/// The runs of one server under a load of one shape, in the order of the rounds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Series {
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    pub(crate) runs: Vec<Sample>,
}

/// A ratio, judged.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) of: Kind,
    pub(crate) to: Kind,
    pub(crate) shape: Shape,
    pub(crate) median: f64,
    pub(crate) rounds: Vec<f64>,
    pub(crate) at_least: Option<f64>,
    pub(crate) met: Option<bool>,
}

impl Series {
    pub(crate) fn median(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(self.runs.iter().map(figure).collect())
    }

    /// Whether the figures may be the client's rather than the server's.
    pub(crate) fn is_limited_by_client(&self) -> bool {
        self.median(|run| run.client_share) > CLIENT_SHARE_MAX
    }
}

/// Judges a gate for each shape for which both servers ran.
pub(crate) fn verdicts(gate: Gate, series: &[Series]) -> Vec<Verdict> {
    let of = series.iter().filter(|series| series.kind == gate.of);
    let pairs = of.filter_map(|of| {
        let to = series.iter().find(|to| to.kind == gate.to && to.shape == of.shape)?;
        let ratio = |(of, to): (&Sample, &Sample)| of.requests_per_second / to.requests_per_second;
        let rounds: Vec<f64> = of.runs.iter().zip(&to.runs).map(ratio).collect();
        let median = median(rounds.clone());
        let met = gate.at_least.map(|least| median >= least);
        let shape = of.shape;
        Some(Verdict {
            of: of.kind,
            to: to.kind,
            shape,
            median,
            rounds,
            at_least: gate.at_least,
            met,
        })
    });
    pairs.collect()
}

/// The middle one, or the upper of the two in the middle.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
