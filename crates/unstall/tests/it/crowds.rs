//! Crowds of jobs that block: others are served meanwhile, and one method does not take it all.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use unstall::{Executor, Job, JobError, Lane, Observer, Settings, Shed, StallKind, WorkerState};

use crate::support::{Wall, wall};
use crate::{PATIENCE, block_for, eventually, wait_for};

fn start(workers_max: usize) -> Executor {
    start_with(workers_max, ())
}

fn start_with(workers_max: usize, observer: impl Observer) -> Executor {
    let mut settings = Settings::for_cores(NonZeroUsize::new(2).unwrap());
    settings.workers_max = NonZeroUsize::new(workers_max).unwrap();
    Executor::start(settings, observer).unwrap()
}

/// Jobs at a wall.
struct Stuck {
    count: Arc<AtomicUsize>,
    wall: Arc<Wall>,
}

impl Stuck {
    fn at(wall: Wall) -> Self {
        Self { count: Arc::default(), wall: Arc::new(wall) }
    }

    fn spawn(&self, executor: &Executor, name: &str) -> Job<()> {
        let (count, wall) = (Arc::clone(&self.count), Arc::clone(&self.wall));
        executor.spawn(name, async move {
            count.fetch_add(1, Ordering::SeqCst);
            wall.block();
        })
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

fn health(executor: &Executor) {
    for _ in 0..20 {
        assert_eq!(wait_for(executor.spawn("health", async { 1 })), Ok(1));
    }
}

fn is_shed(result: &Result<(), JobError>) -> bool {
    matches!(result, Err(JobError::Shed(Shed::MethodStuck | Shed::Saturated)))
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "no workers are added here")]
fn sleepers_do_not_hold_up_others() {
    let executor = start(256);
    let sleep = || async {
        block_for(Duration::from_secs(1));
        Instant::now()
    };
    let began = Instant::now();
    let sleepers: Vec<_> = (0..100).map(|_| executor.spawn("sleeper", sleep())).collect();
    let served = wait_for(executor.spawn("other", async { Instant::now() })).unwrap();
    for sleeper in sleepers {
        assert!(served < wait_for(sleeper).unwrap());
    }
    // One after the other on three workers, it would be 33 s.
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}

#[test]
fn a_task_woken_by_one_that_then_blocks_runs_at_once() {
    let executor = start(256);
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let woken = executor.spawn("woken", async move {
        receiver.await.unwrap();
        Instant::now()
    });
    let waker = executor.spawn("waker", async move {
        sender.send(()).unwrap();
        block_for(Duration::from_secs(2));
        Instant::now()
    });
    assert!(wait_for(woken).unwrap() < wait_for(waker).unwrap());
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "no workers are added here")]
fn a_method_holds_half_of_the_workers_at_most() {
    let executor = start(16);
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let jobs: Vec<_> = (0..40)
        .map(|_| {
            let (running, most) = (Arc::clone(&running), Arc::clone(&most));
            executor.spawn("greedy", async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                block_for(Duration::from_millis(500));
                running.fetch_sub(1, Ordering::SeqCst);
            })
        })
        .collect();
    let results: Vec<_> = jobs.into_iter().map(wait_for).collect();
    assert!(results.iter().all(|result| result.is_ok() || is_shed(result)), "{results:?}");
    assert!(results.iter().any(is_shed));
    assert_eq!(most.load(Ordering::SeqCst), 8);
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "no workers are added here")]
fn begun_jobs_beyond_half_of_the_workers_are_held_back_and_none_is_shed() {
    let executor = start(16);
    let (held, wall) = wall();
    let stuck = Stuck::at(wall);
    let begun = Arc::new(AtomicUsize::new(0));
    let (go, gone) = tokio::sync::watch::channel(false);
    let jobs: Vec<_> = (0..40)
        .map(|_| {
            let (begun, mut gone) = (Arc::clone(&begun), gone.clone());
            let (count, wall) = (Arc::clone(&stuck.count), Arc::clone(&stuck.wall));
            executor.spawn("greedy", async move {
                begun.fetch_add(1, Ordering::SeqCst);
                gone.wait_for(|gone| *gone).await.unwrap();
                tokio::time::sleep(Duration::from_millis(30)).await;
                count.fetch_add(1, Ordering::SeqCst);
                wall.block();
            })
        })
        .collect();
    eventually("all have begun", || begun.load(Ordering::SeqCst) == 40);
    go.send(true).unwrap();
    eventually("half of the workers are stuck", || stuck.count() >= 8);
    health(&executor);
    eventually("new ones are shed", || is_shed(&wait_for(executor.spawn("greedy", async {}))));
    health(&executor);
    assert_eq!(stuck.count(), 8);
    drop(held);
    for job in jobs {
        assert_eq!(wait_for(job), Ok(()));
    }
    assert_eq!(stuck.count(), 40);
}

#[test]
fn a_crowd_of_short_waits_is_served_and_none_of_it_shed() {
    let executor = Executor::start(Settings::for_this_machine(), ()).unwrap();
    let wait = || async { block_for(Duration::from_millis(5)) };
    let jobs: Vec<_> = (0..2_000).map(|_| executor.spawn("short", wait())).collect();
    for job in jobs {
        assert_eq!(wait_for(job), Ok(()));
    }
}

/// Counts the workers that were added.
#[derive(Clone, Default)]
struct Added(Arc<AtomicUsize>);

impl Observer for Added {
    fn workers_added(&self, _: Lane, workers: usize) {
        self.0.fetch_add(workers, Ordering::SeqCst);
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "no workers are added here")]
fn workers_are_added_for_waits_that_are_too_short_to_be_seen_twice() {
    let added = Added::default();
    let executor = start_with(256, added.clone());
    let enough = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let jobs: Vec<_> = (0..20)
        .map(|_| {
            let enough = Arc::clone(&enough);
            executor.spawn("short", async move {
                while !enough.load(Ordering::SeqCst) && began.elapsed() < PATIENCE {
                    block_for(Duration::from_micros(300));
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    eventually("workers are added", || added.0.load(Ordering::SeqCst) > 0);
    health(&executor);
    enough.store(true, Ordering::SeqCst);
    for job in jobs {
        assert_eq!(wait_for(job), Ok(()));
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "no workers are added here")]
fn a_thousand_short_waits_do_not_keep_others_out() {
    let added = Added::default();
    let executor = start_with(256, added.clone());
    let wait = || async { block_for(Duration::from_millis(1)) };
    let jobs: Vec<_> = (0..1_000).map(|_| executor.spawn("short", wait())).collect();
    health(&executor);
    for job in jobs {
        assert_eq!(wait_for(job), Ok(()));
    }
    assert!(added.0.load(Ordering::SeqCst) > 0);
}

/// Jobs of methods that take all workers but the reserve.
fn saturate(executor: &Executor, stuck: &Stuck, names: &[&str]) -> Vec<Job<()>> {
    let jobs: Vec<_> = (0..60).map(|job| stuck.spawn(executor, names[job % names.len()])).collect();
    eventually("the rest is shed", || {
        let finished = jobs.iter().filter(|job| job.is_finished()).count();
        finished > 0 && finished == 60 - stuck.count()
    });
    jobs
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "no workers are added here")]
fn with_all_workers_stuck_an_innocent_method_is_served_and_the_others_are_shed() {
    let executor = start(16);
    let (held, wall) = wall();
    let stuck = Stuck::at(wall);
    let jobs = saturate(&executor, &stuck, &["one", "two", "three"]);
    health(&executor);
    assert!(is_shed(&wait_for(executor.spawn("one", async {}))));
    drop(held);
    let results: Vec<_> = jobs.into_iter().map(wait_for).collect();
    assert!(results.iter().all(|result| result.is_ok() || is_shed(result)), "{results:?}");
    let done = results.iter().filter(|result| result.is_ok()).count();
    assert!((8..=16).contains(&done), "{done}");
    eventually("it recovers", || wait_for(executor.spawn("one", async {})).is_ok());
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "no workers are added here")]
fn with_all_workers_stuck_each_innocent_method_has_one() {
    let executor = start(16);
    let (held, wall) = wall();
    let stuck = Stuck::at(wall);
    let jobs = saturate(&executor, &stuck, &["one", "two"]);
    let before = stuck.count();
    let late: Vec<_> = (0..8).map(|_| stuck.spawn(&executor, "three")).collect();
    eventually("one of it is served", || stuck.count() > before);
    health(&executor);
    eventually("the rest of it is shed", || {
        late.iter().filter(|job| job.is_finished()).count() == late.len() - 1
    });
    health(&executor);
    assert_eq!(stuck.count(), before + 1);
    drop(held);
    for job in jobs.into_iter().chain(late) {
        let result = wait_for(job);
        assert!(result.is_ok() || is_shed(&result), "{result:?}");
    }
}

/// Panics whenever it is told something, but without a word.
struct Panics;

fn panic_silently() {
    std::panic::resume_unwind(Box::new(()));
}

impl Observer for Panics {
    fn report(&self, _: &unstall::StallReport) {
        panic_silently();
    }
    fn stall(&self, _: &str, _: StallKind) {
        panic_silently();
    }
    fn stalled_now(&self, _: usize) {
        panic_silently();
    }
    fn queue_delay(&self, _: Lane, _: Duration) {
        panic_silently();
    }
    fn workers(&self, _: Lane, _: WorkerState, _: usize) {
        panic_silently();
    }
    fn workers_added(&self, _: Lane, _: usize) {
        panic_silently();
    }
    fn suppressed(&self, _: u64) {
        panic_silently();
    }
    fn watchdog_lag(&self, _: Duration) {
        panic_silently();
    }
    fn saturated(&self, _: Duration) {
        panic_silently();
    }
    fn shed(&self, _: &str, _: Shed) {
        panic_silently();
    }
    fn lane_changed(&self, _: &str, _: Lane) {
        panic_silently();
    }
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "no workers are added here")]
fn an_observer_that_panics_keeps_nobody_from_being_served() {
    let executor = start_with(16, Panics);
    let (held, wall) = wall();
    let stuck = Stuck::at(wall);
    let jobs = saturate(&executor, &stuck, &["one", "two", "three"]);
    health(&executor);
    drop(held);
    for job in jobs {
        let result = wait_for(job);
        assert!(result.is_ok() || is_shed(&result), "{result:?}");
    }
    assert_eq!(executor.stop(PATIENCE).stuck, 0);
}
