//! What is counted of events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use recommender::EventKind;
use storage::Recorded;

use super::{NewEntry, What};
use crate::telemetry::metrics::Histogram;

/// What entries are, in metrics: kinds of events by number, impressions, retractions, and what is
/// not valid.
const SUBJECTS: usize = EventKind::ALL.len() + 3;
const IMPRESSION: usize = EventKind::ALL.len();
const RETRACTION: usize = IMPRESSION + 1;
const INVALID: usize = IMPRESSION + 2;

/// What became of entries, in metrics.
const RESULTS: [&str; 8] = [
    "stored",
    "repeated",
    "conflicting",
    "retracted",
    "retracted_before",
    "not_found",
    "invalid",
    "refused",
];

/// What was counted of events since the start.
#[derive(Debug, Default)]
pub(crate) struct IngestFigures {
    entries: [[AtomicU64; RESULTS.len()]; SUBJECTS],
    groups: AtomicU64,
    group_entries: AtomicU64,
    groups_failed: AtomicU64,
    commits: Histogram,
}

impl IngestFigures {
    /// Counts an entry that is not valid.
    pub(crate) fn invalid(&self) {
        self.add(INVALID, "invalid");
    }

    /// Counts entries that were refused as a whole.
    pub(super) fn refused(&self, entries: &[NewEntry]) {
        entries.iter().for_each(|entry| self.add(subject(entry), "refused"));
    }

    /// Counts what became of an entry.
    pub(super) fn recorded(&self, entry: &NewEntry, recorded: Recorded) {
        let result = match recorded {
            Recorded::Stored => "stored",
            Recorded::Repeated => "repeated",
            Recorded::Conflicting => "conflicting",
            Recorded::Retracted => "retracted",
            Recorded::RetractedBefore => "retracted_before",
            Recorded::Unknown => "not_found",
        };
        self.add(subject(entry), result);
    }

    /// Counts a group that was written, and how long that took.
    pub(super) fn written(&self, entries: usize, took: Duration) {
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.group_entries.fetch_add(entries as u64, Ordering::Relaxed);
        self.commits.observe(took);
    }

    /// Counts a group that could not be written.
    pub(super) fn failed(&self) {
        self.groups_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// How many events were stored.
    pub(crate) fn stored_events(&self) -> u64 {
        let events = self.entries.iter().take(EventKind::ALL.len());
        events.map(|results| results[0].load(Ordering::Relaxed)).sum()
    }

    fn add(&self, subject: usize, result: &str) {
        let place = RESULTS.iter().position(|one| *one == result).unwrap_or(RESULTS.len() - 1);
        self.entries[subject][place].fetch_add(1, Ordering::Relaxed);
    }

    /// Entries by what they are and what became of them; what never happened is left out, but
    /// for what was stored.
    pub(crate) fn entries(&self) -> impl Iterator<Item = ([&'static str; 2], u64)> {
        self.entries.iter().enumerate().flat_map(|(subject, counts)| {
            RESULTS.iter().zip(counts).filter_map(move |(result, count)| {
                let count = count.load(Ordering::Relaxed);
                let is_shown = count > 0 || (*result == "stored" && subject <= IMPRESSION);
                is_shown.then_some(([name(subject), *result], count))
            })
        })
    }

    /// Groups that were written.
    pub(crate) fn groups(&self) -> u64 {
        self.groups.load(Ordering::Relaxed)
    }

    /// Their entries.
    pub(crate) fn group_entries(&self) -> u64 {
        self.group_entries.load(Ordering::Relaxed)
    }

    /// Groups that could not be written.
    pub(crate) fn groups_failed(&self) -> u64 {
        self.groups_failed.load(Ordering::Relaxed)
    }

    /// How long writing a group took.
    pub(crate) fn commits(&self) -> &Histogram {
        &self.commits
    }
}

fn subject(entry: &NewEntry) -> usize {
    match &entry.what {
        What::Event { kind, .. } => usize::from(kind.number()) - 1,
        What::Impression { .. } => IMPRESSION,
        What::Retraction => RETRACTION,
    }
}

fn name(subject: usize) -> &'static str {
    match subject {
        IMPRESSION => "impression",
        RETRACTION => "retraction",
        INVALID => "",
        kind => EventKind::ALL[kind].name(),
    }
}
