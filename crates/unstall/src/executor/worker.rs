//! A worker: takes a job, publishes what it polls, polls it once, and comes back.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::Shared;
use super::lane::{Next, Parking};
use crate::job::Runnable;
use crate::method::Lane;
use crate::seat::{Kind, Seat};

/// How long a worker goes from job to job before it rings for the loops whose jobs have ended,
/// though others wait: an answer may wait for a few jobs, not for a queue of long ones.
const HELD_MAX: Duration = Duration::from_micros(100);

/// Starts the thread of a worker that the lane counts already.
pub(super) fn start(shared: &Arc<Shared>, lane: Lane) -> io::Result<()> {
    let number = shared.threads_started.fetch_add(1, Ordering::Relaxed);
    let shared = Arc::clone(shared);
    thread::Builder::new()
        .name(format!("unstall-{number}"))
        .spawn(move || work(&shared, lane))
        .map(drop)
}

fn work(shared: &Arc<Shared>, lane: Lane) {
    let _tokio = shared.tokio.enter();
    let seat = Arc::new(Seat::new(Kind::Worker, lane));
    shared.watch.add(Arc::clone(&seat));
    let parking = Arc::new(Parking::default());
    let mut arriving = true;
    let mut told = Instant::now();
    shared.loops.employ();
    loop {
        let lane = seat.lane();
        let (arrived, belongs) = (std::mem::take(&mut arriving), || seat.lane() == lane);
        match shared.lane(lane).next(&parking, arrived, belongs, || shared.loops.are_owed()) {
            Next::Job(runnable, summons) => {
                shared.follow(lane, summons);
                let now = Instant::now();
                if now.saturating_duration_since(told) > HELD_MAX {
                    shared.loops.tell();
                    told = now;
                }
                run(shared, &seat, lane, runnable, now);
            }
            Next::Last(runnable) => {
                // It may take long, and nobody else may come by.
                shared.loops.tell();
                told = Instant::now();
                run(shared, &seat, lane, runnable, told);
            }
            Next::Owing => shared.loops.tell(),
            Next::Leave(summons) => {
                shared.follow(lane, summons);
                break;
            }
            Next::Moved => {}
        }
    }
    shared.loops.dismiss();
    seat.leave();
}

/// Polls a job once, or refuses it, holds it back, or passes it on to the lane where it belongs.
fn run(shared: &Arc<Shared>, seat: &Seat, lane: Lane, runnable: Runnable, now: Instant) {
    let method = runnable.metadata().method.clone();
    let others = method.enter();
    seat.begin(&method);
    // Jobs catch their own panics; this is for wakers.
    let polled = catch_unwind(AssertUnwindSafe(|| {
        if runnable.metadata().lane() != lane {
            shared.push(runnable);
            return false;
        }
        if lane != Lane::Blocking && shared.room(&method, others) == 0 {
            refuse_or_hold(shared, runnable);
            return false;
        }
        begin(shared, lane, &runnable, now);
        runnable.run();
        true
    }));
    seat.end();
    method.exit();
    match polled {
        Ok(true) if method.held() > 0 => shared.let_go(&method, 1, |_| true),
        Ok(_) => {}
        Err(_) => tracing::error!(method = method.name(), "a waker panicked"),
    }
}

/// What becomes of a job whose method has no room. One that has begun always waits.
fn refuse_or_hold(shared: &Arc<Shared>, runnable: Runnable) {
    let facts = runnable.metadata();
    match shared.admit(&facts.method) {
        Err(shed) if !facts.has_begun() => shared.shed(runnable, shed),
        _ => shared.hold(runnable),
    }
}

fn begin(shared: &Shared, lane: Lane, runnable: &Runnable, now: Instant) {
    let facts = runnable.metadata();
    if !facts.has_begun() {
        shared.observer.queue_delay(lane, now.saturating_duration_since(facts.spawned));
        facts.begin();
    }
}
