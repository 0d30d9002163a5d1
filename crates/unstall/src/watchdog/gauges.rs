//! Gauges: what the observer is shown of each look, when it has changed.

use super::clock::Clock;
use super::compensate::Crowd;
use super::stalls::Stalls;
use crate::executor::Shared;
use crate::method::Lane;
use crate::observer::WorkerState;
use std::sync::atomic::Ordering;

/// What was shown last.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    workers: [[usize; 3]; 2],
    stalled: usize,
}

impl Gauges {
    pub(super) fn show(&mut self, crowd: &Crowd, stalls: &Stalls, clock: &Clock, shared: &Shared) {
        let observer = &shared.observer;
        for lane in [Lane::Express, Lane::Slow] {
            let at = lane as usize;
            let (backlog, stuck) = (crowd.backlogs[at], crowd.blocked[at]);
            let working = backlog.workers.saturating_sub(backlog.free + stuck);
            let states = [
                (WorkerState::Free, backlog.free),
                (WorkerState::Working, working),
                (WorkerState::Stuck, stuck),
            ];
            for ((state, workers), shown) in states.into_iter().zip(&mut self.workers[at]) {
                if *shown != workers {
                    *shown = workers;
                    observer.workers(lane, state, workers);
                }
            }
        }
        if self.stalled != stalls.now() {
            self.stalled = stalls.now();
            observer.stalled_now(self.stalled);
        }
        if shared.saturated.load(Ordering::Relaxed) {
            observer.saturated(clock.step());
        }
    }
}
