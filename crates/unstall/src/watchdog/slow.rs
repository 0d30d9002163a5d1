//! The slow lane: who computes for long does so beside the others, not before them.
//!
//! More threads do not help against work that computes, since there are no more CPUs; lanes do.
//! A worker caught in a poll that has used 5 ms of CPU time is counted to the slow lane from
//! then on, another takes its place in the express lane, and the method's next jobs go to the
//! slow lane, where as many compute at once as there are cores.
//!
//! A method is sent back after a time without a catch, and on its next catch stays away twice
//! as long: a rare long poll costs little, a method that always computes hardly ever returns.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::crowd::Crowd;
use super::poll::Watched;
use crate::executor::Shared;
use crate::kernel::View;
use crate::method::{Lane, Method};
use crate::seat::Kind;

/// How long a method stays in the slow lane at first.
const STAY_FIRST: Duration = Duration::from_secs(1);

/// How long it stays at most.
const STAY_MAX: Duration = Duration::from_secs(300);

/// Methods that were caught, by number.
#[derive(Debug, Default)]
pub(super) struct SlowMethods(HashMap<u16, Record>);

#[derive(Debug)]
struct Record {
    method: Method,
    stay: Duration,
    until: Instant,
}

impl SlowMethods {
    /// Moves workers and methods that compute for long, and sends methods back.
    pub(super) fn review(
        &mut self,
        seats: &mut [Watched],
        crowd: &Crowd,
        shared: &Arc<Shared>,
        now: Instant,
    ) {
        for watched in seats {
            let Some(poll) = &watched.poll else { continue };
            let computes = watched.seat.kind == Kind::Worker
                && matches!(poll.view, View::Running | View::Unknown)
                && poll.cpu_used().is_some_and(|used| used >= shared.settings.slow_after);
            if !computes {
                continue;
            }
            self.catch(&poll.method, shared, now);
            if watched.seat.lane() == Lane::Express {
                replace(watched, crowd, shared);
            }
        }
        let mut sent_back = false;
        self.0.retain(|_, record| {
            if record.is_over(now) {
                sent_back = true;
                record.method.take_lane(Lane::Express);
                shared.observer.lane_changed(record.method.name(), Lane::Express);
            }
            // Until then, the next catch keeps it twice as long.
            now < record.until + record.stay
        });
        if sent_back {
            shared.sort_out(Lane::Slow);
        }
    }

    /// Sends a method to the slow lane, or keeps it there.
    fn catch(&mut self, method: &Method, shared: &Shared, now: Instant) {
        let record = self.0.entry(method.number()).or_insert_with(|| Record {
            method: method.clone(),
            stay: STAY_FIRST / 2,
            until: now,
        });
        if method.lane() == Lane::Express {
            record.stay = (record.stay * 2).min(STAY_MAX);
            method.take_lane(Lane::Slow);
            shared.observer.lane_changed(method.name(), Lane::Slow);
        }
        record.until = now + record.stay;
    }
}

impl Record {
    /// Whether its time in the slow lane is over.
    fn is_over(&self, now: Instant) -> bool {
        now >= self.until && self.method.lane() == Lane::Slow
    }
}

/// Counts a worker to the slow lane and puts another in its place.
fn replace(watched: &Watched, crowd: &Crowd, shared: &Arc<Shared>) {
    let Some(poll) = &watched.poll else { return };
    let (seat, word) = (&watched.seat, poll.word);
    let moved = shared.lane(Lane::Express).hand_over(shared.lane(Lane::Slow), || {
        let at_work = seat.word() == word;
        if at_work {
            seat.take_lane(Lane::Slow);
        }
        at_work
    });
    if moved {
        let slow = crowd.backlog(Lane::Slow).workers + 1;
        let max = shared.settings.workers_max.get().saturating_sub(slow);
        let added = shared.add_workers(Lane::Express, 1, max);
        shared.observer.workers_added(Lane::Express, added);
    }
}
