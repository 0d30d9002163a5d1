//! What the executor tells of itself: stalls, workers, queues.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use unstall::{Lane, Shed, StallKind, WorkerState};

use super::calls::OTHER;
use super::families::{
    QUEUE_DELAY, SATURATED, SHED, STALL_REPORTS_SUPPRESSED, STALLED, STALLS, WATCHDOG_LAG, WORKERS,
    WORKERS_ADDED,
};
use super::histogram::Histogram;
use super::page::Page;
use crate::methods::{METHODS, Method};

const KINDS: [StallKind; 5] = [
    StallKind::Blocked,
    StallKind::Busy,
    StallKind::Paging,
    StallKind::Unknown,
    StallKind::HostStarved,
];

const STATES: [WorkerState; 3] = [WorkerState::Free, WorkerState::Working, WorkerState::Stuck];

const SHEDS: [Shed; 5] =
    [Shed::QueueFull, Shed::JobsFull, Shed::MethodStuck, Shed::Saturated, Shed::NoThread];

/// Names besides those of methods: of jobs of our own, and of threads that the watchdog watches.
const OWN: [&str; 9] = [
    "(renewal)",
    "(rules)",
    "(keys)",
    "(events)",
    "(histories)",
    "(block)",
    "(tokio::spawn)",
    "(transport)",
    "(host)",
];

const SUBJECTS: usize = METHODS.len() + OWN.len() + 1;

/// Counts for each subject.
#[derive(Debug)]
struct Table<const N: usize>([[AtomicU64; N]; SUBJECTS]);

// Not derived: arrays of more than 32 have no default.
impl<const N: usize> Default for Table<N> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))))
    }
}

/// What an executor is doing, and how often what has happened.
#[derive(Debug, Default)]
pub struct ExecutorFigures {
    stalls: Table<{ KINDS.len() }>,
    sheds: Table<{ SHEDS.len() }>,
    stalled: AtomicUsize,
    queue_delay: [Histogram; Lane::ALL.len()],
    workers: [[AtomicUsize; STATES.len()]; Lane::ALL.len()],
    workers_added: [AtomicUsize; Lane::ALL.len()],
    suppressed: AtomicU64,
    watchdog_lag: Histogram,
    saturated_nanos: AtomicU64,
}

impl ExecutorFigures {
    /// How many stalls of a method there were.
    pub(crate) fn stalls_of(&self, method: &Method) -> u64 {
        sum(&self.stalls.0[place(method.path)])
    }

    /// How many calls of a method were shed.
    pub(crate) fn sheds_of(&self, method: &Method) -> u64 {
        sum(&self.sheds.0[place(method.path)])
    }

    /// How many stalls there were.
    pub(crate) fn stall_count(&self) -> u64 {
        self.stalls.0.iter().map(|counts| sum(counts)).sum()
    }

    pub(super) fn write(&self, page: &mut Page<'_>) -> fmt::Result {
        let kinds = |kind: usize| KINDS[kind].name();
        page.counters(&STALLS, cells(&self.stalls, kinds))?;
        page.gauge(&STALLED, self.stalled.load(Ordering::Relaxed) as f64)?;
        page.counter(&STALL_REPORTS_SUPPRESSED, self.suppressed.load(Ordering::Relaxed))?;
        let delays = Lane::ALL.map(Lane::name).into_iter().zip(&self.queue_delay);
        page.histograms(&QUEUE_DELAY, delays.map(|(lane, delay)| ([lane], delay)))?;
        let workers = Lane::ALL.iter().zip(&self.workers).flat_map(|(lane, by_state)| {
            let states = STATES.iter().zip(by_state);
            states.map(|(state, count)| {
                ([lane.name(), state.name()], count.load(Ordering::Relaxed) as f64)
            })
        });
        page.gauges(&WORKERS, workers)?;
        let added = Lane::ALL.iter().zip(&self.workers_added);
        let added =
            added.map(|(lane, count)| ([lane.name()], count.load(Ordering::Relaxed) as u64));
        page.counters(&WORKERS_ADDED, added)?;
        page.counters(&SHED, cells(&self.sheds, |shed| shed_name(SHEDS[shed])))?;
        page.histograms(&WATCHDOG_LAG, [([], &self.watchdog_lag)])?;
        page.seconds(&SATURATED, self.saturated_nanos.load(Ordering::Relaxed) as f64 / 1e9)
    }
}

/// The samples of a table by subject and something else. What never happened is left out, but
/// each method's first cell is there from the start.
fn cells<const N: usize>(
    table: &Table<N>,
    name: impl Fn(usize) -> &'static str + Copy,
) -> impl Iterator<Item = ([&'static str; 2], u64)> {
    table.0.iter().enumerate().flat_map(move |(subject, row)| {
        row.iter().enumerate().filter_map(move |(column, count)| {
            let count = count.load(Ordering::Relaxed);
            let shown = count > 0 || (subject < METHODS.len() && column == 0);
            shown.then_some(([subject_name(subject), name(column)], count))
        })
    })
}

fn sum(counts: &[AtomicU64]) -> u64 {
    counts.iter().map(|count| count.load(Ordering::Relaxed)).sum()
}

/// Where a name is counted. Whatever it is, there is a place.
fn place(name: &str) -> usize {
    let own = match name {
        "" => "(host)",
        name if name.starts_with("transport-") => "(transport)",
        name => name,
    };
    let method = METHODS.iter().position(|method| method.path == name);
    let own = || OWN.iter().position(|one| *one == own).map(|place| METHODS.len() + place);
    method.or_else(own).unwrap_or(SUBJECTS - 1)
}

fn subject_name(place: usize) -> &'static str {
    let own = || OWN.get(place - METHODS.len()).copied().unwrap_or(OTHER);
    METHODS.get(place).map_or_else(own, Method::name)
}

fn shed_name(shed: Shed) -> &'static str {
    match shed {
        Shed::QueueFull => "queue_full",
        Shed::JobsFull => "jobs_full",
        Shed::MethodStuck => "method_stuck",
        Shed::Saturated => "saturated",
        Shed::NoThread => "no_thread",
        // The enum may grow.
        _ => "other",
    }
}

impl unstall::Observer for ExecutorFigures {
    fn stall(&self, method: &str, kind: StallKind) {
        // Kinds that are not known yet count as those of which nothing is known.
        let kind = KINDS.iter().position(|one| *one == kind).unwrap_or(3);
        self.stalls.0[place(method)][kind].fetch_add(1, Ordering::Relaxed);
    }

    fn stalled_now(&self, polls: usize) {
        self.stalled.store(polls, Ordering::Relaxed);
    }

    fn queue_delay(&self, lane: Lane, delay: Duration) {
        self.queue_delay[lane as usize].observe(delay);
    }

    fn workers(&self, lane: Lane, state: WorkerState, workers: usize) {
        let state = STATES.iter().position(|one| *one == state).unwrap_or_default();
        self.workers[lane as usize][state].store(workers, Ordering::Relaxed);
    }

    fn shed(&self, method: &str, reason: Shed) {
        let reason = SHEDS.iter().position(|one| *one == reason).unwrap_or_default();
        self.sheds.0[place(method)][reason].fetch_add(1, Ordering::Relaxed);
    }

    fn workers_added(&self, lane: Lane, workers: usize) {
        self.workers_added[lane as usize].fetch_add(workers, Ordering::Relaxed);
    }

    fn suppressed(&self, reports: u64) {
        self.suppressed.fetch_add(reports, Ordering::Relaxed);
    }

    fn watchdog_lag(&self, lag: Duration) {
        self.watchdog_lag.observe(lag);
    }

    fn saturated(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.saturated_nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_counts_somewhere_and_only_known_names_are_shown() {
        let check = |name: &str, expected: &str| assert_eq!(subject_name(place(name)), expected);
        for method in METHODS {
            check(method.path, method.name());
        }
        check("(renewal)", "(renewal)");
        check("transport-7", "(transport)");
        check("", "(host)");
        for other in ["(other)", "/shop.Films/List", "foreword", "a\"} 1\nb"] {
            check(other, OTHER);
        }
    }
}
