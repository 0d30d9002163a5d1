//! Rows: what is printed of a case.

use std::time::Duration;

use serde::Serialize;

/// One figure and what it is held to. Without a gate it is there for comparison.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) case: String,
    /// `None` if it was skipped.
    pub(crate) value: Option<f64>,
    pub(crate) unit: &'static str,
    pub(crate) gate: Option<Gate>,
    pub(crate) met: Option<bool>,
    /// The figure of each run; the value is their median.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) runs: Vec<f64>,
    /// The probe's figure in each run, already taken off.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) probe: Vec<f64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
}

/// A bound, written as `<= 10` or `>= 0.97`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gate {
    AtMost(f64),
    AtLeast(f64),
}

impl Row {
    /// The median of several runs.
    pub(crate) fn median(case: impl Into<String>, unit: &'static str, runs: &[f64]) -> Self {
        Self {
            case: case.into(),
            value: median(runs),
            unit,
            gate: None,
            met: None,
            runs: if runs.len() > 1 { runs.to_vec() } else { Vec::new() },
            probe: Vec::new(),
            note: String::new(),
        }
    }

    /// One figure.
    pub(crate) fn one(case: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self::median(case, unit, &[value])
    }

    /// A lateness in milliseconds, less the probe's same figure of the same run.
    pub(crate) fn beside_probe(case: impl Into<String>, runs: &[(Duration, Duration)]) -> Self {
        let net: Vec<f64> = runs.iter().map(|(it, probe)| ms(it.saturating_sub(*probe))).collect();
        let mut row = Self::median(case, "ms", &net);
        row.probe = runs.iter().map(|(_, probe)| ms(*probe)).collect();
        row
    }

    /// Something that is so or is not.
    pub(crate) fn holds(case: impl Into<String>, holds: bool) -> Self {
        Self::one(case, "holds", f64::from(u8::from(holds))).at_least(1.0)
    }

    /// A peer or a case that cannot be had here.
    pub(crate) fn skipped(case: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self::median(case, "", &[]).note(format!("skipped: {why}"))
    }

    /// A case that broke off: missed.
    pub(crate) fn failed(case: impl Into<String>, why: impl std::fmt::Display) -> Self {
        let mut row = Self::median(case, "", &[]).note(format!("failed: {why}"));
        row.met = Some(false);
        row
    }

    pub(crate) fn at_most(self, bound: f64) -> Self {
        self.gated(Gate::AtMost(bound))
    }

    pub(crate) fn at_least(self, bound: f64) -> Self {
        self.gated(Gate::AtLeast(bound))
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn gated(mut self, gate: Gate) -> Self {
        self.met = self.value.map(|value| gate.lets_pass(value));
        self.gate = Some(gate);
        self
    }
}

impl Gate {
    fn lets_pass(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "<= {bound}"),
            Self::AtLeast(bound) => write!(f, ">= {bound}"),
        }
    }
}

impl Serialize for Gate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The middle one of an odd number, the upper middle one of an even number.
pub(crate) fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

pub(crate) fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
