//! Compensation: workers are added for those that are stuck.
//!
//! The rule: jobs wait, nobody is free, and every worker of the lane has been off the CPU at
//! two looks. Then the lane doubles, because a crowd of sleepers comes all at once; an added
//! thread costs some ten kilobytes, a late answer costs more. A worker that is on a CPU, or
//! waits for one, is a reason not to add: the machine is busy, and threads make no CPUs.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Pace;
use super::poll::Watched;
use crate::executor::Shared;
use crate::executor::lane::Backlog;
use crate::method::{Lane, Methods};
use crate::seat::Kind;

/// What one look found of all workers.
#[derive(Debug)]
pub(super) struct Crowd {
    pub(super) backlogs: [Backlog; 2],
    /// Workers that are off the CPU, by lane.
    pub(super) blocked: [usize; 2],
    blocked_by_method: HashMap<u16, usize>,
    runtimes_at_work: bool,
}

impl Crowd {
    /// Counts jobs and workers; the threads come one by one ([`Crowd::add`]).
    pub(super) fn count(shared: &Shared) -> Self {
        Self {
            backlogs: [Lane::Express, Lane::Slow].map(|lane| shared.lane(lane).backlog()),
            blocked: [0; 2],
            blocked_by_method: HashMap::new(),
            runtimes_at_work: false,
        }
    }

    pub(super) fn add(&mut self, watched: &Watched) {
        if watched.seat.kind == Kind::Runtime {
            self.runtimes_at_work |= watched.poll.is_some();
            return;
        }
        let Some(poll) = watched.poll.as_ref().filter(|_| watched.is_blocked()) else { return };
        if let Some(blocked) = self.blocked.get_mut(watched.seat.lane() as usize) {
            *blocked += 1;
            *self.blocked_by_method.entry(poll.method.number()).or_default() += 1;
        }
    }

    /// Jobs and workers of a lane. The blocking lane is not looked at.
    pub(super) fn backlog(&self, lane: Lane) -> Option<Backlog> {
        self.backlogs.get(lane as usize).copied()
    }

    /// Whether jobs wait in a lane and nobody is free.
    pub(super) fn is_pressed(&self, lane: Lane) -> bool {
        self.backlog(lane).is_some_and(|backlog| backlog.jobs > 0 && backlog.free == 0)
    }

    /// Whether nothing is in flight.
    pub(super) fn is_quiet(&self) -> bool {
        !self.runtimes_at_work
            && self.backlogs.iter().all(|lane| lane.jobs == 0 && lane.free == lane.workers)
    }

    pub(super) fn workers(&self) -> usize {
        self.backlogs.iter().map(|lane| lane.workers).sum()
    }

    /// Tells the methods how many workers are stuck in them.
    pub(super) fn publish(&self, methods: &Methods) {
        methods.each(|method| {
            let stuck = self.blocked_by_method.get(&method.number()).copied().unwrap_or(0);
            if method.stuck() != stuck {
                method.set_stuck(stuck);
            }
        });
    }
}

/// Adds workers where all are stuck. Returns the pace that pressed lanes ask for.
pub(super) fn compensate(crowd: &Crowd, shared: &Arc<Shared>) -> Option<Pace> {
    let settings = &shared.settings;
    let before_reserve = settings.workers_before_reserve();
    let saturated = crowd.blocked.iter().sum::<usize>() >= before_reserve;
    shared.saturated.store(saturated, Ordering::Relaxed);
    let max = if saturated { settings.workers_max.get() } else { before_reserve };
    let mut pace = None;
    for lane in [Lane::Express, Lane::Slow] {
        let at = lane as usize;
        let Backlog { jobs, workers, .. } = crowd.backlogs[at];
        if lane == Lane::Slow {
            // Those on the CPU are held to their number; those off it do not count.
            shared.lane(lane).allow(settings.slow_workers.get() + crowd.blocked[at]);
        }
        if !crowd.is_pressed(lane) {
            continue;
        }
        let others = crowd.workers() - workers;
        let progress = crowd.blocked[at] < workers;
        if progress || workers + others >= max {
            pace = pace.max(Some(Pace::Patient));
            continue;
        }
        // One more than there are jobs: the next to come shall not have to wait.
        let wanted = workers.max(1).min(jobs + 1);
        let added = shared.add_workers(lane, wanted, max - others);
        shared.observer.workers_added(lane, added);
        pace = Some(Pace::Quick);
    }
    pace
}
