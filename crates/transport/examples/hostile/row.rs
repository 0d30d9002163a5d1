//! Rows: what is printed of a trial, and whether it is met.

use serde::Serialize;

use crate::case::{Case, Newcomers};
use crate::good::Fared;
use crate::seen::Seen;
use crate::trial::Measured;

/// The good client's 99th percentile, less the pulse's, in milliseconds. A trial in which the
/// machine itself was later than this says nothing about the server.
pub(crate) const P99_MS_MAX: f64 = 50.0;

const MIB: f64 = (1_u64 << 20) as f64;

/// A trial and its verdict.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) attack: &'static str,
    pub(crate) expected: &'static str,
    /// `None` if it could not be run.
    pub(crate) figures: Option<Figures>,
    /// What was not as it should be; met if there is nothing.
    pub(crate) missed: Vec<String>,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) seen: Seen,
    pub(crate) good: Fared,
    /// The good client's 99th percentile less the pulse's: the median of all runs.
    pub(crate) p99_net_ms: f64,
    /// The same of each run. All else is of the last one.
    pub(crate) p99_net_ms_runs: Vec<f64>,
    /// How much more memory was resident at once than before.
    pub(crate) memory_mib: f64,
    pub(crate) memory_mib_max: u32,
    /// Cores that the server kept busy during the attack.
    pub(crate) cores: f64,
    /// How long the server took to be as before, in seconds.
    pub(crate) settled_seconds: f64,
    pub(crate) after: AfterRow,
}

/// What the server takes afterwards, beyond what it took before.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AfterRow {
    pub(crate) cores: f64,
    pub(crate) memory_mib: f64,
    pub(crate) files: i64,
    pub(crate) threads: i64,
}

impl Row {
    /// A case that could not be run.
    pub(crate) fn failed(case: &Case, why: impl std::fmt::Display) -> Self {
        Self {
            case: case.name,
            attack: case.attack_text,
            expected: case.expected_text,
            figures: None,
            missed: vec![format!("not run: {why}")],
        }
    }

    /// The figures of one or more trials, held against the case.
    pub(crate) fn new(case: &Case, trials: Vec<Measured>) -> Self {
        let mut missed: Vec<_> = trials.iter().flat_map(|one| missed(case, one)).collect();
        let mut runs: Vec<_> = trials.iter().map(|one| one.fared.net_p99_ms()).collect();
        runs.sort_by(f64::total_cmp);
        let p99 = runs.get(runs.len() / 2).copied().unwrap_or_default();
        if p99 > P99_MS_MAX {
            missed.push(format!("p99 {p99:.1} ms above the pulse's"));
        }
        let Some(measured) = trials.into_iter().next_back() else {
            return Self::failed(case, "no trial");
        };
        let Measured { seen, fared, before, during, cores, after, .. } = measured;
        let more = |after: usize, before: usize| {
            i64::try_from(after).unwrap_or(i64::MAX) - i64::try_from(before).unwrap_or_default()
        };
        let figures = Figures {
            seen,
            p99_net_ms: p99,
            p99_net_ms_runs: runs,
            good: fared,
            memory_mib: mib_more(during.peak_bytes, before.resident_bytes),
            memory_mib_max: case.memory_mib_max,
            cores,
            settled_seconds: after.seconds,
            after: AfterRow {
                cores: after.cores,
                memory_mib: mib_more(after.vitals.resident_bytes, before.resident_bytes),
                files: more(after.vitals.files, before.files),
                threads: more(after.vitals.threads, before.threads),
            },
        };
        Self {
            case: case.name,
            attack: case.attack_text,
            expected: case.expected_text,
            figures: Some(figures),
            missed,
        }
    }

    pub(crate) fn is_met(&self) -> bool {
        self.missed.is_empty()
    }
}

fn missed(case: &Case, measured: &Measured) -> Vec<String> {
    let Measured { seen, fared, before, during, cores, after, died } = measured;
    let mut missed = Vec::new();
    let mut hold = |met: bool, what: String| {
        if !met {
            missed.push(what);
        }
    };
    hold(!died, "the server has died".to_owned());
    hold(fared.ok > 0 && fared.failed == 0, format!("{} good calls failed", fared.failed));
    let newcomers_count = case.newcomers == Newcomers::AreServed;
    hold(
        !newcomers_count || fared.newcomers_failed == 0,
        format!("{} new connections failed", fared.newcomers_failed),
    );
    let memory = mib_more(during.peak_bytes, before.resident_bytes);
    let bound = case.memory_mib_max;
    hold(memory <= f64::from(bound), format!("{memory:.0} MiB more, at most {bound}"));
    let cores_max = case.cores_max;
    hold(*cores <= cores_max, format!("{cores:.2} cores busy, at most {cores_max}"));
    hold(after.is_near, format!("not as before after {:.0} s", after.seconds));
    if let Some(what) = case.expected.missed(seen) {
        hold(false, what);
    }
    missed
}

fn mib_more(after: u64, before: u64) -> f64 {
    (after as f64 - before as f64) / MIB
}
