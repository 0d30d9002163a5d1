//! The crowd: what one look found of all workers, counted.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::clock::Clock;
use super::poll::Watched;
use crate::executor::Shared;
use crate::executor::lane::Backlog;
use crate::method::{Lane, Method};
use crate::seat::Kind;

/// A worker of the slow lane that has computed for so long is not waited for.
const HOG_AFTER: Duration = Duration::from_millis(500);

/// What one look found of all workers. The blocking lane is not looked at.
#[derive(Debug)]
pub(super) struct Crowd {
    lanes: [InLane; 2],
    methods: HashMap<u16, Stuck>,
    stuck_for_long: usize,
    runtimes_at_work: bool,
    held: usize,
}

#[derive(Debug)]
struct InLane {
    backlog: Backlog,
    /// Off the CPU at two looks of one poll.
    blocked: usize,
    /// These, and those that go from one short wait to the next.
    idle: usize,
    /// Off the CPU at this look.
    off: usize,
    hogs: usize,
}

/// Workers that are blocked in a method.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stuck {
    pub(super) workers: usize,
    /// Those of them for which that has lasted long enough to be reported.
    pub(super) for_long: usize,
}

impl Crowd {
    /// Counts jobs and workers; the threads come one by one ([`Crowd::add`]).
    pub(super) fn count(shared: &Shared) -> Self {
        let lanes = [Lane::Express, Lane::Slow].map(|lane| InLane {
            backlog: shared.lane(lane).backlog(),
            blocked: 0,
            idle: 0,
            off: 0,
            hogs: 0,
        });
        let held = shared.held.load(Ordering::SeqCst);
        Self { lanes, methods: HashMap::new(), stuck_for_long: 0, runtimes_at_work: false, held }
    }

    pub(super) fn add(&mut self, watched: &Watched, clock: &Clock, long: Duration) {
        if watched.seat.kind == Kind::Runtime {
            self.runtimes_at_work |= watched.poll.is_some();
            return;
        }
        let lane = watched.seat.lane();
        let Some(counts) = self.lanes.get_mut(lane as usize) else { return };
        counts.idle += usize::from(watched.is_idle());
        counts.off += usize::from(watched.is_off());
        let Some(poll) = &watched.poll else { return };
        let age = poll.age(clock);
        if !watched.is_blocked() {
            counts.hogs += usize::from(lane == Lane::Slow && age >= HOG_AFTER);
            return;
        }
        counts.blocked += 1;
        let for_long = usize::from(age >= long);
        let stuck = self.methods.entry(poll.method.number()).or_default();
        stuck.workers += 1;
        stuck.for_long += for_long;
        self.stuck_for_long += for_long;
    }

    /// Jobs and workers of a lane; of the blocking lane nothing is known.
    pub(super) fn backlog(&self, lane: Lane) -> Backlog {
        self.lanes.get(lane as usize).map_or_else(Backlog::default, |lane| lane.backlog)
    }

    /// How many workers of a lane are off the CPU, and have been at two looks of their poll.
    pub(super) fn blocked(&self, lane: Lane) -> usize {
        self.lanes.get(lane as usize).map_or(0, |lane| lane.blocked)
    }

    /// How many workers of a lane are blocked, or go from one short wait to the next.
    pub(super) fn idle(&self, lane: Lane) -> usize {
        self.lanes.get(lane as usize).map_or(0, |lane| lane.idle)
    }

    /// Whether anybody of a lane was off the CPU at this look.
    pub(super) fn is_any_off(&self, lane: Lane) -> bool {
        self.lanes.get(lane as usize).is_some_and(|lane| lane.off > lane.blocked)
    }

    /// How many workers of the slow lane have computed for very long.
    pub(super) fn hogs(&self) -> usize {
        self.lanes[Lane::Slow as usize].hogs
    }

    /// Whether jobs wait in a lane and nobody is free.
    pub(super) fn is_pressed(&self, lane: Lane) -> bool {
        let backlog = self.backlog(lane);
        backlog.jobs > 0 && backlog.free == 0
    }

    /// Whether nothing is in flight.
    pub(super) fn is_quiet(&self) -> bool {
        !self.runtimes_at_work
            && self.held == 0
            && self.lanes.iter().all(|lane| lane.backlog.is_quiet())
    }

    pub(super) fn workers(&self) -> usize {
        self.lanes.iter().map(|lane| lane.backlog.workers).sum()
    }

    /// Workers that are blocked, and those of them for which that has lasted long.
    pub(super) fn stuck(&self) -> Stuck {
        let workers = self.lanes.iter().map(|lane| lane.blocked).sum();
        Stuck { workers, for_long: self.stuck_for_long }
    }

    /// The same of one method.
    pub(super) fn stuck_in(&self, method: &Method) -> Stuck {
        if self.methods.is_empty() {
            return Stuck::default();
        }
        self.methods.get(&method.number()).copied().unwrap_or_default()
    }
}
