//! A worker: takes a job, publishes what it polls, polls it once, and comes back.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use super::Shared;
use super::lane::{Next, Parking};
use crate::job::{Refusal, Runnable, refuse};
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

/// Polls a job once, or refuses it, or passes it on to the lane where it belongs.
fn run(shared: &Arc<Shared>, seat: &Seat, lane: Lane, runnable: Runnable) {
    let facts = runnable.metadata();
    if facts.lane() != lane {
        shared.push(runnable);
        return;
    }
    let method = facts.method.clone();
    let others = method.enter();
    seat.begin(&method);
    // Jobs catch their own panics; this is for wakers and observers.
    let panicked =
        catch_unwind(AssertUnwindSafe(|| match admit(shared, lane, &runnable, others) {
            Ok(()) => {
                runnable.run();
            }
            Err(refusal) => refuse(runnable, refusal),
        }));
    seat.end();
    method.exit();
    if panicked.is_err() {
        tracing::error!(method = method.name(), "a waker or an observer panicked");
    }
}

/// Whether a job may be polled. One that has begun always may.
fn admit(shared: &Shared, lane: Lane, runnable: &Runnable, others: usize) -> Result<(), Refusal> {
    let facts = runnable.metadata();
    if facts.has_begun() {
        return Ok(());
    }
    shared.observer.queue_delay(lane, Instant::now() - facts.spawned);
    if lane != Lane::Blocking {
        shared.admit(&facts.method, others)?;
    }
    facts.begin();
    Ok(())
}
