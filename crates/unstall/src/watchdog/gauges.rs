//! Gauges: what the observer is shown of each look, when it has changed.

use super::clock::Clock;
use super::crowd::Crowd;
use super::stalls::Stalls;
use crate::executor::Shared;
use crate::method::Lane;
use crate::observer::WorkerState;
use std::sync::atomic::Ordering;

/// What was shown last.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    workers: [[usize; 3]; 3],
    stalled: usize,
}

impl Gauges {
    pub(super) fn show(&mut self, crowd: &Crowd, stalls: &Stalls, clock: &Clock, shared: &Shared) {
        let observer = &shared.observer;
        for lane in Lane::ALL {
            let at = lane as usize;
            // In the blocking lane nobody is stuck: waiting is what it is for.
            let backlog = match lane {
                Lane::Blocking => shared.lane(lane).backlog(),
                Lane::Express | Lane::Slow => crowd.backlog(lane),
            };
            let stuck = crowd.blocked(lane);
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
