//! Compensation: workers are added for those that are stuck.
//!
//! The rule: jobs wait, nobody is free, and fewer workers of the lane than there are cores are
//! able to run, because the kernel has shown the others off the CPU at several looks in a row. As
//! many are added as those others, so that a lane of sleepers doubles, since such a crowd comes
//! all at once; an added thread costs some ten kilobytes, a late answer costs more. A worker that
//! is on a CPU, or waits for one, is able: nothing is added for it, as threads make no CPUs.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Pace;
use super::crowd::Crowd;
use crate::executor::Shared;
use crate::executor::lane::Backlog;
use crate::method::Lane;

/// At most one part in so many of all workers take the places of those that compute for ever.
const HOGS_PART: usize = 4;

/// Adds workers where too few are able to run. Returns the pace that pressed lanes ask for.
pub(super) fn compensate(crowd: &Crowd, shared: &Arc<Shared>) -> Option<Pace> {
    let settings = &shared.settings;
    let cores = settings.slow_workers.get();
    let hogs = crowd.hogs().min(settings.workers_max.get() / HOGS_PART);
    // Those on the CPU are held to their number; others do not count.
    let not_counted = crowd.blocked(Lane::Slow) + hogs;
    shared.lane(Lane::Slow).allow(cores + not_counted);
    let full = shared.full.load(Ordering::Relaxed);
    let max = if full { settings.workers_max.get() } else { settings.workers_before_reserve() };
    let mut pace = None;
    for lane in [Lane::Express, Lane::Slow] {
        if !crowd.is_pressed(lane) {
            continue;
        }
        let Backlog { jobs, workers, .. } = crowd.backlog(lane);
        let others = crowd.workers() - workers;
        let hogs = if lane == Lane::Slow { hogs } else { 0 };
        let able = workers.saturating_sub(crowd.idle(lane) + hogs);
        if able >= cores || workers + others >= max {
            // A look that finds somebody off the CPU for the first time is soon followed up.
            let soon = crowd.is_any_off(lane) && workers + others < max;
            pace = sooner(pace, if soon { Pace::Quick } else { Pace::Patient });
            continue;
        }
        // As many as are idle: the lane doubles when nobody is able to run.
        let wanted = (workers - able).max(1);
        // One more than there are jobs: the next to come shall not have to wait.
        let added = shared.add_workers(lane, wanted.min(jobs + 1), max - others);
        shared.observer.workers_added(lane, added);
        pace = sooner(pace, Pace::Quick);
    }
    pace
}

/// The pace that looks sooner.
fn sooner(one: Option<Pace>, other: Pace) -> Option<Pace> {
    one.filter(|one| one.interval() <= other.interval()).or(Some(other))
}
