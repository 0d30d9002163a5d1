//! The slow lane: who computes for long does so beside the others.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use unstall::{Executor, Job, Lane, Method, Settings};

use crate::{PATIENCE, compute_while, eventually, wait_for};

fn start(cores: usize, workers_max: usize) -> Executor {
    let mut settings = Settings::for_cores(NonZeroUsize::new(cores).unwrap());
    settings.workers_max = NonZeroUsize::new(workers_max).unwrap();
    Executor::start(settings, ()).unwrap()
}

/// Computes until the method is caught.
fn get_caught(executor: &Executor, method: &Method) {
    eventually("it is caught", || {
        let watched = method.clone();
        let began = Instant::now();
        let job = executor.spawn_method(method, async move {
            compute_while(|| {
                watched.lane() == Lane::Express && began.elapsed() < Duration::from_secs(1)
            });
        });
        wait_for(job).unwrap();
        method.lane() == Lane::Slow
    });
}

/// Loops that run until they are released.
struct Loops {
    released: Arc<AtomicBool>,
    running: Arc<AtomicUsize>,
    jobs: Vec<Job<()>>,
}

fn loops(executor: &Executor, count: usize) -> Loops {
    let released = Arc::new(AtomicBool::new(false));
    let running = Arc::new(AtomicUsize::new(0));
    let jobs = (0..count).map(|_| {
        let (released, running) = (Arc::clone(&released), Arc::clone(&running));
        executor.spawn("Loops", async move {
            running.fetch_add(1, Ordering::SeqCst);
            let began = Instant::now();
            compute_while(|| !released.load(Ordering::SeqCst) && began.elapsed() < PATIENCE);
        })
    });
    let jobs = jobs.collect();
    Loops { released, running, jobs }
}

impl Loops {
    fn end(self) {
        self.released.store(true, Ordering::SeqCst);
        for job in self.jobs {
            wait_for(job).unwrap();
        }
    }
}

#[test]
fn a_method_that_computes_is_moved_to_the_slow_lane_and_later_sent_back() {
    let executor = start(2, 256);
    let method = executor.method("Computes");
    get_caught(&executor, &method);
    eventually("it is sent back", || {
        wait_for(executor.spawn_method(&method, async {})).unwrap();
        method.lane() == Lane::Express
    });
}

#[test]
fn loops_that_never_end_do_not_close_the_slow_lane() {
    let executor = start(2, 256);
    let other = executor.method("Other");
    get_caught(&executor, &executor.method("Loops"));
    let loops = loops(&executor, 2);
    eventually("both run", || loops.running.load(Ordering::SeqCst) == 2);
    eventually("one is served there", || {
        get_caught(&executor, &other);
        let jobs: Vec<_> = (0..10).map(|_| executor.spawn_method(&other, async {})).collect();
        for job in jobs {
            wait_for(job).unwrap();
        }
        // Otherwise it may be that the jobs were sent back: once more, for twice as long.
        other.lane() == Lane::Slow
    });
    loops.end();
}

#[test]
fn jobs_of_a_method_that_is_sent_back_leave_the_slow_lane_with_it() {
    // Room for one that computes, and for four beside it that never end: not for all eight.
    let executor = start(1, 16);
    let other = executor.method("Other");
    get_caught(&executor, &executor.method("Loops"));
    get_caught(&executor, &other);
    let loops = loops(&executor, 8);
    let jobs: Vec<_> = (0..10).map(|_| executor.spawn_method(&other, async {})).collect();
    for job in jobs {
        wait_for(job).unwrap();
    }
    loops.end();
}
