//! A worker: takes a job, publishes what it polls, polls it once, and comes back.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use super::Shared;
use super::lane::{Next, Parking};
use crate::job::Runnable;
use crate::method::Lane;
use crate::seat::{Kind, Seat};

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
    loop {
        let lane = seat.lane();
        let arrived = std::mem::take(&mut arriving);
        match shared.lane(lane).next(&parking, arrived, || seat.lane() == lane) {
            Next::Job(runnable, summons) => {
                shared.follow(lane, summons);
                run(shared, &seat, lane, runnable);
            }
            Next::Leave(summons) => {
                shared.follow(lane, summons);
                break;
            }
            Next::Moved => {}
        }
    }
    seat.leave();
}

/// Polls a job once, or refuses it, holds it back, or passes it on to the lane where it belongs.
fn run(shared: &Arc<Shared>, seat: &Seat, lane: Lane, runnable: Runnable) {
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
        begin(shared, lane, &runnable);
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

fn begin(shared: &Shared, lane: Lane, runnable: &Runnable) {
    let facts = runnable.metadata();
    if !facts.has_begun() {
        shared.observer.queue_delay(lane, Instant::now() - facts.spawned);
        facts.begin();
    }
}
